//! How a class did, as bars.

use askama::Template;

use crate::store::lists::BANDS;

/// How many students got which share of the points, drawn as SVG with the same numbers in a table.
#[derive(Clone, Debug, Template)]
#[template(path = "chart.html")]
pub struct Chart {
    bars: Vec<Bar>,
    graded: u32,
    width: u32,
    height: u32,
    /// Where the bars stand on.
    floor: u32,
}

/// One band of ten percent.
#[derive(Clone, Debug)]
struct Bar {
    label: String,
    count: u32,
    x: u32,
    y: u32,
    height: u32,
    middle: u32,
}

impl Chart {
    /// Measures in the picture's own units.
    const BAR_WIDTH: u32 = 44;
    const STEP: u32 = 52;
    const TALLEST: u32 = 120;
    const HEAD: u32 = 20;
    const FOOT: u32 = 24;

    /// Draws how many students are in each band.
    #[must_use]
    pub fn of(bands: &[u32; BANDS]) -> Self {
        let most = bands.iter().copied().max().unwrap_or_default().max(1);
        let bars = (0_u32..).zip(bands).map(|(place, count)| {
            let height = count * Self::TALLEST / most;
            let x = place * Self::STEP + 4;
            Bar {
                label: band(place),
                count: *count,
                x,
                y: Self::HEAD + Self::TALLEST - height,
                height,
                middle: x + Self::BAR_WIDTH / 2,
            }
        });
        let bars: Vec<Bar> = bars.collect();
        Self {
            width: Self::STEP * u32::try_from(bars.len()).unwrap_or(u32::MAX),
            height: Self::HEAD + Self::TALLEST + Self::FOOT,
            floor: Self::HEAD + Self::TALLEST,
            graded: bands.iter().sum(),
            bars,
        }
    }
}

/// A band of ten percent; the last has no upper end, and holds a full hundred.
fn band(place: u32) -> String {
    let from = place * 10;
    if place as usize + 1 < BANDS {
        format!("{from}–{}", from + 9)
    } else {
        format!("{from} +")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share_of_the_highest() {
        let mut bands = [0; BANDS];
        bands[4] = 2;
        bands[9] = 8;
        let chart = Chart::of(&bands);
        assert_eq!(chart.graded, 10);
        assert_eq!(chart.bars[9].height, Chart::TALLEST);
        assert_eq!(chart.bars[4].height, Chart::TALLEST / 4);
        assert_eq!(chart.bars[4].y + chart.bars[4].height, chart.floor);
        assert_eq!(chart.bars[0].height, 0);
        assert_eq!(chart.bars[0].label, "0–9");
        assert_eq!(chart.bars[9].label, "90 +");
    }

    #[test]
    fn a_class_without_grades_has_no_bars() {
        let chart = Chart::of(&[0; BANDS]);
        assert!(chart.bars.iter().all(|bar| bar.height == 0));
    }
}
