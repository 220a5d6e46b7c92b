//! STS in the sandbox: who am I, and become somebody else.
//!
//! Every account trusts every other, and a role need not exist to be assumed: who comes to an empty account through a
//! deployer's role would otherwise never get in. The credentials of an assumed role name its account by their access
//! key, and the session by their token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};

use super::fault::{Answer, violation};
use super::hex;
use super::query::{Call, Dialect, check, invalid};
use super::wire::{Caller, Request, Response};
use super::world::{View, date};
use super::xml::Xml;

const DIALECT: Dialect = Dialect { namespace: "https://sts.amazonaws.com/doc/2011-06-15/", version: "2011-06-15" };

/// What a session token of the sandbox begins with.
const TOKEN: &str = "gwctl-sandbox.";

/// Answers one request.
pub fn handle(view: &mut View<'_>, request: &Request) -> Response {
    let call = Call::of(request);
    let answer = call.check_version(&DIALECT).and_then(|()| match call.action() {
        "GetCallerIdentity" => Ok(Some(identity(request))),
        "AssumeRole" => assume(view, &call, &request.caller).map(Some),
        _ => Err(call.unknown(DIALECT.version)),
    });
    call.respond(&DIALECT, request, answer)
}

/// The session that a request's token is of.
fn session(request: &Request) -> Option<String> {
    request.header("x-amz-security-token").and_then(session_of).filter(|arn| belongs(arn, &request.caller))
}

/// The ARN of who sent a request.
pub(in crate::sandbox) fn arn(request: &Request) -> String {
    let caller = &request.caller;
    session(request).unwrap_or_else(|| format!("arn:{}:iam::{}:user/sandbox", caller.partition(), caller.account))
}

fn identity(request: &Request) -> Xml {
    let caller = &request.caller;
    let id = session(request).as_deref().map_or_else(|| stable_id("AIDA", &caller.account), session_id);
    let mut xml = Xml::new();
    xml.leaf("Arn", arn(request));
    xml.leaf("UserId", id);
    xml.leaf("Account", &caller.account);
    xml
}

fn assume(view: &View<'_>, call: &Call, caller: &Caller) -> Answer<Xml> {
    let role = call.need("RoleArn")?;
    let session = call.need("RoleSessionName")?;
    check("RoleArn", role, (20, 2048), "", |_| true)?;
    check("RoleSessionName", session, (2, 64), "[\\w+=,.@-]*", |letter| {
        letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)
    })?;
    let duration = call.number("DurationSeconds", 900, 43_200)?.unwrap_or(3600);
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let (account, path) = match parts[..] {
        ["arn", partition, "iam", "", account, resource]
            if partition == caller.partition()
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (account, resource.strip_prefix("role/").filter(|path| !path.is_empty()))
        }
        _ => (caller.account.as_str(), None),
    };
    let Some(name) = path.and_then(|path| path.rsplit('/').next()) else {
        return Err(invalid(format!("{role} is invalid")));
    };
    if name.is_empty() {
        return Err(invalid(violation(role, "roleArn", "Member must name a role")));
    }
    let arn = format!("arn:{}:sts::{account}:assumed-role/{name}/{session}", caller.partition());
    let mut xml = Xml::new();
    xml.node("AssumedRoleUser", |xml| {
        xml.leaf("AssumedRoleId", session_id(&arn));
        xml.leaf("Arn", &arn);
    });
    xml.node("Credentials", |xml| {
        xml.leaf("AccessKeyId", account);
        xml.leaf("SecretAccessKey", hex(&Sha256::digest(&arn)));
        xml.leaf("SessionToken", format!("{TOKEN}{}", BASE64.encode(&arn)));
        let expiration = view.millis() + i64::from(duration) * 1000;
        xml.leaf("Expiration", date(expiration, "%Y-%m-%dT%H:%M:%SZ"));
    });
    Ok(xml)
}

/// The ARN of the session whose token this is.
fn session_of(token: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(token.strip_prefix(TOKEN)?).ok()?).ok()
}

fn belongs(arn: &str, caller: &Caller) -> bool {
    arn.starts_with(&format!("arn:{}:sts::{}:assumed-role/", caller.partition(), caller.account))
}

/// The id of a session: its role's, and its name.
fn session_id(arn: &str) -> String {
    let (role, session) = arn.rsplit_once('/').unwrap_or((arn, ""));
    format!("{}:{session}", stable_id("AROA", role))
}

/// An id for what is not kept anywhere: always the same for the same thing.
fn stable_id(prefix: &str, of: &str) -> String {
    format!("{prefix}{}", &hex(&Sha256::digest(of)).to_ascii_uppercase()[..17])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::World;

    fn ask(region: &str, key: &str, token: Option<&str>, form: &str) -> (u16, String) {
        let mut headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        headers.extend(token.map(|token| ("x-amz-security-token".to_owned(), token.to_owned())));
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers,
            body: format!("Version=2011-06-15&{form}").into_bytes().into(),
            caller: Caller {
                account: key.into(),
                region: region.into(),
                service: "sts".into(),
                access_key: key.into(),
            },
        };
        let mut world = World::default();
        let response = handle(&mut world.view(key, region, 0.0), &request);
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    }

    fn between<'a>(text: &'a str, tag: &str) -> &'a str {
        let start = text.find(&format!("<{tag}>")).unwrap() + tag.len() + 2;
        &text[start..start + text[start..].find("</").unwrap()]
    }

    #[test]
    fn an_assumed_role_is_in_its_own_account_and_knows_its_name() {
        let form = "Action=AssumeRole&RoleArn=arn:aws-cn:iam::210987654321:role/ops/Deployer&RoleSessionName=me";
        let (status, body) = ask("cn-north-1", "123456789012", None, form);
        assert_eq!(status, 200, "{body}");
        assert_eq!(between(&body, "AccessKeyId"), "210987654321");
        assert_eq!(between(&body, "Expiration"), "1970-01-01T01:00:00Z");
        let token = between(&body, "SessionToken").to_owned();
        let (_, body) = ask("cn-north-1", "210987654321", Some(&token), "Action=GetCallerIdentity");
        assert_eq!(between(&body, "Arn"), "arn:aws-cn:sts::210987654321:assumed-role/Deployer/me");
        assert_eq!(between(&body, "Account"), "210987654321");
        // Somebody else's token does not make the caller somebody else.
        let (_, body) = ask("eu-central-1", "123456789012", Some(&token), "Action=GetCallerIdentity");
        assert_eq!(between(&body, "Arn"), "arn:aws:iam::123456789012:user/sandbox");
    }

    #[test]
    fn a_bad_role_or_session_is_refused() {
        for form in [
            "Action=AssumeRole&RoleArn=arn:aws:iam::210987654321:user/somebody&RoleSessionName=me",
            "Action=AssumeRole&RoleArn=arn:aws-cn:iam::210987654321:role/Deployer&RoleSessionName=me",
            "Action=AssumeRole&RoleArn=arn:aws:iam::210987654321:role/Deployer&RoleSessionName=a%20b",
            "Action=AssumeRole&RoleSessionName=me",
        ] {
            let (status, body) = ask("eu-central-1", "123456789012", None, form);
            assert_eq!((status, between(&body, "Code")), (400, "ValidationError"), "{form}");
        }
        let (_, body) = ask("eu-central-1", "123456789012", None, "Action=GetSessionToken");
        assert_eq!(between(&body, "Code"), "InvalidAction");
    }
}
