//! The resource that an Allow covers.

/// API Gateway refuses an authorizer's policy with a longer resource.
const MAX_RESOURCE: usize = 512;

/// A `methodArn`: `arn:PARTITION:execute-api:REGION:ACCOUNT:API-ID/STAGE/METHOD/path`.
#[derive(Clone, Copy)]
pub(crate) struct MethodArn<'a> {
    text: &'a str,
    /// Length of `arn:…:API-ID/STAGE`.
    stage_end: usize,
}

impl<'a> MethodArn<'a> {
    /// Reads an ARN; `None` when it isn't one of API Gateway, names no stage, or holds a wildcard where it names the API.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let mut path = resource.splitn(3, '/');
        let (api, stage, method) = (path.next()?, path.next()?, path.next()?);
        let given = [partition, region, account, api, stage, method].iter().all(|part| !part.is_empty());
        let stage_end = text.len() - method.len() - 1;
        let named = !text[..stage_end].contains(['*', '?']);
        (arn == "arn" && service == "execute-api" && given && named).then_some(Self { text, stage_end })
    }

    /// What the Allow of a **cached** authorizer covers. API Gateway keeps the policy and applies it to every route the
    /// same token calls next; one that allowed only this method would answer 403 on all the others.
    pub(crate) fn stage(self) -> Option<String> {
        let resource = format!("{}/*", &self.text[..self.stage_end]);
        (resource.len() <= MAX_RESOURCE).then_some(resource)
    }

    /// What the Allow of an **uncached** authorizer covers: the called method and path alone, cut to its beginning where
    /// the client's path makes the ARN longer than a policy may hold. The policy dies with this request, so that the cut
    /// allows nothing else.
    pub(crate) fn method(self) -> Option<String> {
        if self.text.len() <= MAX_RESOURCE {
            return Some(self.text.to_owned());
        }
        let cut = self.text.floor_char_boundary(MAX_RESOURCE - 1);
        // Without room for the stage there is nothing safe to cut to.
        (cut > self.stage_end).then(|| format!("{}*", &self.text[..cut]))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_RESOURCE, MethodArn};

    const ARN: &str = "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/dev/GET/order-service/a:b/c";

    #[test]
    fn stage_and_method_are_the_two_scopes() {
        let arn = MethodArn::read(ARN).unwrap();
        assert_eq!(arn.stage().unwrap(), "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/dev/*");
        assert_eq!(arn.method().unwrap(), ARN);
    }

    #[test]
    fn long_paths_are_cut_within_the_limit_and_between_characters() {
        for filler in ["x", "ü", "語"] {
            for length in 400..520 {
                let text = format!("{ARN}/{}", filler.repeat(length));
                let resource = MethodArn::read(&text).unwrap().method().unwrap();
                assert!(resource.len() <= MAX_RESOURCE, "{}", resource.len());
                assert!(resource == text || text.starts_with(resource.strip_suffix('*').unwrap()));
            }
        }
    }

    #[test]
    fn a_prefix_that_does_not_fit_is_refused() {
        let text = format!("arn:aws:execute-api:{}:1:a/dev/GET/", "r".repeat(600));
        let arn = MethodArn::read(&text).unwrap();
        assert_eq!((arn.stage(), arn.method()), (None, None));
    }

    #[test]
    fn other_arns_are_refused() {
        for text in [
            "",
            "arn",
            "arn:aws:lambda:eu-west-1:1:function:x/y/z",
            "arn:aws:execute-api:eu-west-1:1:api",
            "arn:aws:execute-api:eu-west-1:1:api/dev",
            "arn:aws:execute-api:eu-west-1:1:api/dev/",
            "arn:aws:execute-api:eu-west-1:1:/dev/GET/",
            "arn:aws:execute-api:eu-west-1:1:*/dev/GET/",
            "arn:aws:execute-api:eu-west-1:1:api/*/GET/",
            "arn:aws:execute-api::1:api/dev/GET/",
            "*",
        ] {
            assert!(MethodArn::read(text).is_none(), "{text}");
        }
    }
}
