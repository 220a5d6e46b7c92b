//! The little XML that the query protocol needs: elements and text, never attributes beyond one namespace.

use super::wire::Response;
use super::xml_reader::Element;

/// A document under construction.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// An empty document.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The outermost element.
    pub(crate) fn root(&mut self, name: &str, namespace: Option<&str>, inside: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(name);
        if let Some(namespace) = namespace {
            self.0.push_str(" xmlns=\"");
            self.0.push_str(namespace);
            self.0.push('"');
        }
        self.0.push('>');
        inside(self);
        self.close(name);
    }

    /// An element with elements inside.
    pub(crate) fn node(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.root(name, None, inside);
    }

    /// An element with text inside.
    pub(crate) fn leaf(&mut self, name: &str, text: impl AsRef<str>) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        for character in text.as_ref().chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&apos;"),
                // A parser turns a bare carriage return into a line feed.
                '\r' => self.0.push_str("&#xD;"),
                '\t' | '\n' => self.0.push(character),
                // Other control characters do not exist in XML 1.0, not even escaped.
                control if control < ' ' => self.0.push('\u{fffd}'),
                plain => self.0.push(plain),
            }
        }
        self.close(name);
    }

    /// An element as it was read.
    pub(crate) fn element(&mut self, element: &Element) {
        if element.children.is_empty() {
            self.leaf(&element.name, element.text.trim());
        } else {
            self.node(&element.name, |xml| element.children.iter().for_each(|child| xml.element(child)));
        }
    }

    /// Puts another document inside this one.
    pub(crate) fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// The document as an answer.
    pub(crate) fn response(self, status: u16) -> Response {
        Response { status, headers: vec![("content-type".into(), "text/xml".into())], body: self.0.into_bytes().into() }
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_elements_nest() {
        let mut xml = Xml::new();
        xml.root("A", Some("urn:x"), |xml| xml.node("B", |xml| xml.leaf("C", "<'&\">\r\u{1}")));
        let body = xml.response(200).body;
        assert_eq!(body, "<A xmlns=\"urn:x\"><B><C>&lt;&apos;&amp;&quot;&gt;&#xD;\u{fffd}</C></B></A>");
    }
}
