//! Drift of HTTP APIs in several Regions: each Region tells of its own.

use gwctl::drift::Standing::Drifted;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;

use crate::support::Session;
use crate::support::edge::{example, furnish};
use crate::{Found, classify, found, record};

async fn learn(session: &Session) -> String {
    let all = session.aws.write.apigatewayv2.get_apis().send().await.unwrap().items.unwrap();
    let one = all.into_iter().find(|api| api.tags().is_some_and(|tags| tags["gwctl:address"].ends_with("/learn")));
    one.expect("the API of the service").api_id.unwrap()
}

async fn route_deleted(session: &Session) {
    let edge = &session.aws.write.apigatewayv2;
    let api = learn(session).await;
    let routes = edge.get_routes().api_id(&api).send().await.unwrap().items.unwrap();
    let one = routes.into_iter().find(|route| route.route_key() == Some("GET /aws-courses")).unwrap();
    edge.delete_route().api_id(&api).route_id(one.route_id.unwrap()).send().await.unwrap();
}

async fn route_opened(session: &Session) {
    let edge = &session.aws.write.apigatewayv2;
    let api = learn(session).await;
    let routes = edge.get_routes().api_id(&api).send().await.unwrap().items.unwrap();
    let one = routes.into_iter().find(|route| route.route_key() == Some("GET /gcp-courses")).unwrap();
    let call = edge.update_route().api_id(&api).route_id(one.route_id.unwrap());
    call.authorization_type(aws_sdk_apigatewayv2::types::AuthorizationType::None).send().await.unwrap();
}

async fn preflight_removed(session: &Session) {
    let edge = &session.aws.write.apigatewayv2;
    edge.delete_cors_configuration().api_id(learn(session).await).send().await.unwrap();
}

async fn stage_throttled(session: &Session) {
    use aws_sdk_apigatewayv2::types::RouteSettings;
    let edge = &session.aws.write.apigatewayv2;
    let api = learn(session).await;
    let stage = edge.get_stage().api_id(&api).stage_name("$default").send().await.unwrap();
    let old = stage.default_route_settings.unwrap();
    let settings = RouteSettings::builder()
        .throttling_rate_limit(5.0)
        .set_throttling_burst_limit(old.throttling_burst_limit)
        .set_detailed_metrics_enabled(old.detailed_metrics_enabled)
        .build();
    let call = edge.update_stage().api_id(api).stage_name("$default");
    call.default_route_settings(settings).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_change_in_one_region_is_found_there_and_not_in_the_other() {
    let (project, sandbox) = (example(), Sandbox::in_memory());
    furnish(&sandbox).await;
    let client = || Connector::new(sandbox.clone()).client();
    for session in Session::in_regions(project.root(), "shop", "prod", client()).await {
        session.apply().await;
    }
    // The second Region is in DNS once the first knows of it, and the other way round.
    let sessions = Session::in_regions(project.root(), "shop", "prod", client()).await;
    let api = "eu-west-1/edge/http-api/learn";
    let table: [(&str, &str, &[&str]); 4] = [
        ("route deleted", api, &["routes|GET /aws-courses"]),
        ("route opened", api, &["routes|GET /gcp-courses|authorizer"]),
        ("preflight removed", api, &["cors"]),
        ("stage throttled", "eu-west-1/edge/http-stage/learn", &["default_route_settings|throttling|rate_limit"]),
    ];
    for (what, address, fields) in table {
        match what {
            "route deleted" => route_deleted(&sessions[0]).await,
            "route opened" => route_opened(&sessions[0]).await,
            "preflight removed" => preflight_removed(&sessions[0]).await,
            _ => stage_throttled(&sessions[0]).await,
        }
        let expected: Vec<Found> =
            vec![(address.to_owned(), Drifted, fields.iter().map(|field| (*field).to_owned()).collect())];
        for (session, expected) in sessions.iter().zip([expected, Vec::new()]) {
            let live = session.observe().await.unwrap();
            for applied in [Some(&record(&live)), None] {
                assert_eq!(found(&classify(session, &live, applied)), expected, "{what} {}", session.place.region);
            }
        }
        sessions[0].apply().await;
        let live = sessions[0].observe().await.unwrap();
        assert_eq!(found(&classify(&sessions[0], &live, None)), [], "{what}");
    }
}
