//! One environment of one product: `environments/<product>/<env>.json` laid on the stacks' defaults.
//!
//! The file sets the public gateway. The internal one takes from it what both have in common ([`SHARED`]), under the defaults of
//! its own stack and under what the file says below `system`.

use std::path::Path;
use std::sync::Arc;

use super::edge::{self, EdgeSettings};
use super::fault::Faults;
use super::fields::{Fields, Missing};
use super::files;
use super::limits;
use super::merge::layer;
use super::names::{self, Names};
use super::node::Node;
use super::node::{Member, NodeValue};
use super::parse::parse_json;
use super::read_settings::{self, OWN_KEYS, is_name};
use super::routes::{self, Route};
use super::settings::Settings;
use super::source::SourceFile;
use super::stack_files::{DEFAULTS, GatewayStack, StackFiles, Stacks};
use super::targets::{PRODUCTS, TARGETS, Target, Targets};

/// The folder of all environments, relative to the root.
pub const ENVIRONMENTS: &str = "environments";

/// One environment in one Region, read and found right.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The product: the name of the folder.
    pub product: String,
    /// The environment: the stem of the file.
    pub name: String,
    /// The file.
    pub file: Arc<SourceFile>,
    /// The public gateway: there unless the environment has an edge alone, and in the target's own Region.
    pub gate: Option<Gateway>,
    /// The internal gateway: there if the file lists a route of it.
    pub system: Option<Gateway>,
    /// The HTTP APIs of the Region.
    pub edge: Option<EdgeSettings>,
    /// What its resources are called, where the names that are made of the environment's are not to be had.
    pub names: Names,
    /// Where it goes.
    pub target: Target,
}

impl Environment {
    /// Its gateways: the public one, then the internal one if there is one.
    pub fn gateways(&self) -> impl Iterator<Item = &Gateway> {
        self.gate.iter().chain(&self.system)
    }

    /// The same, to be changed.
    pub fn gateways_mut(&mut self) -> impl Iterator<Item = &mut Gateway> {
        self.gate.iter_mut().chain(&mut self.system)
    }

    /// What stands in front of the names of its resources.
    #[must_use]
    pub fn app_group(&self) -> &str {
        let gate = self.gate.as_ref().map(|gate| &gate.settings.app_group);
        gate.or(self.edge.as_ref().map(|edge| &edge.app_group)).map_or("", String::as_str)
    }

    /// The Regions of the environment, in the order in which they are changed: more than one where it has an edge.
    #[must_use]
    pub fn regions(&self) -> Vec<&str> {
        let mut regions = vec![self.target.region.as_str()];
        if let Some(edge) = &self.edge {
            regions = edge.regions.iter().map(String::as_str).collect();
        }
        regions
    }

    /// The gateway of that stack.
    #[must_use]
    pub fn gateway(&self, stack: GatewayStack) -> Option<&Gateway> {
        self.gateways().find(|gateway| gateway.stack == stack)
    }
}

/// One gateway of an environment.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// What it is made of.
    pub stack: GatewayStack,
    /// What the environment sets for it.
    pub settings: Settings,
    /// Its routes, in the order of the file.
    pub routes: Vec<Route>,
}

/// What the internal gateway takes from the public one's settings, unless its own stack or `system` says otherwise. The
/// rest (its authorizer, its network, its web ACL, its domain) is its own or not there.
const SHARED: [&str; 18] = [
    "app_group",
    "gateway_stage_name",
    "vpc_link_id",
    "vpc_link",
    "account_logging_role",
    "throttling_rate_limit",
    "throttling_burst_limit",
    "authorizer_result_ttl",
    "log_format",
    "tags",
    "stage_variables",
    "xray_tracing",
    "logging_level",
    "data_trace",
    "metrics",
    "ingress",
    "minimum_compression_size",
    "endpoint_type",
];

/// The longest name made for an environment: that of the function of the authorizer without a cache.
fn longest_name(app_group: &str, environment: &str) -> String {
    format!("{app_group}-api-non-ttl-authorizer-{environment}")
}

/// Checks the defaults by themselves: they may leave out anything but must hold nothing else.
pub(super) fn check_defaults(root: &Path, stack: GatewayStack, defaults: &Node, faults: &mut Faults) {
    for member in defaults.members().unwrap_or_default() {
        if OWN_KEYS.contains(&member.key.as_str()) {
            let message = format!("`{}` can't have a default", member.key);
            faults.error(&member.key_span, message, "move it to each environment file");
        }
    }
    let name = stack.file("defaults.json").display().to_string();
    let Some(fields) = Fields::of(&name, "the defaults", defaults, faults) else { return };
    let mut fields = fields.missing_are(Missing::Fine);
    for key in ["$schema", "gateway_api", "gateway_system", "system", names::KEY] {
        fields.get(key);
    }
    read_settings::read(stack, &mut fields, root);
    fields.finish();
}

/// Reads one environment, in each of its Regions; nothing, with its faults, if anything is wrong with it.
pub(super) fn load(
    root: &Path,
    (product, name): (&str, &str),
    (stacks, targets): (&Stacks, &Targets),
    faults: &mut Faults,
) -> Vec<Environment> {
    let before = faults.errors();
    let read = read(root, (product, name), (stacks, targets), faults);
    read.filter(|_| faults.errors() == before && !stacks.gate.defaults_unreadable).unwrap_or_default()
}

fn read(
    root: &Path,
    (product, name): (&str, &str),
    (stacks, targets): (&Stacks, &Targets),
    faults: &mut Faults,
) -> Option<Vec<Environment>> {
    let path = Path::new(ENVIRONMENTS).join(product).join(format!("{name}.json"));
    let file = files::read(root, &path, "write it, or name another environment", faults)?;
    check_names(product, name, &file, faults);
    let target = find_target(product, name, &file, targets, faults);
    let own = parse_json(&file, faults)?;
    let edges = edge(&own, stacks, faults);
    let (gate, system, names) = match &edges {
        Some(_) if own.get("gateway_api").is_none() => {
            only_edge(&own, faults);
            (None, None, Names::new())
        }
        _ => {
            let (gate, system, names) = gateways(root, (product, name), &own, stacks, faults)?;
            (Some(gate), system, names)
        }
    };
    let environment = Environment {
        product: product.to_owned(),
        name: name.to_owned(),
        file,
        gate,
        system,
        edge: None,
        names,
        target: target?,
    };
    Some(in_regions(environment, edges.unwrap_or_default()))
}

/// The environment in its target's Region if it has a gateway there, and in each Region of its edge.
fn in_regions(environment: Environment, mut edges: Vec<(String, EdgeSettings)>) -> Vec<Environment> {
    let mut all = Vec::new();
    let bare = Environment { gate: None, system: None, names: Names::new(), ..environment.clone() };
    if environment.gate.is_some() {
        let here = edges.iter().position(|(region, _)| *region == environment.target.region);
        all.push(Environment { edge: here.map(|index| edges.remove(index).1), ..environment });
    }
    all.extend(edges.into_iter().map(|(region, edge)| {
        let target = bare.target.in_region(&region);
        Environment { edge: Some(edge), target, ..bare.clone() }
    }));
    all
}

/// Reads `edge` on the defaults of its stack; nothing where there is none.
fn edge(own: &Node, stacks: &Stacks, faults: &mut Faults) -> Option<Vec<(String, EdgeSettings)>> {
    let member = own.get(edge::KEY)?;
    let Some(defaults) = &stacks.edge else {
        let hint = "copy the folder from the stacks that come with gwctl, or take `edge` away";
        faults.error(&member.key_span, "there is no folder `stacks/edge` to make this of", hint);
        return None;
    };
    let node = layer(&without_own_keys(defaults), &member.value);
    // Both are read, and checked, as settings of the whole file.
    let mut ignored = Faults::default();
    let mut shared = Fields::of("edge", "this environment file", own, &mut ignored)?.missing_are(Missing::Fine);
    let (app_group, tags) = (read_settings::app_group(&mut shared), read_settings::tags(&mut shared));
    let mut fields = Fields::of(edge::KEY, "`edge`", &node, faults)?.or_in(edge::DEFAULTS);
    let regions = edge::read(&node, &app_group, &tags, &mut fields);
    fields.finish();
    Some(regions)
}

/// An environment file without a REST API has only what the edge takes.
fn only_edge(own: &Node, faults: &mut Faults) {
    let Some(mut fields) = Fields::of("edge", "an environment file with `edge` alone", own, faults) else { return };
    fields.get("$schema");
    fields.get(edge::KEY);
    read_settings::app_group(&mut fields);
    read_settings::tags(&mut fields);
    fields.finish();
}

/// The REST APIs of an environment.
fn gateways(
    root: &Path,
    (product, name): (&str, &str),
    own: &Node,
    stacks: &Stacks,
    faults: &mut Faults,
) -> Option<(Gateway, Option<Gateway>, Names)> {
    let node = match own.members() {
        // The defaults have been checked already; a key that can have none must not come from them.
        Some(_) => layer(&without_own_keys(&stacks.gate.defaults), own),
        None => own.clone(),
    };
    let missing = if stacks.gate.defaults_unreadable { Missing::FaultsHere } else { Missing::Faults };
    let path = own.span.path().display().to_string();
    let fields = Fields::of(&path, "this environment file", &node, faults)?;
    let mut fields = fields.or_in(DEFAULTS).missing_are(missing);
    fields.get("$schema");
    fields.get(edge::KEY);
    let api = fields.required_here("gateway_api").map(|member| &member.value);
    let system_routes = fields.get("gateway_system");
    let system_settings = fields.get("system");
    let names = names::read(&mut fields);
    let settings = read_settings::read(GatewayStack::Gate, &mut fields, root);
    fields.finish();
    check_lengths(&settings.app_group, name, &node, faults);
    let routes = api.map(|node| routes::read("gateway_api", node, &stacks.gate, faults)).unwrap_or_default();
    let system = system(root, &node, (system_routes, system_settings), stacks.system.as_ref(), faults);
    let gate = Gateway { stack: GatewayStack::Gate, settings, routes };
    check_auth_gateway(product, &gate, system.as_ref(), &node, faults);
    Some((gate, system, names))
}

/// A gate that asks behind the product's own system gateway needs one.
fn check_auth_gateway(product: &str, gate: &Gateway, system: Option<&Gateway>, node: &Node, faults: &mut Faults) {
    let Some(asked) = &gate.settings.authorizer.auth_gateway else { return };
    if system.is_none() && asked.product.as_ref().is_none_or(|asked| asked == product) {
        let at = node.at("/authorizer/auth_host").map_or_else(|| node.span.first(), |host| host.span.first());
        let message = "`auth_host` refers to the system gateway of this environment, which has none";
        faults.error(&at, message, "list its routes in `gateway_system`, or name the host or another product");
    }
}

/// The internal gateway; none where no route of it is listed.
fn system(
    root: &Path,
    node: &Node,
    (lists, own): (Option<&Member>, Option<&Member>),
    files: Option<&StackFiles>,
    faults: &mut Faults,
) -> Option<Gateway> {
    let stack = GatewayStack::System;
    let unused = |faults: &mut Faults| {
        if let Some(own) = own {
            let message = "`system` sets a gateway that has no route";
            faults.warning(&own.key_span, message, "list its routes in `gateway_system`, or take `system` away");
        }
    };
    let Some(lists) = lists else {
        unused(faults);
        return None;
    };
    let Some(files) = files else {
        let listed = |list: &Member| list.value.items().is_some_and(|entries| !entries.is_empty());
        if lists.value.members().unwrap_or_default().iter().any(listed) {
            let hint = "copy the folder from the stacks that come with gwctl, or take `gateway_system` away";
            faults.error(&lists.key_span, "there is no folder `stacks/system` to make this gateway of", hint);
        }
        return None;
    };
    let routes = routes::read(stack.routes_key(), &lists.value, files, faults);
    if routes.is_empty() {
        unused(faults);
        return None;
    }
    if let Some(member) = own.and_then(|own| own.value.get("app_group")) {
        // Names of both gateways begin with it, and are checked against those of other environments by it.
        let message = "`system` can't have an `app_group` of its own";
        faults.error(&member.key_span, message, "take it away: both gateways of an environment have the same");
    }
    let under = layer(&only_shared(node), &without_own_keys(&files.defaults));
    let node = match own {
        Some(own) => layer(&under, &own.value),
        None => Node { span: node.span.clone(), ..under },
    };
    let missing = if files.defaults_unreadable { Missing::FaultsHere } else { Missing::Faults };
    // What both gateways share is said of the file; what only this one needs belongs below `system`.
    let what = if own.is_some() { "`system`" } else { "this environment file's `system`" };
    let fields = Fields::of("system", what, &node, faults)?;
    let mut fields = fields.or_in("stacks/system/defaults.json").missing_are(missing);
    let settings = read_settings::read(stack, &mut fields, root);
    fields.finish();
    Some(Gateway { stack, settings, routes })
}

fn only_shared(node: &Node) -> Node {
    let mut node = node.clone();
    if let NodeValue::Object(members) = &mut node.value {
        members.retain(|member| SHARED.contains(&member.key.as_str()));
    }
    node
}

fn without_own_keys(defaults: &Node) -> Node {
    let mut defaults = defaults.clone();
    if let NodeValue::Object(members) = &mut defaults.value {
        // `$schema` names the schema of the file it stands in.
        members.retain(|member| !OWN_KEYS.contains(&member.key.as_str()) && member.key != "$schema");
    }
    defaults
}

fn check_names(product: &str, name: &str, file: &Arc<SourceFile>, faults: &mut Faults) {
    let hint = "use letters, digits, `_` and `-`: the name goes into names and tags in AWS";
    if !is_name(product) {
        faults.file_error(&file.path, format!("`{product}` can't name a product"), hint);
    }
    if let Some(stem) = name.strip_suffix(".tfvars") {
        let message = format!("`{name}` can't name an environment");
        faults.file_error(&file.path, message, format!("rename the file to `{stem}.json`"));
    } else if !is_name(name) {
        faults.file_error(&file.path, format!("`{name}` can't name an environment"), hint);
    } else if name == PRODUCTS {
        let message = format!("an environment can't be called `{name}`");
        faults.file_error(&file.path, message, format!("{TARGETS} uses the word; choose another"));
    }
}

fn find_target(
    product: &str,
    name: &str,
    file: &Arc<SourceFile>,
    targets: &Targets,
    faults: &mut Faults,
) -> Option<Target> {
    let target = targets.get(product, name).filter(|_| !targets.is_broken(product, name));
    if target.is_none() && !targets.is_broken(product, name) {
        let message = format!("there is no target for the environment `{name}`");
        let hint = format!("add `[{name}]` with `account` and `region` to {TARGETS}");
        faults.file_error(&file.path, message, hint);
    }
    target.cloned()
}

fn check_lengths(app_group: &str, environment: &str, node: &Node, faults: &mut Faults) {
    let name = longest_name(app_group, environment);
    if let Some(member) = node.get("app_group")
        && name.len() > limits::FUNCTION_NAME_CHARACTERS
    {
        let message = format!("`app_group` is too long: `{name}` has {} characters", name.len());
        let most = limits::FUNCTION_NAME_CHARACTERS.saturating_sub(longest_name("", environment).len());
        let hint =
            format!("use at most {most}: the name of a function has at most {}", limits::FUNCTION_NAME_CHARACTERS);
        faults.error(&member.value.span, message, hint);
    }
}

/// Checks that no two environments make resources of the same names in the same place.
pub(super) fn check_collisions(environments: &[Environment], faults: &mut Faults) {
    let place = |environment: &Environment| {
        let Target { account, region, .. } = &environment.target;
        (environment.app_group().to_owned(), environment.name.clone(), account.clone(), region.clone())
    };
    for (index, environment) in environments.iter().enumerate() {
        let same = |first: &&Environment| place(first) == place(environment);
        let Some(first) = environments[..index].iter().find(same) else { continue };
        let span = app_group_span(environment);
        let message = format!(
            "`{}` of `{}` and of `{}` make resources of the same names in account {}, {}",
            environment.name, first.product, environment.product, environment.target.account, environment.target.region
        );
        faults
            .error(&span, message, "give each product its own `app_group`, or its own account or Region")
            .relate(&app_group_span(first), "the other one");
    }
}

/// Checks that no two environments give one name to a resource of each, where AWS has only one of that name.
pub(super) fn check_given_names(environments: &[Environment], faults: &mut Faults) {
    for (index, environment) in environments.iter().enumerate() {
        for (address, given) in &environment.names {
            let Some([_, kind, _]) = names::parts(address) else { continue };
            let same = |other: &&Environment| {
                let (one, other) = (&environment.target, &other.target);
                // Roles are global in an account.
                one.account == other.account && (kind == "iam-role" || one.region == other.region)
            };
            let of = |other: &Environment| {
                let mut names = other
                    .names
                    .iter()
                    .filter(|(address, _)| names::parts(address).is_some_and(|parts| parts[1] == kind));
                names.find(|(_, name)| name.name == given.name).map(|(_, name)| name.span.clone())
            };
            let mut others = environments[..index].iter().filter(same).filter(|_| !names::MAY_BE_ALIKE.contains(&kind));
            if let Some(first) = others.find_map(of) {
                let message = format!("`{}` is the name of a {kind} of another environment, too", given.name);
                faults
                    .error(&given.span, message, "one resource can't be two: give each its own")
                    .relate(&first, "the other one");
            }
        }
    }
}

/// Where the file says `app_group`. The file has been parsed once without faults, so that it is there.
fn app_group_span(environment: &Environment) -> super::Span {
    parse_json(&environment.file, &mut Faults::default())
        .and_then(|node| node.get("app_group").map(|member| member.value.span.clone()))
        .unwrap_or_else(|| super::Span::new(&environment.file, 0..1))
}
