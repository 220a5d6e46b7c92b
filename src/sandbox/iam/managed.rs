//! The policies that AWS manages and that exist in every account.
//!
//! Not all of AWS's thousand and more: those somebody attaches to a role around a gateway. Documented in AWS's *Managed
//! Policy Reference*.

/// The paths and names of the policies, sorted.
const NAMES: &[&str] = &[
    "AWSCertificateManagerFullAccess",
    "AWSCertificateManagerReadOnly",
    "AWSKeyManagementServicePowerUser",
    "AWSLambdaExecute",
    "AWSLambdaInvocation-DynamoDB",
    "AWSLambda_FullAccess",
    "AWSLambda_ReadOnlyAccess",
    "AWSStepFunctionsFullAccess",
    "AWSWAFFullAccess",
    "AWSWAFReadOnlyAccess",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayFullAccess",
    "AWSXrayReadOnlyAccess",
    "AWSXrayWriteOnlyAccess",
    "AdministratorAccess",
    "AmazonAPIGatewayAdministrator",
    "AmazonAPIGatewayInvokeFullAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonEventBridgeFullAccess",
    "AmazonKinesisFirehoseFullAccess",
    "AmazonKinesisFirehoseReadOnlyAccess",
    "AmazonKinesisFullAccess",
    "AmazonRoute53FullAccess",
    "AmazonRoute53ReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSNSFullAccess",
    "AmazonSNSReadOnlyAccess",
    "AmazonSQSFullAccess",
    "AmazonSQSReadOnlyAccess",
    "AmazonSSMFullAccess",
    "AmazonSSMManagedInstanceCore",
    "AmazonSSMReadOnlyAccess",
    "AmazonVPCFullAccess",
    "AmazonVPCReadOnlyAccess",
    "CloudWatchAgentServerPolicy",
    "CloudWatchFullAccess",
    "CloudWatchFullAccessV2",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
    "CloudWatchLogsFullAccess",
    "CloudWatchLogsReadOnlyAccess",
    "CloudWatchReadOnlyAccess",
    "ElasticLoadBalancingFullAccess",
    "ElasticLoadBalancingReadOnly",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "ResourceGroupsandTagEditorFullAccess",
    "ResourceGroupsandTagEditorReadOnlyAccess",
    "SecretsManagerReadWrite",
    "SecurityAudit",
    "job-function/NetworkAdministrator",
    "job-function/ViewOnlyAccess",
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AWSLambdaDynamoDBExecutionRole",
    "service-role/AWSLambdaENIManagementAccess",
    "service-role/AWSLambdaKinesisExecutionRole",
    "service-role/AWSLambdaMSKExecutionRole",
    "service-role/AWSLambdaRole",
    "service-role/AWSLambdaSQSQueueExecutionRole",
    "service-role/AWSLambdaVPCAccessExecutionRole",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
];

/// What some of the policies allow: only what a service of the sandbox asks about.
const ALLOWED: &[(&str, &str)] = &[
    ("AdministratorAccess", "*"),
    ("AmazonEC2FullAccess", "ec2:*"),
    ("AmazonVPCFullAccess", "ec2:CreateNetworkInterface"),
    ("PowerUserAccess", "ec2:*"),
    ("service-role/AWSLambdaENIManagementAccess", "ec2:CreateNetworkInterface"),
    ("service-role/AWSLambdaVPCAccessExecutionRole", "ec2:CreateNetworkInterface"),
    ("service-role/AmazonAPIGatewayPushToCloudWatchLogs", "logs:*"),
];

/// The path and name of an AWS-managed policy, from its ARN in any partition.
pub(super) fn name(arn: &str) -> Option<&str> {
    let (_partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    rest.strip_prefix("iam::aws:policy/")
}

/// Whether a policy exists in a partition.
pub(super) fn exists(arn: &str, partition: &str) -> bool {
    let own = arn.strip_prefix("arn:").is_some_and(|rest| rest.split(':').next() == Some(partition));
    own && name(arn).is_some_and(|name| NAMES.binary_search(&name).is_ok())
}

/// Whether a policy allows an action.
pub(super) fn allows(arn: &str, action: &str) -> bool {
    let grants =
        |(policy, pattern): &(&str, &str)| name(arn) == Some(policy) && super::documents::matches(pattern, action);
    ALLOWED.iter().any(grants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(NAMES.is_sorted());
        assert!(ALLOWED.iter().all(|(name, _)| NAMES.contains(name)));
    }

    #[test]
    fn a_policy_exists_in_its_own_partition_only() {
        let arn = "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        assert!(exists(arn, "aws-cn"));
        assert!(!exists(arn, "aws"));
        assert!(!exists("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole", "aws"));
        assert!(!exists("arn:aws:iam::123456789012:policy/AdministratorAccess", "aws"));
    }
}
