use super::*;

fn site_in(region: &str, service: &'static str) -> Site {
    site(&Place { account: "123456789012".into(), region: region.into(), partition: "aws".into() }, service)
}

fn keeping_to_rates(sites: &[&Site]) -> Pace {
    let pace = Pace::default();
    for site in sites {
        pace.with(site, |lane, _| lane.admit(true, &Allowance::default()));
    }
    pace
}

impl Pace {
    /// A turn with the next number.
    async fn next(&self, site: &Site, operation: &str) -> Result<Instant, GivenUp> {
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        self.turn(site, operation, number).await
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

#[test]
fn iam_and_route_53_are_one_for_all_regions() {
    for service in GLOBAL {
        assert_eq!(site_in("eu-west-1", service), site_in("us-east-1", service));
    }
    assert_ne!(site_in("eu-west-1", "lambda"), site_in("us-east-1", "lambda"));
}
