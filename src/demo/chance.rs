//! Numbers that look like chance and are the same for the same seed, in every version of this program.

/// A stream of numbers: `SplitMix64` (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014). A
/// school has to be the same next year from the same seed, which the generators of the `rand` crate do not promise.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    state: u64,
}

/// What a stream decides: each kind of thing has streams of its own, so that what is made does not depend on the order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    Person = 1,
    Ability = 2,
    YearGroup = 3,
    Lecture = 4,
}

/// The increment of `SplitMix64`: 2^64 divided by the golden ratio, made odd.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chance {
    /// The stream for the `number`th thing of a kind.
    pub(super) fn about(seed: u64, subject: Subject, number: u64) -> Self {
        let kind = Self { state: seed }.next() ^ (subject as u64).wrapping_mul(GOLDEN_GAMMA);
        let state = Self { state: kind }.next() ^ number.wrapping_mul(GOLDEN_GAMMA);
        let mut stream = Self { state };
        stream.next();
        stream
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 to `count` − 1; 0 where `count` is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        // The high 64 bits of a product of 128: even to within 1 in 2^64 / count.
        let product = u128::from(self.next()) * (count as u128);
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// True once in `count` times.
    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of `from` to `to`, both included.
    pub(super) fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to + 1 - from)
    }

    /// One of `items`, which are not none.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Around 0 and mostly between −1 and 1: the sum of three even chances.
    pub(super) fn around_nothing(&mut self) -> f64 {
        let sum: usize = (0..3).map(|_| self.below(2_001)).sum();
        // At most 6,000: exact.
        f64::from(u32::try_from(sum).unwrap_or(0)) / 1_500.0 - 2.0
    }

    /// `items` in another order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation (<https://prng.di.unimi.it/splitmix64.c>) with the seed 1234567.
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut chance = Chance { state: 1_234_567 };
        assert_eq!(chance.next(), 6_457_827_717_110_365_317);
        assert_eq!(chance.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_of_neighbours_differ() {
        let first = |subject, number| Chance::about(1, subject, number).next();
        assert_ne!(first(Subject::Person, 1), first(Subject::Person, 2));
        assert_ne!(first(Subject::Person, 1), first(Subject::Ability, 1));
    }

    #[test]
    fn a_shuffle_keeps_everything() {
        let mut items: Vec<usize> = (0..50).collect();
        Chance::about(1, Subject::YearGroup, 0).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
