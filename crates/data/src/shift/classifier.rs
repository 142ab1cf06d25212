//! A test of all features together, by whether a classifier can tell the sets apart.

use super::TwoSample;
use crate::draw::Random;
use crate::shuffle::Purpose;
use crate::whitening::n_features;
use crate::{DataError, Labelled, Result, gather_rows};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayD, Axis, IxDyn, concatenate};

const WHAT: &str = "classifier test";

/// Whether two sets of samples (`N × …`) come from one distribution, by whether a classifier of nearest neighbours can tell them apart
/// (C2ST).
///
/// Half of the samples train it, the other half is classified: class 0 for the first set, 1 for the second, as many of each. The statistic is
/// its accuracy there, about 1/2 if there is nothing to tell. Then all ways to name the classified samples are equally likely, and so the
/// p-value is exact: the chance that at least so many of the samples that were taken for the second set are of it (Fisher's exact test,
/// one-sided). The paper takes the normal approximation. The classifier looks at the `k` nearest of the `n` training samples, `k` the
/// root of `n`, rounded to an odd number, as the paper does; distance takes all features alike, so scale them first.
///
/// Unlike [`mmd_test`](super::mmd_test) it takes large sets, and tells in plain terms how different they are; it takes about `n²`
/// operations a feature. Of the larger set, a random part is taken. The seed tells the parts. For images and other data whose distances
/// mean little, bring a classifier that learns: [`classifier_test_with`]. Source: Lopez-Paz and Oquab, *Revisiting classifier two-sample
/// tests*, ICLR 2017, <https://arxiv.org/abs/1610.06545>.
///
/// ```
/// use ndarray::Array2;
///
/// // The same features, each by itself; but in one set the second goes with the first.
/// let x = |turn: f64| Array2::from_shape_fn((200, 2), |(i, j)| {
///     let a = (i as f64 * 0.618).fract() - 0.5;
///     let b = (i as f64 * 0.414).fract() - 0.5;
///     if j == 0 { a } else { turn * a + (1.0 - turn) * b }
/// }).into_dyn();
/// let test = gradwise_data::classifier_test(&x(0.0), &x(1.0), 1)?;
/// assert!(test.p_value < 0.01 && test.statistic > 0.7);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a set has fewer than four samples, they have different numbers of features, or a value is not finite.
pub fn classifier_test<T: Real>(a: &ArrayRefD<T>, b: &ArrayRefD<T>, seed: u64) -> Result<TwoSample> {
    crate::scaler::check_finite(WHAT, a)?;
    crate::scaler::check_finite(WHAT, b)?;
    classifier_test_with(a, b, seed, |train, inputs| Ok(nearest(train, inputs)))
}

/// The same test with any classifier: `classify` learns from a set of the classes 0 and 1, and gives the class of each of the inputs.
///
/// The p-value is exact whatever the classifier is; a better one finds smaller differences. It must not see the inputs while it learns.
///
/// ```
/// use gradwise_data::classifier_test_with;
/// use ndarray::Array2;
///
/// let noise = |seed: usize| Array2::from_shape_fn((100, 1), |(i, _)| ((i + seed) as f64 * 0.618).fract()).into_dyn();
/// let (a, b) = (noise(0), noise(500).mapv(|x| x + 0.5));
/// // Whatever is above the mean of the training samples is taken for the second set.
/// let test = classifier_test_with(&a, &b, 0, |train, inputs| {
///     let mean = train.inputs().mean().unwrap();
///     Ok(inputs.iter().map(|x| usize::from(*x > mean)).collect())
/// })?;
/// assert!(test.p_value < 1e-3);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a set has fewer than four samples, they have different numbers of features, there is not one class, 0 or 1, for each input, or
/// `classify` fails.
pub fn classifier_test_with<T: Real>(
    a: &ArrayRefD<T>,
    b: &ArrayRefD<T>,
    seed: u64,
    classify: impl FnOnce(&Labelled<T>, &ArrayRefD<T>) -> Result<Vec<usize>>,
) -> Result<TwoSample> {
    let d = n_features(WHAT, a, None)?;
    n_features(WHAT, b, Some(d))?;
    let n = a.len_of(Axis(0)).min(b.len_of(Axis(0)));
    if d == 0 {
        return Err(DataError::shape(WHAT, "at least one value a sample", a.shape()));
    }
    if n < 4 {
        let got = format!("{} and {}", a.len_of(Axis(0)), b.len_of(Axis(0)));
        return Err(DataError::value(WHAT, "at least 4 samples in each set", got));
    }
    let learned = n / 2;
    let mut random = Random::new(Purpose::Shift, seed, 1);
    let mut part = |x: &ArrayRefD<T>| -> Result<[ArrayD<T>; 2]> {
        let mut order: Vec<usize> = (0..x.len_of(Axis(0))).collect();
        random.shuffle(&mut order);
        let take = |indices: &[usize]| -> Result<ArrayD<T>> {
            let mut rows = ArrayD::default(IxDyn(&[0]));
            gather_rows(x, indices, &mut rows)?;
            Ok(rows)
        };
        Ok([take(&order[..learned])?, take(&order[learned..n])?])
    };
    let ([train_a, test_a], [train_b, test_b]) = (part(a)?, part(b)?);
    let both = |a: &ArrayD<T>, b: &ArrayD<T>| {
        concatenate(Axis(0), &[a.view(), b.view()])
            .map_err(|_| DataError::shape(WHAT, format!("{:?}", a.shape()), b.shape()))
    };
    let labels = (0..2 * learned).map(|i| usize::from(i >= learned)).collect();
    let train = Labelled::new(both(&train_a, &train_b)?, labels, 2)?;
    let test = both(&test_a, &test_b)?;
    let classes = classify(&train, &test)?;
    let half = n - learned;
    if classes.len() != 2 * half || classes.iter().any(|&class| class > 1) {
        let expected = format!("a class, 0 or 1, for each of {} inputs", 2 * half);
        return Err(DataError::value(WHAT, expected, format!("{} classes", classes.len())));
    }
    let second: usize = classes.iter().sum();
    let hits: usize = classes[half..].iter().sum();
    // Those of the second set that were found, and those of the first that were not taken for it.
    let right = hits + half - (second - hits);
    Ok(TwoSample { statistic: right as f64 / (2 * half) as f64, p_value: at_least(hits, second, half) })
}

/// The chance that of `drawn` out of `2 half` samples at least `hits` are among a given half of them (hypergeometric).
fn at_least(hits: usize, drawn: usize, half: usize) -> f64 {
    let mut logs = vec![0.0_f64];
    for i in 1..=2 * half {
        logs.push(logs[i - 1] + (i as f64).ln());
    }
    let choose = |n: usize, k: usize| logs[n] - logs[k] - logs[n - k];
    let chance = |k: usize| (choose(half, k) + choose(half, drawn - k) - choose(2 * half, drawn)).exp();
    let least = drawn.saturating_sub(half).max(hits);
    (least..=drawn.min(half)).map(chance).sum::<f64>().min(1.0)
}

/// The class of most of the nearest training samples, for each input.
fn nearest<T: Real>(train: &Labelled<T>, inputs: &ArrayRefD<T>) -> Vec<usize> {
    let table = |x: &ArrayRefD<T>| -> Vec<f64> { x.iter().map(|x| x.as_f64()).collect() };
    let n = train.labels().len();
    let d = train.inputs().len() / n;
    let k = (n as f64).sqrt() as usize | 1;
    let (known, inputs) = (table(train.inputs()), table(inputs));
    let mut distances: Vec<(f64, usize)> = Vec::with_capacity(n);
    let class = |x: &[f64]| {
        distances.clear();
        let square = |row: &[f64]| row.iter().zip(x).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        distances.extend(known.chunks_exact(d).map(square).zip(0..));
        distances.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let second = distances[..k].iter().filter(|(_, i)| train.labels()[*i] == 1).count();
        usize::from(2 * second > k)
    };
    inputs.chunks_exact(d).map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_counting() {
        // Of 4 samples 2 are drawn: of 6 ways, one has both of the given half, and four have one of each.
        assert!((at_least(2, 2, 2) - 1.0 / 6.0).abs() < 1e-12);
        assert!((at_least(1, 2, 2) - 5.0 / 6.0).abs() < 1e-12);
        assert!((at_least(0, 2, 2) - 1.0).abs() < 1e-12);
        // More are drawn than half of them: one hit at least is certain.
        assert!((at_least(1, 3, 2) - 1.0).abs() < 1e-12);
        // scipy.stats.hypergeom.sf(30, 100, 50, 48)
        assert!((at_least(31, 48, 50) - 0.004_463_403_215_667_04).abs() < 1e-12, "{}", at_least(31, 48, 50));
    }
}
