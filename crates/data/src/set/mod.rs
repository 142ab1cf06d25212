//! Data sets in memory, and what anything that gives batches promises.

mod labelled;
mod paired;
mod subset;

pub use labelled::Labelled;
pub use paired::Paired;
pub use subset::Subset;

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayD, IxDyn};
use std::sync::Arc;

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
