//! Operations by name on the tape, so that a forward pass reads like its formula.

use gradwise_autograd::{Tape, Var};
use gradwise_core::{ArrayRefD, Loss, Op, Real, Reduction, Result};
use gradwise_tensor::{self as tensor, Activation, Axes, MatMul, dropout, loss};

macro_rules! unary_functions {
    ($($(#[$doc:meta])* $name:ident: $op:ident,)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the variable is another tape's.
        fn $name(&mut self, x: Var) -> Result<Var> {
            self.op(tensor::$op, &[x])
        }
    )*};
}

macro_rules! binary_functions {
    ($($(#[$doc:meta])* $name:ident: $op:ident,)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the shapes cannot be broadcast to one.
        fn $name(&mut self, a: Var, b: Var) -> Result<Var> {
            self.op(tensor::$op, &[a, b])
        }
    )*};
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident: $op:ident,)*) => {$(
        $(#[$doc])*
        /// The reduced axes vanish; `Axes::All` reduces to one number.
        ///
        /// # Errors
        /// If an axis is not one of the array's, or nothing is left to reduce where that has no meaning.
        fn $name(&mut self, x: Var, axes: impl Into<Axes>) -> Result<Var> {
            self.op(tensor::$op::new(axes, false), &[x])
        }
    )*};
}

/// The operations of `gradwise_tensor` as functions of a tape.
///
/// Every one refuses what its operation refuses, and variables of another tape. Views (reshape, transpose, slice) are functions of the
/// tape itself.
///
/// ```
/// use gradwise_layers::{Module, Param, Params, Real, Result, Tape, TapeExt, Var};
///
/// /// y = tanh(x A) ⊙ x
/// #[derive(Params)]
/// struct Gate<T> {
///     a: Param<T>,
/// }
///
/// impl<T: Real> Module<T> for Gate<T> {
///     fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
///         let a = tape.param(&self.a);
///         let z = tape.matmul(x, a)?;
///         let gate = tape.tanh(z)?;
///         tape.mul(gate, x)
///     }
/// }
///
/// # use gradwise_layers::{Init, InitExt, Key, LecunNormal};
/// let mut gate = Gate { a: LecunNormal::new().param(&[3, 3], Key::new(1))? };
/// let x = LecunNormal::new().array(&[2, 3], Key::new(2))?;
/// gradwise_autograd::check::module(&mut gate, &x).expect("gradients of the formula");
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
pub trait TapeExt<'p, T: Real> {
    /// Applies an operation and records it: what all others are made of.
    ///
    /// # Errors
    /// What the operation refuses.
    fn op(&mut self, op: impl Op<T> + 'p, inputs: &[Var]) -> Result<Var>;

    unary_functions! {
        /// `-x`.
        neg: Neg,
        /// `|x|`.
        abs: Abs,
        /// `x²`.
        square: Square,
        /// `√x`.
        sqrt: Sqrt,
        /// `eˣ`.
        exp: Exp,
        /// The natural logarithm.
        ln: Ln,
        /// The sine.
        sin: Sin,
        /// The cosine.
        cos: Cos,
        /// `1 / x`.
        reciprocal: Reciprocal,
        /// `max(x, 0)`.
        relu: Relu,
        /// `1 / (1 + e⁻ˣ)`.
        sigmoid: Sigmoid,
        /// The hyperbolic tangent.
        tanh: Tanh,
        /// `x Φ(x)`.
        gelu: Gelu,
        /// `x / (1 + e⁻ˣ)`.
        silu: Silu,
        /// `ln(1 + eˣ)`.
        softplus: Softplus,
    }

    /// `Σ (λ₁ |x| + λ₂/2 x²) / n` over `n` samples, to be added to the loss: see [`tensor::ActivityPenalty`].
    ///
    /// # Errors
    /// If a strength is negative or not finite.
    fn activity_penalty(&mut self, x: Var, l1: f64, l2: f64) -> Result<Var> {
        self.op(tensor::ActivityPenalty::new(l1, l2)?, &[x])
    }

    /// `x` for `x > 0`, else `slope · x`.
    ///
    /// # Errors
    /// If the slope is not finite.
    fn leaky_relu(&mut self, x: Var, slope: f64) -> Result<Var> {
        self.op(tensor::LeakyRelu::new(slope)?, &[x])
    }

    /// `factor · x`.
    ///
    /// # Errors
    /// If the variable is another tape's.
    fn scale(&mut self, x: Var, factor: f64) -> Result<Var> {
        self.op(tensor::Scale { factor }, &[x])
    }

    /// `x + term`.
    ///
    /// # Errors
    /// If the variable is another tape's.
    fn add_scalar(&mut self, x: Var, term: f64) -> Result<Var> {
        self.op(tensor::AddScalar { term }, &[x])
    }

    binary_functions! {
        /// `a + b`, broadcast.
        add: Add,
        /// `a - b`, broadcast.
        sub: Sub,
        /// `a · b`, element by element, broadcast.
        mul: Mul,
        /// `a / b`, broadcast.
        div: Div,
        /// `aᵇ`, broadcast.
        pow: Pow,
        /// The larger of `a` and `b`, broadcast.
        maximum: Maximum,
        /// The smaller of `a` and `b`, broadcast.
        minimum: Minimum,
    }

    /// The matrix product `A B` of matrices `[…, m, k]` and `[…, k, n]`, leading axes broadcast. Transposed factors are views:
    /// [`Tape::transpose`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    fn matmul(&mut self, a: Var, b: Var) -> Result<Var> {
        self.op(MatMul::default(), &[a, b])
    }

    /// `f(x Wᵀ + b)` for `x` `[…, inputs]`, a weight `[outputs, inputs]` and, where there is one, a bias `[outputs]`; one operation.
    ///
    /// # Errors
    /// If the shapes do not fit.
    fn linear(&mut self, x: Var, weight: Var, bias: Option<Var>, activation: Activation) -> Result<Var> {
        match bias {
            Some(bias) => self.op(tensor::Linear::new(activation), &[x, weight, bias]),
            None => self.op(tensor::Linear::new(activation), &[x, weight]),
        }
    }

    reductions! {
        /// The sum over axes.
        sum: Sum,
        /// The mean over axes.
        mean: Mean,
        /// The largest element over axes.
        max: Max,
        /// The smallest element over axes.
        min: Min,
        /// `ln Σ eˣ` over axes.
        log_sum_exp: LogSumExp,
    }

    /// The variance over axes, divided by `n - ddof`; the reduced axes vanish.
    ///
    /// # Errors
    /// If an axis is not one of the array's, or there are no more than `ddof` elements.
    fn variance(&mut self, x: Var, axes: impl Into<Axes>, ddof: usize) -> Result<Var> {
        self.op(tensor::Variance::new(axes, false, ddof), &[x])
    }

    /// `eˣ / Σ eˣ` along an axis.
    ///
    /// # Errors
    /// If there is no such axis.
    fn softmax(&mut self, x: Var, axis: usize) -> Result<Var> {
        self.op(tensor::Softmax { axis }, &[x])
    }

    /// `x - ln Σ eˣ` along an axis: the logarithm of the softmax, without its underflow.
    ///
    /// # Errors
    /// If there is no such axis.
    fn log_softmax(&mut self, x: Var, axis: usize) -> Result<Var> {
        self.op(tensor::LogSoftmax { axis }, &[x])
    }

    /// Arrays one after the other along an axis.
    ///
    /// # Errors
    /// If there is none, no such axis, or their other axes differ.
    fn concat(&mut self, arrays: &[Var], axis: usize) -> Result<Var> {
        self.op(tensor::Concat { axis }, arrays)
    }

    /// Arrays of one shape along a new axis.
    ///
    /// # Errors
    /// If there is none, no such axis, or their shapes differ.
    fn stack(&mut self, arrays: &[Var], axis: usize) -> Result<Var> {
        self.op(tensor::Stack { axis }, arrays)
    }

    /// The elements of these indices along an axis, in any order and any number of times: rows of a table.
    ///
    /// # Errors
    /// If there is no such axis, or an index is out of range.
    fn gather(&mut self, x: Var, axis: usize, indices: &'p [usize]) -> Result<Var> {
        self.op(tensor::Gather { axis, indices }, &[x])
    }

    /// Dropout of a rate, in training.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    fn dropout(&mut self, x: Var, rate: f64) -> Result<Var> {
        self.op(dropout::Dropout::new(rate)?, &[x])
    }

    /// The mean cross-entropy of the softmax of logits `[samples, classes]` and the samples' classes. It never overflows.
    ///
    /// # Errors
    /// If there is not a label for each sample, or one is not below the number of classes.
    fn softmax_cross_entropy(&mut self, logits: Var, labels: &'p [usize]) -> Result<Var> {
        self.op(loss::SoftmaxCrossEntropy::new(loss::Targets::Classes(labels), Reduction::Mean), &[logits])
    }

    /// The mean of `(x - target)²`.
    ///
    /// # Errors
    /// If the shapes differ.
    fn mean_squared_error(&mut self, x: Var, targets: &'p ArrayRefD<T>) -> Result<Var> {
        self.op(loss::MeanSquaredError::new(targets, Reduction::Mean), &[x])
    }

    /// The mean binary cross-entropy of logits and targets in `[0, 1]`.
    ///
    /// # Errors
    /// If the shapes differ, or a target is not in `[0, 1]`.
    fn bce_with_logits(&mut self, logits: Var, targets: &'p ArrayRefD<T>) -> Result<Var> {
        self.op(loss::BinaryCrossEntropyWithLogits::new(targets, Reduction::Mean)?, &[logits])
    }

    /// Any loss of predictions against targets.
    ///
    /// # Errors
    /// If the targets cannot be those of the loss, or do not fit the predictions.
    fn loss<Y: ?Sized, L: Loss<T, Y> + ?Sized>(
        &mut self,
        loss: &'p L,
        predictions: Var,
        targets: &'p Y,
        reduction: Reduction,
    ) -> Result<Var> {
        self.op(loss.op(targets, reduction)?, &[predictions])
    }
}

impl<'p, T: Real> TapeExt<'p, T> for Tape<'p, T> {
    fn op(&mut self, op: impl Op<T> + 'p, inputs: &[Var]) -> Result<Var> {
        self.apply(op, inputs)
    }
}
