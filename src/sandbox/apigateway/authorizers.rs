//! Lambda and Cognito authorizers (aws-facts D).

use serde::Deserialize;

use super::errors::{Answer, Refusal, bad_request, conflict, limit_exceeded, not_found, one_of, patch_path, required};
use super::patch::Patch;
use super::state::{Authorizer, Definition};
use super::{Call, accepted, created, mapping, ok, patch};
use crate::sandbox::wire::Caller;

const TYPES: [&str; 3] = ["COGNITO_USER_POOLS", "REQUEST", "TOKEN"];

/// Authorizers that one API may have (aws-facts A).
const LIMIT: usize = 10;

/// An authorizer as a client or a document gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorizerInput {
    pub(super) name: Option<String>,
    pub(super) r#type: Option<String>,
    #[serde(rename = "providerARNs")]
    pub(super) provider_arns: Option<Vec<String>>,
    pub(super) auth_type: Option<String>,
    pub(super) authorizer_uri: Option<String>,
    pub(super) authorizer_credentials: Option<String>,
    pub(super) identity_source: Option<String>,
    pub(super) identity_validation_expression: Option<String>,
    pub(super) authorizer_result_ttl_in_seconds: Option<i64>,
}

/// `/restapis/{api}/authorizers…`.
pub(super) fn route(call: &mut Call<'_, '_>, api: &str, rest: &[&str]) -> Answer {
    match (call.verb(), rest) {
        ("GET", []) => call.page(&call.definition(api)?.authorizers),
        ("GET", [id]) => Ok(ok(get(call.definition(api)?, id)?)),
        ("POST", []) => create(call, api),
        ("PATCH", [id]) => update(call, api, id),
        ("DELETE", [id]) => delete(call, api, id),
        _ => Err(call.unknown()),
    }
}

/// Checks a new authorizer and gives it with what the service fills in.
pub(super) fn complete(input: AuthorizerInput, id: String, caller: &Caller) -> Answer<Authorizer> {
    let name = required(input.name, "createAuthorizerInput.name")?;
    let kind = required(input.r#type, "createAuthorizerInput.type")?;
    one_of(&kind, "createAuthorizerInput.type", &TYPES)?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let cognito = kind == "COGNITO_USER_POOLS";
    let auth_type =
        some(input.auth_type).unwrap_or_else(|| if cognito { "cognito_user_pools" } else { "custom" }.into());
    let authorizer = Authorizer {
        id,
        name,
        provider_arns: input.provider_arns.unwrap_or_default(),
        auth_type,
        authorizer_uri: some(input.authorizer_uri),
        authorizer_credentials: some(input.authorizer_credentials),
        identity_source: some(input.identity_source),
        identity_validation_expression: some(input.identity_validation_expression),
        authorizer_result_ttl_in_seconds: input.authorizer_result_ttl_in_seconds,
        r#type: kind,
    };
    check(&authorizer, caller)?;
    Ok(authorizer)
}

/// Adds an authorizer to an API that has room for it and none of its name.
pub(super) fn add(definition: &mut Definition, authorizer: Authorizer) -> Answer<()> {
    if definition.authorizers.iter().any(|each| each.name == authorizer.name) {
        return Err(conflict(format!(
            "Authorizer name must be unique. Authorizer {} already exists in this RestApi.",
            authorizer.name
        )));
    }
    if definition.authorizers.len() >= LIMIT {
        return Err(limit_exceeded(
            "Maximum number of Authorizers for this API has been reached.  Please contact AWS if you need additional Authorizers.",
        ));
    }
    definition.authorizers.push(authorizer);
    Ok(())
}

fn get<'d>(definition: &'d Definition, id: &str) -> Answer<&'d Authorizer> {
    definition.authorizer(id).ok_or_else(|| not_found("Invalid Authorizer identifier specified"))
}

fn create(call: &mut Call<'_, '_>, api: &str) -> Answer {
    let input: AuthorizerInput = call.body()?;
    let id = call.new_id();
    let authorizer = complete(input, id, call.caller())?;
    // A missing API is no NotFoundException here (recorded).
    let definition = call.definition_mut(api).map_err(|_| {
        conflict("Unable to complete operation due to concurrent modification. Please try again later.")
    })?;
    let answer = created(&authorizer);
    add(definition, authorizer)?;
    Ok(answer)
}

fn update(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let patches = patch::read(call, "updateAuthorizerInput")?;
    let mut draft = get(call.definition(api)?, id)?.clone();
    for patch in &patches {
        apply(&mut draft, patch)?;
    }
    check(&draft, call.caller())?;
    let definition = call.definition_mut(api)?;
    if definition.authorizers.iter().any(|each| each.name == draft.name && each.id != id) {
        return Err(conflict(format!(
            "Authorizer name must be unique. Authorizer {} already exists in this RestApi.",
            draft.name
        )));
    }
    let answer = ok(&draft);
    if let Some(authorizer) = definition.authorizers.iter_mut().find(|each| each.id == id) {
        *authorizer = draft;
    }
    Ok(answer)
}

fn delete(call: &mut Call<'_, '_>, api: &str, id: &str) -> Answer {
    let definition = call.definition_mut(api)?;
    let name = get(definition, id)?.name.clone();
    for resource in definition.resources.values() {
        for method in resource.resource_methods.values() {
            if method.authorizer_id.as_deref() == Some(id) {
                return Err(conflict(format!(
                    // The verb comes first here, unlike for models (reported).
                    "Cannot delete authorizer '{name}', is referenced in method: {}/{}",
                    method.http_method, resource.path
                )));
            }
        }
    }
    definition.authorizers.retain(|authorizer| authorizer.id != id);
    Ok(accepted())
}

fn check(authorizer: &Authorizer, caller: &Caller) -> Answer<()> {
    if authorizer.name.is_empty() {
        return Err(bad_request("Authorizer name must be non-empty"));
    }
    if authorizer.authorizer_result_ttl_in_seconds.is_some_and(|ttl| !(0..=3600).contains(&ttl)) {
        return Err(outside_range());
    }
    if authorizer.r#type == "COGNITO_USER_POOLS" {
        return check_cognito(authorizer, caller);
    }
    check_uri(authorizer.authorizer_uri.as_deref().unwrap_or_default(), caller)?;
    if let Some(role) = &authorizer.authorizer_credentials
        && !super::integrations::is_role_arn(role, caller.partition())
    {
        return Err(bad_request("Role ARN is not well formed"));
    }
    match (authorizer.r#type.as_str(), authorizer.identity_source.as_deref()) {
        ("TOKEN", source) => check_token_source(source.unwrap_or_default()),
        (_, Some(source)) => mapping::identity_source(source),
        // The TTL is 300 seconds unless it is set, so caching is on here too.
        (_, None) if authorizer.authorizer_result_ttl_in_seconds != Some(0) => {
            Err(bad_request("Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"))
        }
        (_, None) => Ok(()),
    }
}

fn check_cognito(authorizer: &Authorizer, caller: &Caller) -> Answer<()> {
    if caller.partition() == "aws-cn" {
        return Err(bad_request("Authorizers of type COGNITO_USER_POOLS are not supported in this region"));
    }
    let prefix = format!("arn:{}:cognito-idp:", caller.partition());
    let pools = &authorizer.provider_arns;
    if pools.is_empty() || pools.iter().any(|arn| !arn.starts_with(&prefix) || !arn.contains(":userpool/")) {
        return Err(bad_request("Invalid Cognito user pool ARN specified"));
    }
    check_token_source(authorizer.identity_source.as_deref().unwrap_or_default())
}

/// `arn:PARTITION:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION-ARN/invocations`.
fn check_uri(uri: &str, caller: &Caller) -> Answer<()> {
    let partition = caller.partition();
    let prefix = format!("arn:{partition}:apigateway:");
    let path = uri.strip_prefix(&prefix).and_then(|rest| rest.split_once(":lambda:path/")).map(|(_, path)| path);
    let function = path
        .and_then(|path| path.strip_prefix("2015-03-31/functions/"))
        .and_then(|path| path.strip_suffix("/invocations"));
    let lambda = format!("arn:{partition}:lambda:");
    if function.is_some_and(|arn| {
        (arn.starts_with(&lambda) && arn.contains(":function:")) || arn.contains("${stageVariables.")
    }) {
        return Ok(());
    }
    Err(bad_request(format!(
        "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
    )))
}

fn check_token_source(source: &str) -> Answer<()> {
    if source.is_empty() {
        return Err(bad_request("IdentitySource cannot be empty"));
    }
    let name = source.strip_prefix("method.request.header.").unwrap_or_default();
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Ok(());
    }
    Err(bad_request(format!(
        "Invalid token source expression: {source}. The source must be a method request header, matching \
         'method.request.header.[a-zA-Z0-9._-]+'."
    )))
}

fn apply(authorizer: &mut Authorizer, patch: &Patch) -> Answer<()> {
    let segments = patch.segments();
    let [member] = segments.as_slice() else {
        return match segments.as_slice() {
            [list, arn] if list == "providerARNs" => patch.item(&mut authorizer.provider_arns, arn),
            _ => Err(patch_path(&patch.path)),
        };
    };
    let target = match member.as_str() {
        "authorizerUri" => &mut authorizer.authorizer_uri,
        "authorizerCredentials" => &mut authorizer.authorizer_credentials,
        "identitySource" => &mut authorizer.identity_source,
        "identityValidationExpression" => &mut authorizer.identity_validation_expression,
        other => return replace(authorizer, patch, other),
    };
    patch.only_replace()?;
    *target = patch.text_or_none();
    Ok(())
}

fn replace(authorizer: &mut Authorizer, patch: &Patch, member: &str) -> Answer<()> {
    match member {
        "providerARNs" => return patch.item(&mut authorizer.provider_arns, patch.text()),
        "name" => patch.text().clone_into(&mut authorizer.name),
        "authType" => patch.text().clone_into(&mut authorizer.auth_type),
        "type" => {
            one_of(patch.text(), "updateAuthorizerInput.type", &TYPES)?;
            patch.text().clone_into(&mut authorizer.r#type);
        }
        "authorizerResultTtlInSeconds" => {
            let ttl = patch.text().parse().map_err(|_| outside_range())?;
            authorizer.authorizer_result_ttl_in_seconds = Some(ttl);
        }
        _ => return Err(patch_path(&patch.path)),
    }
    patch.only_replace()
}

fn outside_range() -> Refusal {
    bad_request("Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds.")
}
