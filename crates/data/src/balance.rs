//! Classes of different sizes.

use crate::draw::Random;
use crate::shuffle::Purpose;
use crate::{DataError, Result};

/// How much each class counts, so that rare ones are learned too.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum ClassWeighting {
    /// `w_c = n / (k n_c)` for `k` classes of `n_c` of `n` samples: every class counts the same as a whole, and the mean sample counts 1.
    /// scikit-learn's `"balanced"`.
    #[default]
    Balanced,
    /// `w_c ∝ (1 − β) / (1 − β^(n_c))`, with a mean of 1 over classes: samples of a large class are more and more alike, so that `n_c`
    /// of them are worth fewer. From no weighting (β = 0) to `1 / n_c` (β → 1); 0.9 to 0.9999 in the paper. Source: Cui et al.,
    /// *Class-balanced loss based on effective number of samples*, CVPR 2019, eq. 2 and section 4.1.
    Effective {
        /// β, from 0 up to below 1.
        beta: f64,
    },
}

/// The weight of each of `n_classes` classes, for a weighted loss.
///
/// ```
/// use gradwise_data::{ClassWeighting, class_weights};
///
/// let labels = [0, 0, 0, 1];
/// assert_eq!(class_weights(&labels, 2, ClassWeighting::Balanced)?, [4.0 / 6.0, 2.0]);
/// let error = class_weights(&labels, 3, ClassWeighting::Balanced).unwrap_err();
/// assert_eq!(error.to_string(), "class weights: expected samples of every class, got none of class 2");
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a class has no sample (it has no weight), a label is not below `n_classes`, or β is not in `[0, 1)`.
pub fn class_weights(labels: &[usize], n_classes: usize, weighting: ClassWeighting) -> Result<Vec<f64>> {
    const WHAT: &str = "class weights";
    let counts: Vec<f64> = by_class(WHAT, labels, n_classes)?.iter().map(|samples| samples.len() as f64).collect();
    let k = n_classes as f64;
    match weighting {
        ClassWeighting::Balanced => Ok(counts.iter().map(|count| labels.len() as f64 / (k * count)).collect()),
        ClassWeighting::Effective { beta } => {
            if !(0.0..1.0).contains(&beta) {
                return Err(DataError::value("class weights: beta", "a number from 0 and below 1", beta));
            }
            // `1 − β^n` as it is, which is small for β near 1.
            let effective = |count: &f64| if beta == 0.0 { 1.0 } else { -(count * beta.ln()).exp_m1() / (1.0 - beta) };
            let weights: Vec<f64> = counts.iter().map(|count| effective(count).recip()).collect();
            let total: f64 = weights.iter().sum();
            Ok(weights.iter().map(|weight| weight * k / total).collect())
        }
    }
}

/// The weight of each sample: that of its class, as [`class_weights`] gives it.
///
/// ```
/// assert_eq!(gradwise_data::sample_weights(&[0, 1, 0], &[0.75, 1.5])?, [0.75, 1.5, 0.75]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a label has no weight.
pub fn sample_weights(labels: &[usize], class_weights: &[f64]) -> Result<Vec<f64>> {
    let bound = class_weights.len();
    match labels.iter().position(|&label| label >= bound) {
        Some(position) => Err(DataError::Index { what: "sample weights", index: labels[position], bound, position }),
        None => Ok(labels.iter().map(|&label| class_weights[label]).collect()),
    }
}

/// The order of an epoch in which each class comes equally often: `n` samples of the set with these labels.
///
/// Classes take turns in random order, so that any stretch of the order, and so any batch, holds nearly as many of each. Each class goes
/// through all its samples in random order before one comes again: of a small class all are seen often, of a large one another part in
/// each epoch. Use it, rather than weights, where a rare class would be missing from most batches. The order depends on the seed and the
/// epoch alone; [`Batches::balanced`](crate::Batches::balanced) makes batches of it.
///
/// ```
/// let labels = [0, 0, 0, 0, 0, 0, 1, 1];
/// let order = gradwise_data::balanced_order(&labels, 2, 8, 42, 0)?;
/// assert_eq!(order.iter().filter(|&&i| labels[i] == 1).count(), 4);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a class has no sample, or a label is not below `n_classes`.
pub fn balanced_order(labels: &[usize], n_classes: usize, n: usize, seed: u64, epoch: u64) -> Result<Vec<usize>> {
    let classes = by_class("balanced order", labels, n_classes)?;
    let mut order = Vec::with_capacity(n);
    balance(&classes, n, seed, epoch, &mut order);
    Ok(order)
}

/// Writes the order of an epoch over `order`.
pub(crate) fn balance(classes: &[Vec<usize>], n: usize, seed: u64, epoch: u64, order: &mut Vec<usize>) {
    let mut random = Random::new(Purpose::Balance, seed, epoch);
    let mut turns: Vec<usize> = (0..classes.len()).collect();
    let mut left: Vec<Vec<usize>> = vec![Vec::new(); classes.len()];
    order.clear();
    while order.len() < n {
        random.shuffle(&mut turns);
        for &class in &turns {
            if order.len() == n {
                break;
            }
            if left[class].is_empty() {
                left[class].clone_from(&classes[class]);
                random.shuffle(&mut left[class]);
            }
            order.extend(left[class].pop());
        }
    }
}

/// The samples of each class, if each has some.
pub(crate) fn by_class(what: &'static str, labels: &[usize], n_classes: usize) -> Result<Vec<Vec<usize>>> {
    if n_classes == 0 {
        return Err(DataError::value(what, "at least one class", 0));
    }
    if let Some(position) = labels.iter().position(|&label| label >= n_classes) {
        return Err(DataError::Index { what, index: labels[position], bound: n_classes, position });
    }
    // A class has a sample, so that there cannot be more classes than samples: no memory for a number that was mistaken for one.
    if n_classes > labels.len() {
        let got = format!("{n_classes} classes, {} samples", labels.len());
        return Err(DataError::value(what, "samples of every class", got));
    }
    let mut classes = vec![Vec::new(); n_classes];
    labels.iter().enumerate().for_each(|(i, &label)| classes[label].push(i));
    match classes.iter().position(Vec::is_empty) {
        Some(class) => Err(DataError::value(what, "samples of every class", format!("none of class {class}"))),
        None => Ok(classes),
    }
}
