//! Batch normalization, with its running statistics.

use crate::TapeExt;
use crate::build::at_least_one;
use gradwise_autograd::{Affine, Module, Tape, Var};
use gradwise_core::{Error, Param, Params, Path, Real, Result};
use gradwise_tensor::norm;
use ndarray::{Array1, ArrayD, IxDyn, Zip};

/// Batch normalization of `D` axes of positions: `y = γ (x - μ) / √(σ² + ε) + β`, with mean and variance of each channel.
///
/// - Training takes `μ` and `σ²` from the whole batch, samples and positions, and moves the running statistics towards them,
///   `running ← (1 - momentum) · running + momentum · batch`, the variance being the unbiased one (PyTorch's convention). The new
///   values are emitted through the tape; whoever owns the model applies them, once a step. A mode with a
///   [`batch_weight`](gradwise_autograd::Mode::batch_weight) has that in the place of the momentum.
/// - Evaluation takes `μ` and `σ²` from the running statistics: a sample's result does not depend on the others.
/// - A batch with fewer than two values a channel has no variance and is refused in training.
///
/// A trained one can be folded into the layer before or behind it, for evaluation: [`Module::fold`]. In a module of your own that is a line:
///
/// ```
/// use gradwise_layers::{BatchNorm2d, Conv2d, Module, Params, Real, Result, Tape, Var, fold_pair};
///
/// #[derive(Params)]
/// struct Block<T> {
///     conv: Conv2d<T>,
///     norm: BatchNorm2d<T>,
/// }
///
/// impl<T: Real> Module<T> for Block<T> {
///     fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
///         let x = self.conv.forward(tape, x)?;
///         self.norm.forward(tape, x)
///     }
///     fn fold(&mut self) {
///         fold_pair(&mut self.conv, &mut self.norm);
///     }
/// }
/// ```
///
/// Parameters are `weight` (γ, of ones) and `bias` (β, of zeros); buffers are `running_mean` and `running_var`.
///
/// Source: Ioffe and Szegedy, *Batch normalization: accelerating deep network training by reducing internal covariate shift*, ICML 2015.
///
/// ```
/// use gradwise_layers::{BatchNorm2d, ParamsExt};
///
/// let norm = BatchNorm2d::<f32>::new(16)?.with_relu();
/// assert_eq!(norm.paths(), ["weight", "bias", "running_mean", "running_var"]);
/// assert_eq!(norm.n_trainable(), 32);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm<T, const D: usize> {
    weight: Option<Param<T>>,
    bias: Option<Param<T>>,
    running_mean: Param<T>,
    running_var: Param<T>,
    momentum: f64,
    epsilon: f64,
    relu: bool,
    /// Whether a neighbour does its work: see [`Module::fold`].
    dissolved: bool,
}

/// Batch normalization of features, `[samples, channels]`, or of sequences, `[samples, channels, length]`.
pub type BatchNorm1d<T> = BatchNorm<T, 1>;
/// Batch normalization of images, `[samples, channels, height, width]`.
pub type BatchNorm2d<T> = BatchNorm<T, 2>;

impl<T: Real, const D: usize> BatchNorm<T, D> {
    /// Batch normalization of this many channels, with momentum 0.1 and ε = 1e-5.
    ///
    /// # Errors
    /// If there is no channel.
    pub fn new(channels: usize) -> Result<Self> {
        at_least_one("batch_norm: channels", channels)?;
        Ok(BatchNorm {
            weight: Some(Param::new(Array1::ones(channels))),
            bias: Some(Param::new(Array1::zeros(channels))),
            running_mean: Param::buffer(Array1::zeros(channels)),
            running_var: Param::buffer(Array1::ones(channels)),
            momentum: 0.1,
            epsilon: 1e-5,
            relu: false,
            dissolved: false,
        })
    }

    /// With this weight of a batch in the running statistics.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn with_momentum(self, momentum: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&momentum) {
            Ok(BatchNorm { momentum, ..self })
        } else {
            Err(Error::value("batch_norm: momentum", "a number in [0, 1]", momentum))
        }
    }

    /// With this ε.
    ///
    /// # Errors
    /// If it is not a positive number.
    pub fn with_epsilon(self, epsilon: f64) -> Result<Self> {
        norm::BatchNorm::new(epsilon)?;
        Ok(BatchNorm { epsilon, ..self })
    }

    /// With a ReLU behind it, in the same pass.
    #[must_use]
    pub fn with_relu(self) -> Self {
        BatchNorm { relu: true, ..self }
    }

    /// Without γ and β.
    #[must_use]
    pub fn without_affine(self) -> Self {
        BatchNorm { weight: None, bias: None, ..self }
    }

    /// With `γ = 0`: at the end of a residual block, which then begins as the identity (Goyal et al., *Accurate, large minibatch SGD*,
    /// 2017).
    #[must_use]
    pub fn zero_weight(mut self) -> Self {
        if let Some(weight) = &mut self.weight {
            weight.value.fill(T::zero());
        }
        self
    }

    /// `norm(x) + residual`, and only then the ReLU, if it has one: the end of a residual block, in one pass.
    ///
    /// # Errors
    /// If `x` does not fit, or `residual` has another shape.
    ///
    /// ```
    /// use gradwise_autograd::{Mode, Tape, Workspace};
    /// use gradwise_layers::BatchNorm1d;
    /// use ndarray::arr2;
    ///
    /// let norm = BatchNorm1d::<f64>::new(2)?.with_epsilon(1e-12)?.with_relu();
    /// let (x, more) = (arr2(&[[1.0, 1.0], [3.0, 3.0]]).into_dyn(), arr2(&[[0.5, 2.0], [0.0, -2.0]]).into_dyn());
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    /// let (x, more) = (tape.input(&x), tape.input(&more));
    /// let y = norm.forward_onto(&mut tape, x, more)?;
    /// // Normalized, x is -1 and 1 in both columns.
    /// assert!((&tape.value(y) - &arr2(&[[0.0, 1.0], [1.0, 0.0]])).iter().all(|d| d.abs() < 1e-9));
    /// # Ok::<(), gradwise_layers::Error>(())
    /// ```
    pub fn forward_onto<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var, residual: Var) -> Result<Var> {
        self.record(tape, x, Some(residual))
    }

    fn channels(&self) -> usize {
        self.running_mean.value.len()
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        let rank = shape.len() == D + 2 || (D == 1 && shape.len() == 2);
        if rank && shape[1] == self.channels() {
            return Ok(());
        }
        let positions = match D {
            1 => "] or [samples, channels, length",
            2 => ", height, width",
            _ => ", …",
        };
        let expected = format!("[samples, channels{positions}] with {} channels", self.channels());
        Err(Error::shape("batch_norm", expected, shape))
    }

    /// Emits `(1 - momentum) · old + momentum · factor(m) · batch` for a buffer, `batch` being what the operation that made `y` saved at
    /// `index`, over `m` values a channel.
    fn emit<'p>(&'p self, tape: &mut Tape<'p, T>, buffer: &'p Param<T>, y: Var, index: usize, factor: fn(f64) -> f64) {
        // Without gradients nothing is saved, and there are no statistics to be had.
        let Some(count) = tape.saved(y).and_then(|saved| saved.arrays.get(4)?.first().copied()) else { return };
        let mut new: ArrayD<T> = tape.scratch().array(IxDyn(buffer.value.shape()));
        if let Some(saved) = tape.saved(y) {
            let weight = tape.mode().batch_weight.unwrap_or(self.momentum);
            let (keep, take) = (T::of(1.0 - weight), T::of(weight * factor(count.as_f64())));
            Zip::from(&mut new)
                .and(tape.buffer(buffer))
                .and(&saved.arrays[index])
                .for_each(|new, &old, &batch| *new = keep * old + take * batch);
        }
        tape.update(buffer, new);
    }
}

impl<T: Real, const D: usize> BatchNorm<T, D> {
    /// What is left of it when it was folded into another layer.
    fn identity(&self, tape: &Tape<'_, T>, x: Var) -> Result<Var> {
        if tape.training() {
            let got = "training of a model that was folded for it";
            return Err(Error::Other(format!("batch_norm: expected evaluation, got {got}")).at(tape.path()));
        }
        Ok(x)
    }
}

// By hand, since it has no parameters left when it was folded into another layer.
impl<T: Real, const D: usize> Params<T> for BatchNorm<T, D> {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
        if !self.dissolved {
            self.weight.each(path.field("weight"), f);
            self.bias.each(path.field("bias"), f);
            self.running_mean.each(path.field("running_mean"), f);
            self.running_var.each(path.field("running_var"), f);
        }
    }

    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
        if !self.dissolved {
            self.weight.each_mut(path.field("weight"), f);
            self.bias.each_mut(path.field("bias"), f);
            self.running_mean.each_mut(path.field("running_mean"), f);
            self.running_var.each_mut(path.field("running_var"), f);
        }
    }
}

impl<T: Real, const D: usize> Module<T> for BatchNorm<T, D> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        self.record(tape, x, None)
    }

    fn as_affine(&self) -> Option<Affine> {
        if self.dissolved {
            return None;
        }
        let or = |p: &Option<Param<T>>, i: usize, default| p.as_ref().map_or(default, |p| p.value[[i]].as_f64());
        let statistics = self.running_mean.value.iter().zip(&self.running_var.value).enumerate();
        let (scale, shift) = statistics
            .map(|(i, (mean, variance))| {
                let scale = or(&self.weight, i, 1.0) / (variance.as_f64() + self.epsilon).sqrt();
                (scale, or(&self.bias, i, 0.0) - mean.as_f64() * scale)
            })
            .unzip();
        Some(Affine { scale, shift, relu: self.relu })
    }

    fn dissolve(&mut self) {
        self.dissolved = true;
    }
}

impl<T: Real, const D: usize> BatchNorm<T, D> {
    fn record<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var, residual: Option<Var>) -> Result<Var> {
        if self.dissolved {
            let y = self.identity(tape, x)?;
            return match residual {
                Some(residual) => self.onto(tape, y, residual),
                None => Ok(y),
            };
        }
        tape.layer(&self.running_mean, "batch_norm", |tape| {
            let shape = tape.shape(x)?;
            self.check(&shape).map_err(|error| error.at(tape.path()))?;
            let affine = self.weight.as_ref().zip(self.bias.as_ref()).map(|(w, b)| [tape.param(w), tape.param(b)]);
            if !tape.training() {
                let op = norm::BatchNormInference::new(self.epsilon)?.with_relu(self.relu && residual.is_none());
                let [mean, variance] = [tape.param(&self.running_mean), tape.param(&self.running_var)];
                let y = match affine {
                    Some([weight, bias]) => tape.apply(op, &[x, mean, variance, weight, bias])?,
                    None => tape.apply(op, &[x, mean, variance])?,
                };
                return match residual {
                    Some(residual) => self.onto(tape, y, residual),
                    None => Ok(y),
                };
            }
            let op = norm::BatchNorm::new(self.epsilon)?.with_relu(self.relu).with_residual(residual.is_some());
            let y = match (affine, residual) {
                (Some([weight, bias]), Some(residual)) => tape.apply(op, &[x, weight, bias, residual])?,
                (Some([weight, bias]), None) => tape.apply(op, &[x, weight, bias])?,
                (None, Some(residual)) => tape.apply(op, &[x, residual])?,
                (None, None) => tape.apply(op, &[x])?,
            };
            self.emit(tape, &self.running_mean, y, 0, |_| 1.0);
            // There are at least 2 values, or the operation would have refused.
            self.emit(tape, &self.running_var, y, 1, |n| n / (n - 1.0));
            Ok(y)
        })
    }

    /// `y + residual`, rectified if it rectifies: in passes of their own.
    fn onto<'p>(&'p self, tape: &mut Tape<'p, T>, y: Var, residual: Var) -> Result<Var> {
        let sum = tape.add(y, residual)?;
        if self.relu { tape.relu(sum) } else { Ok(sum) }
    }
}
