//! Which rows a file has spoken of: a bit a row, so that a million of them take 128 KB.

/// A set of row numbers.
#[derive(Debug, Default)]
pub struct Seen {
    words: Vec<u64>,
}

impl Seen {
    /// Adds a row. Numbers below 1 are none of SQLite's.
    pub fn insert(&mut self, row: i64) {
        let Ok(row) = usize::try_from(row) else {
            return;
        };
        let word = row / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (row % 64);
    }

    /// Whether a row was added.
    pub fn contains(&self, row: i64) -> bool {
        usize::try_from(row)
            .ok()
            .and_then(|row| Some(self.words.get(row / 64)? & (1 << (row % 64)) != 0))
            .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart() {
        let mut seen = Seen::default();
        for row in [1, 63, 64, 1_000_000] {
            seen.insert(row);
        }
        seen.insert(-1);
        let found: Vec<i64> = [-1, 0, 1, 2, 63, 64, 65, 1_000_000, 9_999_999]
            .into_iter()
            .filter(|row| seen.contains(*row))
            .collect();
        assert_eq!(found, [1, 63, 64, 1_000_000]);
    }
}
