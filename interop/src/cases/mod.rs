//! The cases themselves, one file a subject, in the order they are played.

mod courses;
mod grades;
mod jumping_in;
mod jumping_out;
mod logging_out;
mod people;
mod registration;

use crate::case::Case;

/// All cases.
#[must_use]
pub fn all() -> Vec<Case> {
    let subjects: [&[Case]; 7] = [
        registration::CASES,
        jumping_in::CASES,
        jumping_out::CASES,
        logging_out::CASES,
        people::CASES,
        courses::CASES,
        grades::CASES,
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
}
