//! Where the requests of a route go: the ingress host and path that a service path maps to, or a target URL.

use crate::config::{Ingress, Route};

/// The parameters of a path: `proxy` for `{proxy+}`.
pub(super) fn parameters(path: &str) -> Vec<&str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+'))
        .collect()
}

/// A path as an integration URL has it: `{proxy+}` is `{proxy}` there.
fn integration_path(path: &str) -> String {
    path.replace("+}", "}")
}

/// The URL behind the VPC link: the first part of the path names the service, and through it the host; the rest is the
/// path there. A path of one part names no service and goes whole to the default host.
pub(super) fn ingress_url(ingress: &Ingress, environment: &str, path: &str) -> String {
    let Ingress { service_host, default_host, scheme } = ingress;
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    match (parts.next(), parts.next()) {
        (Some(service), Some(rest)) => {
            let host = service_host.replace("${service}", service).replace("${env}", environment);
            format!("{scheme}://{host}/{}", integration_path(rest))
        }
        (Some(part), None) => {
            let host = default_host.replace("${env}", environment);
            format!("{scheme}://{host}/{}", integration_path(part))
        }
        (None, _) => format!("{scheme}://{}/", default_host.replace("${env}", environment)),
    }
}

/// The URL of a through route. Where the source ends in a proxy and the target does not say where its value goes, it is
/// passed on at the end, so that sub-paths are kept.
pub(super) fn target_url(route: &Route) -> Option<String> {
    let target = integration_path(route.target.as_ref()?);
    let Some(proxy) = route.path.rsplit('/').next().and_then(|last| last.strip_prefix('{')?.strip_suffix("+}")) else {
        return Some(target);
    };
    if target.contains(&format!("{{{proxy}}}")) {
        return Some(target);
    }
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    let path = format!("{}/{{{proxy}}}", path.trim_end_matches('/'));
    Some(query.map_or(path.clone(), |query| format!("{path}?{query}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, Span};

    fn ingress() -> Ingress {
        Ingress {
            service_host: "${service}-${env}.k8s-internal.example.com".into(),
            default_host: "k8s-internal.example.com".into(),
            scheme: "http".into(),
        }
    }

    fn through(source: &str, target: &str) -> Option<String> {
        let span = Span::new(&SourceFile::new("x.json", "x"), 0..1);
        target_url(&Route {
            kind: "through_path".into(),
            path: source.into(),
            path_span: span.clone(),
            target: Some(target.into()),
            target_span: None,
            values: std::collections::BTreeMap::new(),
            allow: Vec::new(),
            span,
        })
    }

    #[test]
    fn paths_map_to_the_ingress() {
        for (path, url) in [
            ("/order-service/{proxy+}", "http://order-service-dev.k8s-internal.example.com/{proxy}"),
            (
                "/auth-service/api/v1/oauth/{proxy+}",
                "http://auth-service-dev.k8s-internal.example.com/api/v1/oauth/{proxy}",
            ),
            (
                "/user-bff-service/api/v1/account/merge",
                "http://user-bff-service-dev.k8s-internal.example.com/api/v1/account/merge",
            ),
            ("/shop/{id}/items/{rest+}", "http://shop-dev.k8s-internal.example.com/{id}/items/{rest}"),
            ("/{proxy+}", "http://k8s-internal.example.com/{proxy}"),
            ("/health", "http://k8s-internal.example.com/health"),
            ("/", "http://k8s-internal.example.com/"),
        ] {
            assert_eq!(ingress_url(&ingress(), "dev", path), url);
        }
    }

    #[test]
    fn a_through_route_keeps_its_sub_paths_and_its_query() {
        assert_eq!(through("/a/{proxy+}", "https://h/b").unwrap(), "https://h/b/{proxy}");
        assert_eq!(through("/a/{proxy+}", "https://h/b/?v=1").unwrap(), "https://h/b/{proxy}?v=1");
        assert_eq!(through("/a/{proxy+}", "https://h/{proxy+}/c").unwrap(), "https://h/{proxy}/c");
        assert_eq!(through("/a", "https://h/b").unwrap(), "https://h/b");
    }

    #[test]
    fn parameters_are_named_without_their_plus() {
        assert_eq!(parameters("/a/{b}/{c+}"), ["b", "c"]);
    }
}
