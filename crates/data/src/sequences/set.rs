//! A set of sequences.

use super::PadSide;
use crate::{DataError, Result, Samples, gather_values};
use gradwise_core::Real;
use ndarray::{ArrayD, Axis, IxDyn};

/// Sequences of vectors (`length × …`, alike but for the first axis) with a target each, gathered into batches that are as long as their
/// longest.
///
/// ```
/// use gradwise_data::{Samples, SequenceBatch, Sequences};
/// use ndarray::array;
///
/// let steps = vec![array![[1.0_f32], [2.0]].into_dyn(), array![[3.0]].into_dyn(), array![[4.0], [5.0], [6.0]].into_dyn()];
/// let set = Sequences::new(steps, vec![0, 1, 0])?;
/// assert_eq!(set.lengths(), [2, 1, 3]);
///
/// let mut batch = SequenceBatch::default();
/// set.gather(&[1, 0], &mut batch)?;
/// assert_eq!(batch.inputs, array![[[3.0], [0.0]], [[1.0], [2.0]]].into_dyn());
/// assert_eq!(batch.mask, array![[1.0, 0.0], [1.0, 1.0]].into_dyn());
/// assert_eq!((batch.targets, batch.lengths), (vec![1, 0], vec![1, 2]));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences<T, Y> {
    sequences: Vec<ArrayD<T>>,
    lengths: Vec<usize>,
    targets: Vec<Y>,
    value: T,
    side: PadSide,
    longest: Option<usize>,
}

impl<T: Real, Y: Copy> Sequences<T, Y> {
    /// Sequences, and a target for each: a class, or a number. Shorter ones are filled with zeros at their end.
    ///
    /// # Errors
    /// If there is none, not one target each, or they differ in an axis other than the first.
    pub fn new(sequences: Vec<ArrayD<T>>, targets: Vec<Y>) -> Result<Self> {
        const WHAT: &str = "sequences";
        let Some(first) = sequences.first() else {
            return Err(DataError::value(WHAT, "at least one sequence", "none"));
        };
        if targets.len() != sequences.len() {
            let expected = format!("{} targets, one a sequence", sequences.len());
            return Err(DataError::shape(WHAT, expected, &[targets.len()]));
        }
        let step = first.shape().get(1..);
        if let Some(odd) = sequences.iter().find(|s| s.ndim() == 0 || s.shape().get(1..) != step) {
            let expected = format!("[steps, …] with steps of shape {:?}, as in the first", step.unwrap_or_default());
            return Err(DataError::shape(WHAT, expected, odd.shape()));
        }
        let lengths = sequences.iter().map(|s| s.shape()[0]).collect();
        Ok(Sequences { sequences, lengths, targets, value: T::zero(), side: PadSide::After, longest: None })
    }

    /// Filled with another value, or on the other side.
    #[must_use]
    pub fn padded_with(self, value: T, side: PadSide) -> Self {
        Sequences { value, side, ..self }
    }

    /// Cut to at most `length` steps, on the side on which shorter ones are filled up.
    ///
    /// # Errors
    /// If it is 0.
    pub fn cut_to(self, length: usize) -> Result<Self> {
        if length == 0 {
            return Err(DataError::value("sequences: longest", "at least 1", length));
        }
        Ok(Sequences { longest: Some(length), ..self })
    }

    /// The length of each sequence, as it was given: what [`length_buckets`](crate::length_buckets) wants.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }
}

/// Some sequences, filled up to one length.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceBatch<T, Y> {
    /// The sequences, `[N, length, …]`.
    pub inputs: ArrayD<T>,
    /// `[N, length]`: 1 where a step is real, 0 where it was filled up.
    pub mask: ArrayD<T>,
    /// How many steps of each sequence there are.
    pub lengths: Vec<usize>,
    /// The targets.
    pub targets: Vec<Y>,
    /// The index of each sequence in the set.
    pub indices: Vec<usize>,
}

impl<T: Real, Y> Default for SequenceBatch<T, Y> {
    fn default() -> Self {
        let nothing = || ArrayD::default(IxDyn(&[0]));
        let (lengths, targets, indices) = (Vec::new(), Vec::new(), Vec::new());
        SequenceBatch { inputs: nothing(), mask: nothing(), lengths, targets, indices }
    }
}

impl<T: Real, Y: Copy + Send> Samples for Sequences<T, Y> {
    type Batch = SequenceBatch<T, Y>;

    fn len(&self) -> usize {
        self.sequences.len()
    }

    fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()> {
        gather_values(&self.targets, indices, &mut batch.targets)?;
        gather_values(&self.lengths, indices, &mut batch.lengths)?;
        let most = self.longest.unwrap_or(usize::MAX);
        batch.lengths.iter_mut().for_each(|length| *length = (*length).min(most));
        let length = batch.lengths.iter().copied().max().unwrap_or(0);
        let step = &self.sequences[0].shape()[1..];
        crate::gather::reshape(&mut batch.inputs, indices.len(), &[&[length], step].concat());
        crate::gather::reshape(&mut batch.mask, indices.len(), &[length]);
        batch.inputs.fill(self.value);
        batch.mask.fill(T::zero());
        for (row, (&i, &kept)) in indices.iter().zip(&batch.lengths).enumerate() {
            let given = self.lengths[i];
            let (from, to) = match self.side {
                PadSide::After => (0..kept, 0..kept),
                PadSide::Before => (given - kept..given, length - kept..length),
            };
            let steps = self.sequences[i].slice_axis(Axis(0), from.into());
            batch.inputs.index_axis_mut(Axis(0), row).slice_axis_mut(Axis(0), to.clone().into()).assign(&steps);
            batch.mask.index_axis_mut(Axis(0), row).slice_axis_mut(Axis(0), to.into()).fill(T::one());
        }
        batch.indices.clear();
        batch.indices.extend_from_slice(indices);
        Ok(())
    }
}
