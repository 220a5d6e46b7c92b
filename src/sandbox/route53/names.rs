//! Names of the DNS as Route 53 keeps them: in lower case, with a dot at their end, and what is no letter, digit, hyphen or
//! underscore written `\052`, in octal (developer guide, "DNS domain name format").

/// A name as Route 53 keeps it, or what is wrong with it, in Route 53's words.
pub(super) fn normal(name: &str) -> Result<String, String> {
    let mut normal = String::with_capacity(name.len() + 1);
    let mut length = 0;
    for label in labels(name.strip_suffix('.').unwrap_or(name)) {
        let problem = match label.len() {
            0 => "DomainLabelEmpty (Domain label is empty)",
            1..=63 => "",
            _ => "DomainLabelTooLong (Domain label is too long)",
        };
        if !problem.is_empty() {
            return Err(format!("FATAL problem: {problem} encountered with '{name}'"));
        }
        length += label.len() + 1;
        normal.extend(label.iter().map(|byte| escaped(*byte)));
        normal.push('.');
    }
    if length > 255 {
        return Err(format!("FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '{name}'"));
    }
    Ok(normal)
}

/// The labels of a name as bytes.
fn labels(name: &str) -> Vec<Vec<u8>> {
    let mut labels = vec![Vec::new()];
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'.', _) => {
                labels.push(Vec::new());
                rest = tail;
                continue;
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                ((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), tail)
            }
            _ => (*first, tail),
        };
        if let Some(label) = labels.last_mut() {
            label.push(byte.to_ascii_lowercase());
        }
        rest = tail;
    }
    labels
}

fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

/// Whether a name stands in a zone: is its apex, or below it.
pub(super) fn lies_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What names are sorted by: their labels, the last first.
pub(super) fn order(name: &str) -> Vec<&str> {
    name.trim_end_matches('.').rsplit('.').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_in_one_form() {
        for (given, kept) in [
            ("API.Example.com", "api.example.com."),
            ("api.example.com.", "api.example.com."),
            ("*.example.com", "\\052.example.com."),
            ("\\052.example.com.", "\\052.example.com."),
            ("_a-1.b$.com", "_a-1.b\\044.com."),
        ] {
            assert_eq!(normal(given).as_deref(), Ok(kept), "{given}");
        }
        for wrong in ["", ".", "a..b", ".a", &"x".repeat(64), &"a.".repeat(128)] {
            assert!(normal(wrong).unwrap_err().starts_with("FATAL problem: Domain"), "{wrong}");
        }
    }

    #[test]
    fn names_lie_within_zones_by_whole_labels() {
        assert!(lies_within("example.com.", "example.com."));
        assert!(lies_within("a.example.com.", "example.com."));
        assert!(!lies_within("myexample.com.", "example.com."));
        assert!(!lies_within("com.", "example.com."));
    }

    #[test]
    fn names_are_sorted_from_their_end() {
        let mut names = ["b.a.com.", "a.b.com.", "a.com.", "com."];
        names.sort_by_key(|name| order(name));
        assert_eq!(names, ["com.", "a.com.", "b.a.com.", "a.b.com."]);
    }
}
