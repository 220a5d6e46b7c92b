//! Lambda, as far as a function sees it: the Runtime API, the environment, and the log.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http;

/// Longer than anything that should happen, so that only a fault waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer or the error that the function gave.
type Outcome = Result<Value, Value>;

/// A running function.
pub(crate) struct Function {
    child: Child,
    events: Sender<Value>,
    outcomes: Receiver<Outcome>,
    log: Arc<Mutex<Vec<String>>>,
    requests: usize,
}

impl Function {
    /// Starts `bootstrap` with these environment variables and those that Lambda always sets, and no others.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, waiting) = channel();
        let (done, outcomes) = channel();
        thread::spawn(move || serve(&listener, &waiting, &done));
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "authorizer"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ];
        let mut child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .envs(lambda)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (stdout, shared) = (child.stdout.take().unwrap(), Arc::clone(&log));
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                shared.lock().unwrap().push(line);
            }
        });
        Self { child, events, outcomes, log, requests: 0 }
    }

    /// Sends one event, and waits for what comes back.
    pub(crate) fn invoke(&mut self, event: &Value) -> Outcome {
        self.requests += 1;
        self.events.send(event.clone()).unwrap();
        self.outcomes.recv_timeout(PATIENCE).expect("the function answers in time")
    }

    /// The one log line of the last request.
    pub(crate) fn log_of_last_request(&self) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let decided: Vec<Value> = self
                .log
                .lock()
                .unwrap()
                .iter()
                .map(|line| serde_json::from_str(line).expect("every line of the log is JSON"))
                .filter(|entry: &Value| entry["message"] == "request decided")
                .collect();
            assert!(decided.len() <= self.requests, "more than one line a request");
            if decided.len() == self.requests {
                return decided.into_iter().next_back().unwrap();
            }
            assert!(Instant::now() < deadline, "no log line of request {}", self.requests);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The whole log up to the last request.
    pub(crate) fn everything_logged(&self) -> String {
        self.log_of_last_request();
        self.log.lock().unwrap().join("\n")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Runtime API for one function: hands out the events, takes the outcomes.
fn serve(listener: &TcpListener, events: &Receiver<Value>, outcomes: &Sender<Outcome>) {
    let mut served = 0;
    for stream in listener.incoming() {
        if connection(stream.unwrap(), &mut served, events, outcomes).is_none() {
            return;
        }
    }
}

/// Serves one connection; `None` when the test is over.
fn connection(
    stream: TcpStream,
    served: &mut usize,
    events: &Receiver<Value>,
    outcomes: &Sender<Outcome>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    while let Some((line, body)) = http::read_request(&mut stream) {
        let path = line.split(' ').nth(1).unwrap();
        let call = path.strip_prefix("/2018-06-01/runtime/").expect("the Runtime API of 2018-06-01");
        let sent = if call == "invocation/next" {
            let event = events.recv().ok()?.to_string();
            *served += 1;
            let headers = format!(
                "lambda-runtime-aws-request-id: request-{served}\r\nlambda-runtime-deadline-ms: 99999999999999\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:authorizer\r\n"
            );
            http::write_response(stream.get_mut(), 200, &headers, &event)
        } else {
            let body = serde_json::from_slice(&body).expect("a JSON body");
            let outcome = if call == format!("invocation/request-{served}/response") {
                Ok(body)
            } else {
                assert_eq!(call, format!("invocation/request-{served}/error"));
                Err(body)
            };
            outcomes.send(outcome).ok()?;
            http::write_response(stream.get_mut(), 202, "", "")
        };
        sent.ok()?;
    }
    Some(())
}
