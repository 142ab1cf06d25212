//! Samples of numbers.

use super::{Batch, Samples, not_empty, samples_first};
use crate::{DataError, Result, gather_rows};
use gradwise_core::{ArrayRefD, Real};
use ndarray::ArrayD;

/// Inputs with an array of numbers each, as in regression.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired<T> {
    inputs: ArrayD<T>,
    targets: ArrayD<T>,
}

impl<T: Real> Paired<T> {
    /// A set of inputs (`N × …`) and targets (`N × …`).
    ///
    /// # Errors
    /// If there is no sample, or inputs and targets differ in their number.
    pub fn new(inputs: ArrayD<T>, targets: ArrayD<T>) -> Result<Self> {
        let inputs = samples_first("paired set: inputs", inputs)?;
        let targets = samples_first("paired set: targets", targets)?;
        if inputs.shape()[0] != targets.shape()[0] {
            let expected = format!("{} targets, one a sample", inputs.shape()[0]);
            return Err(DataError::shape("paired set", expected, targets.shape()));
        }
        Ok(Paired { inputs, targets })
    }

    /// All inputs; the first axis counts the samples.
    pub fn inputs(&self) -> &ArrayRefD<T> {
        &self.inputs
    }

    /// All inputs, to be changed in place, as by a scaler.
    pub fn inputs_mut(&mut self) -> &mut ArrayRefD<T> {
        &mut self.inputs
    }

    /// All targets; the first axis counts the samples.
    pub fn targets(&self) -> &ArrayRefD<T> {
        &self.targets
    }

    /// All targets, to be changed in place.
    pub fn targets_mut(&mut self) -> &mut ArrayRefD<T> {
        &mut self.targets
    }

    /// The shape of one input, without the axis of samples.
    pub fn sample_shape(&self) -> &[usize] {
        &self.inputs.shape()[1..]
    }

    /// A copy of the samples `indices`, as a split gives them.
    ///
    /// # Errors
    /// If there are none, or an index is not below the number of samples.
    pub fn subset(&self, indices: &[usize]) -> Result<Self> {
        not_empty("subset", indices)?;
        let mut subset = Batch::default();
        self.gather(indices, &mut subset)?;
        Ok(Paired { inputs: subset.inputs, targets: subset.targets })
    }

    /// The inputs and the targets.
    pub fn into_parts(self) -> (ArrayD<T>, ArrayD<T>) {
        (self.inputs, self.targets)
    }
}

impl<T: Real> Samples for Paired<T> {
    type Batch = Batch<T, ArrayD<T>>;

    fn len(&self) -> usize {
        self.inputs.shape()[0]
    }

    fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()> {
        gather_rows(&self.inputs, indices, &mut batch.inputs)?;
        gather_rows(&self.targets, indices, &mut batch.targets)?;
        batch.indices.clear();
        batch.indices.extend_from_slice(indices);
        Ok(())
    }
}
