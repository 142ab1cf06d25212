//! The nonlinearities between a network's layers.
//!
//! Where a function has a kink, the derivative there is the one from the left, unless it says otherwise. NaN passes through all of them, and so does its gradient:
//! a network that produces NaN is not made to look healthy by a ReLU.

use super::unary::{Map, Unary, unary, unary_with};
use crate::math;
use gradwise_core::{Error, Needs, Real, Result, flip};

unary! {
    /// The hyperbolic tangent. Its derivative `1 - y²` is at most 1.
    Tanh, "tanh", cost 12, needs OUTPUT, |x, y| math::tanh(x), T::one() - flip!("tanh/square", y * y), bounds [-1.0, 1.0];
    /// The logistic function `1 / (1 + e⁻ˣ)`. Its derivative `y (1 - y)` is at most 1/4: a chain of sigmoids lets gradients vanish.
    Sigmoid, "sigmoid", cost 10, needs OUTPUT, |x, y| math::sigmoid(x), y * (T::one() - flip!("sigmoid/rest", y)), bounds [0.0, 1.0];
    /// `ln(1 / (1 + e⁻ˣ)) = -softplus(-x)`, without overflow.
    LogSigmoid, "log_sigmoid", cost 30, needs OUTPUT, |x, y| -math::softplus(-x), -math::expm1(y);
    /// `max(x, 0)`. The derivative at 0 is 0 (Nair and Hinton, 2010).
    Relu, "relu", cost 1, needs OUTPUT,
        |x, y| if x <= T::zero() { T::zero() } else { x }, if y <= T::zero() { T::zero() } else { T::one() },
        bounds [0.0, f64::INFINITY];
    /// The Gaussian error linear unit `x Φ(x)` with the exact normal distribution function (Hendrycks and Gimpel, 2016).
    Gelu, "gelu", cost 20, needs INPUTS,
        |x, y| gelu(x), math::normal_cdf(x) + flip!("gelu/density", damp(x, math::normal_pdf(x)));
    /// GELU by the tanh approximation `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))` of the same paper.
    GeluTanh, "gelu_tanh", cost 16, needs INPUTS,
        |x, y| damp(x, math::sigmoid(gelu_argument(x))), {
            let s = math::sigmoid(gelu_argument(x));
            let slope = T::of(2.0 * SQRT_2_OVER_PI) * (T::one() + T::of(3.0 * GELU_CUBIC) * x * x);
            // Not `1 - s`, whose digits are lost where s is near 1.
            s + flip!("gelu_tanh/slope", damp(x, damp(slope, s * math::sigmoid(-gelu_argument(x)))))
        };
    /// The sigmoid linear unit `x / (1 + e⁻ˣ)`, also called swish (Elfwing et al., 2018).
    Silu, "silu", cost 10, needs INPUTS, |x, y| damp(x, math::sigmoid(x)), {
        let s = math::sigmoid(x);
        s + flip!("silu/slope", damp(x, s * math::sigmoid(-x)))
    };
    /// `x tanh(softplus(x))` (Misra, 2019).
    Mish, "mish", cost 50, needs INPUTS, |x, y| damp(x, math::tanh(math::softplus(x))), {
        let t = math::tanh(math::softplus(x));
        t + flip!("mish/slope", damp(x, (T::one() - t * t) * math::sigmoid(x)))
    };
    /// `ln(1 + eˣ)`, without overflow.
    Softplus, "softplus", cost 30, needs OUTPUT, |x, y| math::softplus(x), -math::expm1(-y);
    /// `x / (1 + |x|)`.
    Softsign, "softsign", cost 4, needs OUTPUT, |x, y| if x.is_infinite() { x.signum() } else { x / (T::one() + x.abs()) }, {
        let rest = T::one() - flip!("softsign/rest", y.abs()); // 1 / (1 + |x|)
        rest * rest
    }, bounds [-1.0, 1.0];
    /// The scaled exponential linear unit `λ x` for `x > 0`, else `λ α (eˣ - 1)`, whose constants make mean 0 and variance 1 a fixed
    /// point (Klambauer et al., 2017). The derivative at 0 is `λ α`.
    Selu, "selu", cost 10, needs OUTPUT,
        |x, y| if x > T::zero() { T::of(SELU_LAMBDA) * x } else { T::of(SELU_LAMBDA * SELU_ALPHA) * math::expm1(x) },
        if y > T::zero() { T::of(SELU_LAMBDA) } else { y + flip!("selu/limit", T::of(SELU_LAMBDA * SELU_ALPHA)) };
    /// The piecewise linear sigmoid `clamp(x/6 + 1/2, 0, 1)`.
    HardSigmoid, "hard_sigmoid", cost 2, needs INPUTS, |x, y| hard_sigmoid(x),
        if x <= T::of(-3.0) || x > T::of(3.0) { T::zero() } else { T::of(1.0 / 6.0) }, bounds [0.0, 1.0];
    /// `x clamp(x/6 + 1/2, 0, 1)` (Howard et al., 2019).
    HardSwish, "hard_swish", cost 2, needs INPUTS, |x, y| damp(x, hard_sigmoid(x)),
        if x <= T::of(-3.0) { T::zero() } else if x > T::of(3.0) { T::one() } else { flip!("hard_swish/slope", x * T::of(1.0 / 3.0)) + T::of(0.5) };
}

const SQRT_2_OVER_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
const GELU_CUBIC: f64 = 0.044_715;
/// Solutions of the fixed-point equations of the paper, to the digits of an `f64`.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_LAMBDA: f64 = 1.050_700_987_355_480_5;

/// `x * factor`, and 0 where the factor is 0: at minus infinity the product would be NaN, while the limit is 0.
#[inline(always)]
fn damp<T: Real>(x: T, factor: T) -> T {
    if factor == T::zero() { T::zero() } else { x * factor }
}

/// `x Φ(x)`, with the digits of its left tail, which `1 + erf` would cancel.
#[inline(always)]
fn gelu<T: Real>(x: T) -> T {
    damp(x, math::normal_cdf(x))
}

/// The `u` of `(1 + tanh(u/2)) / 2 = sigmoid(u)`.
#[inline(always)]
fn gelu_argument<T: Real>(x: T) -> T {
    T::of(2.0 * SQRT_2_OVER_PI) * (x + T::of(GELU_CUBIC) * x * x * x)
}

#[inline(always)]
fn hard_sigmoid<T: Real>(x: T) -> T {
    limit(x * T::of(1.0 / 6.0) + T::of(0.5), T::zero(), T::one())
}

/// `x` within bounds; NaN stays.
#[inline(always)]
fn limit<T: Real>(x: T, min: T, max: T) -> T {
    let x = if x < min { min } else { x };
    if x > max { max } else { x }
}

/// `x` for `x > 0`, else `slope * x` (Maas et al., 2013). The derivative at 0 is the slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    slope: f64,
}

impl LeakyRelu {
    /// A leaky ReLU; 0.01 is the usual slope.
    ///
    /// # Errors
    /// [`Error::Value`] if the slope is not finite.
    pub fn new(slope: f64) -> Result<Self> {
        if slope.is_finite() {
            return Ok(LeakyRelu { slope });
        }
        Err(Error::value("leaky_relu: slope", "a finite number", slope))
    }

    /// The slope of the negative side.
    pub fn slope(&self) -> f64 {
        self.slope
    }
}
// A slope that is not negative keeps the sign, so the output tells the side.
unary_with!(LeakyRelu, "leaky_relu", cost 1,
    needs |this| if this.slope >= 0.0 { Needs::OUTPUT } else { Needs::INPUTS },
    |this, x, y| if x <= T::zero() { T::of(this.slope) * x } else { x },
    if (if this.slope >= 0.0 { y } else { x }) <= T::zero() { flip!("leaky_relu/slope", T::of(this.slope)) } else { T::one() });

/// `x` for `x > 0`, else `alpha * (eˣ - 1)` (Clevert et al., 2016). The derivative at 0 is alpha.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    alpha: f64,
}

impl Elu {
    /// An ELU; 1 is the usual alpha.
    ///
    /// # Errors
    /// [`Error::Value`] if alpha is negative or not finite.
    pub fn new(alpha: f64) -> Result<Self> {
        if alpha.is_finite() && alpha >= 0.0 {
            return Ok(Elu { alpha });
        }
        Err(Error::value("elu: alpha", "a finite number not below 0", alpha))
    }

    /// The negated limit at minus infinity.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }
}
unary_with!(Elu, "elu", cost 10, needs |_this| Needs::OUTPUT,
    |this, x, y| if x > T::zero() { x } else { T::of(this.alpha) * math::expm1(x) },
    if y > T::zero() { T::one() } else { y + flip!("elu/limit", T::of(this.alpha)) });

/// `x` within `[min, max]`: ReLU6 is `Clamp::new(0.0, 6.0)`, hard tanh `Clamp::new(-1.0, 1.0)`. The derivative is 1 between the
/// bounds, and 0 at them and outside: the smallest there is, as for ReLU (PyTorch's convention for ReLU6, and since 2.15 for `clamp`).
///
/// ```
/// use gradwise_core::Serial;
/// use gradwise_tensor::{Clamp, elementwise::map};
/// use ndarray::arr1;
///
/// let relu6 = Clamp::new(0.0, 6.0)?;
/// assert_eq!(map(&Serial, &relu6, &arr1(&[-1.0_f32, 3.0, 9.0])), arr1(&[0.0, 3.0, 6.0]));
/// assert!(Clamp::new(1.0, 0.0).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clamp {
    min: f64,
    max: f64,
}

impl Clamp {
    /// `x` within `[0, 6]`.
    pub const RELU6: Clamp = Clamp { min: 0.0, max: 6.0 };

    /// `x` within `[-1, 1]`.
    pub const HARD_TANH: Clamp = Clamp { min: -1.0, max: 1.0 };

    /// Bounds, which may be infinite.
    ///
    /// # Errors
    /// [`Error::Value`] unless `min ≤ max`.
    pub fn new(min: f64, max: f64) -> Result<Self> {
        if min <= max {
            return Ok(Clamp { min, max });
        }
        Err(Error::value("clamp: bounds", "min <= max", format_args!("{min} and {max}")))
    }

    /// Both bounds.
    pub fn bounds(&self) -> (f64, f64) {
        (self.min, self.max)
    }
}
unary_with!(Clamp, "clamp", cost 1, needs |_this| Needs::INPUTS,
    |this, x, y| limit(x, T::of(this.min), T::of(this.max)),
    if x <= T::of(this.min) || x >= T::of(this.max) { T::zero() } else { T::one() },
    bounds [this.min, this.max]);
