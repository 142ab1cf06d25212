//! Filling sequences up to one length.

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{Array2, ArrayD, Axis, IxDyn};

/// Where a sequence is filled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum PadSide {
    /// After its end: for nets that are told the lengths, or a mask.
    #[default]
    After,
    /// Before its beginning: so that the last place of each sequence is its last step, as a recurrent net without a mask needs it.
    Before,
}

/// Sequences of one length, and which of their places are real.
#[derive(Clone, Debug, PartialEq)]
pub struct Padded<A, T> {
    /// The sequences, `[N, length, …]`.
    pub values: A,
    /// `[N, length]`: 1 where a place is real, 0 where it was filled up.
    pub mask: Array2<T>,
    /// The length of each sequence as it is here; one that was cut has the length of all.
    pub lengths: Vec<usize>,
}

/// Fills sequences of vectors (`length × …`, alike but for the first axis) up to the longest, or up or down to `length`, with a value.
///
/// Longer ones are cut on the side on which shorter ones are filled.
///
/// ```
/// use gradwise_data::{PadSide, pad};
/// use ndarray::array;
///
/// let steps = [array![[1.0], [2.0]].into_dyn(), array![[3.0]].into_dyn()];
/// let padded = pad(&steps, 0.0, None, PadSide::After)?;
/// assert_eq!(padded.values, array![[[1.0], [2.0]], [[3.0], [0.0]]].into_dyn());
/// assert_eq!(padded.mask, array![[1.0, 1.0], [1.0, 0.0]]);
/// assert_eq!(padded.lengths, [2, 1]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there is no sequence, one has no axis of steps, or they differ in another axis.
pub fn pad<T: Real>(
    sequences: &[ArrayD<T>],
    value: T,
    length: Option<usize>,
    side: PadSide,
) -> Result<Padded<ArrayD<T>, T>> {
    let Some(first) = sequences.first() else {
        return Err(DataError::value("pad", "at least one sequence", "none"));
    };
    let Some(step) = first.shape().get(1..) else {
        return Err(DataError::shape("pad", "a first axis of steps", first.shape()));
    };
    for sequence in sequences {
        if sequence.shape().get(1..) != Some(step) {
            let expected = format!("steps of shape {step:?}, as in the first sequence");
            return Err(DataError::shape("pad", expected, sequence.shape()));
        }
    }
    let given: Vec<usize> = sequences.iter().map(|s| s.shape()[0]).collect();
    let length = length.unwrap_or_else(|| given.iter().copied().max().unwrap_or(0));
    let mut values = ArrayD::from_elem(IxDyn(&[&[sequences.len(), length], step].concat()), value);
    let places = places(&given, length, side);
    for ((i, sequence), place) in sequences.iter().enumerate().zip(&places) {
        let source: &ArrayRefD<T> = sequence;
        let mut row = values.index_axis_mut(Axis(0), i);
        row.slice_axis_mut(Axis(0), place.to.clone().into())
            .assign(&source.slice_axis(Axis(0), place.from.clone().into()));
    }
    Ok(Padded { values, mask: mask(&places, length), lengths: places.iter().map(|place| place.to.len()).collect() })
}

/// Fills sequences of indices, such as words, up to the longest, or up or down to `length`, with an index that stands for nothing.
///
/// Longer ones are cut on the side on which shorter ones are filled.
///
/// ```
/// use gradwise_data::{PadSide, pad_tokens};
/// use ndarray::array;
///
/// let padded = pad_tokens::<f32, _>(&[vec![5, 6, 7], vec![8]], 0, Some(2), PadSide::Before)?;
/// assert_eq!(padded.values, array![[6, 7], [0, 8]]);
/// assert_eq!((padded.mask, padded.lengths), (array![[1.0, 1.0], [0.0, 1.0]], vec![2, 1]));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there is no sequence.
pub fn pad_tokens<T: Real, S: AsRef<[usize]>>(
    sequences: &[S],
    value: usize,
    length: Option<usize>,
    side: PadSide,
) -> Result<Padded<Array2<usize>, T>> {
    let given: Vec<usize> = sequences.iter().map(|s| s.as_ref().len()).collect();
    let Some(longest) = given.iter().copied().max() else {
        return Err(DataError::value("pad", "at least one sequence", "none"));
    };
    let length = length.unwrap_or(longest);
    let mut values = Array2::from_elem((sequences.len(), length), value);
    let places = places(&given, length, side);
    for ((mut row, sequence), place) in values.outer_iter_mut().zip(sequences).zip(&places) {
        for (to, from) in place.to.clone().zip(place.from.clone()) {
            row[to] = sequence.as_ref()[from];
        }
    }
    Ok(Padded { values, mask: mask(&places, length), lengths: places.iter().map(|place| place.to.len()).collect() })
}

/// Which steps of a sequence go to which places.
struct Place {
    from: std::ops::Range<usize>,
    to: std::ops::Range<usize>,
}

fn places(given: &[usize], length: usize, side: PadSide) -> Vec<Place> {
    let place = |&n: &usize| {
        let kept = n.min(length);
        match side {
            PadSide::After => Place { from: 0..kept, to: 0..kept },
            PadSide::Before => Place { from: n - kept..n, to: length - kept..length },
        }
    };
    given.iter().map(place).collect()
}

fn mask<T: Real>(places: &[Place], length: usize) -> Array2<T> {
    let real = |(i, at): (usize, usize)| if places[i].to.contains(&at) { T::one() } else { T::zero() };
    Array2::from_shape_fn((places.len(), length), real)
}
