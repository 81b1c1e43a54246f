//! Texts of strangers, made fit for a terminal.

/// Longer texts are cut.
const CHARS_MAX: usize = 240;

/// One line without anything that a terminal would obey: control characters become spaces, as do those that turn the direction of
/// what follows.
pub(super) fn clean(text: &str) -> String {
    let shown = |letter: char| if is_hidden(letter) { ' ' } else { letter };
    let mut letters = text.chars();
    let mut cleaned: String = letters.by_ref().take(CHARS_MAX).map(shown).collect();
    if letters.next().is_some() {
        cleaned.push('…');
    }
    cleaned.trim().to_owned()
}

fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Breaks a paragraph into lines of at most `width` letters, where its words allow.
pub(super) fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(clean("ok\u{1b}[2J\r\n\u{202e}drow"), "ok [2J   drow");
        assert_eq!(clean("  Kamailio (5.6)\u{7} "), "Kamailio (5.6)");
        let long = clean(&"x".repeat(500));
        assert_eq!(long.chars().count(), CHARS_MAX + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn paragraphs_are_broken_between_words() {
        assert_eq!(wrapped("ab cd efg h", 5), ["ab cd", "efg h"]);
        assert_eq!(wrapped("abcdefgh i", 5), ["abcdefgh", "i"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
