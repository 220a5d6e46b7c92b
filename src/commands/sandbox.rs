//! `gwctl sandbox`: the sandbox, offered to any AWS client over HTTP, its stages served beside it.

use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{self, SignalKind};

use super::conditions::{self, Summary};
use super::output::data;
use super::serve;
use crate::cli::{Global, SANDBOX_DIR, SandboxOptions};
use crate::error::{Failure, Result, exit};
use crate::sandbox::{Sandbox, listener};

/// Runs the command, until Ctrl-C.
pub(super) async fn run(global: &Global, options: &SandboxOptions) -> Result<u8> {
    let dir = global.root.join(global.sandbox.as_deref().unwrap_or(Path::new(SANDBOX_DIR)));
    let sandbox = Sandbox::open(&dir)?.under(conditions::read(global)?);
    let _summary = Summary(sandbox.clone());
    let socket = listener::bind(&options.listen).await?;
    let address =
        socket.local_addr().map_err(|error| Failure::io("failed to ask for the address listened on", &error))?;
    data(global, |out| {
        writeln!(out, "listening on http://{address}, state in {}", dir.display())?;
        writeln!(out, "try: aws --endpoint-url http://{address} apigateway get-rest-apis")
    })?;
    let data = serve::gateway(&sandbox, &options.data_plane)?;
    let doors = listener::Doors { control: Some(sandbox), data: Some(Arc::new(data)) };
    listener::serve(doors, socket, interrupted()).await?;
    Ok(exit::DONE)
}

/// Ready at Ctrl-C, at SIGTERM, by which service managers and containers stop what they run, and at SIGHUP, when the terminal
/// goes. Functions that run are stopped with the command then; after SIGKILL they would be left to end by themselves.
pub(super) async fn interrupted() {
    let any = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(|kind| {
        Box::pin(async move {
            match unix::signal(kind) {
                Ok(mut signal) => signal.recv().await,
                // A signal that can't be waited for leaves the process to end by being killed.
                Err(_) => std::future::pending().await,
            }
        })
    });
    futures::future::select_all(any).await;
}
