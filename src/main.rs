//! The binary: parse, run, exit.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use gwctl::cli::{Cli, Color};
use gwctl::error::{Failure, exit};
use gwctl::{commands, report};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout; a stream that is closed already can't be told of it.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if asked { exit::DONE } else { exit::FAILED });
        }
    };
    log_to_stderr(cli.global.verbose, cli.command.serves());
    let color = cli.global.color;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::io("failed to start", &error), color),
    };
    let came = runtime.block_on(commands::run(cli));
    // Whoever still waits for a line from a terminal would be waited for.
    runtime.shutdown_background();
    match came {
        Ok(code) => ExitCode::from(code),
        Err(failure) => fail(&failure, color),
    }
}

/// The command line. Lambda starts its program, `bootstrap`, without arguments.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.len() == 1 && std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        arguments.push("lambda".into());
    }
    arguments
}

fn fail(failure: &Failure, color: Color) -> ExitCode {
    let mut stderr = anstream::AutoStream::new(std::io::stderr().lock(), color.into());
    // With stderr closed, the exit code is all that is left to say it with.
    let _ = report::failure_text(failure, &mut stderr, true).and_then(|()| stderr.flush());
    ExitCode::from(failure.exit_code())
}

/// Commands that serve say on stderr what happens to requests; the others are silent unless asked.
fn log_to_stderr(verbose: u8, serves: bool) {
    let default = match verbose {
        0 if serves => "gwctl=info",
        0 => "off",
        1 => "gwctl=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("GWCTL_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .compact()
        .with_target(verbose > 0)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .finish()
        // Below it the SDK writes down what it sends and gets, with the secrets of functions and stages in it.
        .with(LevelFilter::DEBUG)
        .init();
}
