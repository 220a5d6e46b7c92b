//! Every file of a configuration, spoilt; and what may stand in the place of a file.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use gwctl::config;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::check;
use crate::strategies::{edits, nested, spoil, text};
use crate::support::project::{DEFAULTS, DEV, Project};

/// Loads everything, and expands what is right of it: neither may panic, and every fault names a file.
fn load(root: &Path) -> String {
    let (configuration, faults) = config::load(root);
    for environment in &configuration.environments {
        if let Ok(Err(more)) = gwctl::stack::expand(
            &configuration,
            environment,
            &gwctl::stack::Zips { gate: "a", system: "b" },
            &gwctl::model::Found::nothing(),
        ) {
            assert!(!more.render(false).is_empty());
        }
    }
    for fault in &faults {
        assert!(!fault.file.as_os_str().is_empty() && !fault.message.is_empty(), "{fault:?}");
    }
    faults.render(false)
}

/// The files of a configuration, relative to its root.
fn files(root: &Path, below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            files(root, &path, found);
        } else {
            found.push(path);
        }
    }
}

fn all_files(project: &Project) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["stacks", "environments"] {
        files(project.root(), Path::new(folder), &mut found);
    }
    found.sort();
    found
}

/// Changes to bytes that people and programs make: cut, doubled, other line ends, marks in front, bytes that are no text.
fn bytes(original: &[u8], how: u8, at: Index, word: &str) -> Vec<u8> {
    let at = at.index(original.len().max(1));
    let (head, tail) = original.split_at(at.min(original.len()));
    match how {
        0 => head.to_vec(),
        1 => [head, tail, tail].concat(),
        2 => String::from_utf8_lossy(original).replace('\n', "\r\n").into_bytes(),
        3 => [b"\xef\xbb\xbf".as_slice(), original].concat(),
        4 => [head, b"\0", tail].concat(),
        5 => [head, b"\xff\xfe", tail].concat(),
        6 => [head, word.as_bytes(), tail].concat(),
        7 => [head, &tail[tail.len().min(1)..]].concat(),
        8 => Vec::new(),
        _ => word.as_bytes().to_vec(),
    }
}

#[test]
fn any_bytes_in_any_file_are_read_or_refused_by_name() {
    let project = Project::whole();
    let all = all_files(&project);
    let how = (any::<Index>(), 0_u8..10, any::<Index>(), prop_oneof![4 => text(), 1 => nested(30_000)]);
    check(120, &how, |(which, how, at, word)| {
        let path = project.root().join(&all[which.index(all.len())]);
        let original = fs::read(&path).unwrap();
        fs::write(&path, bytes(&original, how, at, &word)).unwrap();
        load(project.root());
        fs::write(&path, original).unwrap();
        Ok(())
    });
    assert_eq!(load(project.root()), load(Project::whole().root()));
}

#[test]
fn any_values_in_any_file_are_read_or_refused_by_name() {
    let project = Project::whole();
    let all: Vec<PathBuf> =
        all_files(&project).into_iter().filter(|file| file.extension().is_some_and(|it| it == "json")).collect();
    check(150, &(any::<Index>(), edits(4)), |(which, edits)| {
        let path = project.root().join(&all[which.index(all.len())]);
        let original = fs::read(&path).unwrap();
        let value: Value = serde_json::from_slice(&original).unwrap();
        fs::write(&path, spoil(value, &edits).to_string()).unwrap();
        load(project.root());
        fs::write(&path, original).unwrap();
        Ok(())
    });
}

#[test]
fn any_targets_are_read_or_refused_by_name() {
    let project = Project::whole();
    let path = project.root().join("environments/targets.toml");
    let target = prop_oneof![
        text().prop_map(|text| format!("[dev]\naccount = {}\nregion = \"eu-west-1\"\n", serde_json::json!(text))),
        text().prop_map(|text| format!("[dev]\naccount = \"123456789012\"\nregion = {}\n", serde_json::json!(text))),
        select(&["role", "external_id", "mfa_serial", "endpoint_url", "profile", "session_name"][..]).prop_flat_map(
            |key| text().prop_map(move |text| format!(
                "[dev]\naccount = \"123456789012\"\nregion = \"eu-west-1\"\n{key} = {}\n",
                serde_json::json!(text)
            ))
        ),
        (1_usize..20_000).prop_map(|depth| format!("[dev]\naccount = {}", "[".repeat(depth))),
        (1_usize..5_000).prop_map(|depth| format!("[{}]\n", vec!["dev"; depth].join("."))),
        Just("[dev]\n[dev]\n".to_owned()),
        Just("dev = 9223372036854775808\n".to_owned()),
    ];
    check(60, &target, |target| {
        fs::write(&path, target).unwrap();
        load(project.root());
        Ok(())
    });
}

#[test]
fn duplicate_keys_and_huge_numbers_are_faults() {
    let project = Project::new();
    let path = project.root().join(DEV);
    let original = fs::read_to_string(&path).unwrap();
    for (member, said) in [
        ("\"retention_in_days\": 7,", "is given twice"),
        ("\"description\": 1e999,", "not a number JSON can hold"),
        ("\"throttling_rate_limit\": -1e308,", "is given twice"),
    ] {
        fs::write(&path, original.replacen('{', &format!("{{{member}"), 1)).unwrap();
        let shown = load(project.root());
        assert!(shown.contains(DEV) && shown.contains(said), "{member}: {shown}");
    }
}

/// What stands in the place of a file, and what is said of it.
#[test]
fn what_is_no_file_is_said_to_be_none() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "{\"password\": \"hunter22\" oops").unwrap();
    for file in
        [DEV, DEFAULTS, "stacks/gate/policy.json", "stacks/gate/routes/white_path.json", "environments/targets.toml"]
    {
        let put = |make: &dyn Fn(&Path)| {
            let project = Project::new();
            let path = project.root().join(file);
            fs::remove_file(&path).unwrap();
            make(&path);
            load(project.root())
        };
        let folder = put(&|path| fs::create_dir(path).unwrap());
        assert!(folder.contains("is no file") && folder.contains(file), "{file}: {folder}");
        let link = put(&|path| symlink(outside.path().join("secret"), path).unwrap());
        assert!(link.contains("leads out of the configuration root") && link.contains(file), "{file}: {link}");
        assert!(!link.contains("hunter22"), "{link}");
        let circle = put(&|path| symlink(path, path).unwrap());
        assert!(circle.contains("can't be read") && circle.contains(file), "{file}: {circle}");
        let dangling = put(&|path| symlink(outside.path().join("none"), path).unwrap());
        assert!(dangling.contains("the file is missing") && dangling.contains(file), "{file}: {dangling}");
        let device = put(&|path| symlink("/dev/zero", path).unwrap());
        assert!(device.contains("leads out of the configuration root"), "{file}: {device}");
        let huge = put(&|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap());
        assert!(huge.contains("at most 16777216 are read"), "{file}: {huge}");
    }
}

#[test]
fn a_file_that_nobody_may_read_is_said_to_be_so() {
    let project = Project::new();
    let path = project.root().join(DEV);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    if fs::read(&path).is_err() {
        let shown = load(project.root());
        assert!(shown.contains("can't be read") && shown.contains("make it readable"), "{shown}");
    }
}

#[test]
fn a_folder_that_is_a_link_out_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("dev.json"), "{}").unwrap();
    let project = Project::new();
    let folder = project.root().join("environments/product-a");
    fs::remove_dir_all(&folder).unwrap();
    symlink(outside.path(), &folder).unwrap();
    let shown = load(project.root());
    assert!(
        shown.contains("environments/product-a") && shown.contains("leads out of the configuration root"),
        "{shown}"
    );
    // Within the root, a link is a way like another.
    let project = Project::new();
    fs::rename(project.root().join("environments/product-a"), project.root().join("kept")).unwrap();
    symlink("../kept", project.root().join("environments/product-a")).unwrap();
    assert!(!load(project.root()).contains("leads out"));
}

/// The keys that name a file, and where they may lead.
#[test]
fn paths_in_settings_stay_below_the_root() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), "-----BEGIN").unwrap();
    let away = outside.path().join("x").display().to_string();
    let out = ["../x", "a/../../x", "..", "/../x"];
    for (key, absolute_is_said_aloud) in [("zip", true), ("auth_ca", false)] {
        let said = |value: &str, link: bool| {
            let project = Project::new();
            if link {
                symlink(&away, project.root().join(value)).unwrap();
            }
            project.edit(DEV, |env| env["authorizer"][key] = value.into());
            load(project.root())
        };
        for path in out.into_iter().filter(|path| !(absolute_is_said_aloud && path.starts_with('/'))) {
            let shown = said(path, false);
            assert!(
                shown.contains(DEV) && (shown.contains("outside") || shown.contains("not below")),
                "{key}: {shown}"
            );
        }
        let absolute = said(&away, false);
        assert_eq!(absolute.contains("not below"), !absolute_is_said_aloud, "{key}: {absolute}");
        let link = said("link", true);
        assert!(link.contains("outside") || link.contains("leads out"), "{key}: {link}");
    }
}
