//! The variables that AWS documents for the access logs of REST APIs (developer guide, "Variables for access logging for
//! API Gateway"), without their `$context.`.

/// Each with what it is. A name that ends in `*` stands for all names that begin so.
pub const KNOWN: [(&str, &str); 83] = [
    ("accountId", "the account of the API's owner"),
    ("apiId", "the API's id"),
    ("authenticate.error", "the error of the authentication attempt"),
    ("authenticate.latency", "the authentication's latency in ms"),
    ("authenticate.status", "the status of the authentication attempt"),
    ("authorize.error", "the error of the authorization attempt"),
    ("authorize.latency", "the authorization's latency in ms"),
    ("authorize.status", "the status of the authorization attempt"),
    ("authorizer.claims.*", "a claim of the Cognito user pool's token"),
    ("authorizer.error", "the error that the authorizer returned"),
    ("authorizer.integrationLatency", "the latency of the authorizer's integration in ms"),
    ("authorizer.integrationStatus", "the status that the Lambda authorizer returned"),
    ("authorizer.latency", "the authorizer's latency in ms"),
    ("authorizer.principalId", "the principal that the Lambda authorizer returned"),
    ("authorizer.requestId", "the request id of the AWS endpoint that authorized"),
    ("authorizer.status", "the status that the authorizer returned"),
    ("authorizer.*", "a value of the context that the Lambda authorizer returned; of signs only underscores"),
    ("awsEndpointRequestId", "the request id of the AWS endpoint behind the integration"),
    ("cipherSuite", "the cipher of the TLS connection, in IANA's words"),
    ("customDomain.basePathMatched", "the path of the API mapping that matched"),
    ("customDomain.routingRuleIdMatched", "the id of the routing rule that matched"),
    ("deploymentId", "the id of the deployment"),
    ("domainName", "the full domain name that was asked"),
    ("domainPrefix", "the first label of the domain name"),
    ("endpointType", "the API's endpoint type"),
    ("error.message", "API Gateway's error message"),
    ("error.messageString", "the error message in quotes"),
    ("error.responseType", "the type of the gateway response"),
    ("error.validationErrorString", "what request validation found"),
    ("extendedRequestId", "the extended request id, in x-amz-apigw-id"),
    ("httpMethod", "the HTTP method"),
    ("identity.accountId", "the account of the caller"),
    ("identity.apiKey", "the API key, if the method needs one"),
    ("identity.apiKeyId", "the id of the API key"),
    ("identity.caller", "the principal of the caller that signed the request"),
    ("identity.clientCert.clientCertPem", "the client's certificate, in mutual TLS"),
    ("identity.clientCert.issuerDN", "the issuer of the client's certificate"),
    ("identity.clientCert.serialNumber", "the serial number of the client's certificate"),
    ("identity.clientCert.subjectDN", "the subject of the client's certificate"),
    ("identity.clientCert.validity.notAfter", "until when the client's certificate is valid"),
    ("identity.clientCert.validity.notBefore", "from when the client's certificate is valid"),
    ("identity.cognitoAuthenticationProvider", "the Cognito providers of the caller"),
    ("identity.cognitoAuthenticationType", "whether the Cognito caller is authenticated"),
    ("identity.cognitoIdentityId", "the Cognito identity of the caller"),
    ("identity.cognitoIdentityPoolId", "the Cognito identity pool of the caller"),
    ("identity.principalOrgId", "the AWS organization of the caller"),
    ("identity.sourceIp", "the address of the TCP connection"),
    ("identity.user", "the principal of the user that is authorized"),
    ("identity.userAgent", "the User-Agent header"),
    ("identity.userArn", "the ARN of the user after authentication"),
    ("identity.vpcId", "the VPC that the request came from"),
    ("identity.vpceId", "the VPC endpoint that the request came through"),
    ("integration.error", "the error of the integration"),
    ("integration.integrationStatus", "the status that Lambda returned, not that of the function's code"),
    ("integration.latency", "the integration's latency in ms"),
    ("integration.requestId", "the request id of the AWS endpoint"),
    ("integration.responseTransferMode", "BUFFERED or STREAM"),
    ("integration.status", "the status that the integration returned: for a Lambda proxy, that of the function's code"),
    ("integration.timeToAllHeaders", "ms to all headers of the integration's response"),
    ("integration.timeToFirstContent", "ms to the first content of the integration's response"),
    ("integrationErrorMessage", "the error of the integration, the older name"),
    ("integrationLatency", "the integration's latency in ms, the older name"),
    ("integrationStatus", "the status that Lambda returned, the older name"),
    ("isCanaryRequest", "whether the canary served the request"),
    ("path", "the path with the stage"),
    ("protocol", "the protocol, such as HTTP/1.1"),
    ("requestId", "the request id; a client can set it"),
    ("requestTime", "the time, as the common log format has it"),
    ("requestTimeEpoch", "the time in ms since the epoch"),
    ("resourceId", "the id of the resource"),
    ("resourcePath", "the path of the resource"),
    ("responseLatency", "the response's latency in ms"),
    ("responseLength", "the bytes of the response's body"),
    ("responseOverride.status", "the status that a template overrode"),
    ("stage", "the stage"),
    ("status", "the status of the response"),
    ("tlsVersion", "the version of TLS"),
    ("waf.error", "the error that WAF returned"),
    ("waf.latency", "WAF's latency in ms"),
    ("waf.status", "the status that WAF returned"),
    ("wafResponseCode", "WAF_ALLOW or WAF_BLOCK"),
    ("webaclArn", "the web ACL that decided"),
    ("xrayTraceId", "the id of the X-Ray trace"),
];

/// Whether AWS documents a variable, by its name without `$context.`.
#[must_use]
pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|(known, _)| match known.strip_suffix('*') {
        Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
        None => *known == name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_once() {
        let mut names: Vec<_> = KNOWN.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KNOWN.len());
    }

    #[test]
    fn families_need_a_member() {
        assert!(is_known("authorizer.anything") && is_known("authorizer.claims.sub"));
        assert!(!is_known("authorizer.") && !is_known("authorizers") && !is_known("identity.*"));
    }
}
