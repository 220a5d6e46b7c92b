//! A fleet's configuration: as many environments as asked for, spread over accounts and Regions.

use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Result, tree, wrong};

/// The environments that each product has.
const NAMES: [&str; 4] = ["dev", "staging", "preprod", "prod"];

/// Where a fleet may be.
pub(crate) const REGIONS: [&str; 4] = ["ap-southeast-1", "eu-west-1", "us-east-1", "us-west-2"];

const PROFILES: &str = "profiles";

/// The first of its accounts; the others follow.
pub(crate) const ACCOUNT: usize = 100_000_000_000;

/// How many accounts and Regions a fleet is spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spread {
    accounts: usize,
    regions: usize,
}

impl Spread {
    /// All in one place, which is the worst for the quotas: they hold for each account and Region.
    pub(crate) const ONE: Self = Self { accounts: 1, regions: 1 };

    /// An account for each of the four environments, which is usual.
    pub(crate) const FOUR: Self = Self { accounts: 4, regions: 1 };

    /// So many accounts, in one Region.
    pub(crate) fn over_accounts(accounts: usize) -> Self {
        Self { accounts, regions: 1 }
    }
}

impl FromStr for Spread {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "one" => return Ok(Self::ONE),
            "four" => return Ok(Self::FOUR),
            _ => {}
        }
        let (accounts, regions) = text.split_once('x').ok_or_else(|| wrong("a spread is one, four, or like 4x3"))?;
        let (accounts, regions) = (accounts.parse()?, regions.parse()?);
        if accounts == 0 || !(1..=REGIONS.len()).contains(&regions) {
            return Err(wrong("there is at least one account, and there are one to four Regions"));
        }
        Ok(Self { accounts, regions })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.accounts, self.regions)
    }
}

/// How large a fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    /// How many environments.
    pub(crate) environments: usize,
    /// How many routes the public gateway of each has.
    pub(crate) routes: usize,
    /// Where they are.
    pub(crate) spread: Spread,
    /// 1: each has a public gateway; 2: and an internal one, of two routes.
    pub(crate) gateways: usize,
}

impl Shape {
    /// How many environments there are where there are most.
    pub(crate) fn most_in_one_place(&self) -> usize {
        self.environments.div_ceil(self.spread.accounts * self.spread.regions)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environments, routes, spread: Spread { accounts, regions }, gateways } = self;
        write!(f, "{environments} environments of {routes} routes, accounts {accounts}, Regions {regions}, ")?;
        write!(f, "gateways {gateways}")
    }
}

/// The configuration of a fleet, in a folder that goes with the value.
#[derive(Debug)]
pub(crate) struct Estate {
    folder: TempDir,
    files: Vec<PathBuf>,
}

impl Estate {
    /// Writes it.
    pub(crate) fn write(shape: &Shape) -> Result<Self> {
        let folder = tree::copied()?;
        let root = folder.path();
        for defaults in ["stacks/gate/defaults.json", "stacks/system/defaults.json"] {
            edit(&root.join(defaults), |defaults| defaults["authorizer"]["zip"] = tree::ZIP.into())?;
        }
        let environments = root.join("environments");
        let template = tree::read(&environments.join("product-a/dev.json"))?;
        fs::remove_dir_all(&environments)?;
        fs::create_dir(&environments)?;
        let mut targets = String::new();
        for name in NAMES {
            writeln!(targets, "[{name}]\naccount = \"999999999999\"\nregion = \"{}\"", REGIONS[0])?;
        }
        let mut profiles = String::new();
        let mut files = Vec::with_capacity(shape.environments);
        for number in 0..shape.environments {
            let (product, name) = (format!("p{:03}", number / NAMES.len()), NAMES[number % NAMES.len()]);
            let Spread { accounts, regions } = shape.spread;
            let account = ACCOUNT + number % accounts;
            let region = REGIONS[number / accounts % regions];
            writeln!(targets, "[products.{product}.{name}]\naccount = \"{account}\"\nregion = \"{region}\"")?;
            writeln!(targets, "profile = \"account-{account}\"")?;
            if number < accounts {
                // An access key of twelve digits names its account in the sandbox.
                writeln!(profiles, "[profile account-{account}]\naws_access_key_id = {account}")?;
                writeln!(profiles, "aws_secret_access_key = sandbox")?;
            }
            let file = environments.join(&product).join(format!("{name}.json"));
            fs::create_dir_all(environments.join(&product))?;
            fs::write(&file, environment(&template, &product, name, shape).to_string())?;
            files.push(file);
        }
        fs::write(environments.join("targets.toml"), targets)?;
        fs::write(root.join(PROFILES), profiles)?;
        Ok(Self { folder, files })
    }

    /// A file with the profiles of its accounts, for a sandbox behind a socket.
    pub(crate) fn profiles(&self) -> PathBuf {
        self.root().join(PROFILES)
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Opens one route of every environment, which had an authorizer. There are as many as before: 300 is all that fit.
    pub(crate) fn open_a_route(&self) -> Result<()> {
        for file in &self.files {
            edit(file, |environment| {
                let lists = &mut environment["gateway_api"];
                let route = lists["normal_path"].as_array_mut().and_then(Vec::pop);
                if let (Some(route), Some(open)) = (route, lists["white_path"].as_array_mut()) {
                    open.push(route);
                }
            })?;
        }
        Ok(())
    }
}

fn environment(template: &Value, product: &str, name: &str, shape: &Shape) -> Value {
    let mut environment = template.clone();
    environment["app_group"] = product.into();
    environment["gateway_stage_name"] = name.into();
    environment["gateway_api"] = tree::routes(shape.routes);
    environment["tags"] = json!({"team": "gateway"});
    if let (1, Some(members)) = (shape.gateways, environment.as_object_mut()) {
        members.retain(|key, _| !["system", "gateway_system"].contains(&key.as_str()));
    }
    environment
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) -> Result<()> {
    let mut value = tree::read(file)?;
    change(&mut value);
    Ok(fs::write(file, value.to_string())?)
}
