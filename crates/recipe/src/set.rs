//! Data sets as runs see them: inputs, with classes, numbers or both as targets.

use gradwise_core::{ArrayRefD, Error, Loss, Metric, Op, Reduction, Result};
use gradwise_data::{DataError, Labelled, Paired, Samples, gather_rows, gather_values};
use ndarray::{ArrayD, Axis, IxDyn};

/// The targets of some samples: their classes, numbers, or both.
///
/// A loss or a metric takes what it knows. Numbers made from classes, as by one-hot encoding or mixup, stand beside the classes, which
/// accuracy goes on to be measured by.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Target {
    /// The class of each sample.
    pub classes: Option<Vec<usize>>,
    /// Numbers (`N × …`).
    pub numbers: Option<ArrayD<f32>>,
}

impl Target {
    fn classes(&self, what: &'static str) -> Result<&[usize]> {
        self.classes.as_deref().ok_or_else(|| Error::value(what, "targets that are classes", "numbers"))
    }

    fn numbers(&self, what: &'static str) -> Result<&ArrayRefD<f32>> {
        self.numbers.as_deref().ok_or_else(|| Error::value(what, "targets that are numbers", "classes"))
    }
}

/// Some samples of a [`Set`].
#[derive(Clone, Debug, PartialEq)]
pub struct SetBatch {
    /// The inputs (`N × …`).
    pub inputs: ArrayD<f32>,
    /// Their targets.
    pub targets: Target,
    /// The index of each sample in the set.
    pub indices: Vec<usize>,
}

impl Default for SetBatch {
    fn default() -> Self {
        SetBatch { inputs: ArrayD::default(IxDyn(&[0])), targets: Target::default(), indices: Vec::new() }
    }
}

/// A data set in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    inputs: ArrayD<f32>,
    targets: Target,
    n_classes: Option<usize>,
    class_names: Vec<String>,
}

impl Set {
    /// All inputs; the first axis counts the samples.
    pub fn inputs(&self) -> &ArrayRefD<f32> {
        &self.inputs
    }

    /// All inputs, to be changed.
    pub fn inputs_mut(&mut self) -> &mut ArrayD<f32> {
        &mut self.inputs
    }

    /// The targets.
    pub fn targets(&self) -> &Target {
        &self.targets
    }

    /// The targets, to be changed.
    pub fn targets_mut(&mut self) -> &mut Target {
        &mut self.targets
    }

    /// How many classes there are, if the targets are classes.
    pub fn n_classes(&self) -> Option<usize> {
        self.n_classes
    }

    /// The names of the classes; empty where they have none.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The shape of one input.
    pub fn sample_shape(&self) -> &[usize] {
        &self.inputs.shape()[1..]
    }

    /// How many outputs a model of this set has: one a class, or one a number.
    pub fn n_outputs(&self) -> usize {
        let numbers = || self.targets.numbers.as_ref().map_or(1, |y| y.shape()[1..].iter().product());
        self.n_classes.unwrap_or_else(numbers)
    }

    /// A copy of some samples.
    ///
    /// # Errors
    /// If there are none, or an index is not below the number of samples.
    pub fn subset(&self, indices: &[usize]) -> Result<Self, DataError> {
        if indices.is_empty() {
            return Err(DataError::value("subset", "at least one sample", "none"));
        }
        let mut batch = SetBatch::default();
        self.gather(indices, &mut batch)?;
        let SetBatch { inputs, targets, .. } = batch;
        Ok(Set { inputs, targets, n_classes: self.n_classes, class_names: self.class_names.clone() })
    }
}

impl From<Labelled<f32>> for Set {
    fn from(set: Labelled<f32>) -> Self {
        let n_classes = set.n_classes();
        let class_names = (0..n_classes).map(|class| set.class_name(class)).collect();
        let (inputs, classes) = set.into_parts();
        let targets = Target { classes: Some(classes), numbers: None };
        Set { inputs, targets, n_classes: Some(n_classes), class_names }
    }
}

impl From<Paired<f32>> for Set {
    fn from(set: Paired<f32>) -> Self {
        let (inputs, numbers) = set.into_parts();
        let targets = Target { classes: None, numbers: Some(numbers) };
        Set { inputs, targets, n_classes: None, class_names: Vec::new() }
    }
}

impl Samples for Set {
    type Batch = SetBatch;

    fn len(&self) -> usize {
        self.inputs.len_of(Axis(0))
    }

    fn gather(&self, indices: &[usize], batch: &mut SetBatch) -> Result<(), DataError> {
        gather_rows(&self.inputs, indices, &mut batch.inputs)?;
        match &self.targets.classes {
            Some(classes) => gather_values(classes, indices, batch.targets.classes.get_or_insert_default())?,
            None => batch.targets.classes = None,
        }
        match &self.targets.numbers {
            Some(numbers) => {
                let nothing = || ArrayD::default(IxDyn(&[0]));
                gather_rows(numbers, indices, batch.targets.numbers.get_or_insert_with(nothing))?;
            }
            None => batch.targets.numbers = None,
        }
        batch.indices.clear();
        batch.indices.extend_from_slice(indices);
        Ok(())
    }
}

/// A loss or a metric of classes, where targets may be anything.
#[derive(Clone, Copy, Debug)]
pub struct OnClasses<L>(pub L);

/// A loss or a metric of numbers, where targets may be anything.
#[derive(Clone, Copy, Debug)]
pub struct OnNumbers<L>(pub L);

/// A loss that takes numbers where there are any, as after mixup, and classes otherwise.
#[derive(Clone, Copy, Debug)]
pub struct OnEither<L>(pub L);

type BoxOp<'a> = Box<dyn Op<f32> + 'a>;

impl<L: Loss<f32, [usize]>> Loss<f32, Target> for OnClasses<L> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn op<'a>(&'a self, targets: &'a Target, reduction: Reduction) -> Result<BoxOp<'a>> {
        self.0.op(targets.classes("loss: targets")?, reduction)
    }
}

impl<L: Loss<f32, ArrayRefD<f32>>> Loss<f32, Target> for OnNumbers<L> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn op<'a>(&'a self, targets: &'a Target, reduction: Reduction) -> Result<BoxOp<'a>> {
        self.0.op(targets.numbers("loss: targets")?, reduction)
    }
}

impl<L: Loss<f32, [usize]> + Loss<f32, ArrayRefD<f32>>> Loss<f32, Target> for OnEither<L> {
    fn name(&self) -> &'static str {
        Loss::<f32, [usize]>::name(&self.0)
    }
    fn op<'a>(&'a self, targets: &'a Target, reduction: Reduction) -> Result<BoxOp<'a>> {
        match &targets.numbers {
            Some(numbers) => Loss::<f32, ArrayRefD<f32>>::op(&self.0, numbers, reduction),
            None => Loss::<f32, [usize]>::op(&self.0, targets.classes("loss: targets")?, reduction),
        }
    }
}

macro_rules! metrics {
    ($wrapper:ident: $targets:ty, $pick:ident) => {
        impl<M: Metric<f32, $targets>> Metric<f32, Target> for $wrapper<M> {
            fn name(&self) -> &str {
                self.0.name()
            }
            fn update(
                &mut self,
                predictions: &ArrayRefD<f32>,
                targets: &Target,
                weights: Option<&[f64]>,
            ) -> Result<()> {
                self.0.update(predictions, targets.$pick("metric: targets")?, weights)
            }
            fn value(&self) -> f64 {
                self.0.value()
            }
            fn reset(&mut self) {
                self.0.reset();
            }
        }
    };
}
metrics!(OnClasses: [usize], classes);
metrics!(OnNumbers: ArrayRefD<f32>, numbers);
