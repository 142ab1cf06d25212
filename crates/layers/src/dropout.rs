//! Dropout and its relatives as layers. In evaluation none of them computes anything.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Real, Result};
use gradwise_derive::Params;
use gradwise_tensor::{dropout, noise};

/// Dropout: in training each element is dropped with a probability and the rest scaled up, so that evaluation, which changes nothing,
/// is the mean network.
///
/// What is dropped depends on seed, step, the layer's path and the sample's index in the batch, and on nothing else.
///
/// Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 2014.
///
/// ```
/// use gradwise_layers::Dropout;
///
/// assert!(Dropout::new(0.5).is_ok());
/// assert_eq!(Dropout::new(1.5).unwrap_err().to_string(), "dropout: rate: expected a number in [0, 1), got 1.5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
pub struct Dropout(#[params(skip)] dropout::Dropout);

impl Dropout {
    /// Dropout of this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    pub fn new(rate: f64) -> Result<Self> {
        Ok(Dropout(dropout::Dropout::new(rate)?))
    }

    /// The rate, a multiple of 2⁻¹⁶.
    pub fn rate(&self) -> f64 {
        self.0.rate()
    }
}

impl<T: Real> Module<T> for Dropout {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        // In evaluation, and at rate 0, there is nothing to compute, and so nothing to copy.
        if tape.draws() && self.rate() > 0.0 { tape.apply(self.0, &[x]) } else { Ok(x) }
    }
}

macro_rules! noises {
    ($($(#[$doc:meta])* $name:ident($op:ident), $(#[$new_doc:meta])* new($($option:ident: $type:ty),*), $amount:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Params)]
        pub struct $name(#[params(skip)] noise::$op);

        impl $name {
            $(#[$new_doc])*
            pub fn new($($option: $type),*) -> Result<Self> {
                Ok($name(noise::$op::new($($option),*)?))
            }
        }

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                if tape.draws() && self.0.$amount() > 0.0 { tape.apply(self.0, &[x]) } else { Ok(x) }
            }
        }
    )*};
}

noises! {
    /// Spatial dropout: whole channels of a sample are dropped. For convolutions, whose neighbouring outputs say nearly the same; see
    /// [`noise::ChannelDropout`].
    ///
    /// ```
    /// use gradwise_layers::{Activation, BatchNorm2d, Chain, Conv2d, Key, SpatialDropout};
    ///
    /// let conv = Conv2d::<f32>::config(3, 16, 3).padding(1).activation(Activation::Relu);
    /// let model = Chain::seeded(Key::new(1)).then(conv).then(SpatialDropout::new(0.1)?).build()?;
    /// # let _ = model;
    /// # Ok::<(), gradwise_layers::Error>(())
    /// ```
    SpatialDropout(ChannelDropout),
    /// Of this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    new(rate: f64), rate;

    /// Alpha dropout, which leaves mean 0 and variance 1: after [`Selu`](crate::Selu); see [`noise::AlphaDropout`].
    AlphaDropout(AlphaDropout),
    /// Of this rate; the paper takes 0.05 or 0.1.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    new(rate: f64), rate;

    /// Gaussian dropout: elements are multiplied by normal numbers around 1; see [`noise::GaussianDropout`].
    GaussianDropout(GaussianDropout),
    /// With the variance of dropout of this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    new(rate: f64), rate;

    /// Normal noise is added; see [`noise::GaussianNoise`].
    GaussianNoise(GaussianNoise),
    /// Of this standard deviation.
    ///
    /// # Errors
    /// If it is negative or not finite.
    new(deviation: f64), deviation;

    /// DropBlock: squares of feature maps are dropped; see [`noise::BlockDropout`].
    DropBlock(BlockDropout),
    /// With about this share of elements dropped, in squares of this size; the paper takes 7.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`, or the size is 0.
    new(rate: f64, size: usize), rate;

    /// Stochastic depth: whole samples are dropped. At the end of the body of a [`Residual`](crate::Residual), so that the block is left out for a
    /// part of the samples; see [`noise::SampleDropout`]. The paper lets the rate grow linearly with the depth.
    ///
    /// ```
    /// use gradwise_layers::{Chain, Key, Linear, Residual, StochasticDepth};
    ///
    /// let body = Chain::seeded(Key::new(1)).then(Linear::<f32>::config(8, 8)).then(StochasticDepth::new(0.2)?).build()?;
    /// let block = Residual::new(body);
    /// # let _ = block;
    /// # Ok::<(), gradwise_layers::Error>(())
    /// ```
    StochasticDepth(SampleDropout),
    /// With this probability that a sample is dropped.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    new(rate: f64), rate;
}
