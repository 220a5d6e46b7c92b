//! What watches a gateway: `alarms`, and who makes the Region's role for API Gateway's logs.

use super::fields::Fields;
use super::read_settings::narrow;

/// The alarms of a gateway; each is there if its threshold is.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmSettings {
    /// Percent of the requests that end in 5xx.
    pub error_rate_percent: Option<f64>,
    /// Milliseconds that one request in a hundred takes longer than.
    pub latency_p99_ms: Option<f64>,
    /// Errors of the authorizer functions in a period.
    pub authorizer_errors: Option<f64>,
    /// Throttled calls of the authorizer functions in a period.
    pub authorizer_throttles: Option<f64>,
    /// Requests refused with 4xx in a period, throttled ones among them: API Gateway has no metric of those alone.
    pub client_errors: Option<f64>,
    /// Seconds of a period.
    pub period_seconds: i32,
    /// Periods that are looked at.
    pub evaluation_periods: i32,
    /// Periods of these that have to be over the threshold.
    pub datapoints_to_alarm: i32,
    /// ARNs of the SNS topics that are told.
    pub actions: Vec<String>,
}

/// Reads `alarms`, if it is there.
pub(super) fn alarms(fields: &mut Fields<'_, '_>) -> Option<AlarmSettings> {
    let member = fields.get("alarms")?;
    let mut inner = fields.inside("`alarms`", member)?;
    let evaluation_periods = count(&mut inner, "evaluation_periods", 1..=100).unwrap_or(1);
    let settings = AlarmSettings {
        error_rate_percent: threshold(&mut inner, "error_rate_percent", 100.0),
        latency_p99_ms: threshold(&mut inner, "latency_p99_ms", f64::MAX),
        authorizer_errors: threshold(&mut inner, "authorizer_errors", f64::MAX),
        authorizer_throttles: threshold(&mut inner, "authorizer_throttles", f64::MAX),
        client_errors: threshold(&mut inner, "client_errors", f64::MAX),
        period_seconds: period(&mut inner),
        evaluation_periods,
        datapoints_to_alarm: count(&mut inner, "datapoints_to_alarm", 1..=evaluation_periods)
            .unwrap_or(evaluation_periods),
        actions: actions(&mut inner),
    };
    inner.finish();
    let thresholds = [
        settings.error_rate_percent,
        settings.latency_p99_ms,
        settings.authorizer_errors,
        settings.authorizer_throttles,
        settings.client_errors,
    ];
    if thresholds.iter().all(Option::is_none) {
        let hint = "add a threshold, such as `\"error_rate_percent\": 1`, or take `alarms` away";
        fields.faults.warning(&member.key_span, "`alarms` has no alarm", hint);
    }
    Some(settings)
}

/// Whether gwctl makes the Region's role for API Gateway's logs where there is none.
pub(super) fn makes_logging_role(fields: &mut Fields<'_, '_>) -> bool {
    let member = fields.get("account_logging_role");
    fields.choice(member, &["make", "expect"]) == Some("make")
}

fn threshold<'a>(fields: &mut Fields<'a, '_>, key: &'a str, most: f64) -> Option<f64> {
    let member = fields.get(key)?;
    let value = fields.number(Some(member))?;
    if !(0.0..=most).contains(&value) {
        let message = format!("`{key}` is {}, which is no threshold", member.value.span.text());
        fields.faults.error(&member.value.span, message, "write a number that is not negative");
    }
    Some(value)
}

fn count<'a>(fields: &mut Fields<'a, '_>, key: &'a str, range: std::ops::RangeInclusive<i32>) -> Option<i32> {
    let member = fields.get(key)?;
    let range = i64::from(*range.start())..=i64::from(*range.end());
    fields.whole(Some(member), &range, " periods", "write a number of periods").map(narrow)
}

/// Metrics of API Gateway come by the minute.
fn period(fields: &mut Fields<'_, '_>) -> i32 {
    let Some(member) = fields.get("period_seconds") else { return 300 };
    let hint = "write a number of whole minutes in seconds: 60, 300, 900";
    let seconds = fields.whole(Some(member), &(60..=86_400), " seconds", hint).unwrap_or(300);
    if seconds % 60 != 0 {
        fields.faults.error(&member.value.span, format!("{seconds} seconds are no whole minutes"), hint);
    }
    narrow(seconds)
}

fn actions(fields: &mut Fields<'_, '_>) -> Vec<String> {
    let member = fields.get("actions");
    let texts = fields.texts(member);
    for text in &texts {
        if !text.value.starts_with("arn:") || text.value.split(':').nth(2) != Some("sns") {
            let message = format!("`{}` is no SNS topic", text.value);
            fields.faults.error(&text.node.span, message, "write the topic's ARN: `arn:aws:sns:REGION:ACCOUNT:NAME`");
        }
    }
    texts.into_iter().map(|text| text.value.to_owned()).collect()
}
