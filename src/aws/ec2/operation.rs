//! One call: how it is written, sent and read, in the terms of the SDK's orchestrator.

use std::fmt;

use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_smithy_runtime::client::orchestrator;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_xml::decode::XmlDecodeError;

use super::error::Ec2Error;
use super::form::Form;
use super::plugin::SERVICE;
use super::{Called, read};

/// Reads the answer to a call.
pub(super) type Decode<T> = fn(&str) -> Result<T, XmlDecodeError>;

/// Sends one call, with everything that the client's plugins bring.
pub(super) async fn invoke<T>(
    plugins: &RuntimePlugins,
    action: &'static str,
    form: Form,
    decode: Decode<T>,
) -> Called<T>
where
    T: fmt::Debug + Send + Sync + 'static,
{
    let plugins = plugins.clone().with_operation_plugin(plugin(action, decode));
    let answer = orchestrator::invoke(SERVICE, action, Input::erase(form), &plugins).await;
    let output = answer.map_err(|error| error.map_service_error(own))?;
    output.downcast().map_err(|_| SdkError::construction_failure("the answer is of another operation"))
}

/// The error as [`Answer`] made it. Another one can't come, and would still be told.
fn own(error: Error) -> Ec2Error {
    error.downcast().unwrap_or_else(|other| Ec2Error::new(read::metadata().message(format!("{other:?}")).build()))
}

fn plugin<T>(action: &'static str, decode: Decode<T>) -> StaticRuntimePlugin
where
    T: fmt::Debug + Send + Sync + 'static,
{
    let mut layer = Layer::new(action);
    layer.store_put(SharedRequestSerializer::new(Question));
    layer.store_put(SharedResponseDeserializer::new(Answer(decode)));
    // The guard and the logs know the call by this.
    layer.store_put(Metadata::new(action, SERVICE));
    let mut signing = SigningOptions::default();
    signing.double_uri_encode = true;
    signing.normalize_uri_path = true;
    layer.store_put(SigV4OperationSigningConfig { signing_options: signing, ..Default::default() });
    StaticRuntimePlugin::new().with_config(layer.freeze())
}

#[derive(Debug)]
struct Question;

impl SerializeRequest for Question {
    fn serialize_input(&self, input: Input, _cfg: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let form: Form = input.downcast().map_err(|_| "the input is no form")?;
        let body = form.encode();
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method("POST")?;
        request.set_uri("/")?;
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(request)
    }
}

struct Answer<T>(Decode<T>);

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

impl<T: fmt::Debug + Send + Sync + 'static> DeserializeResponse for Answer<T> {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _cfg: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let text =
            std::str::from_utf8(response.body().bytes().unwrap_or_default()).map_err(OrchestratorError::other)?;
        if !response.status().is_success() {
            let error = Ec2Error::new(read::refusal(text));
            return Err(OrchestratorError::operation(Error::erase(error)));
        }
        (self.0)(text).map(Output::erase).map_err(OrchestratorError::other)
    }
}
