//! Normalizations that look at each sample by itself: training and evaluation are the same.

use crate::build::at_least_one;
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_tensor::norm;
use ndarray::{ArrayD, IxDyn};

/// Layer normalization: `y = γ (x - μ) / √(σ² + ε) + β`, mean and variance over the trailing axes of each sample.
///
/// Parameters are `weight` (γ, of ones) and `bias` (β, of zeros), in the shape of those axes.
///
/// Source: Ba, Kiros and Hinton, *Layer normalization*, 2016, <https://arxiv.org/abs/1607.06450>.
#[derive(Clone, Debug, PartialEq, Params)]
pub struct LayerNorm<T> {
    weight: Param<T>,
    bias: Param<T>,
    #[params(skip)]
    op: norm::LayerNorm,
}

impl<T: Real> LayerNorm<T> {
    /// Layer normalization over trailing axes of this shape, such as `&[features]`, with ε = 1e-5.
    ///
    /// # Errors
    /// If the shape has no axis, or one of 0.
    pub fn new(shape: &[usize]) -> Result<Self> {
        Self::with_epsilon(shape, 1e-5)
    }

    /// The same with another ε.
    ///
    /// # Errors
    /// If the shape has no axis, or one of 0, or ε is not a positive number.
    pub fn with_epsilon(shape: &[usize], epsilon: f64) -> Result<Self> {
        let op = norm::LayerNorm::new(check_axes("layer_norm: shape", shape)?, epsilon)?;
        Ok(LayerNorm { weight: filled(shape, 1.0), bias: filled(shape, 0.0), op })
    }

    /// With `γ = 0`: at the end of a residual branch, which then begins as the identity.
    #[must_use]
    pub fn zero_weight(mut self) -> Self {
        self.weight.value.fill(T::zero());
        self
    }
}

impl<T: Real> Module<T> for LayerNorm<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.weight, "layer_norm", |tape| {
            let [weight, bias] = [tape.param(&self.weight), tape.param(&self.bias)];
            tape.apply(self.op, &[x, weight, bias])
        })
    }
}

/// Root mean square normalization: `y = γ x / √(mean(x²) + ε)` over the trailing axes of each sample; layer normalization that
/// leaves the mean alone.
///
/// The parameter is `weight` (γ, of ones), in the shape of those axes.
///
/// Source: Zhang and Sennrich, *Root mean square layer normalization*, NeurIPS 2019.
#[derive(Clone, Debug, PartialEq, Params)]
pub struct RmsNorm<T> {
    weight: Param<T>,
    #[params(skip)]
    op: norm::RmsNorm,
}

impl<T: Real> RmsNorm<T> {
    /// Root mean square normalization over trailing axes of this shape, with ε = 1e-6.
    ///
    /// # Errors
    /// If the shape has no axis, or one of 0.
    pub fn new(shape: &[usize]) -> Result<Self> {
        Self::with_epsilon(shape, 1e-6)
    }

    /// The same with another ε.
    ///
    /// # Errors
    /// If the shape has no axis, or one of 0, or ε is not a positive number.
    pub fn with_epsilon(shape: &[usize], epsilon: f64) -> Result<Self> {
        let op = norm::RmsNorm::new(check_axes("rms_norm: shape", shape)?, epsilon)?;
        Ok(RmsNorm { weight: filled(shape, 1.0), op })
    }

    /// With `γ = 0`: at the end of a residual branch, which then begins as the identity.
    #[must_use]
    pub fn zero_weight(mut self) -> Self {
        self.weight.value.fill(T::zero());
        self
    }
}

impl<T: Real> Module<T> for RmsNorm<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.weight, "rms_norm", |tape| {
            let weight = tape.param(&self.weight);
            tape.apply(self.op, &[x, weight])
        })
    }
}

/// Group normalization: `y = γ (x - μ) / √(σ² + ε) + β`, mean and variance of each sample over a group of channels and all positions.
///
/// With one group for each channel it is instance normalization. Parameters are `weight` (γ, of ones) and `bias` (β, of zeros), by channel.
///
/// Source: Wu and He, *Group normalization*, ECCV 2018.
#[derive(Clone, Debug, PartialEq, Params)]
pub struct GroupNorm<T> {
    weight: Param<T>,
    bias: Param<T>,
    #[params(skip)]
    op: norm::GroupNorm,
}

impl<T: Real> GroupNorm<T> {
    /// Group normalization of this many channels in this many groups, with ε = 1e-5.
    ///
    /// # Errors
    /// If there is no channel or no group, or the channels cannot be divided into groups of one size.
    pub fn new(groups: usize, channels: usize) -> Result<Self> {
        Self::with_epsilon(groups, channels, 1e-5)
    }

    /// Normalization of each channel of each sample by itself: as many groups as channels.
    ///
    /// # Errors
    /// If there is no channel.
    pub fn instance(channels: usize) -> Result<Self> {
        Self::new(channels, channels)
    }

    /// The same with another ε.
    ///
    /// # Errors
    /// As for [`GroupNorm::new`], or if ε is not a positive number.
    pub fn with_epsilon(groups: usize, channels: usize, epsilon: f64) -> Result<Self> {
        at_least_one("group_norm: channels", channels)?;
        let op = norm::GroupNorm::new(groups, epsilon)?;
        if !channels.is_multiple_of(groups) {
            return Err(Error::value("group_norm: groups", format!("a divisor of the {channels} channels"), groups));
        }
        Ok(GroupNorm { weight: filled(&[channels], 1.0), bias: filled(&[channels], 0.0), op })
    }

    /// With `γ = 0`: at the end of a residual branch, which then begins as the identity.
    #[must_use]
    pub fn zero_weight(mut self) -> Self {
        self.weight.value.fill(T::zero());
        self
    }
}

impl<T: Real> Module<T> for GroupNorm<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.weight, "group_norm", |tape| {
            let [weight, bias] = [tape.param(&self.weight), tape.param(&self.bias)];
            tape.apply(self.op, &[x, weight, bias])
        })
    }
}

fn filled<T: Real>(shape: &[usize], x: f64) -> Param<T> {
    Param::new(ArrayD::from_elem(IxDyn(shape), T::of(x)))
}

/// The number of axes, each of at least 1.
fn check_axes(what: &'static str, shape: &[usize]) -> Result<usize> {
    if shape.is_empty() || shape.contains(&0) {
        return Err(Error::value(what, "at least one axis, each of at least 1", format_args!("{shape:?}")));
    }
    Ok(shape.len())
}
