//! Dividing samples into parts that share none.

use crate::shuffle::{Purpose, shuffle_for};
use crate::{DataError, Result, TrainTest};

/// Divides `0..n` at random into parts of the given fractions.
///
/// Every sample is in exactly one part. Part `i` ends at sample `round(n · (f₀ + … + fᵢ))` of the shuffled order, so sizes
/// differ from `n · fᵢ` by less than one. The parts stand in random order.
///
/// ```
/// let parts = gradwise_data::split(100, &[0.7, 0.1, 0.2], 42)?;
/// assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [70, 10, 20]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a fraction is not above 0, they do not add up to 1 (within 10⁻⁶), or a part would be empty.
pub fn split(n: usize, fractions: &[f64], seed: u64) -> Result<Vec<Vec<usize>>> {
    if let Some(bad) = fractions.iter().find(|f| !(**f > 0.0 && f.is_finite())) {
        return Err(DataError::value("split: fraction", "a number above 0", bad));
    }
    let sum: f64 = fractions.iter().sum();
    if (sum - 1.0).abs() > 1e-6 {
        return Err(DataError::value("split: fractions", "a sum of 1", sum));
    }
    let mut order: Vec<usize> = (0..n).collect();
    shuffle_for(Purpose::Split, &mut order, seed, 0);
    let mut parts = Vec::with_capacity(fractions.len());
    let (mut start, mut reached) = (0, 0.0);
    for (i, fraction) in fractions.iter().enumerate() {
        reached += fraction;
        let end = if i + 1 == fractions.len() { n } else { ((reached * n as f64).round() as usize).min(n) };
        if start == end {
            let got = format!("none for a fraction of {fraction} of {n} samples");
            return Err(DataError::value("split", "at least one sample in each part", got));
        }
        parts.push(order[start..end].to_vec());
        start = end;
    }
    Ok(parts)
}

/// Divides samples at random into a training and a test part, so that each class has its share in both.
///
/// The test part has `round(n · test_fraction)` samples. Each class gives `⌊n_c · test_fraction⌋` of its own, and those whose
/// share was cut most give one more until the number is reached (largest remainders), so each class is within one sample of
/// its share. Both parts stand in random order.
///
/// ```
/// let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
/// let parts = gradwise_data::stratified_split(&labels, 0.4, 1)?;
/// assert_eq!((parts.train.len(), parts.test.len()), (6, 4));
/// assert_eq!(parts.test.iter().filter(|&&i| labels[i] == 0).count(), 2);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If the fraction is not between 0 and 1, or a part would be empty.
pub fn stratified_split(labels: &[usize], test_fraction: f64, seed: u64) -> Result<TrainTest<Vec<usize>>> {
    if !(test_fraction > 0.0 && test_fraction < 1.0) {
        return Err(DataError::value("split: test fraction", "a number above 0 and below 1", test_fraction));
    }
    let n_test = (labels.len() as f64 * test_fraction).round() as usize;
    if n_test == 0 || n_test == labels.len() {
        let got = format!("none for a test fraction of {test_fraction} of {} samples", labels.len());
        return Err(DataError::value("split", "at least one sample in each part", got));
    }
    let classes = by_class(labels, Purpose::Split, seed);
    let share = |class: &Vec<usize>| class.len() as f64 * test_fraction;
    let mut take: Vec<usize> = classes.iter().map(|class| share(class) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..classes.len()).collect();
    // A stable sort: classes of equal remainder keep their order, so nothing depends on how sorting is done.
    by_remainder.sort_by(|&a, &b| share(&classes[b]).fract().total_cmp(&share(&classes[a]).fract()));
    let missing = n_test.saturating_sub(take.iter().sum());
    // The remainders add up to what is missing and each is below 1, so there are enough classes with one.
    by_remainder.iter().take(missing).for_each(|&class| take[class] += 1);
    let mut parts = TrainTest { train: Vec::new(), test: Vec::new() };
    for (class, n) in classes.iter().zip(take) {
        parts.test.extend_from_slice(&class[..n]);
        parts.train.extend_from_slice(&class[n..]);
    }
    shuffle_for(Purpose::Split, &mut parts.test, seed, u64::MAX);
    shuffle_for(Purpose::Split, &mut parts.train, seed, u64::MAX - 1);
    Ok(parts)
}

/// One turn of a cross-validation: the samples to learn from and those to measure on.
pub type Fold = TrainTest<Vec<usize>>;

/// Divides `0..n` at random into `k` folds whose sizes differ by at most one; each is the test part once.
///
/// ```
/// let folds = gradwise_data::k_folds(10, 3, 0)?;
/// assert_eq!(folds.iter().map(|fold| fold.test.len()).collect::<Vec<_>>(), [4, 3, 3]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If `k` is below 2 or above `n`.
pub fn k_folds(n: usize, k: usize, seed: u64) -> Result<Vec<Fold>> {
    check_k(n, k)?;
    let mut order: Vec<usize> = (0..n).collect();
    shuffle_for(Purpose::Folds, &mut order, seed, 0);
    Ok(deal(&order, k))
}

/// As [`k_folds`], with the samples of each class dealt out evenly: folds differ by at most one sample in each class, and in all.
///
/// # Errors
/// If `k` is below 2 or above the number of samples.
pub fn stratified_k_folds(labels: &[usize], k: usize, seed: u64) -> Result<Vec<Fold>> {
    check_k(labels.len(), k)?;
    // Class after class, so that dealing them round gives each fold its share of every class.
    Ok(deal(&by_class(labels, Purpose::Folds, seed).concat(), k))
}

fn check_k(n: usize, k: usize) -> Result<()> {
    if k < 2 || k > n {
        return Err(DataError::value("folds: number", format!("at least 2 and at most the {n} samples"), k));
    }
    Ok(())
}

/// Gives the samples round: sample `i` of the order is tested in fold `i mod k`.
fn deal(order: &[usize], k: usize) -> Vec<Fold> {
    let part = |keep: &dyn Fn(usize) -> bool| {
        order.iter().enumerate().filter(|&(i, _)| keep(i % k)).map(|(_, &sample)| sample).collect()
    };
    (0..k).map(|fold| TrainTest { train: part(&|i| i != fold), test: part(&|i| i == fold) }).collect()
}

/// The samples of each class that has any, in random order. Labels may be any numbers; they are not used as sizes.
fn by_class(labels: &[usize], purpose: Purpose, seed: u64) -> Vec<Vec<usize>> {
    let mut classes = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (i, &label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(i);
    }
    for (label, samples) in &mut classes {
        shuffle_for(purpose, samples, seed, *label as u64);
    }
    classes.into_values().collect()
}
