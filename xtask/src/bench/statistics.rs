//! Medians, and how sure they are.

/// A median with the interval that holds it with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Estimate {
    /// The median.
    pub(super) median: f64,
    /// Lower end of the interval.
    pub(super) low: f64,
    /// Upper end of the interval.
    pub(super) high: f64,
}

/// The middle value, or the mean of the two middle ones; `None` of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    Some(if sorted.len().is_multiple_of(2) { (sorted[sorted.len() / 2 - 1] + upper) / 2.0 } else { upper })
}

/// How many samples are drawn from the sample: enough that the interval's ends stand still to three digits.
const DRAWS: usize = 10_000;

/// The median with its percentile bootstrap interval (Efron, *Bootstrap methods: another look at the jackknife*, 1979): the spread of
/// the medians of samples drawn, with replacement, from the sample. The draws are the same every time.
pub(super) fn bootstrap(values: &[f64]) -> Option<Estimate> {
    let middle = median(values)?;
    let mut random = SplitMix(0);
    let mut draw = vec![0.0; values.len()];
    let mut medians = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        draw.fill_with(|| values[random.below(values.len())]);
        medians.push(median(&draw)?);
    }
    medians.sort_by(f64::total_cmp);
    Some(Estimate { median: middle, low: medians[DRAWS * 25 / 1000], high: medians[DRAWS * 975 / 1000] })
}

/// The generator of Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        // The product's upper half is below `n`; that some values are likelier by n / 2⁶⁴ does not show.
        ((u128::from(x) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn an_interval_holds_the_median_and_narrows_with_more_values() {
        let spread = |n: usize| (0..n).map(|i| 1.0 + (i * 37 % n) as f64 / n as f64).collect::<Vec<_>>();
        let few = bootstrap(&spread(10)).unwrap();
        let many = bootstrap(&spread(200)).unwrap();
        for estimate in [few, many] {
            assert!(estimate.low < estimate.median && estimate.median < estimate.high, "{estimate:?}");
        }
        // The standard error of the median of n uniform values is about 1 / (2 √n), and the interval four times as wide.
        assert!((0.05..0.25).contains(&(many.high - many.low)), "{many:?}");
        assert!(few.high - few.low > 2.0 * (many.high - many.low), "{few:?} {many:?}");
    }

    #[test]
    fn values_that_agree_leave_no_doubt() {
        assert_eq!(bootstrap(&[2.0; 5]), Some(Estimate { median: 2.0, low: 2.0, high: 2.0 }));
        assert_eq!(bootstrap(&[]), None);
    }

    #[test]
    fn draws_reach_every_value() {
        let mut random = SplitMix(1);
        let mut seen = [0; 5];
        (0..1000).for_each(|_| seen[random.below(5)] += 1);
        assert!(seen.iter().all(|n| (150..250).contains(n)), "{seen:?}");
    }
}
