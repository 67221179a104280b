//! The cases themselves, one file a subject, in the order they are played.

mod behind_a_path;
mod clocks;
mod courses;
mod delivery;
mod grades;
mod jumping_in;
mod jumping_out;
mod keys;
mod latency;
mod logging_out;
mod outages;
mod people;
mod refusals;
mod registration;
mod services;
mod synchronisation;
mod two_moodles;

use crate::case::Case;

/// All cases.
#[must_use]
pub fn all() -> Vec<Case> {
    let subjects: [&[Case]; 17] = [
        registration::CASES,
        services::CASES,
        jumping_in::CASES,
        jumping_out::CASES,
        logging_out::CASES,
        people::CASES,
        courses::CASES,
        grades::CASES,
        refusals::CASES,
        synchronisation::CASES,
        outages::CASES,
        delivery::CASES,
        latency::CASES,
        keys::CASES,
        clocks::CASES,
        two_moodles::CASES,
        behind_a_path::CASES,
    ];
    subjects.concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn each_case_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = all().iter().map(|case| case.name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn names_are_sentences_with_hyphens() {
        for case in all() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(
                case.name.chars().all(plain) && case.name.contains('-'),
                "{}",
                case.name
            );
            assert!(case.shows.ends_with('.'), "{}: {}", case.name, case.shows);
        }
    }

    #[test]
    fn the_manual_says_what_each_case_shows() {
        let manual = include_str!("../../../docs/interop.md");
        for case in all() {
            let row = format!("| {} | {} |", case.name, case.shows);
            assert!(manual.contains(&row), "docs/interop.md lacks: {row}");
        }
    }
}
