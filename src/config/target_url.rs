//! The URL a through route sends its requests to.

use url::Url;

use super::fault::Faults;
use super::fields::Text;
use super::nearest::suggestion;

/// Checks the target of a route whose path has the `parameters`.
pub(super) fn check_target(target: Text<'_>, parameters: &[&str], faults: &mut Faults) {
    if let Err((message, hint)) = check_url(target.value) {
        faults.error(&target.node.span, message, hint);
        return;
    }
    check_parameters(target, parameters, faults);
}

fn check_url(text: &str) -> Result<(), (String, String)> {
    let no_url = |hint: String| Err((format!("the target `{text}` is no http or https URL"), hint));
    if text.contains(char::is_whitespace) {
        return no_url("take the space away, or write it as `%20`".to_owned());
    }
    // Url::parse takes `https:host` and `https:///host` for `https://host`; API Gateway does not.
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://")) else {
        let bare = !text.contains("://") && text.split('/').next().is_some_and(|host| host.contains('.'));
        return no_url(if bare { format!("write `https://{text}`") } else { "begin it with `https://`".to_owned() });
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains(['{', '}']) {
        let message = format!("the target `{text}` has a parameter in its host");
        return Err((message, "parameters can stand in the path of a target only".to_owned()));
    }
    let url = match Url::parse(text) {
        Ok(url) if !authority.is_empty() => url,
        Ok(_) => return no_url("name a host: `https://api.example.com/…`".to_owned()),
        Err(error) => return no_url(format!("{error}; it looks like `https://api.example.com/v1`")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        let message = "the target has a user name or password in it".to_owned();
        return Err((
            message,
            "take them out: API Gateway does not send them, and everybody could read them".to_owned(),
        ));
    }
    if url.fragment().is_some() {
        return Err((format!("the target `{text}` has a fragment"), "take away the part from `#` on".to_owned()));
    }
    // "API Gateway supports the endpoint ports 80, 443, and 1024-65535" (its guide on HTTP integrations).
    if let Some(port) = url.port()
        && !matches!(port, 80 | 443 | 1024..)
    {
        return Err((format!("API Gateway can't reach port {port}"), "use 80, 443, or 1024 and above".to_owned()));
    }
    Ok(())
}

fn check_parameters(target: Text<'_>, parameters: &[&str], faults: &mut Faults) {
    let text = target.value;
    let mut at = 0;
    while let Some(found) = text[at..].find(['{', '}']) {
        let start = at + found;
        let closed = text[start + 1..].find(['{', '}']).map(|length| start + 1 + length);
        let Some(end) = closed.filter(|&end| text.as_bytes()[start] == b'{' && text.as_bytes()[end] == b'}') else {
            let span = target.node.span_within(start..start + 1);
            let message = format!("a brace in the target `{text}` has no partner");
            faults.error(&span, message, "write a parameter as `{name}`");
            return;
        };
        let name = &text[start + 1..end];
        let span = target.node.span_within(start..end + 1);
        if let Some(plain) = name.strip_suffix('+') {
            let message = format!("`{{{name}}}` can't stand in a target");
            faults.error(&span, message, format!("write `{{{plain}}}`: the `+` belongs to the path only"));
        } else if !parameters.contains(&name) {
            let message = format!("the target uses the parameter `{name}`, which the path does not have");
            let hint = if parameters.is_empty() {
                format!("add `/{{{name}}}` to the path, or take it out of the target")
            } else {
                suggestion(name, parameters)
            };
            faults.error(&span, message, hint);
        }
        at = end + 1;
    }
}
