//! Grades as people read them.

use super::show;
use crate::store::grades::GradeValue;

/// The part that `points` are of `most` as `87.5 %`; `None` where there is nothing to earn.
#[must_use]
pub fn percent(points: f64, most: f64) -> Option<String> {
    if most <= 0.0 {
        return None;
    }
    let rounded = format!("{:.1}", points / most * 100.0);
    let short = rounded.strip_suffix(".0").unwrap_or(&rounded);
    Some(format!("{} %", if short == "-0" { "0" } else { short }))
}

/// A grade's value in words: `7.5`, `excepted`, `7.5 (attempt 2)`.
#[must_use]
pub fn grade(value: &GradeValue) -> String {
    let text = match value.points_earned {
        _ if value.excepted => "excepted".to_owned(),
        Some(earned) => show::points(earned),
        None => "none".to_owned(),
    };
    match value.attempt_num {
        ..=1 => text,
        attempt => format!("{text} (attempt {attempt})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_needs_something_to_earn() {
        assert_eq!(percent(7.0, 8.0).as_deref(), Some("87.5 %"));
        assert_eq!(percent(12.0, 10.0).as_deref(), Some("120 %"));
        assert_eq!(percent(0.0, 10.0).as_deref(), Some("0 %"));
        assert_eq!(percent(7.0, 0.0), None);
    }

    #[test]
    fn a_grade_is_told_in_words() {
        let mut value = GradeValue {
            points_earned: Some(7.5),
            excepted: false,
            attempt_num: 2,
        };
        assert_eq!(grade(&value), "7.5 (attempt 2)");
        value.excepted = true;
        value.attempt_num = 1;
        assert_eq!(grade(&value), "excepted");
    }
}
