use std::fmt::Write as _;

use super::*;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::World;

/// A world with one caller and the zone `example.com`.
struct Bench {
    world: World,
    region: &'static str,
    zone: String,
}

impl Bench {
    fn new(region: &'static str) -> Self {
        let mut bench = Self { world: World::default(), region, zone: String::new() };
        bench.zone = bench.create("example.com", "one");
        bench
    }

    fn create(&mut self, name: &str, reference: &str) -> String {
        let (status, text) = self.send("POST", "/2013-04-01/hostedzone", &new_zone(name, reference, ""));
        assert_eq!(status, 201, "{text}");
        between(&text, "<Id>/hostedzone/", "<").to_owned()
    }

    fn send(&mut self, method: &str, target: &str, body: &str) -> (u16, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: Vec::new(),
            body: body.to_owned().into(),
            caller: Caller {
                account: "123456789012".into(),
                region: self.region.into(),
                service: "route53".into(),
                access_key: "123456789012".into(),
            },
        };
        let response = handle(&mut self.world.view("123456789012", self.region, 1_700_000_000.0), &request);
        (response.status, String::from_utf8_lossy(&response.body).into_owned())
    }

    fn change(&mut self, changes: &[String]) -> (u16, String) {
        let path = format!("/2013-04-01/hostedzone/{}/rrset/", self.zone);
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch><Changes>{}</Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>",
            changes.concat()
        );
        self.send("POST", &path, &body)
    }

    fn ok(&mut self, changes: &[String]) {
        let (status, text) = self.change(changes);
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("<Status>PENDING</Status>"), "{text}");
    }

    /// Code and message of a batch that is refused, which changes nothing.
    fn refused(&mut self, changes: &[String]) -> (String, String) {
        let before = self.list("");
        let (status, text) = self.change(changes);
        assert!(status >= 400, "{text}");
        assert_eq!(self.list(""), before);
        (between(&text, "<Code>", "<").to_owned(), between(&text, "<Message>", "</M").replace("&apos;", "'"))
    }

    fn list(&mut self, query: &str) -> String {
        let target = format!("/2013-04-01/hostedzone/{}/rrset?{query}", self.zone);
        let (status, text) = self.send("GET", &target, "");
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Name and type of what is listed.
    fn listed(&mut self, query: &str) -> Vec<String> {
        let text = self.list(query);
        let sets = text.split("<ResourceRecordSet>").skip(1);
        sets.map(|set| format!("{} {}", between(set, "<Name>", "<"), between(set, "<Type>", "<"))).collect()
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap().0
}

fn new_zone(name: &str, reference: &str, more: &str) -> String {
    format!(
        "<CreateHostedZoneRequest xmlns=\"{NAMESPACE}\"><Name>{name}</Name><CallerReference>{reference}</CallerReference>\
         {more}</CreateHostedZoneRequest>"
    )
}

fn raw(action: &str, inside: &str) -> String {
    format!("<Change><Action>{action}</Action><ResourceRecordSet>{inside}</ResourceRecordSet></Change>")
}

fn set(action: &str, name: &str, kind: &str, values: &[&str]) -> String {
    let mut list = String::new();
    for value in values {
        write!(list, "<ResourceRecord><Value>{value}</Value></ResourceRecord>").unwrap();
    }
    let inside =
        format!("<Name>{name}</Name><Type>{kind}</Type><TTL>60</TTL><ResourceRecords>{list}</ResourceRecords>");
    raw(action, &inside)
}

fn alias(action: &str, name: &str, zone: &str, target: &str, more: &str) -> String {
    let inside = format!(
        "<Name>{name}</Name><Type>A</Type>{more}<AliasTarget><HostedZoneId>{zone}</HostedZoneId>\
         <DNSName>{target}</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>"
    );
    raw(action, &inside)
}

#[test]
fn zones_live_and_go() {
    let mut bench = Bench::new("us-east-1");
    let zone = bench.zone.clone();
    let path = format!("/2013-04-01/hostedzone/{zone}");
    let (_, shown) = bench.send("GET", &path, "");
    assert!(shown.contains("<Name>example.com.</Name>"), "{shown}");
    assert!(shown.contains("<ResourceRecordSetCount>2</ResourceRecordSetCount>"), "{shown}");
    assert_eq!(shown.matches("<NameServer>").count(), 4);
    assert_eq!(bench.listed(""), ["example.com. NS", "example.com. SOA"]);
    // The same reference never makes two.
    let (status, text) = bench.send("POST", "/2013-04-01/hostedzone", &new_zone("other.com", "one", ""));
    assert_eq!((status, between(&text, "<Code>", "<")), (409, "HostedZoneAlreadyExists"));
    let vpc = "<VPC><VPCRegion>eu-west-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>\
               <HostedZoneConfig><Comment>inside</Comment><PrivateZone>true</PrivateZone></HostedZoneConfig>";
    let (status, private) = bench.send("POST", "/2013-04-01/hostedzone", &new_zone("example.com", "two", vpc));
    assert_eq!(status, 201, "{private}");
    assert!(private.contains("<VPCId>vpc-1</VPCId>") && private.contains("<PrivateZone>true<"), "{private}");
    bench.ok(&[set("CREATE", "a.example.com", "A", &["192.0.2.1"])]);
    let (status, text) = bench.send("DELETE", &path, "");
    assert_eq!((status, between(&text, "<Code>", "<")), (400, "HostedZoneNotEmpty"));
    bench.ok(&[set("DELETE", "a.example.com", "A", &["192.0.2.1"])]);
    let (status, text) = bench.send("DELETE", &path, "");
    assert_eq!(status, 200);
    let change = between(&text, "<Id>/change/", "<").to_owned();
    let (_, text) = bench.send("GET", &format!("/2013-04-01/change/{change}"), "");
    assert!(text.contains("<Status>INSYNC</Status>"), "{text}");
    for (method, path, code) in [
        ("GET", path.as_str(), "NoSuchHostedZone"),
        ("DELETE", &path, "NoSuchHostedZone"),
        ("GET", "/2013-04-01/change/C1", "NoSuchChange"),
        ("GET", "/2013-04-01/trafficpolicies", "UnknownOperationException"),
    ] {
        let (status, text) = bench.send(method, path, "");
        assert_eq!((status, between(&text, "<Code>", "<")), (404, code), "{path}");
    }
}

#[test]
fn zones_are_listed_by_id_and_by_name_in_pages() {
    let mut bench = Bench::new("us-east-1");
    for (at, name) in ["b.example.com", "example.org", "a.com"].iter().enumerate() {
        bench.create(name, &format!("r{at}"));
    }
    let mut seen = Vec::new();
    let mut target = "/2013-04-01/hostedzone?maxitems=3".to_owned();
    loop {
        let (_, text) = bench.send("GET", &target, "");
        seen.extend(text.split("<HostedZone>").skip(1).map(|zone| between(zone, "<Id>", "<").to_owned()));
        let Some((_, rest)) = text.split_once("<NextMarker>") else { break };
        target = format!("/2013-04-01/hostedzone?maxitems=3&marker={}", rest.split('<').next().unwrap());
    }
    assert_eq!(seen.len(), 4);
    let (_, text) = bench.send("GET", "/2013-04-01/hostedzonesbyname?dnsname=example.com&maxitems=2", "");
    let names: Vec<&str> = text.split("<HostedZone>").skip(1).map(|zone| between(zone, "<Name>", "<")).collect();
    assert_eq!(names, ["example.com.", "b.example.com."]);
    assert!(text.contains("<NextDNSName>example.org.</NextDNSName>"), "{text}");
}

#[test]
fn record_sets_are_ordered_and_paged() {
    let mut bench = Bench::new("us-east-1");
    bench.ok(&[
        set("CREATE", "www.example.com", "TXT", &["\"a b\" \"c\""]),
        set("CREATE", "*.example.com.", "A", &["192.0.2.1", "192.0.2.2"]),
        set("CREATE", "a.www.EXAMPLE.com", "A", &["192.0.2.1"]),
        set("CREATE", "www.example.com", "AAAA", &["2001:db8::1"]),
    ]);
    let expected = [
        "example.com. NS",
        "example.com. SOA",
        "\\052.example.com. A",
        "www.example.com. AAAA",
        "www.example.com. TXT",
        "a.www.example.com. A",
    ];
    assert_eq!(bench.listed(""), expected);
    assert_eq!(bench.listed("name=www.example.com&type=TXT"), expected[4..]);
    assert_eq!(bench.listed("name=%2A.example.com"), expected[2..]);
    let page = bench.list("maxitems=4");
    assert!(page.contains("<IsTruncated>true</IsTruncated>"), "{page}");
    assert!(page.contains("<NextRecordName>www.example.com.</NextRecordName><NextRecordType>TXT<"), "{page}");
    assert!(page.contains("<Value>192.0.2.1</Value>"), "{page}");
    let path = format!("/2013-04-01/hostedzone/{}/rrset?type=A", bench.zone);
    assert_eq!(bench.send("GET", &path, "").0, 400);
}

#[test]
fn a_batch_happens_as_a_whole_or_not_at_all() {
    let mut bench = Bench::new("us-east-1");
    let (code, message) = bench.refused(&[
        set("CREATE", "a.example.com", "A", &["192.0.2.1"]),
        set("DELETE", "b.example.com", "A", &["192.0.2.1"]),
        set("CREATE", "a.example.com", "A", &["192.0.2.2"]),
    ]);
    assert_eq!(code, "InvalidChangeBatch");
    assert_eq!(
        message,
        "[Tried to delete resource record set [name='b.example.com.', type='A'] but it was not found, Tried to create \
         resource record set [name='a.example.com.', type='A'] but it already exists]"
    );
    // Later changes see earlier ones.
    bench.ok(&[
        set("CREATE", "a.example.com", "A", &["192.0.2.1"]),
        set("UPSERT", "a.example.com", "A", &["192.0.2.2"]),
    ]);
    bench.ok(&[
        set("DELETE", "a.example.com", "A", &["192.0.2.2"]),
        set("CREATE", "a.example.com", "CNAME", &["b.example.com"]),
    ]);
    assert_eq!(bench.listed("name=a.example.com"), ["a.example.com. CNAME"]);
}

#[test]
fn what_route_53_refuses_is_refused_in_its_words() {
    let mut bench = Bench::new("us-east-1");
    bench.ok(&[
        set("CREATE", "c.example.com", "CNAME", &["b.example.com"]),
        set("CREATE", "a.example.com", "A", &["192.0.2.1"]),
    ]);
    let batch = "InvalidChangeBatch";
    for (change, words) in [
        (
            set("CREATE", "a.other.com", "A", &["192.0.2.1"]),
            "[RRSet with DNS name a.other.com. is not permitted in zone example.com.]",
        ),
        (set("CREATE", "example.com", "CNAME", &["b"]), "is not permitted at apex in zone example.com."),
        (
            set("CREATE", "a.example.com", "CNAME", &["b"]),
            "RRSet of type CNAME with DNS name a.example.com. is not permitted as it conflicts with other records with the same DNS name in zone example.com.",
        ),
        (
            set("UPSERT", "c.example.com", "TXT", &["\"x\""]),
            "RRSet of type TXT with DNS name c.example.com. is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone example.com.",
        ),
        (
            set("DELETE", "a.example.com", "A", &["192.0.2.9"]),
            "but the values provided do not match the current values",
        ),
        (set("CREATE", "d.example.com", "A", &["x"]), "ARRDATAIllegalIPv4Address"),
        (
            set("CREATE", "d.example.com", "TXT", &["x"]),
            "InvalidCharacterString (Value should be enclosed in quotation marks)",
        ),
        (set("CREATE", "d.example.com", "A", &["192.0.2.1", "192.0.2.1"]), "Duplicate Resource Record: '192.0.2.1'"),
        (set("CREATE", "d..example.com", "A", &["192.0.2.1"]), "DomainLabelEmpty"),
        (
            alias("CREATE", "d.example.com", "Z1UJRXOUMOOFQ8", "d-1.execute-api.eu-west-1.amazonaws.com", ""),
            "the alias target name does not lie within the target zone",
        ),
        (
            alias("CREATE", "d.example.com", "Z2FDTNDATAQYW2", "d-1.execute-api.cn-north-1.amazonaws.com.cn", ""),
            "does not lie within the target zone",
        ),
    ] {
        let (code, message) = bench.refused(&[change]);
        assert_eq!(code, batch, "{message}");
        assert!(message.contains(words), "{message}");
    }
    let own = bench.zone.clone();
    let (_, message) = bench.refused(&[alias("CREATE", "d.example.com", &own, "e.example.com", "")]);
    assert!(message.contains("but that target was not found"), "{message}");
    for (change, words) in [
        (
            alias(
                "CREATE",
                "d.example.com",
                "Z1UJRXOUMOOFQ8",
                "d-1.execute-api.us-east-1.amazonaws.com",
                "<TTL>60</TTL>",
            ),
            "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one in Change with [Action=CREATE, Name=d.example.com, Type=A, SetIdentifier=null]",
        ),
        (raw("CREATE", "<Name>d.example.com</Name><Type>A</Type>"), "but found none in Change with"),
        (raw("CREATE", "<Name>d.example.com</Name><Type>A</Type><TTL>60</TTL>"), "Missing field 'ResourceRecords'"),
        (raw("CREATE", "<Name>d.example.com</Name><Type>X</Type>"), "Value 'X' is not one of the types"),
        (raw("MAKE", ""), "is not one of the actions"),
        (
            alias("CREATE", "d.example.com", "Z1", "x.elb.amazonaws.com", "<Region>eu-west-1</Region>"),
            "Missing field 'SetIdentifier'",
        ),
        (
            alias("CREATE", "d.example.com", "Z1", "x.elb.amazonaws.com", "<SetIdentifier>x</SetIdentifier>"),
            "but found none in Change with",
        ),
    ] {
        let (code, message) = bench.refused(&[change]);
        assert_eq!(code, "InvalidInput", "{message}");
        assert!(message.contains(words), "{message}");
    }
    let (_, text) = bench.change(&[]);
    assert!(text.contains("InvalidInput"), "{text}");
    let (_, text) = bench.send("POST", &format!("/2013-04-01/hostedzone/{own}/rrset"), "<a>");
    assert!(text.contains("Invalid XML ;"), "{text}");
    let many: Vec<String> =
        (0..1001).map(|at| set("UPSERT", &format!("n{at}.example.com"), "A", &["192.0.2.1"])).collect();
    assert_eq!(bench.refused(&many).1, "[Number of records limit of 1000 exceeded.]");
    // 501 and not a wrong answer.
    let (status, _) =
        bench.change(&[alias("CREATE", "d.example.com", "Z1", "x.elb.amazonaws.com", "<GeoLocation></GeoLocation>")]);
    assert_eq!(status, 501);
}

#[test]
fn a_zone_keeps_its_soa_and_ns() {
    let mut bench = Bench::new("us-east-1");
    let soa = bench.world.accounts["123456789012"].route53["aws"].zones[&bench.zone].records[1].clone();
    let delete = raw(
        "DELETE",
        &format!(
            "<Name>example.com</Name><Type>SOA</Type><TTL>900</TTL><ResourceRecords><ResourceRecord><Value>{}</Value>\
             </ResourceRecord></ResourceRecords>",
            soa.values[0]
        ),
    );
    assert_eq!(bench.refused(&[delete]).1, "[A HostedZone must contain exactly one SOA record.]");
}

#[test]
fn record_sets_of_several_regions_stand_beside_each_other() {
    let mut bench = Bench::new("us-east-1");
    let latency = |action: &str, region: &str, target: &str| {
        let more = format!("<SetIdentifier>{region}</SetIdentifier><Region>{region}</Region>");
        alias(action, "api.example.com", "ZLY8HYME6SFDD", target, &more)
    };
    let target = "d-1.execute-api.eu-west-1.amazonaws.com";
    bench.ok(&[latency("CREATE", "eu-west-1", target), latency("CREATE", "us-west-2", target)]);
    assert_eq!(bench.listed("name=api.example.com").len(), 2);
    let shown = bench.list("name=api.example.com&type=A&identifier=us-west-2");
    assert_eq!(
        shown.matches("<SetIdentifier>us-west-2</SetIdentifier><Region>us-west-2</Region>").count(),
        1,
        "{shown}"
    );
    let (_, message) = bench.refused(&[latency("CREATE", "eu-west-1", target)]);
    assert!(message.contains("type='A', set identifier='eu-west-1'] but it already exists"), "{message}");
    let (_, message) = bench.refused(&[alias("CREATE", "api.example.com", "ZLY8HYME6SFDD", target, "")]);
    assert!(message.contains("cannot be created because a multi-answer rrset exists"), "{message}");
}

#[test]
fn china_has_a_route_53_of_its_own() {
    let mut bench = Bench::new("cn-northwest-1");
    let zone = hosted_zones_of("cn-north-1");
    bench.ok(&[alias("CREATE", "a.example.com", zone, "d-1.execute-api.cn-north-1.amazonaws.com.cn", "")]);
    let abroad = alias("CREATE", "b.example.com", "Z1", "x.elb.eu-west-1.amazonaws.com", "");
    assert!(bench.refused(&[abroad]).1.contains("does not lie within the target zone"));
    bench.region = "us-east-1";
    let (_, text) = bench.send("GET", "/2013-04-01/hostedzonecount", "");
    assert!(text.contains("<HostedZoneCount>0</HostedZoneCount>"), "{text}");
}

fn hosted_zones_of(region: &str) -> &'static str {
    crate::sandbox::apigateway::hosted_zones::regional(region).unwrap()
}

#[test]
fn zones_have_tags() {
    let mut bench = Bench::new("us-east-1");
    let path = format!("/2013-04-01/tags/hostedzone/{}", bench.zone);
    let change = |inside: &str| {
        format!("<ChangeTagsForResourceRequest xmlns=\"{NAMESPACE}\">{inside}</ChangeTagsForResourceRequest>")
    };
    let add = "<AddTags><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag></AddTags>";
    assert_eq!(bench.send("POST", &path, &change(add)).0, 200);
    assert_eq!(bench.send("POST", &path, &change("<RemoveTagKeys><Key>a</Key></RemoveTagKeys>")).0, 200);
    let (_, text) = bench.send("GET", &path, "");
    assert!(text.contains("<Tags><Tag><Key>b</Key><Value>2</Value></Tag></Tags>"), "{text}");
    assert_eq!(bench.send("POST", &path, &change("")).0, 400);
    let several = format!(
        "<ListTagsForResourcesRequest><ResourceIds><ResourceId>{}</ResourceId></ResourceIds></ListTagsForResourcesRequest>",
        bench.zone
    );
    let (status, text) = bench.send("POST", "/2013-04-01/tags/hostedzone", &several);
    assert!(status == 200 && text.contains("<ResourceTagSets><ResourceTagSet>"), "{text}");
    let tagged = bench.world.accounts["123456789012"].route53["aws"].tagged("aws");
    assert_eq!(tagged[0].0, format!("arn:aws:route53:::hostedzone/{}", bench.zone));
}

#[test]
fn only_the_last_changes_are_remembered() {
    let mut state = State::default();
    for at in 0..300_i64 {
        state.note(format!("C{at}"), at, String::new());
    }
    assert_eq!(state.changes.len(), REMEMBERED);
    assert!(state.changes.contains_key("C299") && !state.changes.contains_key("C0"));
}

/// A health check as its create asks for it.
fn new_check(reference: &str, config: &str) -> String {
    format!(
        "<CreateHealthCheckRequest xmlns=\"{NAMESPACE}\"><CallerReference>{reference}</CallerReference>\
         <HealthCheckConfig>{config}</HealthCheckConfig></CreateHealthCheckRequest>"
    )
}

const HTTPS: &str = "<Type>HTTPS</Type><FullyQualifiedDomainName>a.example.org</FullyQualifiedDomainName>";

impl Bench {
    fn check(&mut self, reference: &str, config: &str) -> (u16, String) {
        self.send("POST", "/2013-04-01/healthcheck", &new_check(reference, config))
    }

    fn checked(&mut self, reference: &str) -> String {
        let (status, text) = self.check(reference, HTTPS);
        assert_eq!(status, 201, "{text}");
        between(&text, "<Id>", "<").to_owned()
    }

    fn update_check(&mut self, id: &str, inside: &str) -> (u16, String) {
        let body = format!("<UpdateHealthCheckRequest xmlns=\"{NAMESPACE}\">{inside}</UpdateHealthCheckRequest>");
        self.send("POST", &format!("/2013-04-01/healthcheck/{id}"), &body)
    }

    /// What a health check's checkers see from now on.
    fn see(&mut self, id: &str, healthy: bool) {
        let state = self.world.accounts.get_mut("123456789012").unwrap().route53.get_mut("aws").unwrap();
        state.health_checks.get_mut(id).unwrap().see(healthy);
    }

    fn answer(&self, name: &str, kind: &str, region: &str) -> Option<resolve::DnsAnswer> {
        resolve::resolve(&self.world, "123456789012", name, kind, region)
    }

    fn first_value(&self, name: &str, region: &str) -> String {
        self.answer(name, "A", region).map(|answer| answer.values.join(" ")).unwrap_or_default()
    }
}

#[test]
fn health_checks_live_and_go() {
    let mut bench = Bench::new("us-east-1");
    let (_, made) = bench.check("one", HTTPS);
    for member in [
        "<Port>443</Port>",
        "<RequestInterval>30<",
        "<FailureThreshold>3<",
        "<EnableSNI>true<",
        "<MeasureLatency>false<",
        "<HealthCheckVersion>1<",
    ] {
        assert!(made.contains(member), "{member} in {made}");
    }
    let id = between(&made, "<Id>", "<").to_owned();
    assert_eq!(bench.check("one", HTTPS), (201, made.clone()), "asked again, it is the same one");
    let (status, text) = bench.check("one", &format!("{HTTPS}<Port>8443</Port>"));
    assert_eq!((status, between(&text, "<Code>", "<")), (409, "HealthCheckAlreadyExists"));
    let (status, text) = bench.update_check(
        &id,
        "<HealthCheckVersion>1</HealthCheckVersion><Port>8443</Port><ResourcePath>/x?a=1&amp;b</ResourcePath>",
    );
    assert!(status == 200 && text.contains("<HealthCheckVersion>2<") && text.contains("/x?a=1&amp;b<"), "{text}");
    let (status, text) = bench.update_check(&id, "<HealthCheckVersion>1</HealthCheckVersion><Port>1</Port>");
    assert_eq!((status, between(&text, "<Code>", "<")), (409, "HealthCheckVersionMismatch"));
    let reset = "<ResetElements><ResettableElementName>ResourcePath</ResettableElementName></ResetElements>";
    assert!(!bench.update_check(&id, reset).1.contains("ResourcePath"));
    let path = format!("/2013-04-01/healthcheck/{id}");
    assert!(bench.send("GET", &path, "").1.contains("<Port>8443<"));
    let tags = format!("/2013-04-01/tags/healthcheck/{id}");
    let add = "<ChangeTagsForResourceRequest><AddTags><Tag><Key>a</Key><Value>1</Value></Tag></AddTags></ChangeTagsForResourceRequest>";
    assert_eq!(bench.send("POST", &tags, add).0, 200);
    let tagged = bench.world.accounts["123456789012"].route53["aws"].tagged("aws");
    assert_eq!(tagged[0].0, format!("arn:aws:route53:::healthcheck/{id}"));
    let other = bench.checked("two");
    let (_, first) = bench.send("GET", "/2013-04-01/healthcheck?maxitems=1", "");
    let next = between(&first, "<NextMarker>", "<").to_owned();
    let (_, second) = bench.send("GET", &format!("/2013-04-01/healthcheck?maxitems=1&marker={next}"), "");
    let mut seen = [between(&first, "<Id>", "<"), between(&second, "<Id>", "<")];
    let mut expected = [id.as_str(), other.as_str()];
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert!(second.contains("<IsTruncated>false<"), "{second}");
    assert_eq!(bench.send("DELETE", &path, "").0, 200);
    assert!(bench.send("GET", "/2013-04-01/healthcheckcount", "").1.contains("<HealthCheckCount>1<"));
    let (status, text) = bench.check("one", HTTPS);
    assert_eq!((status, between(&text, "<Code>", "<")), (409, "HealthCheckAlreadyExists"), "its reference is spent");
    for (method, path) in [("GET", path.clone()), ("DELETE", path.clone()), ("GET", tags), ("GET", path + "/status")] {
        let (status, text) = bench.send(method, &path, "");
        assert_eq!((status, between(&text, "<Code>", "<")), (404, "NoSuchHealthCheck"), "{method} {path}");
    }
}

#[test]
fn health_checks_are_held_against_the_rules() {
    let mut bench = Bench::new("us-east-1");
    let host = "<FullyQualifiedDomainName>a.example.org</FullyQualifiedDomainName>";
    for (config, words) in [
        ("<Type>HTTPS</Type>".to_owned(), "needs an IPAddress or a FullyQualifiedDomainName"),
        (format!("<Type>HTTPS</Type>{host}<SearchString>x</SearchString>"), "_STR_MATCH"),
        (format!("<Type>HTTPS_STR_MATCH</Type>{host}"), "_STR_MATCH"),
        (format!("<Type>HTTPS</Type>{host}<RequestInterval>20</RequestInterval>"), "must be 10 or 30"),
        (format!("<Type>HTTPS</Type>{host}<RequestInterval>60</RequestInterval>"), "from 10 to 30"),
        (format!("<Type>HTTPS</Type>{host}<FailureThreshold>11</FailureThreshold>"), "from 1 to 10"),
        (format!("<Type>HTTP</Type>{host}<EnableSNI>true</EnableSNI>"), "EnableSNI is for HTTPS"),
        (format!("<Type>TCP</Type>{host}"), "needs a Port"),
        (format!("<Type>TCP</Type>{host}<Port>1</Port><ResourcePath>/</ResourcePath>"), "has no ResourcePath"),
        ("<Type>HTTP</Type><IPAddress>10.0.0.1</IPAddress>".to_owned(), "not a public IP address"),
        (format!("<Type>HTTP</Type>{host}<Regions><Region>us-east-1</Region></Regions>"), "three or more"),
        (format!("<Type>X</Type>{host}"), "is not one of the types [HTTP, HTTPS, "),
        (format!("<Type>HTTP</Type>{host}<Colour>red</Colour>"), "unexpected element Colour"),
    ] {
        let (status, text) = bench.check("r", &config);
        assert_eq!((status, between(&text, "<Code>", "<")), (400, "InvalidInput"), "{config}");
        assert!(text.contains(words), "{words} in {text}");
    }
    assert_eq!(bench.check("r", "<Type>CALCULATED</Type>").0, 501);
    let id = bench.checked("r");
    for (change, words) in [
        ("<IPAddress>192.0.2.1</IPAddress>", "added to an existing health check"),
        ("<Type>HTTP</Type>", "unexpected element Type"),
        ("<RequestInterval>10</RequestInterval>", "unexpected element RequestInterval"),
        ("<MeasureLatency>true</MeasureLatency>", "unexpected element MeasureLatency"),
    ] {
        let (status, text) = bench.update_check(&id, change);
        assert!(status == 400 && text.contains(words), "{words} in {text}");
    }
    let unknown = alias("CREATE", "d.example.com", "Z1", "x.elb.amazonaws.com", "<HealthCheckId>none</HealthCheckId>");
    let (status, text) = bench.change(&[unknown]);
    assert_eq!((status, between(&text, "<Code>", "<")), (404, "NoSuchHealthCheck"));
}

#[test]
fn a_status_is_what_each_region_sees() {
    let mut bench = Bench::new("us-east-1");
    let id = bench.checked("one");
    let path = format!("/2013-04-01/healthcheck/{id}/status");
    let (_, text) = bench.send("GET", &path, "");
    assert_eq!(text.matches("<Status>Success: HTTP Status Code 200, OK</Status>").count(), 8, "{text}");
    let reason = format!("/2013-04-01/healthcheck/{id}/lastfailurereason");
    assert!(!bench.send("GET", &reason, "").1.contains("<Status>"));
    bench.see(&id, false);
    for path in [&path, &reason] {
        assert_eq!(bench.send("GET", path, "").1.matches("<Status>Failure: ").count(), 8);
    }
    let is_healthy =
        |bench: &Bench| bench.world.accounts["123456789012"].route53["aws"].health_checks[&id].is_healthy();
    assert!(!is_healthy(&bench));
    bench.update_check(&id, "<Inverted>true</Inverted>");
    assert!(is_healthy(&bench));
    bench.update_check(&id, "<Inverted>false</Inverted><Disabled>true</Disabled>");
    assert!(is_healthy(&bench));
}

#[test]
fn regions_and_roles_are_taken_once() {
    let mut bench = Bench::new("us-east-1");
    let place = |identifier: &str, more: &str| {
        let more = format!("<SetIdentifier>{identifier}</SetIdentifier>{more}");
        alias("CREATE", "api.example.com", "Z1", "x.elb.amazonaws.com", &more)
    };
    bench.ok(&[place("a", "<Region>eu-west-1</Region>")]);
    let (_, message) = bench.refused(&[place("b", "<Region>eu-west-1</Region>")]);
    assert!(message.contains("SetIdentifier a has the same region eu-west-1"), "{message}");
    let (code, message) = bench.refused(&[place("b", "<Region>mars-north-1</Region>")]);
    assert_eq!((code.as_str(), message.contains("no value of Region")), ("InvalidInput", true), "{message}");
    let (_, message) = bench.refused(&[place("b", "<Weight>1</Weight>")]);
    assert!(message.contains("cannot be created because"), "{message}");
}

#[test]
fn queries_are_answered_by_routing_and_health() {
    let mut bench = Bench::new("us-east-1");
    let (one, two) = (bench.checked("one"), bench.checked("two"));
    let with = |name: &str, value: &str, policy: &str, check: &str| {
        raw(
            "CREATE",
            &format!(
                "<Name>{name}.example.com</Name><Type>A</Type><SetIdentifier>{value}</SetIdentifier>{policy}<TTL>20</TTL>\
                 <ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>\
                 <HealthCheckId>{check}</HealthCheckId>"
            ),
        )
    };
    let (first, second) = ("192.0.2.1", "192.0.2.2");
    let own = bench.zone.clone();
    bench.ok(&[
        with("l", first, "<Region>eu-west-1</Region>", &one),
        with("l", second, "<Region>ap-northeast-1</Region>", &two),
        with("w", first, "<Weight>9</Weight>", &one),
        with("w", second, "<Weight>1</Weight>", &two),
        with("f", first, "<Failover>PRIMARY</Failover>", &one),
        with("f", second, "<Failover>SECONDARY</Failover>", &two),
        set("CREATE", "*.example.com", "A", &["192.0.2.9"]),
        set("CREATE", "c.example.com", "CNAME", &["l.example.com"]),
    ]);
    bench.ok(&[alias("CREATE", "own.example.com", &own, "l.example.com", "")]);
    assert_eq!(bench.first_value("l.example.com", "eu-central-1"), first);
    assert_eq!(bench.first_value("l.example.com", "ap-southeast-1"), second);
    assert_eq!(bench.first_value("w.example.com", "eu-central-1"), first);
    assert_eq!(bench.first_value("f.example.com", "eu-central-1"), first);
    bench.see(&one, false);
    for name in ["l", "w", "f", "own"] {
        assert_eq!(bench.first_value(&format!("{name}.example.com"), "eu-central-1"), second, "{name}");
    }
    bench.see(&two, false);
    for name in ["l", "w", "f", "own"] {
        assert_eq!(
            bench.first_value(&format!("{name}.example.com"), "eu-central-1"),
            first,
            "{name}: none is as good as all"
        );
    }
    let wild = bench.answer("x.y.example.com", "A", "eu-central-1").unwrap();
    assert_eq!((wild.values, wild.ttl), (vec!["192.0.2.9".to_owned()], 60));
    let cname = bench.answer("c.example.com", "AAAA", "eu-central-1").unwrap();
    assert_eq!((cname.kind.as_str(), cname.values.join(" ")), ("CNAME", "l.example.com".to_owned()));
    for (name, kind) in [("example.org", "A"), ("l.example.com", "AAAA"), ("w..x", "A")] {
        assert_eq!(bench.answer(name, kind, "eu-central-1"), None, "{name}");
    }
    assert_eq!(bench.answer("l.example.com", "A", "cn-north-1"), None, "China has a Route 53 of its own");
    let target = format!("/2013-04-01/testdnsanswer?hostedzoneid={own}&recordname=w.example.com&recordtype=A");
    let (status, text) = bench.send("GET", &target, "");
    assert!(status == 200 && text.contains("<RecordDataEntry>192.0.2.1</RecordDataEntry>"), "{text}");
}
