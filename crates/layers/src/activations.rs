//! Activations as layers. Their formulas stand with the operations of the same names in `gradwise_tensor`.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Real, Result};
use gradwise_derive::Params;
use gradwise_tensor as tensor;

macro_rules! activations {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Params)]
        pub struct $name;

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                tape.apply(tensor::$name, &[x])
            }
        }
    )*};
}

activations! {
    /// `max(x, 0)`. Cheap, does not saturate, and makes outputs sparse.
    Relu;
    /// `1 / (1 + e⁻ˣ)`. Its derivative is at most 1/4: deep stacks of it let gradients vanish.
    Sigmoid;
    /// `ln(1 / (1 + e⁻ˣ))`.
    LogSigmoid;
    /// The hyperbolic tangent.
    Tanh;
    /// The Gaussian error linear unit `x Φ(x)`, exact.
    Gelu;
    /// GELU by its tanh approximation.
    GeluTanh;
    /// `x / (1 + e⁻ˣ)`, also called swish.
    Silu;
    /// `x tanh(softplus(x))`.
    Mish;
    /// `ln(1 + eˣ)`.
    Softplus;
    /// `x / (1 + |x|)`.
    Softsign;
    /// The scaled exponential linear unit; for LeCun normal weights and inputs of mean 0 and variance 1.
    Selu;
    /// `clamp(x/6 + 1/2, 0, 1)`.
    HardSigmoid;
    /// `x clamp(x/6 + 1/2, 0, 1)`.
    HardSwish;
}

macro_rules! activations_with {
    ($($(#[$doc:meta])* $name:ident($op:ident), $(#[$new_doc:meta])* $new:ident($($option:ident),*);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Params)]
        pub struct $name(#[params(skip)] tensor::$op);

        impl $name {
            $(#[$new_doc])*
            pub fn $new($($option: f64),*) -> Result<Self> {
                Ok($name(tensor::$op::new($($option),*)?))
            }
        }

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                tape.apply(self.0, &[x])
            }
        }
    )*};
}

activations_with! {
    /// `x` for `x > 0`, else `slope · x`.
    LeakyRelu(LeakyRelu),
    /// A leaky ReLU; 0.01 is the usual slope.
    ///
    /// # Errors
    /// If the slope is not finite.
    new(slope);
    /// `x` for `x > 0`, else `α (eˣ - 1)`.
    Elu(Elu),
    /// An exponential linear unit; 1 is the usual alpha.
    ///
    /// # Errors
    /// If alpha is negative or not finite.
    new(alpha);
    /// `x` within bounds: ReLU6 is `Clamp::new(0.0, 6.0)`, hard tanh `Clamp::new(-1.0, 1.0)`.
    Clamp(Clamp),
    /// Bounds, which may be infinite.
    ///
    /// # Errors
    /// Unless `min ≤ max`.
    new(min, max);
    /// `x` for `x > 0`, else `a x`, in training with a slope `a` drawn for each element, in evaluation with the mean slope.
    RandomizedLeakyRelu(RandomizedLeakyRelu),
    /// With slopes in this range; 1/8 to 1/3 is usual.
    ///
    /// # Errors
    /// Unless both are finite and `lower ≤ upper`.
    new(lower, upper);
}

impl Clamp {
    /// `x` within `[0, 6]`: ReLU6, for nets that are to be quantized (Howard et al., *MobileNets*, 2017).
    pub const fn relu6() -> Self {
        Clamp(tensor::Clamp::RELU6)
    }

    /// `x` within `[-1, 1]`: the hard tanh.
    pub const fn hard_tanh() -> Self {
        Clamp(tensor::Clamp::HARD_TANH)
    }
}

macro_rules! softmaxes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
        pub struct $name {
            /// The axis, counted from 0.
            pub axis: usize,
        }

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                tape.apply(tensor::$name { axis: self.axis }, &[x])
            }
        }
    )*};
}

softmaxes! {
    /// `eˣ / Σ eˣ` along an axis. Not before [`CrossEntropyLoss`](crate::CrossEntropyLoss), which takes logits: a softmax of a softmax
    /// hardly learns.
    Softmax;
    /// `x - ln Σ eˣ` along an axis.
    LogSoftmax;
}
