//! `gwctl serve` while files change: the working tree is applied again, and served from then on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::local::{Local, Programs};
use super::output::notice;
use super::serve::announce_local;
use crate::cli::{Global, Selection};
use crate::error::{Failure, FailureKind, Result};
use crate::plan::{Plan, Summary};
use crate::report;
use crate::sandbox::execute_api::Gateway;

/// Editors write a file in several steps; what comes within this time is one change.
const SETTLE: Duration = Duration::from_millis(150);

/// What is applied again, and who serves it.
pub(super) struct Reload<'a> {
    pub(super) global: &'a Global,
    pub(super) selection: &'a Selection,
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) gateway: &'a Gateway,
}

impl Reload<'_> {
    /// Applies the working tree whenever one of its files changes, until it is dropped. A configuration with faults is shown
    /// and changes nothing.
    pub(super) async fn run(&self, mut local: Local, address: &str) -> Result<()> {
        let (touched, mut changes) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // A read is no change. With nobody listening the command is over.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = touched.send(());
            }
        })
        .map_err(|error| unwatched(&error))?;
        watch(&mut watcher, &self.global.root).map_err(|error| unwatched(&error))?;
        while changes.recv().await.is_some() {
            tokio::time::sleep(SETTLE).await;
            while changes.try_recv().is_ok() {}
            // A folder that was replaced by another one of its name is a new folder to the system. One that is not there
            // now comes back with a change of the root.
            let _ = watch(&mut watcher, &self.global.root);
            Box::pin(self.renew(&mut local, address)).await?;
        }
        Ok(())
    }

    async fn renew(&self, local: &mut Local, address: &str) -> Result<()> {
        let before = local.gateways.clone();
        match Box::pin(local.renew(self.global, self.selection, &Programs::Real(self.variables))).await {
            Ok(plans) if plans.iter().all(Plan::is_empty) && local.gateways == before => Ok(()),
            Ok(plans) => {
                let total = plans.iter().map(Plan::summary).fold(Summary::default(), |total, one| Summary {
                    add: total.add + one.add,
                    change: total.change + one.change,
                    destroy: total.destroy + one.destroy,
                });
                let Summary { add, change, destroy } = total;
                let text = format!("reloaded: {add} added, {change} changed, {destroy} destroyed");
                notice(self.global, |out| writeln!(out, "{text}"))?;
                if local.gateways == before {
                    return Ok(());
                }
                self.gateway.answer_for(local.gateways.fallback());
                announce_local(self.global, local, address)
            }
            Err(failure) => notice(self.global, |out| {
                report::failure_text(&failure, out, true)?;
                writeln!(out, "the gateway goes on as it was")
            }),
        }
    }
}

/// Watches what a gateway is made of; the authorizer's source only where it is there. The root is watched for folders that are
/// replaced, and for zips.
fn watch(watcher: &mut RecommendedWatcher, root: &Path) -> notify::Result<()> {
    watcher.watch(root, RecursiveMode::NonRecursive)?;
    let folders = ["stacks", "environments", "authorizer/src"].map(|part| root.join(part));
    let mut there = folders.into_iter().filter(|path| path.is_dir());
    there.try_for_each(|folder: PathBuf| watcher.watch(&folder, RecursiveMode::Recursive))
}

fn unwatched(error: &notify::Error) -> Failure {
    Failure::new(FailureKind::Io, "failed to watch the configuration for changes")
        .because(error)
        .hint("serve with --no-reload, and start anew after a change")
}
