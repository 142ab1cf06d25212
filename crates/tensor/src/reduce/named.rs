//! The reductions by name; what they have in common is in [`reduction`](super::reduction).

use super::{Axes, AxisSet, Fold, Reduce, Reduced, Reduction, SumInto, fold, spread};
use crate::elementwise::op_through;
use crate::math;
use gradwise_core::{Cx, Error, Needs, Pool, Real, Result, Slot};

/// Defines a reduction's type, its constructors and its operation.
macro_rules! reduction {
    ($($(#[$doc:meta])* $name:ident $({ $(#[$option_doc:meta])* $option:ident: $option_type:ty })?)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Default)]
        pub struct $name {
            /// The axes to reduce.
            pub axes: Axes,
            /// Whether reduced axes stay, with length 1.
            pub keep: bool,
            $($(#[$option_doc])* pub $option: $option_type,)?
        }

        impl $name {
            /// The reduction over these axes.
            pub fn new(axes: impl Into<Axes>, keep: bool $(, $option: $option_type)?) -> Self {
                $name { axes: axes.into(), keep $(, $option)? }
            }

            /// The reduction of everything to one number.
            pub fn all($($option: $option_type)?) -> Self {
                $name { axes: Axes::All, keep: false $(, $option)? }
            }
        }

        op_through!($name, |this| Reduce(this));
    )*};
}

reduction! {
    /// `Σ x`, which is 0 for nothing.
    Sum
    /// `Σ x / n`.
    Mean
    /// The largest element. Where several are equal, each gets its equal share of the gradient (PyTorch's convention for `amax`).
    Max
    /// The smallest element. Where several are equal, each gets its equal share of the gradient.
    Min
    /// `Σ (x - mean)² / (n - ddof)`: the population's variance with `ddof` 0, the unbiased estimate with 1.
    ///
    /// Computed in two passes, with a correction for the rounding of the mean (Chan, Golub and LeVeque, 1983).
    Variance {
        /// What is subtracted from the number of elements ("delta degrees of freedom").
        ddof: usize
    }
    /// `ln Σ eˣ`, which never overflows, and is -∞ for nothing. Its gradient is the softmax of x.
    LogSumExp
    /// `Π x`, which is 1 for nothing. Its gradient is right for elements that are 0, too.
    Prod
}

/// The accessors that all have in common.
macro_rules! common {
    ($name:literal, $needs:ident) => {
        fn name(&self) -> &'static str {
            $name
        }
        fn axes(&self) -> &Axes {
            &self.axes
        }
        fn keep(&self) -> bool {
            self.keep
        }
        fn needs(&self) -> Needs {
            Needs::$needs
        }
    };
}

/// Refuses `n` elements unless there are more than `least`.
fn more_than(op: &'static str, least: usize, n: usize, shape: &[usize]) -> Result<()> {
    if n > least {
        return Ok(());
    }
    Err(Error::shape(op, format!("more than {least} elements along the reduced axes"), shape))
}

impl<T: Real> Reduction<T> for Sum {
    common!("sum", NOTHING);
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
        fold(pool, &SumInto { factor: T::one(), add: false }, x, shape, axes, out);
    }
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
        spread(cx.pool, slot, axes, 1, &[], |o| at.grad[o], |grad, _| grad);
    }
}

impl<T: Real> Reduction<T> for Mean {
    common!("mean", NOTHING);
    fn check(&self, n: usize, shape: &[usize]) -> Result<()> {
        more_than("mean", 0, n, shape)
    }
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
        fold(pool, &MeanFold, x, shape, axes, out);
    }
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
        let n = T::of_usize(axes.count(slot.grad.shape()));
        spread(cx.pool, slot, axes, 2, &[], |o| at.grad[o] / n, |grad, _| grad);
    }
}

impl<T: Real> Reduction<T> for Variance {
    common!("variance", INPUTS);
    fn check(&self, n: usize, shape: &[usize]) -> Result<()> {
        more_than("variance", self.ddof, n, shape)
    }
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
        fold(pool, &MeanFold, x, shape, axes, out);
        fold(pool, &VarianceFold { ddof: self.ddof }, x, shape, axes, out);
    }
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
        let shape = slot.grad.shape();
        let factor = T::of(2.0 / (axes.count(shape) as f64 - self.ddof as f64));
        // Cheaper to compute again than to keep.
        let mut mean = cx.scratch.take(at.grad.len());
        fold(cx.pool, &MeanFold, at.x, shape, axes, &mut mean);
        spread(cx.pool, slot, axes, 3, at.x, |o| (at.grad[o] * factor, mean[o]), |(grad, mean), x| grad * (x - mean));
        cx.scratch.give(mean);
    }
}

impl<T: Real> Reduction<T> for LogSumExp {
    common!("log_sum_exp", ALL);
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
        fold(pool, &ExtremeFold { sign: T::one() }, x, shape, axes, out);
        fold(pool, &LogSumExpFold, x, shape, axes, out);
    }
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
        // The rounding of a large y would be a factor of every share: at 10⁴ it is a thousandth in single precision. So the shares are
        // taken relative to their own sum, which is 1 but for that.
        let mut scales = cx.scratch.take(at.y.len());
        scales.copy_from_slice(at.y);
        fold(cx.pool, &SharesFold, at.x, slot.grad.shape(), axes, &mut scales);
        scales.iter_mut().zip(at.grad).for_each(|(scale, &grad)| *scale = grad / *scale);
        let params = |o: usize| (scales[o], at.y[o]);
        spread(cx.pool, slot, axes, 10, at.x, params, |(scale, y), x| {
            // Where all are -∞ the difference would be NaN; the limit is taken as 0.
            if x == T::neg_infinity() { T::zero() } else { scale * math::exp(x - y) }
        });
        cx.scratch.give(scales);
    }
}

macro_rules! extreme {
    ($name:ident, $text:literal, $sign:expr) => {
        impl<T: Real> Reduction<T> for $name {
            common!($text, ALL);
            fn check(&self, n: usize, shape: &[usize]) -> Result<()> {
                more_than($text, 0, n, shape)
            }
            fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
                fold(pool, &ExtremeFold { sign: $sign }, x, shape, axes, out);
            }
            fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
                share_among_ties(at, axes, slot, cx);
            }
        }
    };
}
extreme!(Max, "max", T::one());
extreme!(Min, "min", -T::one());

/// Each output's gradient, in equal parts, to the elements that are equal to it.
fn share_among_ties<T: Real>(at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
    let mut shares = cx.scratch.take(at.y.len());
    shares.copy_from_slice(at.y);
    fold(cx.pool, &CountFold, at.x, slot.grad.shape(), axes, &mut shares);
    shares.iter_mut().zip(at.grad).for_each(|(share, &grad)| *share = grad / *share);
    let params = |o: usize| (at.y[o], shares[o]);
    spread(cx.pool, slot, axes, 2, at.x, params, |(y, share), x| if same(x, y) { share } else { T::zero() });
    cx.scratch.give(shares);
}

impl<T: Real> Reduction<T> for Prod {
    common!("prod", INPUTS);
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
        fold(pool, &ProdFold { skip_zeros: false }, x, shape, axes, out);
    }
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
        // The derivative is the product of the others: that of all that are not 0, divided by the element itself, if no other is 0.
        let shape = slot.grad.shape();
        let mut zeros = cx.scratch.take(at.grad.len());
        let mut rest = cx.scratch.take(at.grad.len());
        zeros.fill(T::zero());
        fold(cx.pool, &CountFold, at.x, shape, axes, &mut zeros);
        fold(cx.pool, &ProdFold { skip_zeros: true }, at.x, shape, axes, &mut rest);
        let params = |o: usize| (at.grad[o], zeros[o], rest[o]);
        spread(cx.pool, slot, axes, 4, at.x, params, |(grad, zeros, rest), x| {
            let other_zeros = if x == T::zero() { zeros - T::one() } else { zeros };
            if other_zeros > T::zero() {
                T::zero()
            } else if x == T::zero() {
                grad * rest
            } else {
                grad * (rest / x)
            }
        });
        cx.scratch.give(zeros);
        cx.scratch.give(rest);
    }
}

/// Equal, or both NaN: the element that made an extreme NaN is the one that gets its gradient.
#[inline(always)]
fn same<T: Real>(a: T, b: T) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

struct MeanFold;

impl<T: Real> Fold<T> for MeanFold {
    type Acc = f64;
    #[inline(always)]
    fn start(&self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn step(&self, acc: f64, x: T, _: T) -> f64 {
        acc + x.as_f64()
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(&self, acc: f64, n: usize, _: T) -> T {
        T::of(acc / n as f64)
    }
}

/// Finds the mean in the output. Carries the sums of deviations from it and of their squares.
struct VarianceFold {
    ddof: usize,
}

impl<T: Real> Fold<T> for VarianceFold {
    type Acc = (f64, f64);
    #[inline(always)]
    fn start(&self) -> (f64, f64) {
        (0.0, 0.0)
    }
    #[inline(always)]
    fn step(&self, (sum, squares): (f64, f64), x: T, mean: T) -> (f64, f64) {
        let d = x.as_f64() - mean.as_f64();
        (sum + d, squares + d * d)
    }
    #[inline(always)]
    fn merge(&self, a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
        (a.0 + b.0, a.1 + b.1)
    }
    #[inline(always)]
    fn finish(&self, (sum, squares): (f64, f64), n: usize, _: T) -> T {
        // The sum would be 0 for the exact mean. The correction cannot make the result negative but by rounding.
        let n_f = n as f64;
        T::of((squares - sum * sum / n_f).max(0.0 * squares) / (n_f - self.ddof as f64))
    }
    fn cost(&self) -> usize {
        2
    }
}

/// The largest of `sign * x`, times the sign.
struct ExtremeFold<T> {
    sign: T,
}

impl<T: Real> Fold<T> for ExtremeFold<T> {
    type Acc = T;
    #[inline(always)]
    fn start(&self) -> T {
        T::neg_infinity()
    }
    #[inline(always)]
    fn step(&self, acc: T, x: T, _: T) -> T {
        self.merge(acc, self.sign * x)
    }
    #[inline(always)]
    fn merge(&self, a: T, b: T) -> T {
        // NaN wins, from either side.
        if b > a || b.is_nan() { b } else { a }
    }
    #[inline(always)]
    fn finish(&self, acc: T, _: usize, _: T) -> T {
        self.sign * acc
    }
}

/// Finds the largest element in the output. Carries `Σ exp(x - largest)`.
struct LogSumExpFold;

/// The largest element if finite, else 0: the formula then gives the right infinity by itself.
#[inline(always)]
fn centre<T: Real>(largest: T) -> T {
    if largest.is_infinite() { T::zero() } else { largest }
}

impl<T: Real> Fold<T> for LogSumExpFold {
    type Acc = f64;
    #[inline(always)]
    fn start(&self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn step(&self, acc: f64, x: T, largest: T) -> f64 {
        acc + math::exp(x - centre(largest)).as_f64()
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(&self, acc: f64, _: usize, largest: T) -> T {
        T::of(centre(largest).as_f64() + acc.ln())
    }
    fn cost(&self) -> usize {
        8
    }
}

/// Finds `ln Σ eˣ` in the output, and puts `Σ exp(x - that)` in its place: 1 but for rounding.
struct SharesFold;

impl<T: Real> Fold<T> for SharesFold {
    type Acc = f64;
    #[inline(always)]
    fn start(&self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn step(&self, acc: f64, x: T, y: T) -> f64 {
        // As in the gradient: nothing of minus infinity, whatever y is.
        acc + if x == T::neg_infinity() { 0.0 } else { math::exp(x - y).as_f64() }
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(&self, acc: f64, _: usize, _: T) -> T {
        T::of(acc)
    }
    fn cost(&self) -> usize {
        8
    }
}

/// Counts the elements that are equal to what it finds in the output.
struct CountFold;

impl<T: Real> Fold<T> for CountFold {
    type Acc = f64;
    #[inline(always)]
    fn start(&self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn step(&self, acc: f64, x: T, old: T) -> f64 {
        acc + if same(x, old) { 1.0 } else { 0.0 }
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(&self, acc: f64, _: usize, _: T) -> T {
        T::of(acc)
    }
}

/// The product, of all elements or of those that are not 0.
struct ProdFold {
    skip_zeros: bool,
}

impl<T: Real> Fold<T> for ProdFold {
    type Acc = f64;
    #[inline(always)]
    fn start(&self) -> f64 {
        1.0
    }
    #[inline(always)]
    fn step(&self, acc: f64, x: T, _: T) -> f64 {
        if self.skip_zeros && x == T::zero() { acc } else { acc * x.as_f64() }
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a * b
    }
    #[inline(always)]
    fn finish(&self, acc: f64, _: usize, _: T) -> T {
        T::of(acc)
    }
}
