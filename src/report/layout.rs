//! Lays out entries as lines of a given width: marks in front, what is below an entry further to the right, guides
//! along the tree, and long words broken rather than lost.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar as _;

use super::style::{Entry, LINES, Segment, Text, Tone, columns, left_out};

/// How to lay out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// Columns of a line.
    pub(super) width: usize,
    /// Write ANSI colour codes.
    pub(super) color: bool,
    /// Leave nothing out.
    pub(super) verbose: bool,
}

/// No text is squeezed into fewer columns than this, however deep it stands.
const NARROWEST: usize = 16;

/// One line of a text: columns to skip, then words.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    indent: usize,
    spans: Vec<(Tone, String)>,
}

impl Row {
    /// The words without their tones.
    pub(super) fn plain(&self) -> String {
        let words: String = self.spans.iter().map(|(_, text)| text.as_str()).collect();
        format!("{}{}", " ".repeat(self.indent), words.trim_end())
    }

    fn width(&self) -> usize {
        self.indent + width_of(&self.spans)
    }
}

fn width_of(spans: &[(Tone, String)]) -> usize {
    spans.iter().map(|(_, text)| columns(text)).sum()
}

/// The text as rows of at most `room` columns. Segments share a row as long as each fits as a whole.
pub(super) fn rows(text: &Text, room: usize) -> Vec<Row> {
    let room = room.max(NARROWEST);
    let mut rows: Vec<Row> = Vec::new();
    for segment in &text.segments {
        let width = width_of(&segment.spans);
        match rows.last_mut() {
            Some(last) if last.width() + segment.join.len() + width <= room => {
                last.spans.push((Tone::Plain, segment.join.to_owned()));
                last.spans.extend(segment.spans.iter().cloned());
            }
            _ => rows.extend(wrapped(segment, room)),
        }
    }
    rows
}

/// One segment on rows of its own.
fn wrapped(segment: &Segment, room: usize) -> Vec<Row> {
    let most = room.saturating_sub(NARROWEST);
    let (lead, hang) = (segment.lead.min(most), segment.hang.min(most));
    let letters: Vec<(Tone, char)> =
        segment.spans.iter().flat_map(|(tone, text)| text.chars().map(|c| (*tone, c))).collect();
    let mut rows = Vec::new();
    let mut rest = letters.as_slice();
    loop {
        let indent = if rows.is_empty() { lead } else { hang };
        let cut = cut(rest, room - indent);
        rows.push(row(indent, &rest[..cut]));
        rest = &rest[cut..];
        if rest.is_empty() {
            return rows;
        }
        // The line break stands for the one space at which the line was broken.
        if rest[0].1 == ' ' {
            rest = &rest[1..];
        }
    }
}

/// How many letters go on a line of `room` columns: up to a space if that leaves the line half full, else up to a
/// character at which paths, ARNs and lists have their joints, else as many as there is room for.
fn cut(letters: &[(Tone, char)], room: usize) -> usize {
    let mut used = 0;
    let fits = letters.iter().take_while(|(_, c)| {
        used += c.width().unwrap_or(0);
        used <= room
    });
    let fits = fits.count().max(1);
    if fits >= letters.len() {
        return letters.len();
    }
    let space = (1..=fits).rev().find(|&at| letters[at].1 == ' ' && letters[at - 1].1 != ' ');
    let joint = (1..=fits).rev().find(|&at| "/,;:&?|".contains(letters[at - 1].1) && letters[at].1 != ' ');
    // A word too long for any line is broken where it stands: alone on the next line it would be broken all the same.
    let word_fits = |at: &usize| letters[at + 1..].iter().take_while(|(_, c)| *c != ' ').count() < room;
    let good = [space, joint].into_iter().flatten().find(|&at| at * 2 >= fits);
    good.or(space.filter(word_fits)).unwrap_or(fits)
}

fn row(indent: usize, letters: &[(Tone, char)]) -> Row {
    let mut spans: Vec<(Tone, String)> = Vec::new();
    for &(tone, c) in letters {
        match spans.last_mut() {
            Some((last, text)) if *last == tone => text.push(c),
            _ => spans.push((tone, c.to_string())),
        }
    }
    Row { indent, spans }
}

impl Page {
    /// Writes one line: the guides to its left, then the row. No line ends in a blank.
    pub(super) fn line(self, left: &[(Tone, String)], row: &Row, out: &mut dyn Write) -> io::Result<()> {
        let indent = (Tone::Plain, " ".repeat(row.indent));
        let mut spans: Vec<&(Tone, String)> = left.iter().chain([&indent]).chain(&row.spans).collect();
        while spans.last().is_some_and(|(_, text)| text.trim_end().is_empty()) {
            spans.pop();
        }
        let last = spans.len().saturating_sub(1);
        for (index, (tone, text)) in spans.into_iter().enumerate() {
            let text = if index == last { text.trim_end() } else { text };
            out.write_all(tone.paint(text, self.color).as_bytes())?;
        }
        out.write_all(b"\n")
    }

    /// Writes a text by itself, at the left edge.
    pub(super) fn paragraph(self, text: &Text, out: &mut dyn Write) -> io::Result<()> {
        rows(text, self.width).iter().try_for_each(|row| self.line(&[], row, out))
    }

    /// Writes entries one below the other, each with what is below it.
    pub(super) fn entries(self, entries: &[Entry], left: &str, out: &mut dyn Write) -> io::Result<()> {
        let marks = marks_width(entries);
        entries.iter().try_for_each(|entry| {
            self.entry(entry, marks, left, left, out)?;
            self.entries(&entry.below, &format!("{left}{}", " ".repeat(marks)), out)
        })
    }

    /// Writes entries as the twigs of a tree, with a gap between those that have something to say.
    pub(super) fn tree(self, entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
        // Twigs of which none has a mark need no room for one.
        let marks = if entries.iter().all(|entry| entry.mark.is_none()) { 0 } else { marks_width(entries) };
        for (index, entry) in entries.iter().enumerate() {
            let last = index + 1 == entries.len();
            let (first, rest) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.entry(entry, marks, first, rest, out)?;
            self.entries(&entry.below, &format!("{rest}{}", " ".repeat(marks)), out)?;
            let talks = |index: usize| entries.get(index).is_some_and(|entry| !entry.below.is_empty());
            if !last && (talks(index) || talks(index + 1)) {
                self.line(&[(Tone::Faint, "│".to_owned())], &Row::default(), out)?;
            }
        }
        Ok(())
    }

    fn entry(self, entry: &Entry, marks: usize, first: &str, rest: &str, out: &mut dyn Write) -> io::Result<()> {
        let room = self.width.saturating_sub(columns(first) + marks);
        let mut rows = rows(&entry.text, room);
        // A few lines over the limit are shown rather than counted: counting them takes a line too.
        if !self.verbose && rows.len() > LINES + 2 {
            let more = left_out(rows.len() - LINES, "line");
            rows.truncate(LINES);
            rows.extend(self::rows(&Text::of(Tone::Faint, &more), room));
        }
        let blank = " ".repeat(marks);
        for (index, row) in rows.iter().enumerate() {
            let (guide, mark) = match (index, entry.mark) {
                (0, Some(mark)) => (first, (mark.tone(), format!("{:<marks$}", mark.sign()))),
                (0, None) => (first, (Tone::Plain, blank.clone())),
                _ => (rest, (Tone::Plain, blank.clone())),
            };
            self.line(&[(Tone::Faint, guide.to_owned()), mark], row, out)?;
        }
        Ok(())
    }
}

/// The columns that the marks of these entries need, the blank after them included. Entries without marks stand as far
/// to the right as those with one.
fn marks_width(entries: &[Entry]) -> usize {
    entries.iter().filter_map(|entry| entry.mark).map(|mark| mark.sign().len() + 1).max().unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::style::Mark;
    use super::*;

    fn shown(entries: &[Entry], width: usize, color: bool, verbose: bool) -> String {
        let mut out = Vec::new();
        Page { width, color, verbose }.tree(entries, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn segments_break_before_words_and_words_before_letters() {
        let text =
            Text::of(Tone::Plain, "uri").segment("  ", 2, 4).plain("http://a-long-host.example.com/one/two/three");
        let lines: Vec<(usize, String)> = rows(&text, 30)
            .iter()
            .map(|row| (row.indent, row.spans.iter().map(|(_, text)| text.as_str()).collect()))
            .collect();
        assert_eq!(
            lines,
            [
                (0, "uri".to_owned()),
                (2, "http://a-long-host.example.".to_owned() + "c"),
                (4, "om/one/two/three".to_owned()),
            ]
        );
    }

    #[test]
    fn a_very_long_value_is_cut_with_a_count() {
        let entry = Entry::new(Mark::Change, Text::of(Tone::Plain, &"x".repeat(75 * 30)));
        let text = shown(std::slice::from_ref(&entry), 80, false, false);
        assert!(text.lines().last().unwrap().ends_with("more lines (-v shows all)"), "{text}");
        assert_eq!(shown(&[entry], 80, false, true).matches('x').count(), 75 * 30);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_letter_is_lost(
            words in "[a-z/:中é ]{0,300}",
            width in 30_usize..100,
            lead in 0_usize..60,
        ) {
            let text = Text::of(Tone::Plain, "head").segment(" ", lead, lead / 2).push(Tone::Added, &words);
            let entry = Entry::new(Mark::Add, text.clone()).with(vec![Entry::new(Mark::Remove, text)]);
            let plain = shown(std::slice::from_ref(&entry), width, false, true);
            let short = shown(std::slice::from_ref(&entry), width, false, false);
            for line in plain.lines().chain(short.lines()) {
                prop_assert!(columns(line) <= width, "{} columns: {line}", columns(line));
            }
            let kept = |c: &char| c.is_alphanumeric() || "/:".contains(*c);
            let letters = |text: &str| text.chars().filter(kept).collect::<String>();
            prop_assert_eq!(letters(&plain), format!("head{0}head{0}", letters(&words)));
            let colour = shown(&[entry], width, true, true);
            prop_assert_eq!(anstream::adapter::strip_str(&colour).to_string(), plain);
        }
    }
}
