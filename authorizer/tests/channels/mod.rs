//! One configuration with every kind of channel, and what each has to ask and to make of the answers.

use serde_json::{Value, json};

/// The token in every event, and the same in a query.
pub(crate) const TOKEN: &str = "s3cret+t0ken/a==";
pub(crate) const ENCODED: &str = "s3cret%2Bt0ken%2Fa%3D%3D";

/// What a method of the gateway is called in an event, and what the whole stage is called in a policy.
pub(crate) const METHOD: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/order-service/orders";
pub(crate) const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/*";

/// One channel and one of the forms of its answers.
pub(crate) struct Row {
    /// The value of `x-auth-channel`; none, for the default.
    pub(crate) asked_for: Option<&'static str>,
    /// The name in the context.
    pub(crate) name: &'static str,
    /// Path and query of the question.
    pub(crate) target: String,
    /// The header of the question that holds the token.
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) yes: Value,
    pub(crate) no: Value,
    /// `x-user-id`, `x-user-scope` and `x-auth-type` of a yes.
    pub(crate) user: [&'static str; 3],
}

impl Row {
    /// The event of a request over this channel.
    pub(crate) fn event(&self) -> Value {
        let mut headers = json!({"Authorization": format!("Bearer {TOKEN}")});
        if let Some(name) = self.asked_for {
            headers["X-Auth-Channel"] = json!(name);
        }
        json!({"type": "REQUEST", "methodArn": METHOD, "headers": headers})
    }

    /// The authorizer's answer to API Gateway after a yes.
    pub(crate) fn allow(&self, resource: &str) -> Value {
        let [id, scope, kind] = self.user;
        let mut context = json!({
            "x-user-token": TOKEN, "x-user-id": id, "x-user-scope": scope, "x-auth-type": kind,
            "x-auth-channel": self.name,
        });
        if self.name == "third-party" {
            context["x-partner-tier"] = json!("gold, since 2020");
        }
        let statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        json!({"principalId": kind, "policyDocument": policy, "context": context})
    }
}

/// `AUTH_CHANNELS`: each channel has a path, a place for the token, a form of yes and a source of the scope of its own.
pub(crate) fn channels() -> Value {
    json!({
        "default": {"context": {"x-auth-type": "standard", "x-user-scope": "customer"}},
        "wechat-mini": {
            "path": "/wechat/session", "token_in": "query:access_token",
            "yes_when": {"pointer": "/errcode", "equals": 0}, "user_id": "/openid",
            "context": {"x-auth-type": "wechat", "x-user-scope": "mini"},
        },
        "mobile-app": {
            "path": "/mobile/v2/introspect", "token_in": "header:authorization",
            "yes_when": {"pointer": "/active", "equals": true}, "user_id": "/sub", "scope": "/scope",
        },
        "third-party": {
            "path": "/partners/check", "token_in": "header:X-Partner-Token",
            "yes_when": {"pointer": "/checks/0/result~1status", "equals": "ok"}, "user_id": "/who~0/number",
            "scope": "/grants",
            "context": {"x-auth-type": "partner", "x-user-scope": "none", "x-partner-tier": "gold, since 2020"},
        },
    })
}

/// Every channel, with every form of a scope.
pub(crate) fn rows() -> Vec<Row> {
    let default = |asked_for| Row {
        asked_for,
        name: "default",
        target: format!("/auth-service/api/v1/validate-token?token={ENCODED}"),
        header: None,
        yes: json!({"code": "0", "data": {"jwt": "user.jwt-1"}}),
        no: json!({"code": "40101", "data": null}),
        user: ["user.jwt-1", "customer", "standard"],
    };
    let partner = |grants: Value, scope| Row {
        asked_for: Some("third-party"),
        name: "third-party",
        target: "/partners/check".to_owned(),
        header: Some(("x-partner-token", TOKEN.to_owned())),
        yes: json!({"checks": [{"result/status": "ok"}], "who~": {"number": 4711}, "grants": grants}),
        // One escape read wrongly, and this would be a yes.
        no: json!({
            "checks": [{"result/status": "expired", "result~1status": "ok", "result": {"status": "ok"}}],
            "who~": {"number": 4711},
        }),
        user: ["4711", scope, "partner"],
    };
    let wechat = Row {
        asked_for: Some("wechat-mini"),
        name: "wechat-mini",
        target: format!("/wechat/session?access_token={ENCODED}"),
        header: None,
        yes: json!({"errcode": 0, "openid": "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "scope": "admin"}),
        no: json!({"errcode": 40029, "openid": "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"}),
        user: ["o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "mini", "wechat"],
    };
    let mobile = Row {
        asked_for: Some("mobile-app"),
        name: "mobile-app",
        target: "/mobile/v2/introspect".to_owned(),
        header: Some(("authorization", format!("Bearer {TOKEN}"))),
        yes: json!({"active": true, "sub": "user-7", "scope": "orders:read orders:write"}),
        no: json!({"active": false, "sub": "user-7", "scope": "orders:read"}),
        user: ["user-7", "orders:read orders:write", "mobile-app"],
    };
    vec![
        default(None),
        default(Some("")),
        default(Some("default")),
        wechat,
        mobile,
        partner(json!(["read", "write"]), "read write"),
        partner(json!("read"), "read"),
        partner(json!(null), "none"),
    ]
}
