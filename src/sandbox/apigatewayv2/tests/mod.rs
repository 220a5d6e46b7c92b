//! Tests over the wire of the service, a topic a file.

mod deployments;
mod domains;
mod integrations;
mod links;
mod lives;
mod routes;
mod stages;
mod tags;
