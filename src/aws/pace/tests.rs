use std::sync::atomic::AtomicUsize;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::*;
use crate::aws::{Aws, Connection, retry};
use crate::error::FailureKind;

fn site_in(region: &str, service: &'static str) -> Site {
    site(&Place { account: "123456789012".into(), region: region.into(), partition: "aws".into() }, service)
}

fn keeping_to_rates(sites: &[&Site]) -> Pace {
    let pace = Pace::default();
    for site in sites {
        pace.with(site, |lane, now| lane.admit(true, &Allowance::default(), now));
    }
    pace
}

impl Pace {
    /// A turn with the next number.
    async fn next(&self, site: &Site, operation: &str) -> Result<Instant, GivenUp> {
        self.turn(site, operation, self.number(0)).await
    }
}

#[tokio::test(start_paused = true)]
async fn calls_keep_their_distance_from_the_first_on() {
    let (here, there) = (site_in("eu-west-1", "apigateway"), site_in("eu-west-2", "apigateway"));
    let (pace, begun) = (keeping_to_rates(&[&here, &there]), Instant::now());
    pace.next(&here, "CreateDeployment").await.unwrap();
    pace.next(&there, "CreateDeployment").await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO, "Regions have lines of their own");
    let all = (0..4).map(|_| pace.next(&here, "CreateDeployment"));
    futures::future::join_all(all).await;
    let took = begun.elapsed().as_secs_f64();
    assert!((20.0..22.0).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_leaves_its_place() {
    let here = site_in("eu-west-1", "apigateway");
    let (pace, begun) = (keeping_to_rates(&[&here]), Instant::now());
    pace.next(&here, "DeleteRestApi").await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_secs(1), pace.next(&here, "DeleteRestApi"));
    let (dropped, next) = futures::join!(dropped, pace.next(&here, "DeleteRestApi"));
    assert!(dropped.is_err() && next.is_ok());
    assert!((30.0..32.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_gives_up_when_the_lines_close() {
    let here = site_in("eu-west-1", "apigateway");
    let (pace, begun) = (keeping_to_rates(&[&here]), Instant::now());
    pace.next(&here, "DeleteRestApi").await.unwrap();
    let close = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        pace.close(Duration::from_secs(3));
        // The second time changes nothing.
        pace.close(Duration::from_mins(3));
    };
    let (waited, ()) = futures::join!(pace.next(&here, "DeleteRestApi"), close);
    assert!(waited.unwrap_err().to_string().contains("interrupted"));
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    pace.next(&here, "GetStages").await.expect("what need not wait goes");
    pace.next(&here, "DeleteRestApi").await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn who_was_begun_first_is_through_first() {
    let here = site_in("eu-west-1", "apigateway");
    let pace = keeping_to_rates(&[&here]);
    let (first, second) = (pace.enter(), pace.enter());
    pace.next(&here, "CreateDeployment").await.unwrap();
    let turn = async |session| (pace.turn(&here, "CreateDeployment", pace.number(session)).await.unwrap(), session);
    let mut gone = futures::future::join_all([turn(second), turn(second), turn(first)]).await;
    gone.sort();
    assert_eq!(gone.into_iter().map(|(_, session)| session).collect::<Vec<_>>(), [first, second, second]);
}

#[test]
fn iam_and_route_53_are_one_for_all_regions() {
    for service in GLOBAL {
        assert_eq!(site_in("eu-west-1", service), site_in("us-east-1", service));
    }
    assert_ne!(site_in("eu-west-1", "lambda"), site_in("us-east-1", "lambda"));
}

/// An API Gateway that refuses so many calls and then makes an API; how many calls it got.
#[derive(Debug, Clone, Default)]
struct Refusing {
    code: &'static str,
    times: usize,
    calls: Arc<AtomicUsize>,
}

impl HttpConnector for Refusing {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let refused = self.calls.fetch_add(1, Ordering::Relaxed) < self.times;
        let (status, body) = if refused { (429, "{\"message\":\"no\"}") } else { (201, "{\"id\":\"abc\"}") };
        let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
        if refused {
            response.headers_mut().insert("x-amzn-errortype", self.code);
            response.headers_mut().insert("retry-after", "7");
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl Refusing {
    async fn session(&self) -> Aws {
        let (connector, place) = (self.clone(), site_in("eu-west-1", "apigateway"));
        let client = http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
        let transport = Some((client, Credentials::new("AKIA", "x", None, None, "test")));
        let place = Place { account: place.0, region: place.1, partition: "aws".into() };
        let connection = Connection { region: place.region.clone(), transport, ..Connection::default() };
        connection.open(&place).await.unwrap()
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

async fn create(aws: &Aws) -> crate::error::Result<Option<String>> {
    let call = aws.write.apigateway.create_rest_api().name("x").customize().config_override(retry::once_apigateway());
    call.send().await.map(|made| made.id).map_err(|error| crate::aws::failed("create it", error))
}

/// A create is sent once, and a refusal for the rate is no create.
#[tokio::test(start_paused = true)]
async fn a_refusal_for_the_rate_is_no_try_and_aws_says_when_the_next_one_is() {
    let api = Refusing { code: "TooManyRequestsException", times: 10, ..Refusing::default() };
    let (aws, begun) = (api.session().await, Instant::now());
    assert_eq!(create(&aws).await.unwrap().as_deref(), Some("abc"));
    assert_eq!(api.calls(), 11);
    assert!((70.0..71.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn refusals_without_end_have_one() {
    let api = Refusing { code: "TooManyRequestsException", times: usize::MAX, ..Refusing::default() };
    let failure = create(&api.session().await).await.unwrap_err();
    assert!(failure.to_string().contains("TooManyRequestsException"), "{failure}");
    assert_eq!(api.calls(), REFUSALS as usize + 1);
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_is_asked_once() {
    let api = Refusing { code: "LimitExceededException", times: usize::MAX, ..Refusing::default() };
    let aws = api.session().await;
    let begun = Instant::now();
    let answer = aws.read.clients.apigateway.get_rest_apis().send().await;
    let failure = crate::aws::failed("list the APIs", answer.unwrap_err());
    assert_eq!((api.calls(), begun.elapsed()), (1, Duration::ZERO));
    assert!(failure.hints()[0].contains("a quota of the account is used up"), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_in_its_line_says_that_it_was_interrupted() {
    let api = Refusing { code: "TooManyRequestsException", times: usize::MAX, ..Refusing::default() };
    let aws = api.session().await;
    aws.pace.close(Duration::from_secs(20));
    let begun = Instant::now();
    let failure = create(&aws).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Interrupted);
    assert!(failure.to_string().contains("interrupted while it waited for AWS"), "{failure}");
    assert_eq!((api.calls(), begun.elapsed()), (3, Duration::from_secs(20)));
}
