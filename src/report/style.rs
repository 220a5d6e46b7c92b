//! The building blocks of everything a person reads here: toned words, marks, and entries with entries below them.
//!
//! An [`Entry`] says nothing about columns, guides or colour codes: `text` lays it out for a terminal and `markdown`
//! for a comment under a pull request.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar as _;

/// What a word is to the reader. The words alone say everything; the tone only helps the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Added,
    Changed,
    Removed,
    Replaced,
    Warning,
    Error,
}

impl Tone {
    /// The tone in ANSI's words.
    pub(super) fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Added => colour(AnsiColor::Green),
            Self::Changed => colour(AnsiColor::Yellow),
            Self::Removed => colour(AnsiColor::Red),
            Self::Replaced => colour(AnsiColor::Magenta),
            Self::Warning => colour(AnsiColor::Yellow).bold(),
            Self::Error => colour(AnsiColor::Red).bold(),
        }
    }

    /// Writes `text` in this tone.
    pub(super) fn paint(self, text: &str, colour: bool) -> String {
        if !colour || self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// What happens to the thing that an entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Add,
    Change,
    Remove,
    ReplaceDeleteFirst,
    ReplaceCreateFirst,
}

impl Mark {
    /// The sign in front of the entry.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Change => "~",
            Self::Remove => "-",
            Self::ReplaceDeleteFirst => "-/+",
            Self::ReplaceCreateFirst => "+/-",
        }
    }

    /// The sign that a `diff` block in Markdown colours.
    pub(super) fn diff_sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Remove => '-',
            Self::Change | Self::ReplaceDeleteFirst | Self::ReplaceCreateFirst => '!',
        }
    }

    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Add => Tone::Added,
            Self::Change => Tone::Changed,
            Self::Remove => Tone::Removed,
            Self::ReplaceDeleteFirst | Self::ReplaceCreateFirst => Tone::Replaced,
        }
    }

    /// The mark of a value that was `before` and will be `after`.
    pub(super) fn of<T>(before: Option<&T>, after: Option<&T>) -> Self {
        match (before, after) {
            (None, _) => Self::Add,
            (_, None) => Self::Remove,
            _ => Self::Change,
        }
    }
}

/// Words that stay together: where a line is too narrow for all of a [`Text`], it breaks between its segments first.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// What stands between this segment and the one before it on the same line.
    pub(super) join: &'static str,
    /// The column at which it starts when it has a line of its own.
    pub(super) lead: usize,
    /// The column at which it goes on when it needs a second line.
    pub(super) hang: usize,
    /// The words.
    pub(super) spans: Vec<(Tone, String)>,
}

/// A line, before it is known how wide it may be.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) segments: Vec<Segment>,
}

impl Text {
    pub(super) fn new() -> Self {
        Self { segments: vec![Segment { join: "", lead: 0, hang: 4, spans: Vec::new() }] }
    }

    /// A line of one tone.
    pub(super) fn of(tone: Tone, text: &str) -> Self {
        Self::new().push(tone, text)
    }

    /// Adds words to the last segment.
    pub(super) fn push(mut self, tone: Tone, text: &str) -> Self {
        if let Some(last) = self.segments.last_mut() {
            last.spans.push((tone, visible(text)));
        }
        self
    }

    /// Adds words without a tone.
    pub(super) fn plain(self, text: &str) -> Self {
        self.push(Tone::Plain, text)
    }

    /// Where the last segment goes on when it needs a second line.
    pub(super) fn hanging(mut self, hang: usize) -> Self {
        if let Some(last) = self.segments.last_mut() {
            last.hang = hang;
        }
        self
    }

    /// Begins another segment.
    pub(super) fn segment(mut self, join: &'static str, lead: usize, hang: usize) -> Self {
        self.segments.push(Segment { join, lead, hang, spans: Vec::new() });
        self
    }
}

/// One thing to read, and what there is to say about it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) mark: Option<Mark>,
    pub(super) text: Text,
    pub(super) below: Vec<Entry>,
}

impl Entry {
    pub(super) fn new(mark: impl Into<Option<Mark>>, text: Text) -> Self {
        Self { mark: mark.into(), text, below: Vec::new() }
    }

    pub(super) fn with(mut self, below: Vec<Entry>) -> Self {
        self.below = below;
        self
    }
}

/// How much to say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Detail {
    /// Leave nothing out.
    pub(super) verbose: bool,
    /// The resource is made or goes as a whole: its main fields are enough.
    pub(super) brief: bool,
}

impl Detail {
    /// Whether a part is described in full.
    pub(super) fn full(self) -> bool {
        self.verbose || !self.brief
    }
}

/// As many lines as one value gets without `-v`.
pub(super) const LINES: usize = 20;

/// The sentence that stands for what is left out.
pub(super) fn left_out(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("… {count} more {noun}{plural} (-v shows all)")
}

/// The entries, or as many of them as fit the limit and a line that counts the others.
pub(super) fn limited(mut entries: Vec<Entry>, limit: usize, noun: &str, detail: Detail) -> Vec<Entry> {
    if !detail.verbose && entries.len() > limit {
        let rest = entries.len() - limit;
        entries.truncate(limit);
        entries.push(Entry::new(None, Text::of(Tone::Faint, &left_out(rest, noun))));
    }
    entries
}

/// The columns that a text takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text with everything that could move the cursor, colour the terminal or turn the reading direction spelled out:
/// names and values come from files and from AWS, and a plan must not be able to disguise itself.
pub(super) fn visible(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\r\tc\u{202e}d é中"), "a\\u{1b}[31mb\\r\\tc\\u{202e}d é中");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let entries = || (0..25).map(|n| Entry::new(None, Text::of(Tone::Plain, &n.to_string()))).collect::<Vec<_>>();
        let short = limited(entries(), LINES, "line", Detail::default());
        assert_eq!(short.len(), LINES + 1);
        assert_eq!(short[LINES].text.segments[0].spans[0].1, "… 5 more lines (-v shows all)");
        assert_eq!(limited(entries(), LINES, "line", Detail { verbose: true, brief: false }).len(), 25);
    }
}
