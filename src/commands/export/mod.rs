//! `gwctl export`: writes the environment file of a gateway that is there.
//!
//! The file is tried before it is given: it is expanded and planned against what it was read off, and whatever that plan
//! would change is told as what does not fit. Nothing is written to AWS.

mod routes;
mod scratch;

use std::io::Write as _;

use serde_json::{Map, Value, json};

use self::scratch::Scratch;
use super::code::Code;
use super::import::{Prepared, Whose, names_for, prepare};
use super::output::{self, data, faulty, notice, text_options};
use super::work::{Lookups, Member, Work, begin_all};
use crate::cli::{ExportOptions, Global};
use crate::config::{Configuration, GatewayStack, LoadError};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::kinds::Kind as _;
use crate::kinds::log_group::LogGroup;
use crate::kinds::stage::Stage;
use crate::model::{Address, Observed};
use crate::plan::Action;
use crate::report::{self, Format};
use crate::stack::{api_address, stage_address};
use crate::takeover::export::{self, Found, Misfit};
use crate::takeover::{Candidate, Source, ids};

/// A first file leads to the stage, the next to what the stage uses, the next to the names of all that.
const TRIES: usize = 5;

/// Runs the command.
pub(super) async fn run(global: &Global, options: &ExportOptions) -> Result<u8> {
    let ExportOptions { environment, product, id, stage, out } = options;
    if let Some(path) = out.as_ref().filter(|path| path.exists()) {
        let message = format!("{} is there already", path.display());
        return Err(Failure::new(FailureKind::Usage, message).hint("name another file, or take that one away"));
    }
    let scratch = Scratch::new(&global.root, product, environment)?;
    let mut trial = Trial { global, scratch, id, stage: stage.as_deref(), misfits: Vec::new() };
    let mut file = skeleton(product);
    let mut tried = trial.plan(&file).await?;
    for _ in 0..TRIES {
        let next = trial.file(&tried, product, environment)?;
        if next == file {
            break;
        }
        file = next;
        tried = trial.plan(&file).await?;
    }
    let misfits = trial.all_misfits(&tried);
    if let Some(path) = out {
        let write = || std::fs::File::create_new(path)?.write_all(pretty(&file).as_bytes());
        write().map_err(|error| Failure::io(format!("failed to write {}", path.display()), &error))?;
    }
    if global.output == Format::Json {
        output::json(global, &report::export_json(&file, &misfits))?;
    } else {
        if out.is_none() {
            data(global, |out| out.write_all(pretty(&file).as_bytes()))?;
        }
        let variables = export::variables(&file);
        notice(global, |out| report::export(&misfits, variables, out, &text_options(global)))?;
    }
    Ok(exit::DONE)
}

fn pretty(file: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(file).unwrap_or_default())
}

/// The least that an environment file says: enough to know the account and to look around in it.
fn skeleton(product: &str) -> Value {
    json!({"app_group": product, "gateway_stage_name": "stage", "vpc_link_id": "none", "gateway_api": {}})
}

/// Files tried against one API.
struct Trial<'a> {
    global: &'a Global,
    scratch: Scratch,
    id: &'a str,
    stage: Option<&'a str>,
    /// What the last file could not say.
    misfits: Vec<Misfit>,
}

/// A file, and what a plan of it came to.
struct Tried {
    configuration: Configuration,
    work: Work,
    prepared: Prepared,
}

impl Trial<'_> {
    async fn plan(&self, file: &Value) -> Result<Tried> {
        // Until routes are known, one stands for them: API Gateway has no API without.
        let mut file = file.clone();
        if file["gateway_api"].as_object().is_some_and(Map::is_empty) {
            file["gateway_api"] = json!({"normal_path": [{"service_path": "/service/{proxy+}"}]});
        }
        let configuration = self.scratch.load(&file).map_err(|error| match error {
            LoadError::Faults(faults) => faulty(self.global, &faults),
            LoadError::Failure(failure) => failure,
        })?;
        let members = begin_all(self.global, &configuration, vec![Ok(Code::default())], Lookups::Open).await?;
        let member = members.into_iter().next();
        let Member { work, .. } = member.ok_or_else(|| Failure::internal("an environment came to nothing"))?;
        let work = work?;
        let api = ids::candidate(&api_address(GatewayStack::Gate), Source::Given, self.id);
        let named = work.desired.iter().filter_map(|one| {
            let name = Some(one.name()?.to_owned());
            Some(Candidate { address: one.address.clone(), source: Source::Named, name, id: None })
        });
        // An API of that name beside the one that is meant is none of our business.
        let said: Vec<Candidate> = named.filter(|one| one.address != api.address).chain([api.clone()]).collect();
        let prepared = prepare(&work, &said, Whose::Anybody).await?;
        if prepared.settled.at(&api.address).is_none() {
            let message = format!("there is no REST API `{}` in {} {}", self.id, work.place.account, work.place.region);
            let failure = Failure::new(FailureKind::Usage, message);
            return Err(prepared.settled.faults.into_iter().skip(1).fold(failure, Failure::cause));
        }
        Ok(Tried { configuration, work, prepared })
    }

    /// A better file, by what the last one found.
    fn file(&mut self, tried: &Tried, product: &str, environment: &str) -> Result<Value> {
        let Tried { configuration, work, prepared } = tried;
        let settled = &prepared.settled;
        let at = |address: &Address| settled.at(address).map(|one| one.spec.clone());
        let stack = GatewayStack::Gate;
        let api = typed(at(&api_address(stack)))?;
        let stage = match at(&stage_address(stack)) {
            Some(spec) => typed(Some(spec))?,
            None => typed(Some(self.choose_stage(tried)?.spec.clone()))?,
        };
        let function = ["authorizer", "non-ttl-authorizer"]
            .iter()
            .find_map(|name| at(&Address::new(stack.name(), "lambda-function", name)));
        let group = at(&Address::new(stack.name(), LogGroup::NAME, "access"));
        let found = Found {
            environment: environment.to_owned(),
            product: product.to_owned(),
            api,
            stage,
            function: function.map(|spec| typed(Some(spec))).transpose()?,
            retention_in_days: group.and_then(|spec| spec.get("retention_in_days")?.as_i64()),
        };
        let files = &configuration.stacks.gate;
        let mut settings = export::settings(&found);
        if let Some(ingress) = export::ingress(&found.api, environment) {
            settings.insert("ingress".to_owned(), ingress);
        }
        let mut file = export::beside_defaults(&files.defaults.to_json(), settings);
        let names = names_for(&work.desired, settled);
        let kept = configuration.environments.first().map(|one| &one.names);
        let kept = kept.into_iter().flatten().map(|(address, given)| (address.clone(), given.name.clone()));
        let names: Map<String, Value> = kept
            .chain(names.into_iter().map(|(address, name)| (address.to_string(), name)))
            .map(|(address, name)| (address, name.into()))
            .collect();
        if !names.is_empty() {
            file.insert("names".to_owned(), names.into());
        }
        let (lists, misfits) = routes::lists(&self.scratch, &file, files, &found.api);
        self.misfits = misfits;
        file.insert(stack.routes_key().to_owned(), lists);
        Ok(file.into())
    }

    /// The stage that is meant, among those of the API.
    fn choose_stage<'t>(&self, tried: &'t Tried) -> Result<&'t Observed> {
        let left = tried.prepared.settled.left.iter();
        let stages: Vec<&Observed> = left
            .filter(|left| left.address == stage_address(GatewayStack::Gate) && left.address.kind() == Stage::NAME)
            .filter_map(|left| left.found.as_ref())
            .collect();
        let list = || stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>().join(", ");
        let usage = |message: String| Failure::new(FailureKind::Usage, message);
        match (self.stage, stages.as_slice()) {
            (Some(name), _) => stages.iter().find(|stage| stage.name == name).copied().ok_or_else(|| {
                usage(format!("REST API `{}` has no stage `{name}`", self.id)).hint(format!("its stages: {}", list()))
            }),
            (None, [stage]) => Ok(stage),
            (None, []) => Err(usage(format!("REST API `{}` has no stage", self.id)).hint("deploy it to one first")),
            (None, _) => Err(usage(format!("REST API `{}` has several stages", self.id))
                .hint(format!("add --stage with one of {}", list()))),
        }
    }

    /// All that does not fit: what the file could not say, and what its plan would change.
    fn all_misfits(&self, tried: &Tried) -> Vec<Misfit> {
        let settled = &tried.prepared.settled;
        let mut all = self.misfits.clone();
        all.extend(export::misfits_of(settled));
        match &tried.prepared.next {
            Err(failure) => all.push(Misfit {
                place: "plan".to_owned(),
                why: failure.to_string(),
                hint: failure.hints().join("; "),
                fields: Vec::new(),
            }),
            Ok(plan) => {
                for step in &plan.steps {
                    match step.action {
                        Action::Create => all.extend(missing(&step.address)),
                        _ => all.extend(
                            step.changes
                                .iter()
                                .filter_map(|change| export::misfit_of_change(&step.address, &change.path)),
                        ),
                    }
                }
                let strangers = plan.warnings.iter().map(|warning| Misfit {
                    place: "beside it".to_owned(),
                    why: warning.message.clone(),
                    hint: "it is not in the file".to_owned(),
                    fields: Vec::new(),
                });
                all.extend(strangers);
            }
        }
        export::grouped(all)
    }
}

/// What the plan would make besides.
fn missing(address: &Address) -> Option<Misfit> {
    let follows = matches!(address.kind(), "deployment" | "execution-log-group" | "function-version");
    (!follows).then(|| Misfit {
        place: address.to_string(),
        why: "the gateway has none".to_owned(),
        hint: "the plan makes it".to_owned(),
        fields: Vec::new(),
    })
}

fn typed<T: serde::de::DeserializeOwned>(spec: Option<Value>) -> Result<T> {
    let spec = spec.ok_or_else(|| Failure::internal("a resource that was found is gone"))?;
    serde_json::from_value(spec).map_err(|error| Failure::internal("a spec does not have its own type").because(&error))
}
