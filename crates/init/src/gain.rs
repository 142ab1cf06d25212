//! By how much an activation shrinks a signal, and what makes up for it.

/// An activation function, as far as initialization is concerned: its gain, and where the gain comes from.
///
/// A layer whose weights have the variance `gain² / fan` hands on a signal of the variance it got. Gains that come from the second moment
/// of the activation, `1 / √E[f(z)²]` with `z ~ N(0, 1)`, are those of He et al. 2015; [`variance_gain`] computes them for any function.
///
/// ```
/// use gradwise_init::Nonlinearity;
///
/// assert_eq!(Nonlinearity::Relu.gain(), 2.0_f64.sqrt());
/// for activation in Nonlinearity::ALL {
///     println!("{:12} {:.4}  {}", activation.name(), activation.gain(), activation.source());
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[non_exhaustive]
pub enum Nonlinearity {
    /// None.
    #[default]
    Linear,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x`, or `slope · x` below 0.
    LeakyRelu {
        /// The slope below 0: a finite number. Schemes refuse another when they are given it.
        slope: f64,
    },
    /// Scaled exponential linear unit.
    Selu,
    /// Exponential linear unit with α = 1.
    Elu,
    /// Gaussian error linear unit.
    Gelu,
    /// `x · sigmoid(x)`, also called swish.
    Silu,
    /// `x · tanh(softplus(x))`.
    Mish,
    /// The Gaussian error linear unit by its tanh approximation.
    GeluTanh,
    /// `ln(1 + eˣ)`.
    Softplus,
    /// `ln(1 / (1 + e⁻ˣ))`.
    LogSigmoid,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `clamp(x/6 + 1/2, 0, 1)`.
    HardSigmoid,
    /// `x · clamp(x/6 + 1/2, 0, 1)`.
    HardSwish,
    /// `clamp(x, -1, 1)`.
    HardTanh,
    /// `clamp(x, 0, 6)`.
    Relu6,
}

/// Where a gain was published, or how it follows.
const GLOROT: &str = "Glorot and Bengio 2010: the linear regime around 0";
const HE: &str = "He et al. 2015, eq. 10 and 15: 1 / sqrt(E[f(z)^2])";
const COMPUTED: &str = "1 / sqrt(E[f(z)^2]), z ~ N(0, 1), computed as in He et al. 2015";

impl Nonlinearity {
    /// Every one, the leaky ReLU with the slope 0.01.
    pub const ALL: [Nonlinearity; 18] = [
        Nonlinearity::Linear,
        Nonlinearity::Sigmoid,
        Nonlinearity::Tanh,
        Nonlinearity::Relu,
        Nonlinearity::LeakyRelu { slope: 0.01 },
        Nonlinearity::Selu,
        Nonlinearity::Elu,
        Nonlinearity::Gelu,
        Nonlinearity::Silu,
        Nonlinearity::Mish,
        Nonlinearity::GeluTanh,
        Nonlinearity::Softplus,
        Nonlinearity::LogSigmoid,
        Nonlinearity::Softsign,
        Nonlinearity::HardSigmoid,
        Nonlinearity::HardSwish,
        Nonlinearity::HardTanh,
        Nonlinearity::Relu6,
    ];

    /// The name, its gain and the gain's source: one row of the table.
    fn row(self) -> (&'static str, f64, &'static str) {
        match self {
            Nonlinearity::Linear => ("linear", 1.0, GLOROT),
            Nonlinearity::Sigmoid => ("sigmoid", 1.0, GLOROT),
            Nonlinearity::Tanh => (
                "tanh",
                5.0 / 3.0,
                "LeCun et al. 1998, Efficient BackProp: near the inverse of 0.63, tanh's output deviation",
            ),
            Nonlinearity::Relu => ("relu", std::f64::consts::SQRT_2, HE),
            Nonlinearity::LeakyRelu { slope } => ("leaky_relu", (2.0 / (1.0 + slope * slope)).sqrt(), HE),
            Nonlinearity::Selu => (
                "selu",
                0.75,
                "PyTorch's table; below the 1 of Klambauer et al. 2017 for stability without alpha dropout",
            ),
            Nonlinearity::Elu => ("elu", 1.245_198_301, COMPUTED),
            Nonlinearity::Gelu => ("gelu", 1.533_530_441, COMPUTED),
            Nonlinearity::Silu => ("silu", 1.676_532_470, COMPUTED),
            Nonlinearity::Mish => ("mish", 1.486_847_581, COMPUTED),
            Nonlinearity::GeluTanh => ("gelu_tanh", 1.533_580_522, COMPUTED),
            Nonlinearity::Softplus => ("softplus", 1.041_866_836, COMPUTED),
            Nonlinearity::LogSigmoid => ("log_sigmoid", 1.041_866_836, COMPUTED),
            Nonlinearity::Softsign => ("softsign", 2.337_533_363, COMPUTED),
            Nonlinearity::HardSigmoid => ("hard_sigmoid", 1.897_840_425, COMPUTED),
            Nonlinearity::HardSwish => ("hard_swish", 1.736_657_213, COMPUTED),
            Nonlinearity::HardTanh => ("hard_tanh", 1.392_036_134, COMPUTED),
            Nonlinearity::Relu6 => ("relu6", 1.414_213_565, COMPUTED),
        }
    }

    /// What the standard deviation of the weights before it is multiplied by.
    ///
    /// A gain keeps the second moment. Where most of that is a constant mean, as behind a softplus or a hard sigmoid, the part that varies
    /// shrinks all the same from layer to layer: such nets want a normalization, or first weights that were measured on data (LSUV, in
    /// `gradwise-train`).
    #[must_use]
    pub fn gain(self) -> f64 {
        self.row().1
    }

    /// Its name in recipes.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Where the gain comes from.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.row().2
    }
}

/// The gain `1 / √E[f(z)²]`, `z ~ N(0, 1)`, that keeps a signal's second moment through the activation `f`.
///
/// The expectation is a trapezoidal sum over ±12 standard deviations in steps of 1/1024, right to about seven digits even where `f` has
/// a kink. It is infinite for a function that is zero everywhere.
///
/// ```
/// let relu = gradwise_init::variance_gain(|z| z.max(0.0));
/// assert!((relu - 2.0_f64.sqrt()).abs() < 1e-6);
/// ```
pub fn variance_gain(f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1.0 / 1024.0;
    let n = (12.0 / STEP) as i32;
    let moment: f64 = (-n..=n)
        .map(|i| {
            let z = f64::from(i) * STEP;
            f(z).powi(2) * (-0.5 * z * z).exp()
        })
        .sum::<f64>()
        * STEP
        / (2.0 * std::f64::consts::PI).sqrt();
    moment.sqrt().recip()
}
