//! The files of a stack, parsed but not filled: defaults, route templates, gateway responses, resource policy.
//!
//! ```text
//! stacks/STACK/defaults.json             settings every environment starts from
//! stacks/STACK/routes/NAME.json          one template a route type; its name is the key of a path list
//! stacks/STACK/gateway_responses.json    what API Gateway itself answers
//! stacks/STACK/policy.json               the resource policy
//! stacks/STACK/policy_private.json       the one of a private API; a stack without it can't be private
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::edge;
use super::environment::check_defaults;
use super::fault::Faults;
use super::fields::{Fields, Type, wrong_type};
use super::files;
use super::node::{Node, NodeValue};
use super::parse::parse_json;
use super::routes::ALLOW;
use super::source::SourceFile;

/// The defaults of the gate stack, relative to the root.
pub const DEFAULTS: &str = "stacks/gate/defaults.json";

/// All stacks.
#[derive(Debug, Clone)]
pub struct Stacks {
    /// The public REST API.
    pub gate: StackFiles,
    /// The internal REST API; none where the configuration has no such folder, and so no such gateway.
    pub system: Option<StackFiles>,
    /// The settings that every HTTP API starts from; none where the configuration has no such folder.
    pub edge: Option<Node>,
}

impl Stacks {
    /// The files of a gateway's stack.
    #[must_use]
    pub fn of(&self, stack: GatewayStack) -> Option<&StackFiles> {
        match stack {
            GatewayStack::Gate => Some(&self.gate),
            GatewayStack::System => self.system.as_ref(),
        }
    }
}

/// The stacks that make a REST API out of lists of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayStack {
    /// The public one.
    Gate,
    /// The internal one, between services.
    System,
}

impl GatewayStack {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Gate, Self::System];

    /// The name in addresses, and of the folder in `stacks/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::System => "system",
        }
    }

    /// The key of an environment file that holds the routes.
    #[must_use]
    pub fn routes_key(self) -> &'static str {
        match self {
            Self::Gate => "gateway_api",
            Self::System => "gateway_system",
        }
    }

    /// A file of the stack, relative to the root.
    #[must_use]
    pub fn file(self, name: &str) -> PathBuf {
        ["stacks", self.name(), name].iter().collect()
    }
}

/// The files of one stack.
#[derive(Debug, Clone)]
pub struct StackFiles {
    /// Settings every environment starts from: the optional keys of an environment file.
    pub defaults: Node,
    /// The route templates by name.
    pub routes: BTreeMap<String, RouteTemplate>,
    /// What API Gateway itself answers, by response type.
    pub gateway_responses: Node,
    /// The resource policy, with its placeholders.
    pub policy: Node,
    /// The resource policy of a private API.
    pub policy_private: Option<Node>,
    /// Templates that are there but faulty: routes of these types are not reported a second time.
    pub(super) broken: BTreeSet<String>,
    /// Whether the defaults could not be read: what they would give is not reported as missing.
    pub(super) defaults_unreadable: bool,
}

/// One type of route: how an entry of its path list looks, and what it becomes.
#[derive(Debug, Clone)]
pub struct RouteTemplate {
    /// Its name: the stem of its file, and the key of its path list.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The member of an entry that holds the path.
    pub path_key: String,
    /// The member that holds a target URL; without one, the ingress is the target.
    pub target_key: Option<String>,
    /// Further members of an entry.
    pub value_keys: Vec<String>,
    /// The `OpenAPI` path item, with its placeholders.
    pub path_item: Node,
}

impl RouteTemplate {
    /// The members an entry of this type has.
    pub fn entry_keys(&self) -> impl Iterator<Item = &str> {
        [Some(&self.path_key), self.target_key.as_ref()]
            .into_iter()
            .flatten()
            .chain(&self.value_keys)
            .map(String::as_str)
    }
}

/// Reads the files of all stacks.
pub(super) fn load(root: &Path, faults: &mut Faults) -> Stacks {
    let gate = load_one(root, GatewayStack::Gate, faults);
    check_defaults(root, GatewayStack::Gate, &gate.defaults, faults);
    let there = root.join("stacks").join(GatewayStack::System.name()).is_dir();
    let system = there.then(|| {
        let system = load_one(root, GatewayStack::System, faults);
        check_defaults(root, GatewayStack::System, &system.defaults, faults);
        system
    });
    let edge = root.join(edge::DEFAULTS).is_file().then(|| object(root, Path::new(edge::DEFAULTS), faults)).flatten();
    if let Some(defaults) = &edge {
        edge::check_defaults(defaults, faults);
    }
    Stacks { gate, system, edge }
}

fn load_one(root: &Path, stack: GatewayStack, faults: &mut Faults) -> StackFiles {
    let mut read = |name: &str| object(root, &stack.file(name), faults);
    let nothing = |name: &str| Node::empty(&SourceFile::new(stack.file(name), ""));
    let defaults = read("defaults.json");
    let defaults_unreadable = defaults.is_none();
    let defaults = defaults.unwrap_or_else(|| nothing("defaults.json"));
    let gateway_responses = read("gateway_responses.json").unwrap_or_else(|| nothing("gateway_responses.json"));
    let policy = read("policy.json").unwrap_or_else(|| nothing("policy.json"));
    let private = root.join(stack.file("policy_private.json")).is_file();
    let policy_private = if private { read("policy_private.json") } else { None };
    let (routes, broken) = route_templates(root, &stack.file("routes"), faults);
    StackFiles { defaults, routes, gateway_responses, policy, policy_private, broken, defaults_unreadable }
}

/// The object a file holds; nothing, with its fault, if it holds none.
fn object(root: &Path, path: &Path, faults: &mut Faults) -> Option<Node> {
    let hint = "copy it from the stack that comes with gwctl";
    let file = files::read(root, path, hint, faults)?;
    let node = parse_json(&file, faults)?;
    if node.members().is_none() {
        wrong_type(&path.display().to_string(), &node, Type::Object, faults);
        return None;
    }
    Some(node)
}

fn route_templates(
    root: &Path,
    folder: &Path,
    faults: &mut Faults,
) -> (BTreeMap<String, RouteTemplate>, BTreeSet<String>) {
    let (mut templates, mut broken) = (BTreeMap::new(), BTreeSet::new());
    let Some(names) = files::list(root, folder, faults) else { return (templates, broken) };
    for name in names.iter().filter_map(|name| name.strip_suffix(".json")) {
        let path: PathBuf = folder.join(format!("{name}.json"));
        let template = files::read(root, &path, "make it readable", faults).and_then(|file| {
            let node = parse_json(&file, faults)?;
            route_template(name, &file, &node, faults)
        });
        match template {
            Some(template) => drop(templates.insert(name.to_owned(), template)),
            None => drop(broken.insert(name.to_owned())),
        }
    }
    if templates.is_empty() && broken.is_empty() {
        faults.file_error(
            folder,
            "there is no route template",
            "copy the four usual ones from the stack that comes with gwctl",
        );
    }
    (templates, broken)
}

fn route_template(name: &str, file: &Arc<SourceFile>, node: &Node, faults: &mut Faults) -> Option<RouteTemplate> {
    let before = faults.errors();
    if !name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-')) {
        let hint = "use letters, digits, `_` and `-`: the name is a key in environment files";
        faults.file_error(&file.path, format!("`{name}` can't name a route type"), hint);
    }
    let mut fields = Fields::of(name, "this route template", node, faults)?;
    let description = fields.get("description");
    let description = fields.text(description).map(|text| text.value.to_owned());
    let entry = fields.required("entry").map(|member| &member.value);
    let path_item = fields.required("path_item").map(|member| &member.value);
    if let Some(item) = path_item
        && !matches!(item.value, NodeValue::Object(_))
    {
        wrong_type("path_item", item, Type::Object, fields.faults);
    }
    fields.finish();
    let (path_key, target_key, value_keys) = entry_keys(entry?, faults)?;
    let template = RouteTemplate {
        name: name.to_owned(),
        description,
        path_key,
        target_key,
        value_keys,
        path_item: path_item?.clone(),
    };
    (faults.errors() == before).then_some(template)
}

fn entry_keys(entry: &Node, faults: &mut Faults) -> Option<(String, Option<String>, Vec<String>)> {
    let mut fields = Fields::of("entry", "`entry`", entry, faults)?;
    let path = fields.required("path");
    let path = fields.text(path);
    let target = fields.get("target");
    let target = fields.text(target);
    let values = fields.get("values");
    let values = fields.texts(values);
    let mut seen = Vec::new();
    for text in path.iter().chain(&target).chain(&values) {
        if seen.contains(&text.value) {
            let message = format!("two parts of an entry can't both stand under `{}`", text.value);
            fields.faults.error(&text.node.span, message, "give each its own key");
        }
        if text.value == ALLOW {
            let message = format!("`{ALLOW}` is a member of every entry: it names the warnings that the entry allows");
            fields.faults.error(&text.node.span, message, "choose another key");
        }
        seen.push(text.value);
    }
    fields.finish();
    let values = values.iter().map(|text| text.value.to_owned()).collect();
    Some((path?.value.to_owned(), target.map(|text| text.value.to_owned()), values))
}
