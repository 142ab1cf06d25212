//! Softmax and log-softmax along an axis.
//!
//! The largest element is subtracted before anything is exponentiated, so nothing overflows; sums are carried in `f64`. A slice whose
//! elements are all -∞ gives NaN: there is no distribution in it.

use crate::dense::{Dense, overwrite};
use crate::math;
use crate::parallel;
use crate::support::vectorize;
use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Pool, Real, Result, Saved, Scratch, Slot, arity, flip,
};
use ndarray::{Array, ArrayRef, Dimension, IxDyn};

/// `yᵢ = eˣⁱ / Σⱼ eˣʲ` along an axis: positive numbers that sum to 1.
///
/// Backward is `∂xᵢ = yᵢ (∂yᵢ - Σⱼ yⱼ ∂yⱼ)`, from the output alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// The axis, counted from 0.
    pub axis: usize,
}

/// `yᵢ = xᵢ - ln Σⱼ eˣʲ` along an axis: the logarithm of the softmax, without its underflow.
///
/// Backward is `∂xᵢ = ∂yᵢ - eʸⁱ Σⱼ ∂yⱼ`, from the output alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax {
    /// The axis, counted from 0.
    pub axis: usize,
}

/// `out ← softmax(x)` along an axis.
///
/// # Errors
/// [`Error::Index`] if there is no such axis, [`Error::Shape`] if the shapes differ.
///
/// ```
/// use gradwise_core::Serial;
/// use gradwise_tensor::softmax::softmax_into;
/// use ndarray::{arr1, Array1};
///
/// let mut y = Array1::zeros(2);
/// softmax_into(&Serial, 0, &arr1(&[1000.0_f64, 1000.0]), &mut y)?;
/// assert_eq!(y, arr1(&[0.5, 0.5]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn softmax_into<T: Real, D: Dimension>(
    pool: &dyn Pool,
    axis: usize,
    x: &ArrayRef<T, D>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    forward::<Softmax, _, _>(pool, &mut Scratch::default(), axis, x, out)
}

/// `softmax(x)` along an axis, in a new array.
///
/// # Errors
/// [`Error::Index`] if there is no such axis.
pub fn softmax<T: Real, D: Dimension>(pool: &dyn Pool, axis: usize, x: &ArrayRef<T, D>) -> Result<Array<T, D>> {
    let mut out = Array::zeros(x.raw_dim());
    softmax_into(pool, axis, x, &mut out)?;
    Ok(out)
}

/// `out ← log_softmax(x)` along an axis.
///
/// # Errors
/// [`Error::Index`] if there is no such axis, [`Error::Shape`] if the shapes differ.
pub fn log_softmax_into<T: Real, D: Dimension>(
    pool: &dyn Pool,
    axis: usize,
    x: &ArrayRef<T, D>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    forward::<LogSoftmax, _, _>(pool, &mut Scratch::default(), axis, x, out)
}

/// `log_softmax(x)` along an axis, in a new array.
///
/// # Errors
/// [`Error::Index`] if there is no such axis.
pub fn log_softmax<T: Real, D: Dimension>(pool: &dyn Pool, axis: usize, x: &ArrayRef<T, D>) -> Result<Array<T, D>> {
    let mut out = Array::zeros(x.raw_dim());
    log_softmax_into(pool, axis, x, &mut out)?;
    Ok(out)
}

/// What the two have in common is the loops; what they do not is here.
trait Kind {
    const NAME: &'static str;
    /// Whether forward ends with the logarithm.
    const LOG: bool;
    /// What an element adds to the sum that its slice's gradients share.
    fn term<T: Real>(y: T, grad: T) -> f64;
    /// The gradient of an element, once that sum is known.
    fn gradient<T: Real>(y: T, grad: T, sum: T) -> T;
}

impl Kind for Softmax {
    const NAME: &'static str = "softmax";
    const LOG: bool = false;
    #[inline(always)]
    fn term<T: Real>(y: T, grad: T) -> f64 {
        y.as_f64() * grad.as_f64()
    }
    #[inline(always)]
    fn gradient<T: Real>(y: T, grad: T, sum: T) -> T {
        y * (grad - flip!("softmax/sum", sum))
    }
}

impl Kind for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    const LOG: bool = true;
    #[inline(always)]
    fn term<T: Real>(_: T, grad: T) -> f64 {
        grad.as_f64()
    }
    #[inline(always)]
    fn gradient<T: Real>(y: T, grad: T, sum: T) -> T {
        grad - flip!("log_softmax/sum", math::exp(y) * sum)
    }
}

/// Columns that are worked on side by side where the axis is not the innermost one.
const BLOCK: usize = 64;

/// An array as `[outer, n, inner]`, with the softmax's axis in the middle.
struct Layout {
    n: usize,
    inner: usize,
}

impl Layout {
    fn new(op: &'static str, axis: usize, shape: &[usize]) -> Result<Self> {
        if axis >= shape.len() {
            return Err(Error::Index { op, index: axis, bound: shape.len(), position: 0 });
        }
        Ok(Layout { n: shape[axis], inner: shape[axis + 1..].iter().product() })
    }

    /// Calls `f(start, width)` for the blocks of neighbouring slices in a range of the outer axis: their elements stand at
    /// `start + i * inner + j` for `i < n` and `j < width`.
    #[inline(always)]
    fn blocks(&self, n_outer: usize, mut f: impl FnMut(usize, usize)) {
        for outer in 0..n_outer {
            for j in (0..self.inner).step_by(BLOCK) {
                f(outer * self.n * self.inner + j, BLOCK.min(self.inner - j));
            }
        }
    }
}

fn forward<K: Kind, T: Real, D: Dimension>(
    pool: &dyn Pool,
    scratch: &mut Scratch<T>,
    axis: usize,
    x: &ArrayRef<T, D>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    if out.shape() != x.shape() {
        return Err(Error::shape(K::NAME, format!("{:?}", x.shape()), out.shape()));
    }
    let layout = Layout::new(K::NAME, axis, x.shape())?;
    let dense = Dense::of(x, scratch);
    overwrite(out, scratch, |out, _| {
        let (row, work) = (layout.n * layout.inner, out.len() * 16);
        parallel::rows(pool, out, row, 1, work, &|rows, part| {
            let x = &dense[rows.start * row..][..part.len()];
            vectorize!(|| {
                if layout.inner == 1 {
                    let n = layout.n.max(1);
                    part.chunks_exact_mut(n).zip(x.chunks_exact(n)).for_each(|(y, x)| forward_row::<K, _>(x, y));
                } else {
                    layout.blocks(
                        rows.len(),
                        #[inline(always)]
                        |start, width| forward_block::<K, _>(&layout, x, part, start, width),
                    );
                }
            });
        });
    });
    dense.release(scratch);
    Ok(())
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a || b.is_nan() { b } else { a }
}

/// Folds by eight partial results, so that steps need not wait for each other.
#[inline(always)]
fn by_lanes<A: Copy, T>(x: &[T], start: A, step: impl Fn(A, &T) -> A, merge: impl Fn(A, A) -> A) -> A {
    let mut lanes = [start; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(acc, x)| *acc = step(*acc, x));
    }
    lanes.iter_mut().zip(rest).for_each(|(acc, x)| *acc = step(*acc, x));
    lanes.into_iter().fold(start, merge)
}

#[inline(always)]
fn forward_row<K: Kind, T: Real>(x: &[T], y: &mut [T]) {
    let largest = by_lanes(x, T::neg_infinity(), |a, &b| larger(a, b), larger);
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = math::exp(x - largest));
    let sum = by_lanes(y, 0.0, |a, y| a + y.as_f64(), |a, b| a + b);
    if K::LOG {
        let log = T::of(sum.ln());
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - largest - log);
    } else {
        let factor = T::of(1.0 / sum);
        y.iter_mut().for_each(|y| *y *= factor);
    }
}

#[inline(always)]
fn forward_block<K: Kind, T: Real>(layout: &Layout, x: &[T], y: &mut [T], start: usize, width: usize) {
    let mut largest = [T::neg_infinity(); BLOCK];
    let mut sums = [0.0; BLOCK];
    let rows = |i: usize| start + i * layout.inner..start + i * layout.inner + width;
    for i in 0..layout.n {
        largest.iter_mut().zip(&x[rows(i)]).for_each(|(a, &b)| *a = larger(*a, b));
    }
    for i in 0..layout.n {
        let (y, x) = (&mut y[rows(i)], &x[rows(i)]);
        for (((y, &x), &largest), sum) in y.iter_mut().zip(x).zip(&largest).zip(&mut sums) {
            *y = math::exp(x - largest);
            *sum += y.as_f64();
        }
    }
    if K::LOG {
        let logs = sums.map(|sum| T::of(sum.ln()));
        for i in 0..layout.n {
            let (y, x) = (&mut y[rows(i)], &x[rows(i)]);
            for (((y, &x), &largest), &log) in y.iter_mut().zip(x).zip(&largest).zip(&logs) {
                *y = x - largest - log;
            }
        }
    } else {
        let factors = sums.map(|sum| T::of(1.0 / sum));
        for i in 0..layout.n {
            y[rows(i)].iter_mut().zip(&factors).for_each(|(y, &factor)| *y *= factor);
        }
    }
}

fn backward<K: Kind, T: Real>(axis: usize, at: &At<'_, T>, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) -> Result<()> {
    let layout = Layout::new(K::NAME, axis, slot.grad.shape())?;
    let (y, grad) = (Dense::of(at.output, cx.scratch), Dense::of(at.grad, cx.scratch));
    let (first, out) = (slot.first, slot.slice_mut());
    let (row, work) = (layout.n * layout.inner, out.len() * 8);
    parallel::rows(cx.pool, out, row, 1, work, &|rows, part| {
        let from = rows.start * row;
        let (y, grad) = (&y[from..][..part.len()], &grad[from..][..part.len()]);
        let write = |o: &mut T, value: T| *o = if first { value } else { *o + value };
        vectorize!(|| {
            layout.blocks(
                rows.len(),
                #[inline(always)]
                |start, width| {
                    let mut sums = [0.0; BLOCK];
                    if layout.inner == 1 {
                        let (y, grad) = (&y[start..][..layout.n], &grad[start..][..layout.n]);
                        let mut lanes = [0.0; 8];
                        for (y, grad) in y.chunks(8).zip(grad.chunks(8)) {
                            lanes
                                .iter_mut()
                                .zip(y.iter().zip(grad))
                                .for_each(|(sum, (&y, &grad))| *sum += K::term(y, grad));
                        }
                        let sum = T::of(lanes.into_iter().sum());
                        let out = &mut part[start..][..layout.n];
                        out.iter_mut()
                            .zip(y.iter().zip(grad))
                            .for_each(|(o, (&y, &grad))| write(o, K::gradient(y, grad, sum)));
                        return;
                    }
                    for i in 0..layout.n {
                        let run = start + i * layout.inner..start + i * layout.inner + width;
                        let elements = y[run.clone()].iter().zip(&grad[run]);
                        sums.iter_mut().zip(elements).for_each(|(sum, (&y, &grad))| *sum += K::term(y, grad));
                    }
                    for i in 0..layout.n {
                        let run = start + i * layout.inner..start + i * layout.inner + width;
                        let elements = y[run.clone()].iter().zip(&grad[run.clone()]).zip(&sums);
                        part[run].iter_mut().zip(elements).for_each(|(o, ((&y, &grad), &sum))| {
                            write(o, K::gradient(y, grad, T::of(sum)));
                        });
                    }
                },
            );
        });
    });
    y.release(cx.scratch);
    grad.release(cx.scratch);
    Ok(())
}

macro_rules! op {
    ($name:ident) => {
        crate::once::compiled_once!($name);

        impl<T: Real> crate::once::OpKernel<T> for $name {
            fn name(&self) -> &'static str {
                <$name as Kind>::NAME
            }
            fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
                let [x] = arity(<$name as Kind>::NAME, inputs)?;
                Layout::new(<$name as Kind>::NAME, self.axis, x)?;
                Ok(IxDyn(x))
            }
            fn forward(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                out: &mut ArrayRefD<T>,
                _: &mut Saved<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<()> {
                let [x] = inputs else {
                    return Err(Error::Arity { op: <$name as Kind>::NAME, expected: 1, got: inputs.len() });
                };
                forward::<$name, _, _>(cx.pool, cx.scratch, self.axis, x, out)
            }
            fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
                let [Some(slot)] = grads else { return Ok(()) };
                backward::<$name, _>(self.axis, &at, slot, cx)
            }
            fn needs(&self) -> Needs {
                Needs::OUTPUT
            }
        }
    };
}
op!(Softmax);
op!(LogSoftmax);
