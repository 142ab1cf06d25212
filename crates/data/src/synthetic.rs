//! Small sets with a known answer, as the literature uses them.
//!
//! Each is made from a seed, is the same on every machine, and stands in random order. Options are those of scikit-learn's `make_…`
//! functions, whose numbers are others.

use crate::draw::Random;
use crate::shuffle::Purpose;
use crate::{DataError, Labelled, Paired, Result};
use gradwise_core::Real;
use ndarray::{ArrayD, IxDyn};
use std::f64::consts::PI;

/// Two circles about the origin, one in the other: class 0 has the radius 1, class 1 the radius `factor`. No line divides them.
///
/// Points are evenly spaced on each, with normal noise of the standard deviation `noise`. Class 0 has one point more where `n` is odd.
///
/// ```
/// let set = gradwise_data::circles::<f32>(100, 0.5, 0.0, 42)?;
/// let radius = |i: usize| set.inputs()[[i, 0]].hypot(set.inputs()[[i, 1]]);
/// assert!((0..100).all(|i| (radius(i) - [1.0, 0.5][set.labels()[i]]).abs() < 1e-6));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there are fewer than two points, the factor is not between 0 and 1, or the noise is negative or not finite.
pub fn circles<T: Real>(n: usize, factor: f64, noise: f64, seed: u64) -> Result<Labelled<T>> {
    if !(factor > 0.0 && factor < 1.0) {
        return Err(DataError::value("circles: factor", "a number above 0 and below 1", factor));
    }
    planar("circles", n, 2, noise, seed, |class, share, _| {
        let radius = if class == 0 { 1.0 } else { factor };
        let (sin, cos) = (2.0 * PI * share).sin_cos();
        [radius * cos, radius * sin]
    })
}

/// Two half circles that reach into each other: class 0 the upper half about (0, 0), class 1 the lower half about (1, ½).
///
/// Points are evenly spaced on each, with normal noise of the standard deviation `noise`. Class 0 has one point more where `n` is odd.
///
/// ```
/// let set = gradwise_data::moons::<f32>(100, 0.1, 42)?;
/// assert_eq!(set.class_counts(), [50, 50]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there are fewer than two points, or the noise is negative or not finite.
pub fn moons<T: Real>(n: usize, noise: f64, seed: u64) -> Result<Labelled<T>> {
    planar("moons", n, 2, noise, seed, |class, _, closed| {
        let (sin, cos) = (PI * closed).sin_cos();
        if class == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
    })
}

/// Spirals that wind about each other from the origin outwards, one for each of `n_classes` classes, `turns` times round.
///
/// Point `i` of a class has the radius `i / (points − 1)`, and normal noise of the standard deviation `noise`. With two classes it is the
/// task of Lang and Witbrock, *Learning to tell two spirals apart*, 1988 (three turns), hard for small nets; with three and less than a
/// turn the picture of many courses.
///
/// ```
/// let set = gradwise_data::spirals::<f32>(300, 3, 0.75, 0.02, 42)?;
/// assert_eq!((set.n_classes(), set.class_counts()), (3, vec![100, 100, 100]));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there are no classes or fewer points than classes, or turns or noise are negative or not finite.
pub fn spirals<T: Real>(n: usize, n_classes: usize, turns: f64, noise: f64, seed: u64) -> Result<Labelled<T>> {
    not_negative("spirals: turns", turns)?;
    planar("spirals", n, n_classes, noise, seed, |class, _, radius| {
        let (sin, cos) = (2.0 * PI * (turns * radius + class as f64 / n_classes as f64)).sin_cos();
        [radius * cos, radius * sin]
    })
}

/// Points in the plane, divided evenly among classes: `point` gets the class and where on its curve the point stands, from 0 to below 1
/// and from 0 to 1.
fn planar<T: Real>(
    what: &'static str,
    n: usize,
    n_classes: usize,
    noise: f64,
    seed: u64,
    point: impl Fn(usize, f64, f64) -> [f64; 2],
) -> Result<Labelled<T>> {
    if n_classes == 0 || n < n_classes {
        return Err(DataError::value(
            what,
            "at least one class, and one point of each",
            format!("{n_classes} and {n}"),
        ));
    }
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(DataError::value(what, "noise that is a finite number of at least 0", noise));
    }
    let mut random = Random::new(Purpose::Synthetic, seed, 0);
    let mut points = Vec::with_capacity(n);
    for class in 0..n_classes {
        // The first classes have one more where they cannot all have as many.
        let count = n / n_classes + usize::from(class < n % n_classes);
        for i in 0..count {
            let closed = if count > 1 { i as f64 / (count - 1) as f64 } else { 0.0 };
            let [x, y] = point(class, i as f64 / count as f64, closed);
            points.push((class, [x + noise * random.normal(), y + noise * random.normal()]));
        }
    }
    random.shuffle(&mut points);
    let values = points.iter().flat_map(|(_, point)| point.map(T::of)).collect();
    Labelled::new(table(values, n, 2), points.iter().map(|(class, _)| *class).collect(), n_classes)
}

/// Clouds of normally distributed points about random centres, one for each of `n_classes` classes, in `d` dimensions.
///
/// Centres are uniform in `[−10, 10]^d`, points lie about them with the standard deviation `std`. A net that does not learn these has a
/// fault.
///
/// ```
/// let set = gradwise_data::blobs::<f32>(60, 3, 5, 1.0, 42)?;
/// assert_eq!((set.sample_shape(), set.class_counts()), (&[5][..], vec![20, 20, 20]));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there are no classes, dimensions, or fewer points than classes, or the deviation is negative or not finite.
pub fn blobs<T: Real>(n: usize, n_classes: usize, d: usize, std: f64, seed: u64) -> Result<Labelled<T>> {
    if n_classes == 0 || n < n_classes || d == 0 {
        let got = format!("{n_classes} classes of {n} points in {d} dimensions");
        return Err(DataError::value("blobs", "at least one class, a point of each, and one dimension", got));
    }
    not_negative("blobs: std", std)?;
    let mut random = Random::new(Purpose::Synthetic, seed, 1);
    let centres: Vec<f64> = (0..n_classes * d).map(|_| 20.0 * random.uniform() - 10.0).collect();
    let mut labels: Vec<usize> = (0..n).map(|i| i % n_classes).collect();
    random.shuffle(&mut labels);
    let values = labels.iter().flat_map(|&class| centres[class * d..(class + 1) * d].to_vec());
    let values = values.map(|centre| T::of(centre + std * random.normal())).collect();
    Labelled::new(table(values, n, d), labels, n_classes)
}

/// Samples with several labels at once, as documents with several topics: how often each of `n_features` words occurs, and which of
/// `n_labels` topics there are, as zeros and ones.
///
/// Each topic has a distribution over words. A sample has a number of topics that is Poisson distributed with the mean `labels_a_sample`
/// (at most all), and a number of words with the mean 50, each drawn from one of its topics; without a topic it has any word. As
/// scikit-learn's `make_multilabel_classification`.
///
/// ```
/// let set = gradwise_data::multilabel::<f32>(50, 20, 5, 2.0, 42)?;
/// assert_eq!((set.inputs().shape(), set.targets().shape()), (&[50, 20][..], &[50, 5][..]));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there are no samples, features or labels, or the mean number of labels is not between 0 and 100.
pub fn multilabel<T: Real>(
    n: usize,
    n_features: usize,
    n_labels: usize,
    labels_a_sample: f64,
    seed: u64,
) -> Result<Paired<T>> {
    if n == 0 || n_features == 0 || n_labels == 0 {
        let got = format!("{n}, {n_features} and {n_labels}");
        return Err(DataError::value("multilabel: samples, features and labels", "at least one of each", got));
    }
    if !(0.0..=100.0).contains(&labels_a_sample) {
        return Err(DataError::value("multilabel: labels a sample", "a number from 0 to 100", labels_a_sample));
    }
    const WORDS: f64 = 50.0;
    let mut random = Random::new(Purpose::Synthetic, seed, 2);
    // For each topic the running sum over words of random weights.
    let topics: Vec<Vec<f64>> = (0..n_labels)
        .map(|_| {
            let mut sum = 0.0;
            let weights = (0..n_features).map(|_| {
                sum += random.uniform();
                sum
            });
            weights.collect()
        })
        .collect();
    let (mut words, mut targets) = (vec![T::zero(); n * n_features], vec![T::zero(); n * n_labels]);
    let mut order: Vec<usize> = (0..n_labels).collect();
    for i in 0..n {
        let k = poisson(&mut random, labels_a_sample).min(n_labels);
        random.shuffle(&mut order);
        order[..k].iter().for_each(|&label| targets[i * n_labels + label] = T::one());
        for _ in 0..poisson(&mut random, WORDS) {
            let word = if k == 0 {
                random.below(n_features)
            } else {
                let sums = &topics[order[random.below(k)]];
                let at = random.uniform() * sums[n_features - 1];
                sums.partition_point(|&sum| sum <= at).min(n_features - 1)
            };
            words[i * n_features + word] += T::one();
        }
    }
    Paired::new(table(words, n, n_features), table(targets, n, n_labels))
}

/// A Poisson distributed number: how many uniform numbers can be multiplied before the product falls below `e^(−mean)` (Knuth). For means
/// up to a hundred, above which that bound would lose digits.
fn poisson(random: &mut Random, mean: f64) -> usize {
    let (bound, mut product, mut count) = ((-mean).exp(), 1.0, 0);
    loop {
        product *= random.uniform();
        if product <= bound {
            return count;
        }
        count += 1;
    }
}

fn table<T: Real>(values: Vec<T>, n: usize, d: usize) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(&[n, d]), values).unwrap_or_else(|_| unreachable!("there are n rows of d values"))
}

fn not_negative(what: &'static str, x: f64) -> Result<()> {
    if x >= 0.0 && x.is_finite() { Ok(()) } else { Err(DataError::value(what, "a finite number of at least 0", x)) }
}
