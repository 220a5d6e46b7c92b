//! One environment of one product: `environments/<product>/<env>.json` laid on the stack's defaults.

use std::path::Path;
use std::sync::Arc;

use super::fault::Faults;
use super::fields::{Fields, Missing};
use super::files;
use super::limits;
use super::merge::layer;
use super::node::Node;
use super::parse::parse_json;
use super::read_settings::{self, OWN_KEYS, is_name};
use super::routes::{self, Route};
use super::settings::Settings;
use super::source::SourceFile;
use super::stack_files::{DEFAULTS, Stacks};
use super::targets::{PRODUCTS, TARGETS, Target, Targets};

/// The folder of all environments, relative to the root.
pub const ENVIRONMENTS: &str = "environments";

/// One environment, read and found right.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The product: the name of the folder.
    pub product: String,
    /// The environment: the stem of the file.
    pub name: String,
    /// The file.
    pub file: Arc<SourceFile>,
    /// What it sets.
    pub settings: Settings,
    /// The routes of the public gateway, in the order of the file.
    pub routes: Vec<Route>,
    /// The routes of the internal gateway, in the order of the file.
    pub system_routes: Vec<Route>,
    /// Where it goes.
    pub target: Target,
}

/// The longest name made for an environment: that of the function of the authorizer without a cache.
fn longest_name(app_group: &str, environment: &str) -> String {
    format!("{app_group}-api-non-ttl-authorizer-{environment}")
}

/// Checks the defaults by themselves: they may leave out anything but must hold nothing else.
pub(super) fn check_defaults(root: &Path, defaults: &Node, faults: &mut Faults) {
    for member in defaults.members().unwrap_or_default() {
        if OWN_KEYS.contains(&member.key.as_str()) {
            let message = format!("`{}` can't have a default", member.key);
            faults.error(&member.key_span, message, "move it to each environment file");
        }
    }
    let Some(fields) = Fields::of(DEFAULTS, "the defaults", defaults, faults) else { return };
    let mut fields = fields.missing_are(Missing::Fine);
    for key in ["$schema", "gateway_api", "gateway_system"] {
        fields.get(key);
    }
    read_settings::read(&mut fields, root);
    fields.finish();
}

/// Reads one environment; nothing, with its faults, if anything is wrong with it.
pub(super) fn load(
    root: &Path,
    (product, name): (&str, &str),
    (stacks, targets): (&Stacks, &Targets),
    faults: &mut Faults,
) -> Option<Environment> {
    let before = faults.errors();
    let path = Path::new(ENVIRONMENTS).join(product).join(format!("{name}.json"));
    let file = files::read(root, &path, "write it, or name another environment", faults)?;
    check_names(product, name, &file, faults);
    let target = find_target(product, name, &file, targets, faults);
    let own = parse_json(&file, faults)?;
    let node = match own.members() {
        // The defaults have been checked already; a key that can have none must not come from them.
        Some(_) => layer(&without_own_keys(&stacks.gate.defaults), &own),
        None => own.clone(),
    };
    let missing = if stacks.gate.defaults_unreadable { Missing::FaultsHere } else { Missing::Faults };
    let fields = Fields::of(&path.display().to_string(), "this environment file", &node, faults)?;
    let mut fields = fields.or_in(DEFAULTS).missing_are(missing);
    fields.get("$schema");
    let api = fields.required_here("gateway_api").map(|member| &member.value);
    let system = fields.get("gateway_system").map(|member| &member.value);
    let settings = read_settings::read(&mut fields, root);
    fields.finish();
    check_lengths(&settings.app_group, name, &node, faults);
    let mut read =
        |key, node: Option<&Node>| node.map(|node| routes::read(key, node, &stacks.gate, faults)).unwrap_or_default();
    let (routes, system_routes) = (read("gateway_api", api), read("gateway_system", system));
    let (product, name) = (product.to_owned(), name.to_owned());
    let environment = Environment { product, name, file, settings, routes, system_routes, target: target? };
    (faults.errors() == before && !stacks.gate.defaults_unreadable).then_some(environment)
}

fn without_own_keys(defaults: &Node) -> Node {
    let mut defaults = defaults.clone();
    if let super::node::NodeValue::Object(members) = &mut defaults.value {
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
        (environment.settings.app_group.clone(), environment.name.clone(), account.clone(), region.clone())
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

/// Where the file says `app_group`. The file has been parsed once without faults, so that it is there.
fn app_group_span(environment: &Environment) -> super::Span {
    parse_json(&environment.file, &mut Faults::default())
        .and_then(|node| node.get("app_group").map(|member| member.value.span.clone()))
        .unwrap_or_else(|| super::Span::new(&environment.file, 0..1))
}
