//! "Did you mean": the known word that is nearest to an unknown one.

use strsim::osa_distance;

/// The maximum length of a word that is compared. The work grows with the product of both lengths.
const COMPARED_BYTES_MAX: usize = 160;

/// The known word nearest to `word`, the first one if several are equally near. `None` if none is near.
///
/// A word is near if at most a third of its characters plus one was inserted, deleted, replaced or swapped with a
/// neighbour. Case is ignored.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let word = word.to_lowercase();
    let counted = known.into_iter().filter_map(|known| {
        let changes = osa_distance(&word, &known.to_lowercase());
        let length = word.chars().count().min(known.chars().count());
        (changes <= 1 + length / 3).then_some((changes, known))
    });
    let nearest = counted.min_by_key(|(changes, _)| *changes);
    nearest.map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        #[rustfmt::skip]
        let rows = [
            ("windw", &["window", "away_window"][..], Some("window")),
            ("Window", &["window", "away_window"], Some("window")),
            ("awaywindow", &["window", "away_window"], Some("away_window")),
            ("form", &["to", "from"], Some("from")),
            ("x", &["window", "away_window"], None),
            ("", &["to"], None),
            ("接待", &["window"], None),
            ("待接", &["接待"], Some("接待")),
            ("lisen", &["listen", "data"], Some("listen")),
            ("http.body_timout", &["http.keep_alive", "http.body_timeout"], Some("http.body_timeout")),
            ("nothing.like", &["listen", "journal.linger_us"], None),
            ("what", &["data", "workers"], None),
            ("session.asigned", &["session.queued", "session.assigned"], Some("session.assigned")),
            ("Session.Queued", &["session.assigned", "session.queued"], Some("session.queued")),
            ("message", &["reply.due", "session.assigned", "session.closed"], None),
        ];
        for (word, known, expected) in rows {
            assert_eq!(nearest(word, known.iter().copied()), expected, "{word}");
        }
        let long = "x".repeat(COMPARED_BYTES_MAX + 1);
        assert_eq!(nearest(&long, [long.as_str()]), None);
    }
}
