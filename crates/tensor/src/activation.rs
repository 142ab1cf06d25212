//! Activations whose derivative follows from their value, so that a product can apply them to its result in place.

use crate::dense::Dense;
use crate::support::slice;
use crate::{math, parallel, simd};
use gradwise_core::{ArrayRefD, Cx, Real, flip};

/// An elementwise function fused into the end of a product.
///
/// Only functions `y = f(x)` whose derivative is a function of `y` alone are here: then the product's result is overwritten by the
/// activation's, nothing else is kept, and backward still finds all it needs. Others (GELU, SiLU) are operations of their own.
///
/// ```
/// use gradwise_tensor::Activation;
///
/// let y = Activation::Tanh.apply(0.5_f64);
/// assert!((y - 0.5_f64.tanh()).abs() < 1e-15);
/// assert_eq!(Activation::Tanh.derivative_from_output(y), 1.0 - y * y);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Activation {
    /// `f(x) = x`.
    #[default]
    Identity,
    /// `f(x) = max(x, 0)`. A NaN stays a NaN, so that a broken sum upstream is not hidden. The derivative at 0 is 0.
    Relu,
    /// `f(x) = 1 / (1 + e⁻ˣ)`, with derivative `y (1 - y)`.
    Sigmoid,
    /// `f(x) = tanh x`, with derivative `1 - y²`.
    Tanh,
}

impl Activation {
    /// `f(x)`.
    #[inline(always)]
    pub fn apply<T: Real>(self, x: T) -> T {
        match self {
            Activation::Identity => x,
            Activation::Relu => relu(x),
            Activation::Sigmoid => math::sigmoid(x),
            Activation::Tanh => math::tanh(x),
        }
    }

    /// `f'(x)`, given `y = f(x)`.
    #[inline(always)]
    pub fn derivative_from_output<T: Real>(self, y: T) -> T {
        match self {
            Activation::Identity => T::one(),
            // Compared this way a NaN has a derivative of 1, and so stays visible in the gradient.
            Activation::Relu => {
                if y <= T::zero() {
                    T::zero()
                } else {
                    T::one()
                }
            }
            Activation::Sigmoid => y * (T::one() - y),
            Activation::Tanh => T::one() - y * y,
        }
    }

    /// Between which numbers its values lie, if one of them is finite.
    pub const fn bounds(self) -> Option<[f64; 2]> {
        match self {
            Activation::Identity => None,
            Activation::Relu => Some([0.0, f64::INFINITY]),
            Activation::Sigmoid => Some([0.0, 1.0]),
            Activation::Tanh => Some([-1.0, 1.0]),
        }
    }

    /// `x ← f(x)` for every element.
    #[inline(always)]
    pub fn apply_slice<T: Real>(self, x: &mut [T]) {
        // Adding 0 changes nothing but the sign of a 0. Without it the compiler stores only the numbers that a `relu` changes, with masks,
        // which takes some processors several times as long.
        if self != Activation::Identity {
            self.apply_after(x, |_, x| x + T::zero());
        }
    }

    /// `xᵢ ← f(g(i, xᵢ))` for every element.
    #[inline(always)]
    pub(crate) fn apply_after<T: Real>(self, x: &mut [T], before: impl Fn(usize, T) -> T) {
        let all = x.iter_mut().enumerate();
        // The match stands outside the loops, so that each becomes a vector loop where it can.
        match self {
            Activation::Identity => all.for_each(|(i, x)| *x = before(i, *x)),
            Activation::Relu => all.for_each(|(i, x)| *x = relu(before(i, *x))),
            Activation::Sigmoid => all.for_each(|(i, x)| *x = math::sigmoid(before(i, *x))),
            Activation::Tanh => all.for_each(|(i, x)| *x = math::tanh(before(i, *x))),
        }
    }

    /// The gradient of what the activation was applied to, given its output's: borrowed where there is nothing to do.
    pub(crate) fn grad_before<'a, T: Real>(
        self,
        grad: &'a ArrayRefD<T>,
        output: &ArrayRefD<T>,
        cx: &mut Cx<'_, T>,
    ) -> Dense<'a, T> {
        if self == Activation::Identity {
            return Dense::of(grad, cx.scratch);
        }
        let n = grad.shape().last().copied().unwrap_or(1);
        let (grad, output) = (slice(grad), slice(output));
        let mut before = cx.scratch.take(grad.len());
        // Three streams.
        parallel::columns(cx.pool, &mut before, n, 64, 4 * grad.len(), &|row, columns, before| {
            let range = row * n + columns.start..row * n + columns.end;
            let (grad, output) = (&grad[range.clone()], &output[range]);
            simd::vectorize(
                #[inline(always)]
                || self.backward_slice(grad, output, before),
            );
        });
        Dense::Packed(before)
    }

    /// `out ← grad · f'`, given the output `y` of `f`.
    ///
    /// The slices have one length; where they do not, the shortest decides.
    #[inline(always)]
    pub fn backward_slice<T: Real>(self, grad: &[T], y: &[T], out: &mut [T]) {
        let zip = out.iter_mut().zip(grad.iter().zip(y));
        match self {
            Activation::Identity => zip.for_each(|(o, (&g, _))| *o = g),
            Activation::Relu => zip.for_each(|(o, (&g, &y))| {
                *o = if y <= T::zero() { T::zero() } else { flip!("fused_relu/gradient", g) }
            }),
            Activation::Sigmoid => {
                zip.for_each(|(o, (&g, &y))| *o = g * (y * (T::one() - flip!("fused_sigmoid/rest", y))));
            }
            Activation::Tanh => zip.for_each(|(o, (&g, &y))| *o = g * (T::one() - flip!("fused_tanh/square", y * y))),
        }
    }
}

#[inline(always)]
fn relu<T: Real>(x: T) -> T {
    if x < T::zero() { T::zero() } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 4] = [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh];

    #[test]
    fn derivative_is_the_slope() {
        for f in ALL {
            for x in [-3.0, -0.7, 0.2, 1.0, 4.0_f64] {
                let h = 1e-6;
                let slope = (f.apply(x + h) - f.apply(x - h)) / (2.0 * h);
                assert!((f.derivative_from_output(f.apply(x)) - slope).abs() < 1e-8, "{f:?} at {x}");
            }
        }
    }

    #[test]
    fn slices_agree_with_scalars_and_nan_survives() {
        let x = [-1e4, -2.0, -0.0, 0.0, 0.5, 1e4, f32::NAN];
        for f in ALL {
            let mut y = x;
            f.apply_slice(&mut y);
            let mut grad = [0.0; 7];
            f.backward_slice(&[2.0; 7], &y, &mut grad);
            for i in 0..6 {
                assert_eq!(y[i], f.apply(x[i]));
                assert_eq!(grad[i], 2.0 * f.derivative_from_output(y[i]));
            }
            assert!(y[6].is_nan(), "{f:?} hides a NaN");
        }
        assert_eq!(Activation::Sigmoid.apply(-1e4_f32), 0.0);
    }
}
