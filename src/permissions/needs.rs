//! What IAM has to allow for a call: actions, and what they are on.
//!
//! After the Service Authorization Reference, a table a service, and after the guides where it says nothing; those are named
//! where they are used. What is no more than a guess is said to be one.

/// What an action is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    /// IAM knows no resources for the action, or it is asked for all of them.
    Everything,
    /// API Gateway's resources are paths; `{domain}` stands for each of the domain names.
    Path(&'static str),
    /// The alarms.
    Alarm,
    /// Every alarm: a list of those with a prefix is asked for all.
    AnyAlarm,
    /// The buckets.
    Bucket,
    /// Certificates, whose ids say nothing.
    Certificate,
    /// Changes of records, whose ids say nothing.
    Change,
    /// The functions.
    Function,
    /// The functions, their versions and aliases.
    Qualified,
    /// Layers that functions are made with.
    Layer,
    /// Health checks, whose ids say nothing.
    HealthCheck,
    /// Hosted zones: by their ids where the configuration knows them.
    Zone,
    /// The IP sets.
    IpSet,
    /// Load balancers before which a web ACL stands.
    LoadBalancer,
    /// The log group that is the lock of the environment.
    Lock,
    /// The log groups, and what is in them.
    LogGroup,
    /// What rules of a web ACL may refer to.
    Referred,
    /// The roles.
    Role,
    /// Every role: the one that a Region's logs are written with may be anybody's.
    AnyRole,
    /// The roles, for a service that is to assume them.
    Passed(&'static str),
    /// The role that a service makes for itself.
    Linked(&'static str, &'static str),
    /// The rule groups.
    RuleGroup,
    /// Security groups, whose ids say nothing.
    SecurityGroup,
    /// The VPCs of security groups.
    Vpc,
    /// Stages of REST APIs, whose ids say nothing.
    Stage,
    /// The delivery streams.
    Stream,
    /// The web ACLs.
    WebAcl,
    /// Topics for messages about drift.
    Topic,
    /// Roles that a caller may act as.
    Caller,
}

/// An action, and what it is on.
pub(super) type Need = (&'static str, On);

/// The tags of anything in API Gateway.
const TAGS: On = On::Path("/tags/*");

/// What it takes of the caller that a stage of an HTTP API writes access logs (developer guide, "Configure logging for HTTP
/// APIs"). Those of REST APIs are written by the account's role, and the guide names no permission of the caller.
const DELIVERS: [Need; 8] = [
    ("logs:CreateLogDelivery", On::Everything),
    ("logs:DeleteLogDelivery", On::Everything),
    ("logs:DescribeLogGroups", On::Everything),
    ("logs:DescribeResourcePolicies", On::Everything),
    ("logs:GetLogDelivery", On::Everything),
    ("logs:ListLogDeliveries", On::Everything),
    ("logs:PutResourcePolicy", On::Everything),
    ("logs:UpdateLogDelivery", On::Everything),
];

/// What API Gateway reaches load balancers and delivery streams with (developer guide, "Using service-linked roles for API
/// Gateway": made with the first API, domain name or VPC link of the account).
const API_GATEWAY: Need =
    ("iam:CreateServiceLinkedRole", On::Linked("ops.apigateway.amazonaws.com", "AWSServiceRoleForAPIGateway"));

/// What AWS WAF writes its log with.
const WAF_LOGGING: Need =
    ("iam:CreateServiceLinkedRole", On::Linked("wafv2.amazonaws.com", "AWSServiceRoleForWAFV2Logging"));

/// What a call needs; none for a call that is not known.
pub(super) fn of(call: &str) -> Option<Vec<Need>> {
    let (service, operation) = call.split_once(':')?;
    match service {
        "apigateway" => rest(operation),
        "apigatewayv2" => http(operation),
        "lambda" => lambda(operation),
        "iam" => iam(operation),
        "logs" => logs(operation),
        "wafv2" => wafv2(operation),
        "route53" => route53(operation),
        "s3" => s3(operation),
        "ec2" => ec2(operation),
        "firehose" => firehose(operation),
        "cloudwatch" => cloudwatch(operation),
        _ => others(call),
    }
}

/// The action of that name, on something.
macro_rules! named {
    ($operation:expr, $service:literal, { $($($name:literal)|+ => $on:expr),+ $(,)? }) => {
        match $operation {
            $($($name => Some((concat!($service, ":", $name), $on)),)+)+
            _ => None,
        }
    };
}

/// REST APIs and what belongs to them. The actions are HTTP methods on paths; those that name what they are for (policies,
/// web ACLs, certificates of clients) come on top (the reference: "an additional authorization control").
fn rest(operation: &str) -> Option<Vec<Need>> {
    let (method, path) = match operation {
        "GetAccount" => ("apigateway:GET", "/account"),
        "UpdateAccount" => ("apigateway:PATCH", "/account"),
        "GetRestApis" => ("apigateway:GET", "/restapis"),
        "CreateRestApi" => ("apigateway:POST", "/restapis"),
        "GetRestApi"
        | "GetResources"
        | "GetAuthorizers"
        | "GetGatewayResponses"
        | "GetDeployments"
        | "GetDeployment"
        | "GetStages"
        | "GetStage"
        | "GetExport" => ("apigateway:GET", "/restapis/*"),
        "PutRestApi" => ("apigateway:PUT", "/restapis/*"),
        "UpdateRestApi" | "UpdateStage" => ("apigateway:PATCH", "/restapis/*"),
        "CreateDeployment" | "CreateStage" => ("apigateway:POST", "/restapis/*"),
        "DeleteRestApi" | "DeleteDeployment" | "DeleteStage" => ("apigateway:DELETE", "/restapis/*"),
        "GetVpcLinks" => ("apigateway:GET", "/vpclinks"),
        "CreateVpcLink" => ("apigateway:POST", "/vpclinks"),
        "GetVpcLink" => ("apigateway:GET", "/vpclinks/*"),
        "UpdateVpcLink" => ("apigateway:PATCH", "/vpclinks/*"),
        "DeleteVpcLink" => ("apigateway:DELETE", "/vpclinks/*"),
        "GetDomainNames" => ("apigateway:GET", "/domainnames"),
        "CreateDomainName" => ("apigateway:POST", "/domainnames"),
        "GetDomainName" => ("apigateway:GET", "/domainnames/{domain}"),
        "UpdateDomainName" => ("apigateway:PATCH", "/domainnames/{domain}"),
        "DeleteDomainName" => ("apigateway:DELETE", "/domainnames/{domain}"),
        "GetBasePathMappings" => ("apigateway:GET", "/domainnames/{domain}/basepathmappings"),
        "CreateBasePathMapping" => ("apigateway:POST", "/domainnames/{domain}/basepathmappings"),
        "GetBasePathMapping" => ("apigateway:GET", "/domainnames/{domain}/basepathmappings/*"),
        "UpdateBasePathMapping" => ("apigateway:PATCH", "/domainnames/{domain}/basepathmappings/*"),
        "DeleteBasePathMapping" => ("apigateway:DELETE", "/domainnames/{domain}/basepathmappings/*"),
        "TagResource" => return Some(vec![("apigateway:PUT", TAGS)]),
        "UntagResource" => return Some(vec![("apigateway:DELETE", TAGS)]),
        _ => return None,
    };
    let mut needs = vec![(method, On::Path(path))];
    needs.extend(match operation {
        // That a create with tags takes this action, which the reference does not list, is what users report
        // (cloudtools/awacs#254, aws-amplify/amplify-cli#12316).
        "CreateRestApi" => vec![("apigateway:TagResource", On::Path("/restapis")), API_GATEWAY],
        // A link of REST APIs is an endpoint service of the caller's (developer guide, "Grant permissions for API Gateway to
        // create a VPC link").
        "CreateVpcLink" => vec![
            ("apigateway:TagResource", On::Path("/vpclinks")),
            API_GATEWAY,
            ("elasticloadbalancing:DescribeLoadBalancers", On::Everything),
            ("ec2:CreateVpcEndpointServiceConfiguration", On::Everything),
            ("ec2:DescribeVpcEndpointServiceConfigurations", On::Everything),
            ("ec2:ModifyVpcEndpointServicePermissions", On::Everything),
        ],
        "DeleteVpcLink" => vec![
            ("ec2:DeleteVpcEndpointServiceConfigurations", On::Everything),
            ("ec2:DescribeVpcEndpointServiceConfigurations", On::Everything),
        ],
        "CreateDomainName" => vec![
            ("apigateway:TagResource", On::Path("/domainnames")),
            ("apigateway:AddCertificateToDomain", On::Path("/domainnames")),
            API_GATEWAY,
        ],
        "UpdateDomainName" => vec![
            ("apigateway:AddCertificateToDomain", On::Path("/domainnames/{domain}")),
            ("apigateway:RemoveCertificateFromDomain", On::Path("/domainnames/{domain}")),
        ],
        // The document has the policy, and the roles that API Gateway is to assume.
        "PutRestApi" => vec![
            ("apigateway:UpdateRestApiPolicy", On::Path("/restapis/*")),
            ("iam:PassRole", On::Passed("apigateway.amazonaws.com")),
        ],
        "UpdateAccount" => vec![("iam:PassRole", On::Passed("apigateway.amazonaws.com"))],
        "CreateStage" => vec![("apigateway:TagResource", On::Path("/restapis/*"))],
        _ => Vec::new(),
    });
    Some(needs)
}

/// HTTP APIs.
fn http(operation: &str) -> Option<Vec<Need>> {
    let (method, path) = match operation {
        "GetApis" => ("apigateway:GET", "/apis"),
        "CreateApi" => ("apigateway:POST", "/apis"),
        "GetApi" | "GetRoutes" | "GetIntegrations" | "GetAuthorizers" | "GetStages" | "GetStage" | "GetDeployment"
        | "GetDeployments" => ("apigateway:GET", "/apis/*"),
        "CreateRoute" | "CreateIntegration" | "CreateAuthorizer" | "CreateStage" => ("apigateway:POST", "/apis/*"),
        "UpdateApi" | "UpdateRoute" | "UpdateIntegration" | "UpdateAuthorizer" | "UpdateStage" => {
            ("apigateway:PATCH", "/apis/*")
        }
        "DeleteApi"
        | "DeleteRoute"
        | "DeleteIntegration"
        | "DeleteAuthorizer"
        | "DeleteStage"
        | "DeleteCorsConfiguration"
        | "DeleteRouteSettings"
        | "DeleteAccessLogSettings"
        | "DeleteRouteRequestParameter" => ("apigateway:DELETE", "/apis/*"),
        "GetVpcLinks" => ("apigateway:GET", "/vpclinks"),
        "CreateVpcLink" => ("apigateway:POST", "/vpclinks"),
        "GetVpcLink" => ("apigateway:GET", "/vpclinks/*"),
        "UpdateVpcLink" => ("apigateway:PATCH", "/vpclinks/*"),
        "DeleteVpcLink" => ("apigateway:DELETE", "/vpclinks/*"),
        "GetApiMappings" => ("apigateway:GET", "/domainnames/{domain}/apimappings"),
        "CreateApiMapping" => ("apigateway:POST", "/domainnames/{domain}/apimappings"),
        "UpdateApiMapping" => ("apigateway:PATCH", "/domainnames/{domain}/apimappings/*"),
        "DeleteApiMapping" => ("apigateway:DELETE", "/domainnames/{domain}/apimappings/*"),
        "TagResource" => return Some(vec![("apigateway:POST", TAGS)]),
        "UntagResource" => return Some(vec![("apigateway:DELETE", TAGS)]),
        _ => return None,
    };
    let mut needs = vec![(method, On::Path(path))];
    needs.extend(match operation {
        "CreateApi" => vec![("apigateway:TagResource", On::Path("/apis")), API_GATEWAY],
        "CreateVpcLink" => vec![("apigateway:TagResource", On::Path("/vpclinks")), API_GATEWAY],
        "CreateStage" => [vec![("apigateway:TagResource", On::Path("/apis/*"))], DELIVERS.to_vec()].concat(),
        "UpdateStage" => DELIVERS.to_vec(),
        _ => Vec::new(),
    });
    Some(needs)
}

/// A policy for a function does not hold for its versions and aliases (Lambda's guide, "Resources and conditions for Lambda
/// actions"). Settings of a VPC need nothing of EC2 of the caller: Lambda acts as the function's role.
fn lambda(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "lambda", {
        "CreateFunction" | "UpdateFunctionCode" | "UpdateFunctionConfiguration"
        | "TagResource" | "UntagResource" | "ListTags" | "PutFunctionConcurrency" | "DeleteFunctionConcurrency"
        | "PublishVersion" | "ListVersionsByFunction" | "GetFunction" => On::Function,
        "ListAliases" | "GetAlias" | "CreateAlias" | "UpdateAlias" | "DeleteAlias" => On::Function,
        "GetFunctionConfiguration" | "DeleteFunction" | "GetPolicy" | "RemovePermission" | "GetProvisionedConcurrencyConfig"
        | "PutProvisionedConcurrencyConfig" | "DeleteProvisionedConcurrencyConfig" => On::Qualified,
        "ListFunctions" => On::Everything,
    })?;
    let besides = match operation {
        // Without it, the answer has no tags, and whose the function is stays unknown (API reference).
        "GetFunction" => vec![("lambda:ListTags", On::Function)],
        "CreateFunction" => vec![
            ("iam:PassRole", On::Passed("lambda.amazonaws.com")),
            ("lambda:TagResource", On::Function),
            ("lambda:GetLayerVersion", On::Layer),
        ],
        "UpdateFunctionConfiguration" => {
            vec![("iam:PassRole", On::Passed("lambda.amazonaws.com")), ("lambda:GetLayerVersion", On::Layer)]
        }
        _ => Vec::new(),
    };
    Some([vec![own], besides].concat())
}

fn iam(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "iam", {
        "GetRole" | "CreateRole" | "UpdateRole" | "DeleteRole" | "TagRole" | "UntagRole" | "UpdateAssumeRolePolicy"
        | "ListRolePolicies" | "GetRolePolicy" | "PutRolePolicy" | "DeleteRolePolicy" | "ListAttachedRolePolicies"
        | "AttachRolePolicy" | "DetachRolePolicy" => On::Role,
        "ListRoles" => On::Everything,
        "SimulatePrincipalPolicy" => On::Caller,
    })?;
    // The guide, "Tagging IAM roles": a create with tags needs this, too.
    let besides = if operation == "CreateRole" { vec![("iam:TagRole", On::Role)] } else { Vec::new() };
    Some([vec![own], besides].concat())
}

fn logs(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "logs", {
        "CreateLogGroup" | "DeleteLogGroup" | "PutRetentionPolicy" | "DeleteRetentionPolicy" | "TagResource"
        | "UntagResource" | "ListTagsForResource" | "DescribeMetricFilters" | "DescribeSubscriptionFilters"
        | "DeleteMetricFilter" | "DeleteSubscriptionFilter" | "CreateLogStream" | "PutLogEvents" | "GetLogEvents"
        | "FilterLogEvents" => On::LogGroup,
        "DescribeLogGroups" => On::Everything,
    })?;
    // API reference of CreateLogGroup: tags take the permission to tag.
    let besides = if operation == "CreateLogGroup" { vec![("logs:TagResource", On::LogGroup)] } else { Vec::new() };
    Some([vec![own], besides].concat())
}

/// A web ACL before a stage or a load balancer takes a permission of theirs, too (the reference's dependent actions).
fn wafv2(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "wafv2", {
        "GetWebACL" | "CreateWebACL" | "UpdateWebACL" | "DeleteWebACL" | "GetLoggingConfiguration"
        | "PutLoggingConfiguration" | "DeleteLoggingConfiguration" | "ListResourcesForWebACL" | "GetWebACLForResource"
        | "AssociateWebACL" => On::WebAcl,
        "GetIPSet" | "CreateIPSet" | "UpdateIPSet" | "DeleteIPSet" => On::IpSet,
        "GetRuleGroup" | "CreateRuleGroup" | "UpdateRuleGroup" | "DeleteRuleGroup" => On::RuleGroup,
        "ListWebACLs" | "ListIPSets" | "ListRuleGroups" | "CheckCapacity" => On::Everything,
        // Nothing but the stage or the load balancer is asked for.
        "DisassociateWebACL" => On::Stage,
        // The kind says of what.
        "TagResource" | "UntagResource" | "ListTagsForResource" => On::WebAcl,
    })?;
    let besides = match operation {
        "CreateWebACL" => vec![("wafv2:CreateWebACL", On::Referred), ("wafv2:TagResource", On::WebAcl)],
        "UpdateWebACL" => vec![("wafv2:UpdateWebACL", On::Referred)],
        "CreateIPSet" => vec![("wafv2:TagResource", On::IpSet)],
        "CreateRuleGroup" => vec![("wafv2:CreateRuleGroup", On::Referred), ("wafv2:TagResource", On::RuleGroup)],
        "UpdateRuleGroup" => vec![("wafv2:UpdateRuleGroup", On::Referred)],
        // Developer guide, "Sending web ACL traffic logs to …": to a log group, the three of the delivery; to a stream, the role.
        "PutLoggingConfiguration" => vec![
            WAF_LOGGING,
            ("firehose:ListDeliveryStreams", On::Everything),
            ("logs:CreateLogDelivery", On::Everything),
            ("logs:DescribeLogGroups", On::Everything),
            ("logs:DescribeResourcePolicies", On::Everything),
            ("logs:PutResourcePolicy", On::Everything),
        ],
        "DeleteLoggingConfiguration" => vec![("logs:DeleteLogDelivery", On::Everything)],
        "AssociateWebACL" => vec![("wafv2:AssociateWebACL", On::Stage), ("apigateway:SetWebACL", On::Stage)],
        "DisassociateWebACL" => vec![("apigateway:SetWebACL", On::Stage)],
        // Before a web ACL goes, it is asked of every sort of resource. Those that ask for permissions of their own: developer
        // guide, "Permissions for ListResourcesForWebACL", and the managed policy `AWSWAFFullAccess`.
        "ListResourcesForWebACL" => vec![
            ("elasticloadbalancing:DescribeWebACLAssociation", On::Everything),
            ("cognito-idp:ListResourcesForWebACL", On::Everything),
            ("apprunner:ListAssociatedServicesForWebAcl", On::Everything),
            ("ec2:DescribeVerifiedAccessInstanceWebAclAssociations", On::Everything),
        ],
        _ => Vec::new(),
    };
    Some([vec![own], besides].concat())
}

/// The same calls before load balancers, where [`wafv2`] has stages.
pub(super) fn before_balancers(call: &str) -> Option<Vec<Need>> {
    Some(match call {
        "wafv2:AssociateWebACL" => vec![
            ("wafv2:AssociateWebACL", On::WebAcl),
            ("wafv2:AssociateWebACL", On::LoadBalancer),
            ("elasticloadbalancing:CreateWebACLAssociation", On::Everything),
            ("elasticloadbalancing:SetWebAcl", On::Everything),
        ],
        "wafv2:DisassociateWebACL" => vec![
            ("wafv2:DisassociateWebACL", On::LoadBalancer),
            ("elasticloadbalancing:DeleteWebACLAssociation", On::Everything),
            ("elasticloadbalancing:SetWebAcl", On::Everything),
        ],
        "wafv2:GetWebACLForResource" => vec![
            ("wafv2:GetWebACLForResource", On::WebAcl),
            ("wafv2:GetWebACLForResource", On::LoadBalancer),
            ("wafv2:GetWebACL", On::WebAcl),
            ("elasticloadbalancing:GetLoadBalancerWebACL", On::Everything),
        ],
        "wafv2:ListResourcesForWebACL" => vec![
            ("wafv2:ListResourcesForWebACL", On::WebAcl),
            ("elasticloadbalancing:DescribeWebACLAssociation", On::Everything),
        ],
        _ => return None,
    })
}

fn route53(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "route53", {
        "ListHostedZones" | "CreateHostedZone" | "ListHealthChecks" | "CreateHealthCheck" => On::Everything,
        "GetHostedZone" | "DeleteHostedZone" | "UpdateHostedZoneComment" | "ChangeResourceRecordSets"
        | "ListResourceRecordSets" => On::Zone,
        "GetChange" => On::Change,
        "UpdateHealthCheck" | "DeleteHealthCheck" | "GetHealthCheckStatus" => On::HealthCheck,
        // The kind says of what.
        "ChangeTagsForResource" | "ListTagsForResource" | "ListTagsForResources" => On::HealthCheck,
    })?;
    Some(vec![own])
}

/// S3's actions are not called as its operations are (user guide, "Required permissions for Amazon S3 API operations").
fn s3(operation: &str) -> Option<Vec<Need>> {
    let action = match operation {
        "CreateBucket" => "s3:CreateBucket",
        "DeleteBucket" => "s3:DeleteBucket",
        "ListObjectVersions" => "s3:ListBucketVersions",
        "GetBucketTagging" => "s3:GetBucketTagging",
        "PutBucketTagging" => "s3:PutBucketTagging",
        "GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "PutBucketEncryption" => "s3:PutEncryptionConfiguration",
        "GetBucketVersioning" => "s3:GetBucketVersioning",
        "PutBucketVersioning" => "s3:PutBucketVersioning",
        "GetBucketLogging" => "s3:GetBucketLogging",
        "PutBucketLogging" => "s3:PutBucketLogging",
        "GetBucketPolicy" => "s3:GetBucketPolicy",
        "PutBucketPolicy" => "s3:PutBucketPolicy",
        "DeleteBucketPolicy" => "s3:DeleteBucketPolicy",
        "GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "s3:PutLifecycleConfiguration",
        "GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" => "s3:PutBucketPublicAccessBlock",
        "GetBucketOwnershipControls" => "s3:GetBucketOwnershipControls",
        "PutBucketOwnershipControls" => "s3:PutBucketOwnershipControls",
        _ => return None,
    };
    let mut needs = vec![(action, On::Bucket)];
    // API reference of CreateBucket: who names the object ownership needs this, too; tags of a bucket take s3:TagResource.
    if operation == "CreateBucket" {
        needs.push(("s3:PutBucketOwnershipControls", On::Bucket));
    }
    Some(needs)
}

fn ec2(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "ec2", {
        "DescribeSecurityGroups" | "DescribeSubnets" | "DescribeNetworkInterfaces" | "DescribeVpcEndpoints"
            => On::Everything,
        "CreateSecurityGroup" | "DeleteSecurityGroup" | "AuthorizeSecurityGroupIngress"
        | "AuthorizeSecurityGroupEgress" | "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress"
        | "UpdateSecurityGroupRuleDescriptionsIngress" | "UpdateSecurityGroupRuleDescriptionsEgress" | "CreateTags"
        | "DeleteTags" => On::SecurityGroup,
    })?;
    let besides = match operation {
        "CreateSecurityGroup" => vec![("ec2:CreateSecurityGroup", On::Vpc), ("ec2:CreateTags", On::SecurityGroup)],
        _ => Vec::new(),
    };
    Some([vec![own], besides].concat())
}

fn firehose(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "firehose", {
        "DescribeDeliveryStream" | "ListTagsForDeliveryStream" | "CreateDeliveryStream" | "UpdateDestination"
        | "DeleteDeliveryStream" | "TagDeliveryStream" | "UntagDeliveryStream" | "StartDeliveryStreamEncryption"
        | "StopDeliveryStreamEncryption" => On::Stream,
    })?;
    let besides = match operation {
        "CreateDeliveryStream" => {
            vec![("firehose:TagDeliveryStream", On::Stream), ("iam:PassRole", On::Passed("firehose.amazonaws.com"))]
        }
        "UpdateDestination" => vec![("iam:PassRole", On::Passed("firehose.amazonaws.com"))],
        _ => Vec::new(),
    };
    Some([vec![own], besides].concat())
}

fn cloudwatch(operation: &str) -> Option<Vec<Need>> {
    let own = named!(operation, "cloudwatch", {
        "DescribeAlarms" => On::AnyAlarm,
        "PutMetricAlarm" | "DeleteAlarms" | "TagResource" | "UntagResource" | "ListTagsForResource" => On::Alarm,
        "PutMetricData" => On::Everything,
    })?;
    // API reference of PutMetricAlarm: tags take the permission to tag.
    let besides = if operation == "PutMetricAlarm" { vec![("cloudwatch:TagResource", On::Alarm)] } else { Vec::new() };
    Some([vec![own], besides].concat())
}

fn others(call: &str) -> Option<Vec<Need>> {
    let need = match call {
        "acm:ListCertificates" => ("acm:ListCertificates", On::Everything),
        "acm:DescribeCertificate" => ("acm:DescribeCertificate", On::Certificate),
        "cloudtrail:LookupEvents" => ("cloudtrail:LookupEvents", On::Everything),
        "elasticloadbalancing:DescribeLoadBalancers" => ("elasticloadbalancing:DescribeLoadBalancers", On::Everything),
        "elasticloadbalancing:DescribeListeners" => ("elasticloadbalancing:DescribeListeners", On::Everything),
        "servicequotas:ListServiceQuotas" => ("servicequotas:ListServiceQuotas", On::Everything),
        "sns:Publish" => ("sns:Publish", On::Topic),
        "tag:GetResources" => ("tag:GetResources", On::Everything),
        // No policy can keep anybody from asking who they are (API reference).
        "sts:GetCallerIdentity" => return Some(Vec::new()),
        _ => return None,
    };
    Some(vec![need])
}
