//! Reads the little XML that clients of Route 53 and S3 send: elements and text. Attributes and namespaces are passed over.

use serde::{Deserialize, Serialize};

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Element {
    /// Its name, without a namespace prefix.
    pub(crate) name: String,
    /// Its own text, without that of the elements inside.
    pub(crate) text: String,
    /// The elements inside.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// An element with text inside.
    pub(crate) fn leaf(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), children: Vec::new() }
    }

    /// The first element inside of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The trimmed text of the first element inside of that name.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }
}

/// Deeper documents are nobody's request, and would only cost memory.
const DEEPEST: usize = 32;

/// Reads a document, or says what is wrong with it.
pub(crate) fn parse(body: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the document is not UTF-8".to_owned())?;
    // The outermost element is a child of the document.
    let mut open = vec![Element::default()];
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        rest = step(rest, &mut open)?;
    }
    match open.pop() {
        Some(document) if open.is_empty() && document.text.trim().is_empty() => {
            let [root] = <[Element; 1]>::try_from(document.children)
                .map_err(|_| "a document has one outermost element".to_owned())?;
            Ok(root)
        }
        Some(element) if !open.is_empty() => Err(format!("element {} is not closed", element.name)),
        _ => Err("content is not allowed outside of the outermost element".to_owned()),
    }
}

/// Reads what stands first: a piece of text or of markup.
fn step<'t>(rest: &'t str, open: &mut Vec<Element>) -> Result<&'t str, String> {
    let Some(markup) = rest.strip_prefix('<') else {
        let (text, rest) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        last(open)?.text.push_str(&unescaped(text)?);
        return Ok(rest);
    };
    if let Some(rest) = markup.strip_prefix("!--") {
        return Ok(split(rest, "-->")?.1);
    }
    if let Some(rest) = markup.strip_prefix("![CDATA[") {
        let (text, rest) = split(rest, "]]>")?;
        last(open)?.text.push_str(text);
        return Ok(rest);
    }
    if let Some(rest) = markup.strip_prefix('?') {
        return Ok(split(rest, "?>")?.1);
    }
    if markup.starts_with('!') {
        return Err("a document type is not allowed".to_owned());
    }
    if let Some(rest) = markup.strip_prefix('/') {
        let (name, rest) = split(rest, ">")?;
        return close(local(name.trim()), open).map(|()| rest);
    }
    let (tag, rest) = tag(markup)?;
    let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let name = local(tag.split_ascii_whitespace().next().unwrap_or_default());
    if name.is_empty() || tag.starts_with(|first: char| first.is_ascii_whitespace()) {
        return Err("an element has no name".to_owned());
    }
    if open.len() > DEEPEST {
        return Err("the document is too deep".to_owned());
    }
    open.push(Element { name: name.to_owned(), ..Element::default() });
    if empty {
        close(name, open)?;
    }
    Ok(rest)
}

fn last(open: &mut [Element]) -> Result<&mut Element, String> {
    open.last_mut().ok_or_else(|| "the document has ended".to_owned())
}

fn close(name: &str, open: &mut Vec<Element>) -> Result<(), String> {
    let closed = open.pop().filter(|element| !open.is_empty() && element.name == name);
    let closed = closed.ok_or_else(|| format!("the end tag {name} has no start tag"))?;
    last(open)?.children.push(closed);
    Ok(())
}

fn split<'t>(text: &'t str, end: &str) -> Result<(&'t str, &'t str), String> {
    text.split_once(end).ok_or_else(|| format!("{end} is missing"))
}

/// The inside of a tag. A `>` inside an attribute's quotes does not end it.
fn tag(text: &str) -> Result<(&str, &str), String> {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => return Ok((&text[..at], &text[at + 1..])),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    Err("> is missing".to_owned())
}

/// A name without its namespace prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = split(after, ";")?;
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match entity.strip_prefix("#x") {
                Some(hex) => number(hex, 16),
                None => entity.strip_prefix('#').and_then(|digits| number(digits, 10)),
            },
        };
        plain.push(character.ok_or_else(|| format!("the entity {entity} is not known"))?);
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_text_is_unescaped() {
        let text = r#"<?xml version="1.0"?><!-- a --><n:A xmlns:n="urn:>x"><B> &lt;&#65;&#x42;&amp; </B><C/><B><![CDATA[<&]]></B></n:A>"#;
        let root = parse(text.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.children.len()), ("A", 3));
        assert_eq!(root.text_of("B"), Some("<AB&"));
        assert_eq!(root.child("C"), Some(&Element { name: "C".into(), ..Element::default() }));
        assert_eq!(root.children[2].text, "<&");
        assert_eq!(root.child("D"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in r"(<|</|>|/>|&|;|A|B|x='|'|<!--|-->|<!\[CDATA\[|\]\]>|<\?|#x41| |\PC){0,40}") {
            let _ = parse(text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for wrong in [
            "",
            "x",
            "<A>",
            "<A></B>",
            "</A>",
            "<A/><B/>",
            "<A/>x",
            "<A",
            "<A x='>",
            "< A/>",
            "<>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><A>&a;</A>",
            "<A>&a;</A>",
            "<A>&#xD800;</A>",
            "<A>&amp</A>",
            "<A><!--</A>",
            "<A><![CDATA[</A>",
            "<?x",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(parse(&[b'<', 0xff, b'>']).is_err());
        assert!(parse("<A>".repeat(1000).as_bytes()).unwrap_err().contains("too deep"));
    }
}
