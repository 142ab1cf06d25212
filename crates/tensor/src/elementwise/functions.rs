//! The elementary functions of one variable, and arithmetic with a constant.

use super::unary::{Map, Unary, unary, unary_with};
use crate::math;
use gradwise_core::{Needs, Real};

unary! {
    /// `-x`.
    Neg, "neg", cost 1, needs NOTHING, |x, y| -x, -T::one();
    /// `|x|`. The derivative at 0 is 0.
    Abs, "abs", cost 1, needs INPUTS, |x, y| x.abs(), if x == T::zero() { T::zero() } else { T::one().copysign(x) };
    /// `x²`.
    Square, "square", cost 1, needs INPUTS, |x, y| x * x, x + x;
    /// `√x`, NaN for negative numbers; the derivative at 0 is infinite.
    Sqrt, "sqrt", cost 4, needs OUTPUT, |x, y| x.sqrt(), T::of(0.5) / y;
    /// `1 / √x`.
    Rsqrt, "rsqrt", cost 6, needs OUTPUT, |x, y| x.sqrt().recip(), T::of(-0.5) * y * y * y;
    /// `eˣ`.
    Exp, "exp", cost 8, needs OUTPUT, |x, y| math::exp(x), y;
    /// `eˣ - 1`, without cancellation near 0.
    Expm1, "expm1", cost 20, needs OUTPUT, |x, y| x.exp_m1(), y + T::one();
    /// The natural logarithm, NaN for negative numbers.
    Ln, "ln", cost 8, needs INPUTS, |x, y| math::ln(x), x.recip();
    /// `ln(1 + x)`, without cancellation near 0.
    Log1p, "log1p", cost 20, needs INPUTS, |x, y| x.ln_1p(), (T::one() + x).recip();
    /// The sine.
    Sin, "sin", cost 20, needs INPUTS, |x, y| x.sin(), x.cos();
    /// The cosine.
    Cos, "cos", cost 20, needs INPUTS, |x, y| x.cos(), -x.sin();
    /// `1 / x`.
    Reciprocal, "reciprocal", cost 4, needs OUTPUT, |x, y| x.recip(), -y * y;
    /// The error function; see [`math::erf`].
    Erf, "erf", cost 20, needs INPUTS, |x, y| math::erf(x), T::of(std::f64::consts::FRAC_2_SQRT_PI) * math::exp(-x * x);
}

/// `factor * x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The factor.
    pub factor: f64,
}
unary_with!(Scale, "scale", cost 1, needs |_this| Needs::NOTHING, |this, x, y| x * T::of(this.factor), T::of(this.factor));

/// `x + term`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AddScalar {
    /// The term.
    pub term: f64,
}
unary_with!(AddScalar, "add_scalar", cost 1, needs |_this| Needs::NOTHING, |this, x, y| x + T::of(this.term), T::one());

/// `xᵖ` with a constant exponent, NaN for a negative base with a fraction as exponent.
///
/// The derivative is `p xᵖ⁻¹`, and 0 everywhere for `p = 0`. Small whole exponents are computed by multiplication.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowScalar {
    /// The exponent p.
    pub exponent: f64,
}
unary_with!(PowScalar, "pow_scalar", cost 40, needs |_this| Needs::INPUTS,
    |this, x, y| power(x, this.exponent),
    if this.exponent == 0.0 { T::zero() } else { T::of(this.exponent) * power(x, this.exponent - 1.0) });

#[inline(always)]
fn power<T: Real>(x: T, exponent: f64) -> T {
    if exponent.fract() == 0.0 && exponent.abs() <= 8.0 { x.powi(exponent as i32) } else { x.powf(T::of(exponent)) }
}
