//! Options of `drift`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::{Host, Url};

use super::Selection;

/// Options of `drift`.
#[derive(Debug, Args)]
pub struct DriftOptions {
    /// Which environments; all of them unless some are named.
    #[command(flatten)]
    pub selection: Selection,

    /// Look at tags alone: one call, and blind to changed settings
    #[arg(long, conflicts_with = "who")]
    pub quick: bool,

    /// Ask `CloudTrail` who may have done it
    #[arg(long)]
    pub who: bool,

    /// Write a test report in `JUnit`'s XML to FILE, a test case a resource
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Post the JSON output to URL once, where there is drift; the URL counts as a secret
    #[arg(long, value_name = "URL", value_parser = webhook)]
    pub webhook: Option<Webhook>,

    /// Publish a message to the topic once, where there is drift
    #[arg(long, value_name = "ARN", value_parser = topic)]
    pub sns_topic: Option<String>,

    /// Put the metric `Drift` of the namespace `gwctl`, for each product and environment, always
    #[arg(long)]
    pub metric: bool,

    /// When to post and publish
    #[arg(long, value_name = "WHEN", default_value = "drift")]
    pub notify: Notify,
}

/// When messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Notify {
    /// Where somebody changed AWS, or something could not be looked at.
    Drift,
    /// After every run.
    Always,
}

/// A URL that nobody is to see: who knows it may post.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook(String);

impl Webhook {
    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0
    }

    /// Its scheme and host, which are all that may be shown.
    #[must_use]
    pub fn shown(&self) -> String {
        let host = Url::parse(&self.0).ok().and_then(|url| Some((url.scheme().to_owned(), url.host_str()?.to_owned())));
        host.map_or_else(|| "the webhook".to_owned(), |(scheme, host)| format!("{scheme}://{host}/…"))
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({})", self.shown())
    }
}

/// HTTPS, or HTTP to this machine: the message names resources, and the path is a secret.
fn webhook(text: &str) -> Result<Webhook, String> {
    let wrong = || "a webhook begins with https://, or with http:// and a loopback address".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(wrong()),
    };
    match url.scheme() {
        "https" => Ok(Webhook(text.to_owned())),
        "http" if here => Ok(Webhook(text.to_owned())),
        _ => Err(wrong()),
    }
}

fn topic(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let [arn, partition, service, region, account, name] = parts.as_slice() else {
        return Err("a topic looks like arn:aws:sns:eu-central-1:123456789012:NAME".to_owned());
    };
    let whole = *arn == "arn" && partition.starts_with("aws") && *service == "sns" && !region.is_empty();
    if whole && account.len() == 12 && !name.is_empty() {
        return Ok(text.to_owned());
    }
    Err("a topic looks like arn:aws:sns:eu-central-1:123456789012:NAME".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_secret_and_leaves_the_machine_only_by_https() {
        for fine in
            ["https://hooks.example.com/T0/B0/xyz", "http://127.0.0.1:9/x", "http://[::1]/x", "http://localhost/"]
        {
            assert!(webhook(fine).is_ok(), "{fine}");
        }
        for wrong in ["http://hooks.example.com/", "ftp://127.0.0.1/", "hooks.example.com", "http://10.0.0.1/", ""] {
            assert!(webhook(wrong).is_err(), "{wrong}");
        }
        let hook = webhook("https://hooks.example.com/T0/B0/xyz?k=1").unwrap();
        assert_eq!(hook.shown(), "https://hooks.example.com/…");
        assert!(!format!("{hook:?}").contains("xyz"));
    }

    #[test]
    fn a_topic_is_an_arn_of_sns() {
        assert!(topic("arn:aws-cn:sns:cn-north-1:123456789012:drift").is_ok());
        for wrong in ["drift", "arn:aws:sqs:eu-central-1:123456789012:q", "arn:aws:sns:eu-central-1:1:t"] {
            assert!(topic(wrong).is_err(), "{wrong}");
        }
    }
}
