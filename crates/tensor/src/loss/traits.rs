//! The losses as [`Loss`]: what a training loop is given.

use super::cross_entropy::{check_smoothing, check_weights};
use super::{
    BinaryCrossEntropyWithLogits, Huber, HuberError, MeanAbsoluteError, MeanSquaredError, SoftmaxCrossEntropy, Targets,
    WeightedLogistic,
};
use gradwise_core::{ArrayRefD, Error, Loss, Op, Real, Reduction, Result};

/// [`SoftmaxCrossEntropy`] as a loss: from logits, against class indices (`[usize]`) or distributions ([`ArrayRefD<T>`]).
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::CrossEntropyLoss};
/// use ndarray::arr2;
///
/// let loss = CrossEntropyLoss::default().label_smoothing(0.1)?;
/// let op = loss.op(&[0_usize, 1][..], Reduction::Mean)?;
/// let (value, _) = Eager::default().forward(&*op, &[arr2(&[[3.0_f32, -1.0], [-1.0, 3.0]]).into_dyn().view()])?;
/// assert!((value[[]] - 0.218).abs() < 1e-3);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CrossEntropyLoss {
    smoothing: f64,
    weights: Option<Vec<f64>>,
    ignored: Option<usize>,
}

impl CrossEntropyLoss {
    /// With this share of the target spread evenly over all classes, commonly 0.1.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn label_smoothing(self, smoothing: f64) -> Result<Self> {
        check_smoothing(smoothing)?;
        Ok(CrossEntropyLoss { smoothing, ..self })
    }

    /// With a weight for each class.
    ///
    /// # Errors
    /// If a weight is negative or not finite.
    pub fn class_weights(self, weights: Vec<f64>) -> Result<Self> {
        check_weights("cross_entropy: class weight", &weights)?;
        Ok(CrossEntropyLoss { weights: Some(weights), ..self })
    }

    /// With a class index whose samples do not count.
    #[must_use]
    pub fn ignored(self, class: usize) -> Self {
        CrossEntropyLoss { ignored: Some(class), ..self }
    }

    fn against<'a, T: Real>(&'a self, targets: Targets<'a, T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        let mut op = SoftmaxCrossEntropy::new(targets, reduction).label_smoothing(self.smoothing)?;
        if let Some(weights) = &self.weights {
            op = op.class_weights(weights)?;
        }
        if let Some(class) = self.ignored {
            op = op.ignored(class);
        }
        Ok(Box::new(op))
    }
}

impl<T: Real> Loss<T, [usize]> for CrossEntropyLoss {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn op<'a>(&'a self, targets: &'a [usize], reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        self.against(Targets::Classes(targets), reduction)
    }
    fn weight(&self, targets: &[usize], sample: usize) -> f64 {
        match targets.get(sample) {
            Some(class) if Some(*class) == self.ignored => 0.0,
            Some(class) => self.weights.as_ref().and_then(|weights| weights.get(*class)).copied().unwrap_or(1.0),
            None => 1.0,
        }
    }
}

impl<T: Real> Loss<T, ArrayRefD<T>> for CrossEntropyLoss {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        if let Some(target) = targets.iter().find(|target| !(**target >= T::zero() && target.is_finite())) {
            return Err(Error::value("cross_entropy: soft target", "a finite number, at least 0", target));
        }
        self.against(Targets::Soft(targets), reduction)
    }
}

/// [`MeanSquaredError`] as a loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MseLoss;

impl<T: Real> Loss<T, ArrayRefD<T>> for MseLoss {
    fn name(&self) -> &'static str {
        "mean_squared_error"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(MeanSquaredError::new(targets, reduction)))
    }
}

/// [`MeanAbsoluteError`] as a loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MaeLoss;

impl<T: Real> Loss<T, ArrayRefD<T>> for MaeLoss {
    fn name(&self) -> &'static str {
        "mean_absolute_error"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(MeanAbsoluteError::new(targets, reduction)))
    }
}

/// [`Huber`] as a loss.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HuberLoss {
    delta: f64,
}

impl HuberLoss {
    /// With the error from which on the loss grows linearly, commonly 1.
    ///
    /// # Errors
    /// If `delta` is not a positive number.
    pub fn new(delta: f64) -> Result<Self> {
        HuberError::new(delta)?;
        Ok(HuberLoss { delta })
    }
}

impl<T: Real> Loss<T, ArrayRefD<T>> for HuberLoss {
    fn name(&self) -> &'static str {
        "huber"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(Huber::new(targets, reduction, self.delta)?))
    }
}

/// [`BinaryCrossEntropyWithLogits`] as a loss.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BceWithLogitsLoss {
    weights: Option<Vec<f64>>,
}

impl BceWithLogitsLoss {
    /// With weights of the positive class: one for all elements, or one for each element of a sample.
    ///
    /// # Errors
    /// If there is no weight, or one is negative or not finite.
    pub fn positive_weights(self, weights: Vec<f64>) -> Result<Self> {
        WeightedLogistic::new(&weights)?;
        Ok(BceWithLogitsLoss { weights: Some(weights) })
    }
}

impl<T: Real> Loss<T, ArrayRefD<T>> for BceWithLogitsLoss {
    fn name(&self) -> &'static str {
        "bce_with_logits"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        let op = BinaryCrossEntropyWithLogits::new(targets, reduction)?;
        Ok(match &self.weights {
            Some(weights) => Box::new(op.positive_weights(weights)?),
            None => Box::new(op),
        })
    }
}
