//! Data sets in memory, and what anything that gives batches promises.

use crate::{DataError, Result, gather_rows, gather_values};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayD, IxDyn};
use std::sync::{Arc, Mutex};

/// A number of samples from which batches can be gathered by index.
///
/// # Contract
/// - Samples are numbered `0..len()`; the number and the samples do not change while a loader reads them.
/// - [`Samples::gather`] writes over whatever `batch` held and uses its memory again, so that a batch no larger than an earlier
///   one allocates nothing of size. Sample `k` of the batch is sample `indices[k]` of the set.
/// - The same indices give the same batch; randomness belongs into a loader's transform.
///
/// The built-in sets hold arrays. A set of one's own may as well read files:
///
/// ```
/// use gradwise_data::{Batch, DataError, Samples};
/// use ndarray::ArrayD;
///
/// /// The numbers from 0, and their squares.
/// struct Squares(usize);
///
/// impl Samples for Squares {
///     type Batch = Batch<f32, ArrayD<f32>>;
///     fn len(&self) -> usize { self.0 }
///     fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<(), DataError> {
///         batch.inputs = ArrayD::from_shape_fn(vec![indices.len(), 1], |at| indices[at[0]] as f32);
///         batch.targets = &batch.inputs * &batch.inputs;
///         batch.indices = indices.to_vec();
///         Ok(())
///     }
/// }
///
/// let mut batch = Batch::default();
/// Squares(10).gather(&[3, 7], &mut batch)?;
/// assert_eq!(batch.targets.as_slice(), Some(&[9.0, 49.0][..]));
/// # Ok::<(), DataError>(())
/// ```
pub trait Samples {
    /// The memory of a batch.
    type Batch: Default + Send;

    /// How many samples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the samples `indices` over `batch`.
    ///
    /// # Errors
    /// If an index is not below [`Samples::len`], or a sample cannot be read.
    fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()>;
}

macro_rules! forward_samples {
    ($($pointer:ty),*) => {$(
        impl<S: Samples + ?Sized> Samples for $pointer {
            type Batch = S::Batch;
            fn len(&self) -> usize {
                (**self).len()
            }
            fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()> {
                (**self).gather(indices, batch)
            }
        }
    )*};
}
forward_samples!(&S, Box<S>, Arc<S>);

/// Targets as losses and metrics see them: class indices as `[usize]`, numbers as an array.
pub trait Targets {
    /// The borrowed form, the `Y` of a loss or a metric.
    type View: ?Sized;

    /// The targets, borrowed.
    fn view(&self) -> &Self::View;
}

impl Targets for Vec<usize> {
    type View = [usize];
    fn view(&self) -> &[usize] {
        self
    }
}

impl<T: Real> Targets for ArrayD<T> {
    type View = ArrayRefD<T>;
    fn view(&self) -> &ArrayRefD<T> {
        self
    }
}

/// Some samples: their inputs (`N × …`), their targets, and which samples of the set they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T, Y> {
    /// The inputs; the first axis counts the samples.
    pub inputs: ArrayD<T>,
    /// The targets: `Vec<usize>` for classes, `ArrayD<T>` for numbers.
    pub targets: Y,
    /// The index of each sample in the set, as an augmentation's randomness may depend on it.
    pub indices: Vec<usize>,
}

impl<T: Real, Y> Batch<T, Y> {
    /// How many samples it holds.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether it holds none, as before the first gathering.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

impl<T: Real> Default for Batch<T, Vec<usize>> {
    fn default() -> Self {
        Batch { inputs: ArrayD::default(IxDyn(&[0])), targets: Vec::new(), indices: Vec::new() }
    }
}

impl<T: Real> Default for Batch<T, ArrayD<T>> {
    fn default() -> Self {
        let nothing = || ArrayD::default(IxDyn(&[0]));
        Batch { inputs: nothing(), targets: nothing(), indices: Vec::new() }
    }
}

/// A part to learn from and a part to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TrainTest<S> {
    /// What the model, and every scaler, learns from.
    pub train: S,
    /// What is held out.
    pub test: S,
}

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

    /// A copy of the samples `indices`, as a split gives them. [`Subset`] does without the copy.
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

/// Some samples of another set, by reference or by value, without copying them.
///
/// A batch of it tells the indices in the whole set.
#[derive(Debug)]
pub struct Subset<S> {
    samples: S,
    indices: Vec<usize>,
    /// Memory for a batch's indices in the whole set.
    translated: Mutex<Vec<usize>>,
}

impl<S: Samples> Subset<S> {
    /// The samples `indices` of `samples`.
    ///
    /// # Errors
    /// If there are none, or an index is not below the number of samples.
    pub fn new(samples: S, indices: Vec<usize>) -> Result<Self> {
        not_empty("subset", &indices)?;
        let bound = samples.len();
        match indices.iter().position(|&i| i >= bound) {
            Some(position) => Err(DataError::Index { what: "subset", index: indices[position], bound, position }),
            None => Ok(Subset { samples, indices, translated: Mutex::default() }),
        }
    }

    /// Which samples of the whole set these are.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<S: Samples> Samples for Subset<S> {
    type Batch = S::Batch;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn gather(&self, indices: &[usize], batch: &mut Self::Batch) -> Result<()> {
        // The translated list is kept for the next batch. Whoever finds it in use, on another thread, makes a list of their own.
        let mut kept = self.translated.try_lock();
        let mut own = Vec::new();
        let translated = kept.as_deref_mut().unwrap_or(&mut own);
        gather_values(&self.indices, indices, translated)?;
        self.samples.gather(translated, batch)
    }
}

impl<S: Clone> Clone for Subset<S> {
    fn clone(&self) -> Self {
        Subset { samples: self.samples.clone(), indices: self.indices.clone(), translated: Mutex::default() }
    }
}

/// The array in standard layout, if it has samples.
fn samples_first<T: Real>(what: &'static str, array: ArrayD<T>) -> Result<ArrayD<T>> {
    match array.shape().first() {
        None => Err(DataError::shape(what, "a first axis of samples", array.shape())),
        Some(0) => Err(DataError::shape(what, "at least one sample", array.shape())),
        Some(_) if array.is_standard_layout() => Ok(array),
        Some(_) => Ok(array.as_standard_layout().into_owned()),
    }
}

fn not_empty(what: &'static str, indices: &[usize]) -> Result<()> {
    if indices.is_empty() { Err(DataError::value(what, "at least one sample", "none")) } else { Ok(()) }
}
