//! The numbers AWS sets, named once.

/// Resources (distinct path prefixes, the root included) one REST API may have (aws-facts A).
pub const RESOURCES_PER_API: usize = 300;
/// Characters a resource policy may have (aws-facts A).
pub const POLICY_CHARACTERS: usize = 8192;
/// Bytes a document to import may have: 6 MB (aws-facts A).
pub const DOCUMENT_BYTES: usize = 6 * 1024 * 1024;
/// Seconds an authorizer's answer may be cached (aws-facts D).
pub const AUTHORIZER_TTL_SECONDS: i64 = 3600;
/// Characters a stage name may have (aws-facts A).
pub const STAGE_NAME_CHARACTERS: usize = 128;
/// Characters the name of a Lambda function may have.
pub const FUNCTION_NAME_CHARACTERS: usize = 64;
/// Tags one resource may have (aws-facts A).
pub const TAGS: usize = 50;
/// Tags gwctl keeps for itself on every resource, with room for more of them.
pub const TAGS_RESERVED: usize = 10;
/// Characters the key of a tag may have (aws-facts A).
pub const TAG_KEY_CHARACTERS: usize = 128;
/// Characters the value of a tag may have (aws-facts A).
pub const TAG_VALUE_CHARACTERS: usize = 256;
/// Memory a function may have, in MiB.
pub const FUNCTION_MEMORY_MIB: std::ops::RangeInclusive<i64> = 128..=10240;
/// Seconds a function may run.
pub const FUNCTION_TIMEOUT_SECONDS: std::ops::RangeInclusive<i64> = 1..=900;
/// Bytes the environment variables of a function may take together, as one JSON object: that is what Lambda's refusal
/// quotes as "String measured" (seen in terraform-aws-github-runner, issue 3594).
pub const FUNCTION_ENVIRONMENT_BYTES: usize = 4096;
/// Bytes from which on API Gateway may compress an answer.
pub const COMPRESSION_BYTES: std::ops::RangeInclusive<i64> = 0..=10_485_760;
/// Days `CloudWatch` Logs can be told to keep events; it takes no others.
pub const RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// Characters of a role's name (IAM's API reference, `CreateRole`).
pub const ROLE_NAME_CHARACTERS: usize = 64;
