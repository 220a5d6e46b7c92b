//! Every operation of AWS's model is served or known to be missing, and nothing else is.

use serde_json::Value;

use super::super::operations::{OPERATIONS, operation};
use super::super::testing::Bench;

const VERBS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What the sandbox does not have.
const MISSING: [&str; 12] = [
    "CreateDomainNameAccessAssociation",
    "DeleteDomainNameAccessAssociation",
    "GetDomainNameAccessAssociations",
    "GetSdk",
    "GetSdkType",
    "GetSdkTypes",
    "GetUsage",
    "ImportApiKeys",
    "RejectDomainNameAccessAssociation",
    "TestInvokeAuthorizer",
    "TestInvokeMethod",
    "UpdateUsage",
];

#[test]
fn what_is_served_has_a_name_and_the_other_way_round() {
    for (_, pattern, _) in OPERATIONS {
        let path = pattern.replace("{}", "x");
        for verb in VERBS {
            let (status, answer, _) = Bench::default().send(verb, &path, &Value::Null);
            match operation(verb, &path) {
                Some(name) => assert_eq!(status == 501, MISSING.contains(&name), "{name} answers {answer}"),
                None => assert_eq!(status, 501, "{verb} {path} has no name and answers {answer}"),
            }
        }
    }
}

#[test]
fn a_refusal_names_the_operation() {
    let mut bench = Bench::default();
    let words = |bench: &mut Bench, verb: &str, path: &str| bench.refused(verb, path, &Value::Null).1;
    assert_eq!(
        words(&mut bench, "POST", "/restapis/a/resources/b/methods/GET"),
        "the sandbox's API Gateway has no operation TestInvokeMethod (POST /restapis/a/resources/b/methods/GET)"
    );
    assert_eq!(words(&mut bench, "POST", "/account"), "API Gateway has no operation POST /account");
}
