//! `gwctl serve`: the gateway of the working tree, on this machine, before anything ships.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::local::{Gateways, Local, LocalEdge, Programs};
use super::output::{self, data, notice};
use super::reload::Reload;
use crate::cli::{DataPlaneOptions, Global, SANDBOX_DIR, ServeOptions};
use crate::error::{Failure, FailureKind, Result, exit};
use crate::sandbox::execute_api::access_log::Sink;
use crate::sandbox::execute_api::{self, Gateway, Issuers, Options, Upstreams};
use crate::sandbox::{Sandbox, listener};

/// Runs the command, until Ctrl-C.
pub(super) async fn run(global: &Global, options: &ServeOptions) -> Result<u8> {
    let socket = listener::bind(&options.listen).await?;
    let address =
        socket.local_addr().map_err(|error| Failure::io("failed to ask for the address listened on", &error))?;
    let address = address.to_string();
    let (sandbox, local) = if global.sandbox.is_some() {
        if options.selection.is_some() {
            return Err(Failure::new(
                FailureKind::Usage,
                "--sandbox serves what is deployed there, not the working tree",
            )
            .hint("leave out --product and --env, or leave out --sandbox"));
        }
        let dir = global.root.join(global.sandbox.as_deref().unwrap_or(Path::new(SANDBOX_DIR)));
        (Sandbox::open(&dir)?, None)
    } else {
        let variables = variables(&options.function_env)?;
        let local = Box::pin(Local::begin(global, &options.selection, &Programs::Real(&variables))).await?;
        (local.sandbox.clone(), Some((local, variables)))
    };
    let gateway = Arc::new(gateway(&sandbox, &options.data_plane)?);
    if let Some((local, _)) = &local {
        known_authorizers(&sandbox, &options.data_plane.authorizers)?;
        gateway.answer_for(local.gateways.fallback());
    }
    announce(global, &sandbox, local.as_ref().map(|(local, _)| local), &address)?;
    let doors = listener::Doors { control: None, data: Some(Arc::clone(&gateway)) };
    let serving = listener::serve(doors, socket, super::sandbox::interrupted());
    match local {
        Some((local, variables)) if !options.no_reload => {
            let reload = Reload { global, selection: &options.selection, variables: &variables, gateway: &gateway };
            tokio::select! {
                ended = serving => ended?,
                ended = reload.run(local, &address) => ended?,
            }
        }
        _ => serving.await?,
    }
    Ok(exit::DONE)
}

/// The data plane as the options want it.
pub(super) fn gateway(sandbox: &Sandbox, options: &DataPlaneOptions) -> Result<Gateway> {
    let mut upstreams = Upstreams::default();
    for rule in &options.upstreams {
        upstreams.add(rule)?;
    }
    let mut issuers = Issuers::default();
    for rule in &options.issuers {
        issuers.add(rule)?;
    }
    let authorizers = options.authorizers.iter().map(|text| authorizer(text)).collect::<Result<HashMap<_, _>>>()?;
    let access_log = match options.access_log.as_deref() {
        None => None,
        Some("-") => Some(
            Sink::over(output::line_writer(), "")
                .map_err(|error| Failure::io("failed to start the access log", &error))?,
        ),
        Some(path) => Some(
            Sink::file(Path::new(path), "")
                .map_err(|error| Failure::io(format!("failed to open the access log {path}"), &error))?,
        ),
    };
    Gateway::new(sandbox.clone(), Options { upstreams, authorizers, issuers, access_log })
}

fn authorizer(text: &str) -> Result<(String, String)> {
    let wrong = |why: &str| {
        Failure::new(FailureKind::Usage, format!("`{text}` does not say where an authorizer is: {why}"))
            .hint("write for example `product-a-api-authorizer-dev=http://127.0.0.1:9002/authorize`")
    };
    let (name, url) = text.split_once('=').ok_or_else(|| wrong("it has no `=`"))?;
    let parsed = url::Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    if name.is_empty() || !matches!(parsed.scheme(), "http" | "https") {
        return Err(wrong("it is a name and an http or https URL"));
    }
    Ok((name.to_owned(), url.to_owned()))
}

/// Refuses URLs for authorizers that are not there: the real functions would be asked instead, without a word.
fn known_authorizers(sandbox: &Sandbox, asked: &[String]) -> Result<()> {
    let known = execute_api::authorizer_names(sandbox)?;
    for text in asked {
        let (name, _) = authorizer(text)?;
        if !known.contains(&name) {
            let failure = Failure::new(FailureKind::Usage, format!("the gateway has no authorizer `{name}`"));
            let known: Vec<String> = known.into_iter().collect();
            return Err(match known.as_slice() {
                [] => failure.hint("it asks no functions; `--issuer` says where the issuer of tokens is"),
                known => failure.hint(format!("it has {}", known.join(", "))),
            });
        }
    }
    Ok(())
}

/// Reads `NAME=VALUE`, and `NAME=@FILE` for a value that is a file's content.
fn variables(texts: &[String]) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for text in texts {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::new(FailureKind::Usage, format!("`{text}` sets no variable"))
                .hint("write `NAME=VALUE`, or `NAME=@FILE` for the content of a file")
        })?;
        let value = match value.strip_prefix('@') {
            None => value.to_owned(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::io(format!("failed to read {path} for the variable {name}"), &error))?,
        };
        all.insert(name.to_owned(), value);
    }
    Ok(all)
}

fn announce(global: &Global, sandbox: &Sandbox, local: Option<&Local>, address: &str) -> Result<()> {
    if let Some(local) = local {
        return announce_local(global, local, address);
    }
    let stages = execute_api::stages(sandbox)?;
    if stages.is_empty() {
        return notice(global, |out| {
            writeln!(out, "nothing is deployed in this sandbox yet; what is deployed later is served at once")
        });
    }
    data(global, |out| {
        for stage in &stages {
            writeln!(out, "serving {} on http://{address}{}", stage.api_name, stage.path())?;
        }
        Ok(())
    })
}

/// Says where the environment of the working tree is served: a URL for the REST API, and one for each HTTP API.
pub(super) fn announce_local(global: &Global, local: &Local, address: &str) -> Result<()> {
    let (owner, Gateways { stage, edge }) = (&local.owner, &local.gateways);
    let rest = stage.as_ref().map(|stage| stage.stage.as_str());
    data(global, |out| {
        if let Some(stage) = rest {
            writeln!(out, "serving {owner} on http://{address}/{stage}")?;
        }
        for service in edge.iter().flat_map(|edge| &edge.services) {
            let path = match &edge {
                Some(LocalEdge { domain: Some(_), .. }) if is_free(&service.mapping, rest) => {
                    format!("/{}", service.mapping)
                }
                _ => service.stage.path(),
            };
            writeln!(out, "serving {owner} {} on http://{address}{path}", service.name)?;
        }
        Ok(())
    })?;
    let Some(LocalEdge { allowed, domain, .. }) = edge.as_ref().filter(|edge| !edge.allowed.is_empty()) else {
        return Ok(());
    };
    let what = domain.as_deref().unwrap_or("the HTTP APIs");
    let allowed = allowed.join(", ");
    notice(global, |out| {
        writeln!(out, "note: only {allowed} may call {what}: say who asks in the header `x-gwctl-source-ip`")
    })
}

/// Whether a path leads to the mapping, and not to the stage of the REST API.
fn is_free(mapping: &str, stage: Option<&str>) -> bool {
    let first = mapping.split('/').next();
    stage.is_none_or(|stage| first != Some(stage))
}
