//! Carries out what [`super::change`] found, call by call. Each can be lost, and each is safe to be asked for again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_apigatewayv2::types::{
    AuthorizationType, AuthorizerType, ConnectionType, IntegrationType, JwtConfiguration, TlsConfigInput,
};

use super::change::{Change, Changes};
use super::read::{self, LiveRoute};
use super::spec::{Integration, JwtAuthorizer, Route};
use crate::aws::failure::is_not_found;
use crate::aws::{Aws, failed, given, retry};
use crate::error::{Failure, Result};

/// How long to go on when somebody else modifies the API at the same time, or what was freed still counts as used.
const OTHERS_WRITE: Duration = Duration::from_mins(1);

/// Answers that had no effect: come back. API Gateway says so to callers that are alone, too, while it still works on the call
/// before (hashicorp/terraform-provider-aws, issue 40575).
const NOT_YET: [retry::NotYet; 1] = [retry::CONCURRENT_MODIFICATION];

/// An integration or an authorizer counts as referenced for a moment after the route has left it (the same, pull request
/// 37732): `Cannot delete Integration because it is referenced by the following Routes`, `Cannot delete authorizer login, is
/// referenced in route: GET /orders`.
const STILL_USED: [retry::NotYet; 2] = [retry::CONCURRENT_MODIFICATION, ("ConflictException", "referenced")];

/// The children of one API at work.
pub(super) struct Work<'a> {
    aws: &'a Aws,
    api: &'a str,
    /// Ids of integrations, by what they are.
    integrations: BTreeMap<&'a Integration, String>,
    /// Ids of authorizers, by name.
    authorizers: BTreeMap<&'a str, String>,
}

impl<'a> Work<'a> {
    /// Does everything, in order.
    pub(super) async fn carry_out(aws: &'a Aws, api: &'a str, changes: Changes<'a>) -> Result<()> {
        let owned = |id: &str| id.to_owned();
        let mut work = Self {
            aws,
            api,
            integrations: changes.integrations.into_iter().map(|(one, id)| (one, owned(id))).collect(),
            authorizers: changes.authorizers.into_iter().map(|(name, id)| (name, owned(id))).collect(),
        };
        for change in changes.steps {
            work.one(change).await?;
        }
        Ok(())
    }

    async fn one(&mut self, change: Change<'a>) -> Result<()> {
        match change {
            Change::CreateAuthorizer { name, jwt } => {
                let id = self.create_authorizer(name, jwt).await?;
                self.authorizers.insert(name, id);
            }
            Change::UpdateAuthorizer { id, name, jwt } => self.update_authorizer(id, name, jwt).await?,
            Change::CreateIntegration { integration } => {
                let id = self.create_integration(integration).await?;
                self.integrations.insert(integration, id);
            }
            Change::UpdateIntegration { id, from, to } => self.update_integration(id, from, to).await?,
            Change::CreateRoute { key, route } => self.create_route(key, route).await?,
            Change::UpdateRoute { key, live, route } => self.update_route(key, live, route).await?,
            Change::DeleteRoute { key, id } => self.delete_route(key, id).await?,
            Change::DeleteIntegration { id } => self.delete_integration(id).await?,
            Change::DeleteAuthorizer { id, name } => self.delete_authorizer(id, name).await?,
        }
        Ok(())
    }

    async fn create_authorizer(&self, name: &str, jwt: &JwtAuthorizer) -> Result<String> {
        let create = || {
            let call = || {
                let call = self.aws.write.apigatewayv2.create_authorizer().api_id(self.api).name(name);
                let call = call.authorizer_type(AuthorizerType::Jwt).jwt_configuration(configuration(jwt));
                let call = call.set_identity_source(Some(jwt.identity_sources.iter().cloned().collect()));
                call.customize().config_override(retry::once_apigatewayv2()).send()
            };
            async move { retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await.map(|made| made.authorizer_id) }
        };
        let find = || async {
            let all = read::children(&self.aws.write, self.api).await?.authorizers;
            Ok(all.into_iter().find(|(_, one)| one.name == name).map(|(id, _)| Some(id)))
        };
        let made = retry::create_once(&format!("create authorizer `{name}`"), create, find).await?;
        given("id of the new authorizer", made)
    }

    async fn update_authorizer(&self, id: &str, name: &str, jwt: &JwtAuthorizer) -> Result<()> {
        let call = || {
            let call = self.aws.write.apigatewayv2.update_authorizer().api_id(self.api).authorizer_id(id);
            let call = call.authorizer_type(AuthorizerType::Jwt).jwt_configuration(configuration(jwt));
            call.set_identity_source(Some(jwt.identity_sources.iter().cloned().collect())).send()
        };
        let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await;
        answer.map_err(|error| failed(&format!("update authorizer `{name}`"), error)).map(drop)
    }

    async fn create_integration(&self, wanted: &Integration) -> Result<String> {
        let Parts { uri, link, kind, tls } = parts(wanted)?;
        let create = || {
            let (uri, link, kind, tls) = (&uri, &link, &kind, &tls);
            let call = move || {
                let call = self.aws.write.apigatewayv2.create_integration().api_id(self.api);
                let call = call.integration_type(IntegrationType::HttpProxy).integration_uri(uri);
                let call = call.integration_method(&wanted.method).connection_type(kind.clone());
                let call = call.set_connection_id(link.clone()).set_tls_config(tls.clone());
                let call = call.timeout_in_millis(wanted.timeout_ms).payload_format_version(&wanted.payload_format);
                let parameters = &wanted.parameters;
                let parameters = (!parameters.is_empty()).then(|| parameters.clone().into_iter().collect());
                let call = call.set_request_parameters(parameters).set_description(wanted.description.clone());
                call.customize().config_override(retry::once_apigatewayv2()).send()
            };
            async move { retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await.map(|made| made.integration_id) }
        };
        // What one that is there already would look like; only an unused one can be what was just made.
        let find = || async {
            let all = read::children(&self.aws.write, self.api).await?;
            let found = all.unused().find(|(_, one)| *one == wanted).map(|(id, _)| Some(id.clone()));
            Ok(found)
        };
        let made = retry::create_once(&format!("create an integration with `{uri}`"), create, find).await?;
        given("id of the new integration", made)
    }

    async fn update_integration(&self, id: &str, from: &Integration, to: &Integration) -> Result<()> {
        let Parts { uri, link, kind, tls } = parts(to)?;
        // A parameter goes by getting an empty value (hashicorp/terraform-provider-aws, `apigatewayv2/integration.go`).
        let gone = from.parameters.keys().filter(|name| !to.parameters.contains_key(*name));
        let parameters: HashMap<String, String> =
            gone.map(|name| (name.clone(), String::new())).chain(to.parameters.clone()).collect();
        let call = || {
            let call = self.aws.write.apigatewayv2.update_integration().api_id(self.api).integration_id(id);
            let call = call.integration_type(IntegrationType::HttpProxy).integration_uri(&uri);
            let call = call.integration_method(&to.method).connection_type(kind.clone());
            let call = call.set_connection_id(link.clone()).set_tls_config(tls.clone());
            let call = call.timeout_in_millis(to.timeout_ms).payload_format_version(&to.payload_format);
            let call = call.set_request_parameters((!parameters.is_empty()).then(|| parameters.clone()));
            call.description(to.description.as_deref().unwrap_or_default()).send()
        };
        let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await;
        answer.map_err(|error| failed(&format!("update integration {id} with `{uri}`"), error)).map(drop)
    }

    /// Where a route's requests go, and who lets them pass.
    fn ends(&self, key: &str, route: &Route) -> Result<(String, AuthorizationType, Option<String>)> {
        let missing = |what: &str| Failure::internal(format!("route `{key}` has no {what}"));
        let target = self.integrations.get(&route.integration).ok_or_else(|| missing("integration"))?;
        let id = |name: &String| self.authorizers.get(name.as_str()).cloned().ok_or_else(|| missing("authorizer"));
        let authorizer = route.authorizer.as_ref().map(id).transpose()?;
        let kind = if authorizer.is_some() { AuthorizationType::Jwt } else { AuthorizationType::None };
        Ok((format!("integrations/{target}"), kind, authorizer))
    }

    async fn create_route(&self, key: &str, route: &Route) -> Result<()> {
        let (target, kind, authorizer) = self.ends(key, route)?;
        let scopes: Vec<String> = route.scopes.iter().cloned().collect();
        let create = || {
            let (target, kind, authorizer, scopes) = (&target, &kind, &authorizer, &scopes);
            let call = move || {
                let call = self.aws.write.apigatewayv2.create_route().api_id(self.api).route_key(key).target(target);
                let call = call.authorization_type(kind.clone()).set_authorizer_id(authorizer.clone());
                let call = call.set_authorization_scopes((!scopes.is_empty()).then(|| scopes.clone()));
                call.customize().config_override(retry::once_apigatewayv2()).send()
            };
            async move { retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await.map(drop) }
        };
        let find = || async {
            let all = read::children(&self.aws.write, self.api).await?.routes;
            Ok(all.contains_key(key).then_some(()))
        };
        retry::create_once(&format!("create route `{key}`"), create, find).await
    }

    async fn update_route(&self, key: &str, live: &LiveRoute, route: &Route) -> Result<()> {
        let (target, kind, authorizer) = self.ends(key, route)?;
        let scopes: Vec<String> = route.scopes.iter().cloned().collect();
        // Only what is there can be taken away: an open route never heard of an authorizer.
        let authorizer = authorizer.or_else(|| live.authorizer.is_some().then(String::new));
        let unnamed = !live.foreign_settings.is_empty();
        let call = || {
            let call = self.aws.write.apigatewayv2.update_route().api_id(self.api).route_id(&live.id).target(&target);
            // An authorizer is refused without its type (hashicorp/terraform-provider-aws, pull request 35821).
            let call = call.authorization_type(kind.clone()).set_authorizer_id(authorizer.clone());
            let call = call.set_operation_name(unnamed.then(String::new));
            call.set_authorization_scopes((live.scopes != route.scopes).then(|| scopes.clone())).send()
        };
        let answer = retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await;
        answer.map_err(|error| failed(&format!("update route `{key}`"), error)).map(drop)
    }

    async fn delete_route(&self, key: &str, id: &str) -> Result<()> {
        let call = || self.aws.write.apigatewayv2.delete_route().api_id(self.api).route_id(id).send();
        match retry::until_ready(OTHERS_WRITE, &NOT_YET, call).await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete route `{key}`"), error)),
            _ => Ok(()),
        }
    }

    async fn delete_integration(&self, id: &str) -> Result<()> {
        let call = || self.aws.write.apigatewayv2.delete_integration().api_id(self.api).integration_id(id).send();
        match retry::until_ready(OTHERS_WRITE, &STILL_USED, call).await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete integration {id}"), error)),
            _ => Ok(()),
        }
    }

    async fn delete_authorizer(&self, id: &str, name: &str) -> Result<()> {
        let call = || self.aws.write.apigatewayv2.delete_authorizer().api_id(self.api).authorizer_id(id).send();
        match retry::until_ready(OTHERS_WRITE, &STILL_USED, call).await {
            Err(error) if !is_not_found(&error) => Err(failed(&format!("delete authorizer `{name}`"), error)),
            _ => Ok(()),
        }
    }
}

fn configuration(jwt: &JwtAuthorizer) -> JwtConfiguration {
    let audience = jwt.audience.iter().cloned().collect();
    JwtConfiguration::builder().issuer(&jwt.issuer).set_audience(Some(audience)).build()
}

/// An integration in the form of a call.
struct Parts {
    uri: String,
    link: Option<String>,
    kind: ConnectionType,
    tls: Option<TlsConfigInput>,
}

fn parts(wanted: &Integration) -> Result<Parts> {
    let Integration {
        uri,
        connection,
        server_name_to_verify,
        method: _, // these go into a call as they are
        timeout_ms: _,
        parameters: _,
        payload_format: _,
        description: _,
        foreign_settings: _, // never wanted
    } = wanted;
    let link = connection.as_ref().map(|link| link.known().map(str::to_owned)).transpose()?;
    let tls = |name: &String| TlsConfigInput::builder().server_name_to_verify(name).build();
    Ok(Parts {
        uri: uri.known()?.to_owned(),
        kind: if link.is_some() { ConnectionType::VpcLink } else { ConnectionType::Internet },
        link,
        tls: server_name_to_verify.as_ref().map(tls),
    })
}
