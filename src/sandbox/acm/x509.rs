//! What Certificate Manager shows of an imported certificate, read from its DER (RFC 5280): names, dates, serial number, key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What was read.
#[derive(Debug, PartialEq)]
pub(super) struct Certificate {
    /// The names in the subject alternative name, or else the common name.
    pub(super) names: Vec<String>,
    /// Seconds since the epoch.
    pub(super) not_before: f64,
    /// Seconds since the epoch.
    pub(super) not_after: f64,
    /// Pairs of hexadecimal digits.
    pub(super) serial: String,
    /// The common name of who signed it.
    pub(super) issuer: String,
    /// `RSA_2048`, `EC_prime256v1`
    pub(super) key_algorithm: &'static str,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
/// `[0]` and `[3]` of a certificate: the version, and the extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `[2]` of a general name: a DNS name.
const DNS_NAME: u8 = 0x82;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const CURVES: [(&[u8], &str); 3] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "EC_prime256v1"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "EC_secp384r1"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "EC_secp521r1"),
];

/// The bytes of the first PEM block of a kind.
pub(super) fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let digits: String = body.split_ascii_whitespace().collect();
    BASE64.decode(digits).ok()
}

/// Reads a certificate.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let mut certificate = Reader(Reader(der).take(SEQUENCE)?);
    let mut body = Reader(certificate.take(SEQUENCE)?);
    body.skip_if(VERSION);
    let serial = body.take(INTEGER)?.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
    body.take(SEQUENCE)?;
    let issuer = common_name(body.take(SEQUENCE)?).unwrap_or_default();
    let mut validity = Reader(body.take(SEQUENCE)?);
    let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
    let subject = common_name(body.take(SEQUENCE)?);
    let key_algorithm = key_algorithm(body.take(SEQUENCE)?)?;
    let mut names = Vec::new();
    while let Some((tag, content)) = body.next() {
        if tag == EXTENSIONS {
            names = alternative_names(content)?;
        }
    }
    if names.is_empty() {
        names.extend(subject);
    }
    Some(Certificate { names, not_before, not_after, serial, issuer, key_algorithm })
}

/// A place in DER.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    /// The next value: tag and content.
    fn next(&mut self) -> Option<(u8, &'d [u8])> {
        let [tag, first, rest @ ..] = self.0 else { return None };
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The content of the next value, which has to have a tag.
    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    fn skip_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.next();
        }
    }
}

/// The common name in a distinguished name.
fn common_name(name: &[u8]) -> Option<String> {
    let mut sets = Reader(name);
    while let Some((_, set)) = sets.next() {
        let mut pair = Reader(Reader(set).take(SEQUENCE)?);
        if pair.take(OBJECT)? == COMMON_NAME {
            return pair.next().and_then(|(_, text)| String::from_utf8(text.to_vec()).ok());
        }
    }
    None
}

/// The DNS names among the extensions.
fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut list = Reader(Reader(extensions).take(SEQUENCE)?);
    let mut names = Vec::new();
    while let Some((_, extension)) = list.next() {
        let mut extension = Reader(extension);
        if extension.take(OBJECT)? != ALTERNATIVE_NAME {
            continue;
        }
        // Between the two may stand whether the extension is critical.
        let content = std::iter::from_fn(|| extension.next()).find(|(tag, _)| *tag == OCTETS)?.1;
        let mut general = Reader(Reader(content).take(SEQUENCE)?);
        while let Some((tag, name)) = general.next() {
            if tag == DNS_NAME {
                names.push(String::from_utf8(name.to_vec()).ok()?);
            }
        }
    }
    Some(names)
}

fn key_algorithm(key: &[u8]) -> Option<&'static str> {
    let mut key = Reader(key);
    let mut algorithm = Reader(key.take(SEQUENCE)?);
    if algorithm.take(OBJECT)? != RSA {
        let curve = algorithm.take(OBJECT)?;
        return CURVES.iter().find(|(id, _)| *id == curve).map(|(_, name)| *name);
    }
    // A bit string begins with the number of bits it does not use.
    let public = key.take(BITS)?.get(1..)?;
    let modulus = Reader(Reader(public).take(SEQUENCE)?).take(INTEGER)?;
    let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
    match bytes * 8 {
        1024 => Some("RSA_1024"),
        2048 => Some("RSA_2048"),
        3072 => Some("RSA_3072"),
        4096 => Some("RSA_4096"),
        _ => None,
    }
}

/// A time in seconds since the epoch.
fn time((tag, text): (u8, &[u8])) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let full = match (tag, text.get(..2)?) {
        // Two digits of a year stand for 1950 to 2049.
        (UTC_TIME, year) if year >= "50" => format!("19{text}"),
        (UTC_TIME, _) => format!("20{text}"),
        _ => text.to_owned(),
    };
    let parsed = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", full).ok()?;
    let seconds = parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    // Exact for more years than a certificate can name.
    #[expect(clippy::cast_precision_loss, reason = "seconds of four-digit years fit the mantissa")]
    Some(seconds as f64)
}
