//! How many inputs and outputs a unit is connected to.

/// The connections of a layer's units: what the variance of its weights is set by.
///
/// ```
/// use gradwise_init::Fan;
///
/// assert_eq!(Fan::of_shape(&[256, 784]), Fan { inputs: 784, outputs: 256 });
/// assert_eq!(Fan::of_shape(&[32, 16, 3, 3]), Fan { inputs: 16 * 9, outputs: 32 * 9 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fan {
    /// How many numbers each output is the sum of.
    pub inputs: usize,
    /// How many outputs each input is part of.
    pub outputs: usize,
}

impl Fan {
    /// The fan of a weight `[outputs, inputs, kernel…]`: of a linear layer or of a convolution, whose kernel's area multiplies both.
    ///
    /// A vector `[n]` has `n` of each, a scalar 1, so that any parameter has a fan; a bias is better given its layer's.
    #[must_use]
    pub fn of_shape(shape: &[usize]) -> Self {
        match shape {
            [] => Fan { inputs: 1, outputs: 1 },
            [n] => Fan { inputs: *n, outputs: *n },
            [outputs, inputs, kernel @ ..] => {
                // An array that large is refused where it is made.
                let area = kernel.iter().fold(1_usize, |area, &n| area.saturating_mul(n));
                Fan { inputs: inputs.saturating_mul(area), outputs: outputs.saturating_mul(area) }
            }
        }
    }

    /// The fan of a convolution's weight `[outputs, inputs / groups, kernel…]`: an input reaches the outputs of its own group only.
    #[must_use]
    pub fn grouped(shape: &[usize], groups: usize) -> Self {
        let fan = Self::of_shape(shape);
        Fan { outputs: fan.outputs / groups.max(1), ..fan }
    }

    /// The fan of the transposed map: for weights `[inputs, outputs, kernel…]`, as of a transposed convolution.
    #[must_use]
    pub const fn swapped(self) -> Self {
        Fan { inputs: self.outputs, outputs: self.inputs }
    }

    /// The number that a mode takes; at least 1, so that a layer without inputs has finite weights.
    #[must_use]
    pub fn of_mode(self, mode: FanMode) -> f64 {
        let n = match mode {
            FanMode::In => self.inputs as f64,
            FanMode::Out => self.outputs as f64,
            FanMode::Average => 0.5 * (self.inputs as f64 + self.outputs as f64),
        };
        n.max(1.0)
    }
}

/// Which of the two fans sets the variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum FanMode {
    /// The inputs: values keep their variance on the way forward.
    #[default]
    In,
    /// The outputs: gradients keep their variance on the way back.
    Out,
    /// The mean of both: a compromise.
    Average,
}
