//! What all of them are: `y = a x + b`, with `a` and `b` that were drawn.

use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Key, Real, Result, Slot};

/// Elements whose coefficients are drawn together.
pub(super) const CHUNK: usize = 64;

/// Draws of one element each.
pub(super) trait Draw<T: Real>: Send + Sync {
    /// The operation's name.
    const NAME: &'static str;

    /// Refuses shapes that it has no meaning for.
    fn check(&self, shape: &[usize]) -> Result<(), Error> {
        let _ = shape;
        Ok(())
    }

    /// Whether anything changes at all in training.
    fn is_active(&self) -> bool;

    /// Whether the first axis is that of a batch's samples, of which these may be a part; else it begins at 0.
    fn is_of_samples(&self) -> bool {
        true
    }

    /// Sets `a` and `b` of a sample's elements from `start` on. `inner` is the number of elements of a channel, that is of what is behind the first two
    /// axes.
    fn draw(&self, key: Key, start: usize, inner: usize, a: &mut [T], b: &mut [T]);
}

/// Elements of a sample, and of a channel of it.
pub(super) fn lens(shape: &[usize]) -> (usize, usize) {
    (shape.iter().skip(1).product(), shape.iter().skip(2).product())
}

/// Calls `f` with each chunk's range in the rows of a task, and its coefficients.
#[inline(always)]
fn each_chunk<T: Real, D: Draw<T>>(
    draw: &D,
    key: Key,
    (len, inner): (usize, usize),
    mut f: impl FnMut(std::ops::Range<usize>, &[T; CHUNK], &[T; CHUNK]),
) {
    for start in (0..len).step_by(CHUNK) {
        let n = CHUNK.min(len - start);
        let (mut a, mut b) = ([T::one(); CHUNK], [T::zero(); CHUNK]);
        draw.draw(key, start, inner, &mut a[..n], &mut b[..n]);
        f(start..start + n, &a, &b);
    }
}

/// The index of the first row in the whole batch.
fn first_row<T: Real, D: Draw<T>>(draw: &D, cx: &Cx<'_, T>) -> usize {
    if draw.is_of_samples() { cx.first_sample } else { 0 }
}

/// `y = a x + b`, or `y = x` in evaluation.
pub(super) fn forward<T: Real, D: Draw<T>>(
    draw: &D,
    inputs: &[ArrayViewD<'_, T>],
    out: &mut ArrayRefD<T>,
    cx: &mut Cx<'_, T>,
) {
    if !cx.training || !draw.is_active() || out.is_empty() {
        return out.assign(&inputs[0]);
    }
    let x = Dense::of(&inputs[0], cx.scratch);
    let (len, inner) = lens(inputs[0].shape());
    let (key, first) = (cx.key, first_row(draw, cx));
    parallel::rows(cx.pool, slice_mut(out), len, 1, 8 * x.len(), &|samples, out| {
        vectorize!(|| {
            for (sample, out) in samples.zip(out.chunks_exact_mut(len)) {
                let x = &x[sample * len..][..len];
                each_chunk(
                    draw,
                    key.with((first + sample) as u64),
                    (len, inner),
                    #[inline(always)]
                    |range, a, b| {
                        let coefficients = a.iter().zip(b);
                        for ((out, &x), (&a, &b)) in out[range.clone()].iter_mut().zip(&x[range]).zip(coefficients) {
                            // A factor of 0 is a choice: what is dropped is gone even if it was infinite or NaN.
                            let product = a * x;
                            *out = if a == T::zero() { b } else { product + b };
                        }
                    },
                );
            }
        });
    });
    x.release(cx.scratch);
}

/// `dx = a g`.
pub(super) fn backward<T: Real, D: Draw<T>>(
    draw: &D,
    at: &At<'_, T>,
    grads: &mut [Option<Slot<'_, T>>],
    cx: &mut Cx<'_, T>,
) {
    let Some(slot) = &mut grads[0] else { return };
    if !cx.training || !draw.is_active() || at.grad.is_empty() {
        return slot.add(at.grad);
    }
    let (len, inner) = lens(at.grad.shape());
    let (key, first_row, grad) = (cx.key, first_row(draw, cx), slice(at.grad));
    let (to_x, first) = target(&mut grads[0]);
    parallel::rows(cx.pool, to_x, len, 1, 8 * grad.len(), &|samples, to_x| {
        vectorize!(|| {
            for (sample, to_x) in samples.zip(to_x.chunks_exact_mut(len)) {
                let grad = &grad[sample * len..][..len];
                each_chunk(
                    draw,
                    key.with((first_row + sample) as u64),
                    (len, inner),
                    #[inline(always)]
                    |range, a, _| {
                        for ((to_x, &grad), &a) in to_x[range.clone()].iter_mut().zip(&grad[range]).zip(a) {
                            let value = if a == T::zero() { T::zero() } else { a * grad };
                            *to_x = if first { value } else { *to_x + value };
                        }
                    },
                );
            }
        });
    });
}

/// Makes operations of types that are a [`Draw`] for every [`Real`].
macro_rules! noise {
    ($($name:ident),*) => {$(
        crate::once::compiled_once!($name);

        impl<T: gradwise_core::Real> crate::once::OpKernel<T> for $name {
            fn name(&self) -> &'static str {
                <Self as crate::noise::linear::Draw<T>>::NAME
            }
            fn out_shape(&self, inputs: &[&[usize]]) -> gradwise_core::Result<ndarray::IxDyn> {
                let [x] = gradwise_core::arity(<Self as crate::noise::linear::Draw<T>>::NAME, inputs)?;
                crate::noise::linear::Draw::<T>::check(self, x)?;
                Ok(ndarray::IxDyn(x))
            }
            fn forward(
                &self,
                inputs: &[gradwise_core::ArrayViewD<'_, T>],
                out: &mut gradwise_core::ArrayRefD<T>,
                _: &mut gradwise_core::Saved<T>,
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                crate::noise::linear::forward(self, inputs, out, cx);
                Ok(())
            }
            fn backward(
                &self,
                at: gradwise_core::At<'_, T>,
                grads: &mut [Option<gradwise_core::Slot<'_, T>>],
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                crate::noise::linear::backward(self, &at, grads, cx);
                Ok(())
            }
            fn needs(&self) -> gradwise_core::Needs {
                gradwise_core::Needs::NOTHING
            }
        }
    )*};
}
pub(super) use noise;
