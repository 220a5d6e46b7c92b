//! Which environments there are, and which of them a command line asks for.

use std::collections::BTreeMap;
use std::path::Path;

use super::environment::ENVIRONMENTS;
use super::fault::Faults;
use super::files;
use super::nearest::nearest;
use crate::error::{Failure, FailureKind};

/// The environments there are files for, by product; a file is not opened.
pub(super) fn environments(root: &Path, faults: &mut Faults) -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(ENVIRONMENTS);
    let mut known = BTreeMap::new();
    for product in files::list(root, folder, faults).unwrap_or_default() {
        let below = folder.join(&product);
        if !root.join(&below).is_dir() {
            continue;
        }
        let names = files::list(root, &below, faults).unwrap_or_default();
        let names: Vec<String> =
            names.iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect();
        if !names.is_empty() {
            known.insert(product, names);
        }
    }
    known
}

/// The pairs of product and environment that are asked for, in the order of the products there are.
pub(super) fn wanted<'a>(
    known: &'a BTreeMap<String, Vec<String>>,
    products: &[String],
    environments: &[String],
    all: bool,
) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let product_names: Vec<&str> = known.keys().map(String::as_str).collect();
    if !all && products.is_empty() {
        return Err(nothing_named("product", "--product", &product_names));
    }
    for product in products {
        if !known.contains_key(product) {
            return Err(unknown("product", product, "", &product_names));
        }
    }
    let chosen = || known.iter().filter(|(product, _)| products.is_empty() || products.contains(product));
    let mut names: Vec<&str> = chosen().flat_map(|(_, names)| names).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if !all && environments.is_empty() {
        return Err(nothing_named("environment", "--env", &names));
    }
    for environment in environments {
        if !names.contains(&environment.as_str()) {
            return Err(unknown("environment", environment, "", &names));
        }
    }
    let mut pairs = Vec::new();
    for (product, there) in chosen() {
        // A product that is named must have each environment that is named; one taken in by `--all` need not.
        if !products.is_empty()
            && let Some(missing) = environments.iter().find(|environment| !there.contains(environment))
        {
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            return Err(unknown("environment", missing, &format!(" of `{product}`"), &there));
        }
        let asked = there.iter().filter(|name| environments.is_empty() || environments.contains(name));
        pairs.extend(asked.map(|name| (product.as_str(), name.as_str())));
    }
    Ok(pairs)
}

fn nothing_named(what: &str, option: &str, known: &[&str]) -> Failure {
    Failure::new(FailureKind::Usage, format!("no {what} named"))
        .hint(format!("say `{option}` with one of {}, or `--all`", listed(known)))
}

fn unknown(what: &str, name: &str, of: &str, known: &[&str]) -> Failure {
    let failure = Failure::new(FailureKind::Usage, format!("there is no {what} `{name}`{of}"));
    let failure = match nearest(name, known.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure,
    };
    failure.hint(format!("known: {}", listed(known)))
}

fn listed(known: &[&str]) -> String {
    if known.is_empty() { "(none)".to_owned() } else { known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> BTreeMap<String, Vec<String>> {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        BTreeMap::from([("a".to_owned(), names(&["dev", "prod"])), ("b".to_owned(), names(&["dev"]))])
    }

    fn ask(products: &[&str], environments: &[&str], all: bool) -> Result<Vec<String>, String> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        wanted(&known(), &owned(products), &owned(environments), all)
            .map(|pairs| pairs.iter().map(|(product, name)| format!("{product}/{name}")).collect())
            .map_err(|failure| format!("{failure}; {}", failure.hints().join("; ")))
    }

    #[test]
    fn names_and_all_choose_pairs() {
        assert_eq!(ask(&["b", "a"], &["dev"], false), Ok(vec!["a/dev".to_owned(), "b/dev".to_owned()]));
        assert_eq!(ask(&[], &[], true).map(|pairs| pairs.len()), Ok(3));
        assert_eq!(ask(&[], &["prod"], true), Ok(vec!["a/prod".to_owned()]));
        assert_eq!(ask(&["a"], &[], true), Ok(vec!["a/dev".to_owned(), "a/prod".to_owned()]));
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_does() {
        assert_eq!(
            ask(&[], &["dev"], false),
            Err("no product named; say `--product` with one of a, b, or `--all`".into())
        );
        let expected = "no environment named; say `--env` with one of dev, prod, or `--all`";
        assert_eq!(ask(&["a"], &[], false), Err(expected.into()));
        assert_eq!(ask(&["zzz"], &["dev"], false), Err("there is no product `zzz`; known: a, b".into()));
        let expected = "there is no environment `prd`; did you mean `prod`?; known: dev, prod";
        assert_eq!(ask(&["a"], &["prd"], false), Err(expected.into()));
        let expected = "there is no environment `prod` of `b`; known: dev";
        assert_eq!(ask(&["a", "b"], &["prod"], false), Err(expected.into()));
    }
}
