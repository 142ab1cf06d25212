//! Schemes that scale the variance by the fan.

use crate::fixed::{finite, normal, not_negative, truncated_normal, uniform};
use crate::{Fan, FanMode, Init, Nonlinearity, init::draw};
use gradwise_core::{ArrayRefD, Key, Real, Result};

/// The shape of a distribution whose mean is 0 and whose variance is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Distribution {
    /// Uniform on `±√3 · std`.
    #[default]
    Uniform,
    /// Normal.
    Normal,
    /// Normal, cut off at two deviations, and widened so that its standard deviation *after* the cut is the one asked for.
    TruncatedNormal,
}

/// Standard deviation of the standard normal distribution cut off at ±2: `√(1 - 4 φ(2) / (Φ(2) - Φ(-2)))`.
const STD_CUT_AT_2: f64 = 0.879_625_661_034_239_8;

/// Mean 0 and standard deviation `gain / √fan`: the family all schemes by fan belong to.
///
/// ```
/// use gradwise_init::{Distribution, Fan, FanMode, VarianceScaling};
///
/// let scheme = VarianceScaling::new(1.5, FanMode::Out, Distribution::TruncatedNormal)?;
/// assert_eq!(scheme.std(Fan { inputs: 7, outputs: 9 }), 0.5);
/// assert!(VarianceScaling::new(-1.0, FanMode::In, Distribution::Normal).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarianceScaling {
    gain: f64,
    mode: FanMode,
    distribution: Distribution,
}

impl VarianceScaling {
    /// Standard deviation `gain / √fan`, the fan taken by `mode`.
    ///
    /// # Errors
    /// If the gain is negative or not finite.
    pub fn new(gain: f64, mode: FanMode, distribution: Distribution) -> Result<Self> {
        Ok(VarianceScaling { gain: not_negative("variance scaling: gain", gain)?, mode, distribution })
    }

    /// The standard deviation for a fan.
    #[must_use]
    pub fn std(&self, fan: Fan) -> f64 {
        self.gain / fan.of_mode(self.mode).sqrt()
    }
}

impl<T: Real> Init<T> for VarianceScaling {
    fn fill(&self, array: &mut ArrayRefD<T>, fan: Fan, key: Key) -> Result<()> {
        let std = self.std(fan);
        match self.distribution {
            Distribution::Uniform => {
                let bound = 3.0_f64.sqrt() * std;
                draw(array, key, |generator| uniform(generator, -bound, bound));
            }
            Distribution::Normal => draw(array, key, |generator| std * normal(generator)),
            Distribution::TruncatedNormal => {
                let std = std / STD_CUT_AT_2;
                draw(array, key, |generator| std * truncated_normal(generator, 2.0));
            }
        }
        Ok(())
    }
}

macro_rules! schemes {
    ($($(#[$doc:meta])* $name:ident: $gain:expr, $mode:ident, $distribution:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name(VarianceScaling);

        impl $name {
            /// The scheme as published.
            #[must_use]
            pub const fn new() -> Self {
                $name(VarianceScaling { gain: $gain, mode: FanMode::$mode, distribution: Distribution::$distribution })
            }

            /// With another gain.
            ///
            /// # Errors
            /// If it is negative or not finite.
            pub fn with_gain(self, gain: f64) -> Result<Self> {
                Ok($name(VarianceScaling::new(gain, self.0.mode, self.0.distribution)?))
            }

            /// With the gain of the activation that follows.
            ///
            /// # Errors
            /// If the activation has no gain: a leaky ReLU whose slope is not finite.
            pub fn for_activation(self, activation: Nonlinearity) -> Result<Self> {
                if let Nonlinearity::LeakyRelu { slope } = activation {
                    finite("leaky_relu: slope", slope)?;
                }
                Ok($name(VarianceScaling { gain: activation.gain(), ..self.0 }))
            }

            /// With the variance set by another fan.
            #[must_use]
            pub const fn with_mode(self, mode: FanMode) -> Self {
                $name(VarianceScaling { mode, ..self.0 })
            }

            /// The standard deviation for a fan.
            #[must_use]
            pub fn std(&self, fan: Fan) -> f64 {
                self.0.std(fan)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: Real> Init<T> for $name {
            fn fill(&self, array: &mut ArrayRefD<T>, fan: Fan, key: Key) -> Result<()> {
                self.0.fill(array, fan, key)
            }
        }
    )*};
}

schemes! {
    /// Uniform on `±gain · √(6 / (fan in + fan out))`: Glorot and Bengio, *Understanding the difficulty of training deep feedforward
    /// neural networks*, AISTATS 2010, eq. 16. A compromise between values and gradients that keep their variance.
    XavierUniform: 1.0, Average, Uniform;
    /// Normal with the standard deviation `gain · √(2 / (fan in + fan out))`: Glorot and Bengio 2010, eq. 12.
    XavierNormal: 1.0, Average, Normal;
    /// Uniform on `±gain · √(3 / fan in)`, gain √2: He et al., *Delving deep into rectifiers*, ICCV 2015. Keeps the variance through ReLU.
    HeUniform: std::f64::consts::SQRT_2, In, Uniform;
    /// Normal with the standard deviation `gain / √(fan in)`, gain √2: He et al. 2015, eq. 10; with [`FanMode::Out`] its eq. 14.
    HeNormal: std::f64::consts::SQRT_2, In, Normal;
    /// Uniform on `±√(3 / fan in)`: LeCun et al., *Efficient BackProp*, 1998, section 4.6.
    LecunUniform: 1.0, In, Uniform;
    /// Normal with the standard deviation `1 / √(fan in)`: LeCun et al. 1998; what self-normalizing networks (SELU) begin with
    /// (Klambauer et al. 2017).
    LecunNormal: 1.0, In, Normal;
}
