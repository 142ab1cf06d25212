//! Samples of classes.

use super::{Batch, Samples, TrainTest, not_empty, samples_first};
use crate::{DataError, Result, gather_rows, gather_values};
use gradwise_core::{ArrayRefD, Real};
use ndarray::ArrayD;

/// Inputs with one class each.
///
/// ```
/// use gradwise_data::{Labelled, Samples};
/// use ndarray::array;
///
/// let points = array![[0.0_f32, 1.0], [1.0, 0.0], [0.9, 0.1]].into_dyn();
/// let set = Labelled::new(points, vec![0, 1, 1], 2)?;
/// assert_eq!((set.len(), set.sample_shape(), set.class_counts()), (3, &[2][..], vec![1, 2]));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled<T> {
    inputs: ArrayD<T>,
    labels: Vec<usize>,
    n_classes: usize,
    class_names: Vec<String>,
}

impl<T: Real> Labelled<T> {
    /// A set of inputs (`N × …`) and labels below `n_classes`. Classes are named by their numbers.
    ///
    /// # Errors
    /// If there is no sample, not one label a sample, or a label is not below `n_classes`.
    pub fn new(inputs: ArrayD<T>, labels: Vec<usize>, n_classes: usize) -> Result<Self> {
        let inputs = samples_first("labelled set", inputs)?;
        if labels.len() != inputs.shape()[0] {
            let expected = format!("{} labels, one a sample", inputs.shape()[0]);
            return Err(DataError::shape("labelled set", expected, &[labels.len()]));
        }
        if let Some(position) = labels.iter().position(|&label| label >= n_classes) {
            let index = labels[position];
            return Err(DataError::Index { what: "labelled set: label", index, bound: n_classes, position });
        }
        Ok(Labelled { inputs, labels, n_classes, class_names: Vec::new() })
    }

    /// The same set with names for its classes.
    ///
    /// # Errors
    /// If there is not one name a class.
    pub fn with_class_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.n_classes {
            let expected = format!("{} names, one a class", self.n_classes);
            return Err(DataError::value("labelled set: class names", expected, names.len()));
        }
        self.class_names = names;
        Ok(self)
    }

    /// All inputs; the first axis counts the samples.
    pub fn inputs(&self) -> &ArrayRefD<T> {
        &self.inputs
    }

    /// All inputs, to be changed in place, as by a scaler.
    pub fn inputs_mut(&mut self) -> &mut ArrayRefD<T> {
        &mut self.inputs
    }

    /// The class of each sample.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// How many classes there are, those without a sample included.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The name of a class; its number where it was given none.
    pub fn class_name(&self, class: usize) -> String {
        self.class_names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// The shape of one input, without the axis of samples.
    pub fn sample_shape(&self) -> &[usize] {
        &self.inputs.shape()[1..]
    }

    /// How many samples each class has.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_classes];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// A copy of the samples `indices`, as a split gives them. [`Subset`](crate::Subset) does without the copy.
    ///
    /// # Errors
    /// If there are none, or an index is not below the number of samples.
    pub fn subset(&self, indices: &[usize]) -> Result<Self> {
        not_empty("subset", indices)?;
        let mut subset = Batch::default();
        self.gather(indices, &mut subset)?;
        let Batch { inputs, targets, .. } = subset;
        Ok(Labelled { inputs, labels: targets, n_classes: self.n_classes, class_names: self.class_names.clone() })
    }

    /// Two copies, by the two lists of a [`stratified_split`](crate::stratified_split).
    ///
    /// # Errors
    /// As [`Labelled::subset`].
    pub fn train_test(&self, parts: &TrainTest<Vec<usize>>) -> Result<TrainTest<Self>> {
        Ok(TrainTest { train: self.subset(&parts.train)?, test: self.subset(&parts.test)? })
    }

    /// The inputs and the labels.
    pub fn into_parts(self) -> (ArrayD<T>, Vec<usize>) {
        (self.inputs, self.labels)
    }
}

impl<T: Real> Samples for Labelled<T> {
    type Batch = Batch<T, Vec<usize>>;

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()> {
        gather_rows(&self.inputs, indices, &mut batch.inputs)?;
        gather_values(&self.labels, indices, &mut batch.targets)?;
        batch.indices.clear();
        batch.indices.extend_from_slice(indices);
        Ok(())
    }
}
