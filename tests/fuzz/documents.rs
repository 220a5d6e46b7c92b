//! Documents to import: those of the recordings and of the repository's own gateways, spoilt, as JSON and as YAML.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use gwctl::config::{self, GatewayStack};
use gwctl::model::Found;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::apigateway::state::Definition;
use gwctl::stack::{self, Zips};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::bench::{call, exception, faults, held, id, incoming, state};
use super::check;
use super::strategies::{edits, nested, spoil, text};

/// The documents that are spoilt. Those of the repository are cut down to a few paths, so that a case takes little time.
static DOCUMENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = Vec::new();
    for folder in ["import-mock-cors", "import-petstore-authorizer", "put-binary-media-types"] {
        let file = root.join("tests/recordings").join(folder).join("document.json");
        documents.push(serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap());
    }
    for (product, env) in [("product-a", "dev"), ("product-b", "prod")] {
        let Ok(configuration) = config::load_selected(root, &[product.to_owned()], &[env.to_owned()], false) else {
            panic!("the repository's configuration has faults")
        };
        let [environment] = configuration.environments.as_slice() else { panic!("one environment was asked for") };
        let expansion = stack::expand(&configuration, environment, &Zips::UNBUILT, &Found::nothing()).unwrap();
        let expansion = expansion.unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        let mut document = expansion.gateway(GatewayStack::Gate).unwrap().document.clone();
        let paths = document["paths"].as_object_mut().unwrap();
        let few = std::mem::take(paths).into_iter().step_by(3).take(4);
        paths.extend(few);
        documents.push(document);
    }
    documents
});

/// Sends a document, in one of its forms.
fn send(sandbox: &Sandbox, method: &str, target: &str, text: impl Into<Vec<u8>>) -> gwctl::sandbox::wire::Response {
    sandbox.receive(incoming("apigateway", method, target, text))
}

fn written(document: &Value, yaml: bool) -> String {
    if yaml { serde_saphyr::to_string(document).unwrap_or_default() } else { document.to_string() }
}

/// The definition of the only API.
fn definition(sandbox: &Sandbox) -> Definition {
    let world = sandbox.world().unwrap();
    state(&world).unwrap().apis[0].definition.clone()
}

#[test]
fn a_document_is_taken_as_a_whole_or_leaves_no_trace() {
    let query = select(
        &["", "&failonwarnings=true", "&basepath=prepend", "&basepath=split", "&ignore=documentation", "&parameters=a"]
            [..],
    );
    let taken = std::cell::Cell::new(0_u32);
    check(40, &(any::<Index>(), edits(5), any::<bool>(), query, any::<Index>(), edits(4)), |case| {
        let (place, edits, yaml, query, other, more) = case;
        let sandbox = Sandbox::in_memory();
        sandbox.receive(incoming("apigateway", "GET", "/restapis", ""));
        let empty = held(&sandbox);
        let document = spoil(DOCUMENTS[place.index(DOCUMENTS.len())].clone(), &edits);
        let response = send(&sandbox, "POST", &format!("/restapis?mode=import{query}"), written(&document, yaml));
        let said = String::from_utf8_lossy(&response.body).into_owned();
        prop_assert!(exception(&response) != "InternalFailure", "{document}: {said}");
        if response.status >= 300 {
            prop_assert!(held(&sandbox) == empty, "{document} was refused and left a trace: {said}");
            return Ok(());
        }
        taken.set(taken.get() + 1);
        let found = faults(&sandbox.world().unwrap());
        prop_assert!(found.is_empty(), "{document}: {found:?}");
        let at = format!("/restapis/{}", id(&serde_json::from_str(&said).unwrap()));
        round_trip(&sandbox, &at)?;

        // A second document over the first one.
        let before = held(&sandbox);
        let document = spoil(DOCUMENTS[other.index(DOCUMENTS.len())].clone(), &more);
        let put_mode = if yaml { "merge" } else { "overwrite" };
        let response = send(&sandbox, "PUT", &format!("{at}?mode={put_mode}{query}"), written(&document, !yaml));
        let said = String::from_utf8_lossy(&response.body).into_owned();
        prop_assert!(exception(&response) != "InternalFailure", "{document}: {said}");
        if response.status >= 300 {
            prop_assert!(held(&sandbox) == before, "{document} was refused and left a trace: {said}");
        }
        let found = faults(&sandbox.world().unwrap());
        prop_assert!(found.is_empty(), "{document}: {found:?}");
        Ok(())
    });
    assert!(taken.get() > 10, "{} documents were taken", taken.get());
}

/// Exports the API, puts the export in its place, and compares. What can't be deployed can't be exported.
fn round_trip(sandbox: &Sandbox, at: &str) -> Result<(), TestCaseError> {
    if call(sandbox, "POST", &format!("{at}/deployments"), &json!({ "stageName": "live" })).status >= 300 {
        return Ok(());
    }
    let before = definition(sandbox);
    let exported = call(sandbox, "GET", &format!("{at}/stages/live/exports/oas30?extensions=apigateway"), &Value::Null);
    let text = String::from_utf8_lossy(&exported.body).into_owned();
    prop_assert_eq!(exported.status, 200, "{}", text);
    let answer = send(sandbox, "PUT", &format!("{at}?mode=overwrite"), text.clone());
    prop_assert_eq!(answer.status, 200, "{}\n{}", String::from_utf8_lossy(&answer.body), text);
    let after = definition(sandbox);
    for (what, one, other) in [
        ("policy", json!(before.policy), json!(after.policy)),
        ("binary types", json!(before.binary_media_types), json!(after.binary_media_types)),
        ("gateway responses", json!(before.gateway_responses), json!(after.gateway_responses)),
        ("validators", json!(before.request_validators), json!(after.request_validators)),
        ("authorizers", json!(before.authorizers), json!(after.authorizers)),
        ("resources", routes(&before), routes(&after)),
    ] {
        prop_assert_eq!(one, other, "{} after {}", what, text);
    }
    Ok(())
}

/// What every method does, by path and verb; a resource without methods is not in an export.
fn routes(definition: &Definition) -> Value {
    let resources = definition.resources.values().filter(|resource| !resource.resource_methods.is_empty());
    Value::Object(resources.map(|resource| (resource.path.clone(), json!(resource.resource_methods))).collect())
}

#[test]
fn any_bytes_are_a_document_or_refused() {
    let sandbox = Sandbox::in_memory();
    let yaml = prop_oneof![
        text(),
        nested(60_000),
        (1_usize..60_000).prop_map(|depth| "- ".repeat(depth)),
        (1_usize..3_000)
            .prop_map(|depth| { (0..depth).fold(String::new(), |text, at| text + &" ".repeat(at) + "a:\n") }),
        // Each line is ten times the one before.
        (2_usize..6).prop_map(|depth| {
            let line = |at: usize| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(","));
            format!("a0: &a0 x\n{}", (1..depth).map(line).collect::<String>())
        }),
        text().prop_map(|text| format!("openapi: 3.0.1\ninfo: {{title: t}}\npaths: {text}\n")),
        text().prop_map(|text| format!("openapi: 3.0.1\ninfo: {{title: t}}\npaths:\n  /{text}: {{get: {{}}}}\n")),
    ];
    let body = prop_oneof![4 => yaml.prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..200)];
    check(60, &body, |body| {
        let response = send(&sandbox, "POST", "/restapis?mode=import", body);
        prop_assert!(exception(&response) != "InternalFailure");
        prop_assert!(response.status == 201 || (400..500).contains(&response.status), "{}", response.status);
        Ok(())
    });
}
