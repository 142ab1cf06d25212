//! Copying chosen samples into memory that is used again.

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayD, Axis, Dimension, IxDyn};

/// Copies the samples `indices` of `source` (`N × …`) into `out`, which becomes an array of shape `[indices.len(), …]`.
///
/// The memory of `out` is used again: a batch that is not larger than one `out` held before allocates nothing. An index may occur
/// several times.
///
/// ```
/// use gradwise_data::gather_rows;
/// use ndarray::{ArrayD, array};
///
/// let all = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].into_dyn();
/// let mut batch = ArrayD::default(vec![0]);
/// gather_rows(&all, &[2, 0], &mut batch)?;
/// assert_eq!(batch, array![[5.0, 6.0], [1.0, 2.0]].into_dyn());
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If an index is not below the number of samples, or `source` has no axis; `out` is then as it was.
pub fn gather_rows<T: Real>(source: &ArrayRefD<T>, indices: &[usize], out: &mut ArrayD<T>) -> Result<()> {
    let Some((&n, sample)) = source.shape().split_first() else {
        return Err(DataError::shape("gather", "a first axis of samples", &[]));
    };
    check_indices(indices, n)?;
    reshape(out, indices.len(), sample);
    let len: usize = sample.iter().product();
    match (source.as_slice(), out.as_slice_mut()) {
        (Some(from), Some(to)) => {
            // With samples of no elements there is nothing to copy, and chunks of 0 would be refused.
            for (row, &i) in to.chunks_exact_mut(len.max(1)).zip(indices) {
                row.copy_from_slice(&from[i * len..(i + 1) * len]);
            }
        }
        _ => {
            for (mut row, &i) in out.axis_iter_mut(Axis(0)).zip(indices) {
                row.assign(&source.index_axis(Axis(0), i));
            }
        }
    }
    Ok(())
}

/// Copies the values `indices` of `source`, such as labels, over `out`, whose memory is used again.
///
/// # Errors
/// If an index is not below the number of values; `out` is then as it was.
pub fn gather_values<V: Copy>(source: &[V], indices: &[usize], out: &mut Vec<V>) -> Result<()> {
    check_indices(indices, source.len())?;
    out.clear();
    out.extend(indices.iter().map(|&i| source[i]));
    Ok(())
}

fn check_indices(indices: &[usize], n: usize) -> Result<()> {
    match indices.iter().position(|&i| i >= n) {
        Some(position) => Err(DataError::Index { what: "gather", index: indices[position], bound: n, position }),
        None => Ok(()),
    }
}

/// Gives `out` the shape `[n, sample…]` in standard layout, in the memory it has; what it holds afterwards is unspecified.
pub(crate) fn reshape<T: Real>(out: &mut ArrayD<T>, n: usize, sample: &[usize]) {
    let fits = out.shape().split_first().is_some_and(|(&first, rest)| first == n && rest == sample);
    if fits && out.is_standard_layout() {
        return;
    }
    let mut shape = IxDyn::zeros(sample.len() + 1);
    shape[0] = n;
    shape.slice_mut()[1..].copy_from_slice(sample);
    let nothing = ArrayD::from_shape_vec(IxDyn(&[0]), Vec::new());
    let nothing = nothing.unwrap_or_else(|_| unreachable!("no elements fit into no elements"));
    let mut memory = std::mem::replace(out, nothing).into_raw_vec_and_offset().0;
    memory.resize(shape.size(), T::zero());
    *out = ArrayD::from_shape_vec(shape, memory).unwrap_or_else(|_| unreachable!("memory of the shape's size"));
}
