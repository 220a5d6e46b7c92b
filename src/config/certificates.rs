//! Certificates that a setting names by their file: read when the configuration is loaded, because a function can't.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

use super::files::{self, Unread};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a PEM file below `root`, without the words around them, or what is wrong with it and what to do.
pub(super) fn read(root: &Path, path: &Path) -> Result<String, (String, &'static str)> {
    let bytes = files::bytes(root, path).map_err(|unread| match unread {
        Unread::Missing => ("is not there".to_owned(), "write the file, or correct its name"),
        Unread::Not(why, hint) => (why, hint),
    })?;
    let der = || ("is no text".to_owned(), "save the certificates as PEM: `openssl x509 -inform der`");
    let text = String::from_utf8(bytes).map_err(|_| der())?;
    check(&text).map(|()| certificates(&text))
}

fn check(text: &str) -> Result<(), (String, &'static str)> {
    let mut roots = RootCertStore::empty();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
        match section {
            Ok((SectionKind::Certificate, der)) => {
                roots
                    .add(CertificateDer::from(der))
                    .map_err(|_| ("holds a broken certificate".to_owned(), "export it anew from the CA"))?;
            }
            // A function's variables can be read by whoever may look at the function.
            Ok((SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, _)) => {
                return Err(("holds a private key".to_owned(), "leave only certificates in it, and replace the key"));
            }
            Ok(_) => {}
            Err(_) => return Err(("is no whole PEM file".to_owned(), "export the certificates anew")),
        }
    }
    if roots.is_empty() {
        return Err(("holds no certificate".to_owned(), "write the CA's certificate in PEM form"));
    }
    Ok(())
}

/// What stands around the certificates takes room, of which a function's variables have little.
fn certificates(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines().map(str::trim) {
        inside |= line == BEGIN;
        if inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= line != END;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
    }

    fn read_text(text: impl AsRef<[u8]>) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, text).unwrap();
        read(folder.path(), Path::new("ca.pem")).map_err(|(why, _)| why)
    }

    #[test]
    fn certificates_are_kept_and_what_stands_around_them_is_not() {
        let (one, two) = (certificate(), certificate());
        let text = format!("# ours\r\n{}Subject: two\n  {}rest", one.replace('\n', "\r\n"), two.replace('\n', "\n  "));
        let kept = read_text(&text).unwrap();
        let expected = format!("{}\n{}\n", one.replace("\r\n", "\n").trim(), two.replace("\r\n", "\n").trim());
        assert_eq!(kept, expected);
        let found: Vec<_> = CertificateDer::pem_slice_iter(kept.as_bytes()).collect();
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let good = certificate();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let cut = &good[..good.len() / 2];
        for (text, said) in [
            ("", "holds no certificate"),
            ("a certificate", "holds no certificate"),
            (broken, "holds a broken certificate"),
            (&format!("{good}{key}"), "holds a private key"),
            (cut, "is no whole PEM file"),
        ] {
            assert_eq!(read_text(text).unwrap_err(), said, "{text}");
        }
        assert_eq!(read_text([0xff, 0xfe]).unwrap_err(), "is no text");
        assert_eq!(read(Path::new("."), Path::new("no/such/file")).unwrap_err().0, "is not there");
    }
}
