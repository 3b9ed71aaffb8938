//! Medians, quartiles, and how sure a median is. Pure.
//!
//! Times have long tails: means and standard deviations say little of them, so none are made.

use serde::Serialize;

/// How sure a confidence interval is meant to be.
const CONFIDENCE: f64 = 0.95;

/// What half of the samples are below, and what the middle half of them are between.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Quartiles {
    pub(super) q1: f64,
    pub(super) median: f64,
    pub(super) q3: f64,
}

impl Quartiles {
    /// With linear interpolation between neighbours. `None` without samples.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let sorted = sorted(samples);
        Some(Self {
            q1: quantile(&sorted, 0.25)?,
            median: quantile(&sorted, 0.5)?,
            q3: quantile(&sorted, 0.75)?,
        })
    }
}

/// A median, and an interval that has the true one in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Estimate {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// How likely the true median is in the interval, from 0 to 1.
    pub(super) confidence: f64,
}

impl Estimate {
    /// The interval is between two order statistics, the narrowest such that is symmetric and has a confidence of
    /// 95 %: nothing is supposed of how the samples are distributed, but that they are independent (Thompson,
    /// Annals of Mathematical Statistics 7, 1936). Fewer than six samples have none; theirs is the range, and
    /// its confidence less. `None` without samples.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let sorted = sorted(samples);
        let last = sorted.len().checked_sub(1)?;
        // With each step inwards fewer of the orders in which the median can lie are covered.
        let outside = |cut: usize| 2.0 * at_most_heads(sorted.len(), cut);
        let mut cuts = (0..=last / 2).rev();
        let cut = cuts.find(|&cut| 1.0 - outside(cut) >= CONFIDENCE);
        let cut = cut.unwrap_or(0);
        Some(Self {
            median: quantile(&sorted, 0.5)?,
            low: sorted[cut],
            high: sorted[last - cut],
            confidence: (1.0 - outside(cut)).max(0.0),
        })
    }
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let (low, high) = (sorted[below], sorted[above]);
    Some(low + (high - low) * place.fract())
}

/// How likely `tosses` of a coin show heads `heads` times at most.
fn at_most_heads(tosses: usize, heads: usize) -> f64 {
    // ln C(n, k) step by step: the numbers themselves are too large for many tosses.
    let mut logarithm = -(tosses as f64) * 2.0_f64.ln();
    let mut sum = logarithm.exp();
    for head in 1..=heads {
        logarithm += ((tosses - head + 1) as f64 / head as f64).ln();
        sum += logarithm.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{Estimate, Quartiles, at_most_heads};

    #[test]
    fn quartiles_are_between_neighbours() {
        let of = |samples: &[f64]| Quartiles::of(samples).map(|of| [of.q1, of.median, of.q3]);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7.0]), Some([7.0; 3]));
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0]), Some([1.75, 2.5, 3.25]));
        assert_eq!(of(&[5.0, 1.0, 2.0, 4.0, 3.0]), Some([2.0, 3.0, 4.0]));
    }

    #[test]
    fn a_disturbed_sample_moves_no_median() {
        let calm = [99.0, 100.0, 100.0, 100.0, 101.0];
        let disturbed = [99.0, 100.0, 100.0, 100.0, 9_000.0];
        assert_eq!(Quartiles::of(&calm), Quartiles::of(&disturbed));
    }

    /// Of 10 tosses 0 or 1 are heads in 11 of 1,024 cases, up to 2 in 56; of 6 none in 1 of 64.
    #[test]
    fn an_interval_is_as_wide_as_its_confidence_demands() {
        assert!((at_most_heads(10, 1) - 11.0 / 1024.0).abs() < 1e-12);
        assert!((at_most_heads(10, 2) - 56.0 / 1024.0).abs() < 1e-12);
        let samples: Vec<f64> = (1..=10).map(f64::from).collect();
        let ten = Estimate::of(&samples).expect("there are samples");
        assert_eq!((ten.median, ten.low, ten.high), (5.5, 2.0, 9.0));
        assert!((ten.confidence - (1.0 - 22.0 / 1024.0)).abs() < 1e-12);
        let six = Estimate::of(&samples[..6]).expect("there are samples");
        assert_eq!((six.low, six.high), (1.0, 6.0));
        assert!((six.confidence - 31.0 / 32.0).abs() < 1e-12);
    }

    #[test]
    fn few_samples_are_not_sure() {
        let of = |samples: &[f64]| Estimate::of(samples).expect("there are samples");
        assert_eq!(Estimate::of(&[]), None);
        let one = of(&[1.5]);
        assert_eq!((one.low, one.high, one.confidence), (1.5, 1.5, 0.0));
        let five = of(&[5.0, 1.0, 2.0, 4.0, 3.0]);
        assert_eq!((five.low, five.median, five.high), (1.0, 3.0, 5.0));
        assert!((five.confidence - 15.0 / 16.0).abs() < 1e-12);
    }

    #[test]
    fn many_samples_are_counted_without_overflow() {
        let samples: Vec<f64> = (1..=1_000).map(f64::from).collect();
        let many = Estimate::of(&samples).expect("there are samples");
        assert!((0.95..0.96).contains(&many.confidence), "{many:?}");
        // 1.96 times half of the root of 1,000 is 31.
        assert_eq!((many.low, many.high), (469.0, 532.0));
    }
}
