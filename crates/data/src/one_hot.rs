//! Class indices as rows of zeros with a single one.

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayD, IxDyn};

/// An array of shape `[labels.len(), n_classes]` with `y[i, labels[i]] = 1` and zeros elsewhere.
///
/// Losses on classes take the indices themselves; this is for soft targets, mixing of samples, and linear readouts.
///
/// ```
/// let y = gradwise_data::one_hot::<f32>(&[2, 0], 3)?;
/// assert_eq!(y, ndarray::array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].into_dyn());
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a label is not below `n_classes`.
pub fn one_hot<T: Real>(labels: &[usize], n_classes: usize) -> Result<ArrayD<T>> {
    check(labels, n_classes)?;
    let mut out = ArrayD::zeros(IxDyn(&[labels.len(), n_classes]));
    one_hot_into(labels, &mut out)?;
    Ok(out)
}

/// Writes the one-hot form of the labels over `out`, of shape `[labels.len(), n_classes]`.
///
/// # Errors
/// If `out` is not of that shape, or a label is not below its number of classes; `out` is then as it was.
pub fn one_hot_into<T: Real>(labels: &[usize], out: &mut ArrayRefD<T>) -> Result<()> {
    let &[n, n_classes] = out.shape() else {
        return Err(DataError::shape("one-hot", format!("[{}, classes]", labels.len()), out.shape()));
    };
    if n != labels.len() {
        return Err(DataError::shape("one-hot", format!("[{}, classes]", labels.len()), out.shape()));
    }
    check(labels, n_classes)?;
    out.fill(T::zero());
    for (i, &label) in labels.iter().enumerate() {
        out[[i, label]] = T::one();
    }
    Ok(())
}

fn check(labels: &[usize], n_classes: usize) -> Result<()> {
    match labels.iter().position(|&label| label >= n_classes) {
        Some(position) => {
            Err(DataError::Index { what: "one-hot: label", index: labels[position], bound: n_classes, position })
        }
        None => Ok(()),
    }
}
