//! Global average pooling.

use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, sums, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

const NAME: &str = "global_avg_pool";

/// The mean of each channel over all positions: `[samples, channels, …]` to `[samples, channels]`.
///
/// Source: Lin, Chen and Yan, *Network in network*, ICLR 2014.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GlobalAvgPool;

crate::once::compiled_once!(GlobalAvgPool);

impl<T: Real> crate::once::OpKernel<T> for GlobalAvgPool {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let [x] = arity(NAME, inputs)?;
        if x.len() < 2 || x[2..].contains(&0) {
            return Err(Error::shape(NAME, "[samples, channels, …] with at least one position", x));
        }
        Ok(IxDyn(&x[..2]))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let len: usize = inputs[0].shape()[2..].iter().product();
        let x = Dense::of(&inputs[0], cx.scratch);
        parallel::rows(cx.pool, slice_mut(out), 1, 1, x.len(), &|planes, out| {
            vectorize!(|| {
                for (out, plane) in out.iter_mut().zip(planes) {
                    let x = &x[plane * len..][..len];
                    let [sum] = sums(x, x, x, |x, _, _| [x]);
                    *out = T::of(sum / len as f64);
                }
            },);
        });
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let Some(slot) = &grads[0] else { return Ok(()) };
        let len: usize = slot.grad.shape()[2..].iter().product();
        let (grad, (to_x, first)) = (slice(at.grad), target(&mut grads[0]));
        let work = to_x.len();
        parallel::rows(cx.pool, to_x, len, 1, work, &|planes, to_x| {
            vectorize!(|| {
                for (to_x, plane) in to_x.chunks_exact_mut(len).zip(planes) {
                    let value = grad[plane] / T::of_usize(len);
                    if first {
                        to_x.fill(value);
                    } else {
                        to_x.iter_mut().for_each(|to_x| *to_x += value);
                    }
                }
            },);
        });
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
