//! The known word nearest to a misspelt one.

/// The word of `known` a person most likely meant, if one is near enough to be worth naming.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    // A third of the letters wrong is a typo; more is another word.
    let limit = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A hint for a word that is not among `known`: the nearest one, or all of them.
#[must_use]
pub fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none to choose from".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_another_word_finds_none() {
        let known = ["normal_path", "white_path", "through_path"];
        assert_eq!(nearest("nomral_path", known), Some("normal_path"));
        assert_eq!(nearest("White_Path", known), Some("white_path"));
        assert_eq!(nearest("tags", known), None);
        assert_eq!(suggestion("tags", &known), "known: normal_path, white_path, through_path");
    }
}
