//! Activations: layers without weights that act on each number by itself, but for the softmaxes and `p-relu`.

use super::{Activations, AnyModule, LayerSite, Layers};
use crate::{Described, Result};
use gradwise_layers::{self as layers, Function, TapeExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Each is a layer as well as an activation of other layers.
macro_rules! activations {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* }
        |$self:ident, $shape:pat_param| $build:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields, rename_all = "kebab-case")]
            pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

            impl Described<Activations> for $name {
                const KIND: &'static str = $kind;
                fn build(self, shape: &[usize]) -> Result<AnyModule> {
                    let ($self, $shape) = (self, shape);
                    Ok(Box::new($build))
                }
            }

            impl Described<Layers> for $name {
                const KIND: &'static str = $kind;
                fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
                    Described::<Activations>::build(self, site.input())
                }
            }
        )*

        /// Adds all of them to some kinds.
        macro_rules! add_to {
            ($kinds:expr) => { $crate::kinds::add_all!($kinds; $($crate::layers::$name),*) };
        }
        pub(crate) use add_to;
    };
}

fn hundredth() -> f64 {
    0.01
}

fn one() -> f64 {
    1.0
}

fn quarter() -> f64 {
    0.25
}

fn eighth() -> f64 {
    0.125
}

fn third() -> f64 {
    1.0 / 3.0
}

activations! {
    /// `none`: `x`.
    NoActivation: "none" {} |_options, _| layers::Identity;
    /// `relu`: `max(x, 0)`. Cheap, and does not saturate.
    Relu: "relu" {} |_options, _| layers::Relu;
    /// `sigmoid`: `1 / (1 + e⁻ˣ)`. Deep stacks of it let gradients vanish.
    Sigmoid: "sigmoid" {} |_options, _| layers::Sigmoid;
    /// `log-sigmoid`: `ln(1 / (1 + e⁻ˣ))`.
    LogSigmoid: "log-sigmoid" {} |_options, _| layers::LogSigmoid;
    /// `tanh`: the hyperbolic tangent.
    Tanh: "tanh" {} |_options, _| layers::Tanh;
    /// `gelu`: `x Φ(x)`, exact.
    Gelu: "gelu" {} |_options, _| layers::Gelu;
    /// `gelu-tanh`: GELU by its tanh approximation.
    GeluTanh: "gelu-tanh" {} |_options, _| layers::GeluTanh;
    /// `silu`: `x / (1 + e⁻ˣ)`, also called swish.
    Silu: "silu" {} |_options, _| layers::Silu;
    /// `mish`: `x tanh(softplus(x))`.
    Mish: "mish" {} |_options, _| layers::Mish;
    /// `softplus`: `ln(1 + eˣ)`.
    Softplus: "softplus" {} |_options, _| layers::Softplus;
    /// `softsign`: `x / (1 + |x|)`.
    Softsign: "softsign" {} |_options, _| layers::Softsign;
    /// `selu`: the scaled exponential linear unit; for `lecun-normal` weights and inputs of mean 0 and variance 1.
    Selu: "selu" {} |_options, _| layers::Selu;
    /// `hard-sigmoid`: `clamp(x/6 + 1/2, 0, 1)`.
    HardSigmoid: "hard-sigmoid" {} |_options, _| layers::HardSigmoid;
    /// `hard-swish`: `x clamp(x/6 + 1/2, 0, 1)`.
    HardSwish: "hard-swish" {} |_options, _| layers::HardSwish;
    /// `hard-tanh`: `x` within `[-1, 1]`.
    HardTanh: "hard-tanh" {} |_options, _| layers::Clamp::hard_tanh();
    /// `relu6`: `x` within `[0, 6]`.
    Relu6: "relu6" {} |_options, _| layers::Clamp::relu6();
    /// `exponential`: `eˣ`.
    Exponential: "exponential" {} |_options, _| Function::new::<f32>(|tape, x| tape.exp(x));
    /// `leaky-relu`: `x` for `x > 0`, else `slope · x`.
    LeakyRelu: "leaky-relu" {
        /// The slope below 0; 0.01, if it is not said.
        #[serde(default = "hundredth")]
        slope: f64
    } |options, _| layers::LeakyRelu::new(options.slope)?;
    /// `elu`: `x` for `x > 0`, else `alpha (eˣ - 1)`.
    Elu: "elu" {
        /// What it goes towards below 0, without its sign; 1, if it is not said.
        #[serde(default = "one")]
        alpha: f64
    } |options, _| layers::Elu::new(options.alpha)?;
    /// `p-relu`: a leaky ReLU that learns the slope of each channel.
    PRelu: "p-relu" {
        /// The first slope; 0.25, if it is not said.
        #[serde(default = "quarter")]
        slope: f64
    } |options, shape| layers::PRelu::<f32>::with_slope(shape.first().copied().unwrap_or(1), options.slope)?;
    /// `randomized-leaky-relu`: a leaky ReLU whose slopes are drawn, in training.
    RandomizedLeakyRelu: "randomized-leaky-relu" {
        /// The least slope; 1/8, if it is not said.
        #[serde(default = "eighth")]
        lower: f64,
        /// The largest slope; 1/3, if it is not said.
        #[serde(default = "third")]
        upper: f64
    } |options, _| layers::RandomizedLeakyRelu::new(options.lower, options.upper)?;
    /// `softmax`: `eˣ / Σ eˣ` along the last axis. Not before a loss that takes outputs as they are, as `cross-entropy` does.
    Softmax: "softmax" {} |_options, shape| layers::Softmax { axis: shape.len() };
    /// `log-softmax`: `x - ln Σ eˣ` along the last axis.
    LogSoftmax: "log-softmax" {} |_options, shape| layers::LogSoftmax { axis: shape.len() };
}
