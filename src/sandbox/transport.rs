//! What the transports ask of a sandbox: an answer under its conditions, or none.

use tokio::task::JoinError;

use super::conditions::{Conditions, Counters, Fate, Loss, Moment};
use super::fault::{Fault, Protocol};
use super::lambda::invoke;
use super::wire::{Request, Response};
use super::{Sandbox, Service, with_id};

/// The path at which the sandbox tells what was asked of it; `DELETE` begins to count anew.
pub(super) const COUNTERS: &str = "/_sandbox/counters";

/// What a transport gets for a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer to hand on.
    Answer(Response),
    /// None: the connection is to break, or the client to die.
    Lost(Loss),
}

impl Sandbox {
    /// The same sandbox, seen under other conditions. Handles cloned before keep theirs.
    #[must_use]
    pub fn under(mut self, conditions: Conditions) -> Self {
        self.conditions = conditions;
        self
    }

    /// What this handle's calls meet.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// What was asked through a transport so far, and what became of it.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.conditions.counters()
    }

    /// Answers a request under the conditions of this handle. `apart`: on a thread where waiting for the disk, or for long
    /// work, holds up nobody else; it is an error only if that thread died.
    pub(crate) async fn answer(&self, mut request: Request, apart: bool) -> Result<Outcome, JoinError> {
        let id = self.identify(&mut request);
        let writes = Service::signed_as(&request.caller.service).is_none_or(|service| !service.is_read(&request));
        let meeting = self.conditions.meet(&request, writes);
        if !meeting.wait.is_zero() {
            tokio::time::sleep(meeting.wait).await;
        }
        let lost = match meeting.fate {
            Fate::Refused(response) => return Ok(Outcome::Answer(with_id(response, id))),
            Fate::Lost(loss, Moment::Before) => return Ok(Outcome::Lost(loss)),
            Fate::Lost(loss, Moment::After) => Some(loss),
            Fate::Served => None,
        };
        if let Some(refusal) = self.forbidden(&request) {
            return Ok(Outcome::Answer(with_id(refusal, id)));
        }
        let response = if invoke::is_invoke(&request) {
            with_id(invoke::run(self, self.functions(), &request).await, id)
        } else if apart {
            let sandbox = self.clone();
            tokio::task::spawn_blocking(move || sandbox.carry_out_in_sight(&request, id)).await?
        } else {
            self.carry_out_in_sight(&request, id)
        };
        Ok(lost.map_or(Outcome::Answer(response), Outcome::Lost))
    }

    /// The answer, without what the caller may not see.
    fn carry_out_in_sight(&self, request: &Request, id: String) -> Response {
        let mut response = self.carry_out(request, id);
        if let Some(enforced) = self.conditions.enforced() {
            enforced.conceal(request, &mut response);
        }
        response
    }

    /// The refusal of a request that the policies of the caller do not allow, where there are any.
    fn forbidden(&self, request: &Request) -> Option<Response> {
        let enforced = self.conditions.enforced()?;
        match self.look(|world| enforced.missing(world, request)) {
            Ok(missing) => missing.map(|asked| self.conditions.forbidden(request, &asked.action, &asked.resource)),
            // What the service says of a state that can't be read is more to the point.
            Err(_) => None,
        }
    }

    /// The answer to a request for the counters.
    pub(super) fn counters_response(&self, method: &str) -> Response {
        match method {
            "GET" => Response::json(200, &serde_json::to_value(self.counters()).unwrap_or_default()),
            "DELETE" => {
                self.conditions.reset_counters();
                Response::empty(204)
            }
            _ => {
                let message = "The counters take GET and DELETE";
                Fault::new(405, "MethodNotAllowed", message).wrapped(Protocol::RestJson, None, "")
            }
        }
    }
}
