//! How a health check of Route 53 stands, as its checkers see it.

use super::{ReadAws, failed, failure};
use crate::error::Result;
use crate::model::Health;

/// An endpoint is healthy if more than this share of the checkers reach it (developer guide, "How Route 53 determines the status
/// of health checks that monitor an endpoint": more than 18 percent).
const MORE_THAN_PERCENT: usize = 18;

/// What it asks.
pub const CALLS: &[&str] = &["route53:GetHealthCheckStatus"];

/// What Route 53's checkers say now; nothing if there is no such check. Its status is told to nobody directly: this is Route 53's
/// own rule over what each checker says. Checks that are disabled or inverted are none of gwctl's.
///
/// A check that no checker has answered for counts as healthy, as Route 53 itself takes it (developer guide, as above).
pub async fn of(aws: &ReadAws, id: &str) -> Result<Option<Health>> {
    let answer = match aws.clients.route53.get_health_check_status().health_check_id(id).send().await {
        Err(error) if failure::is_not_found(&error) => return Ok(None),
        answer => answer.map_err(|error| failed(&format!("ask how health check {id} stands"), error))?,
    };
    let mut reports: Vec<_> =
        answer.health_check_observations.into_iter().filter_map(|one| one.status_report).collect();
    reports.sort_by_key(|report| report.checked_time.map(|time| time.secs()));
    Ok(Some(judged(reports.into_iter().filter_map(|report| report.status))))
}

/// The judgement over what checkers say, the oldest first.
fn judged(statuses: impl Iterator<Item = String>) -> Health {
    let (good, bad): (Vec<String>, Vec<String>) = statuses.partition(|status| status.starts_with("Success"));
    let checkers = good.len() + bad.len();
    Health {
        healthy: checkers == 0 || good.len() * 100 > checkers * MORE_THAN_PERCENT,
        checkers,
        failing: bad.len(),
        reason: bad.last().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_eighteen_percent_make_it_healthy() {
        let of = |good: usize, bad: usize| {
            let good = std::iter::repeat_n("Success: HTTP Status Code 200, OK".to_owned(), good);
            judged(good.chain((0..bad).map(|at| format!("Failure: {at}"))))
        };
        let health = of(3, 13);
        assert!(health.healthy, "3 of 16 are 18.75 %");
        assert_eq!((health.checkers, health.failing, health.reason.as_deref()), (16, 13, Some("Failure: 12")));
        assert!(!of(2, 14).healthy);
        assert!(!of(9, 41).healthy, "18 % are not more than 18 %");
        assert!(of(0, 0).healthy && of(1, 0).reason.is_none());
    }
}
