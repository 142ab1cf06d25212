//! ReLU with a slope that is learned.

use crate::dense::Dense;
use crate::support::{Planes, WIDTH, channel_map, channel_sums, channels, slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

const NAME: &str = "prelu";

/// Parametric ReLU: `x` for `x > 0`, else `a x`, with a learned slope `a` for each channel.
///
/// - Inputs: `x` `[samples, channels, …]` and `a` `[channels]`. Output: the shape of `x`. At 0 the slope is `a`.
/// - Not to be decayed: an `a` that is pulled to 0 becomes a plain ReLU.
///
/// Source: He et al., *Delving deep into rectifiers*, ICCV 2015.
///
/// ```
/// use gradwise_tensor::{PRelu, eager::Eager};
/// use ndarray::{arr1, arr2};
///
/// let (x, slopes) = (arr2(&[[-1.0, -1.0], [2.0, 3.0]]).into_dyn(), arr1(&[0.25, 0.5]).into_dyn());
/// let (y, _) = Eager::default().forward(&PRelu, &[x.view(), slopes.view()])?;
/// assert_eq!(y, arr2(&[[-0.25, -0.5], [2.0, 3.0]]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PRelu;

/// The slopes of a block of channels.
fn of_block<T: Real>(slopes: &[T], range: &std::ops::Range<usize>) -> [[T; WIDTH]; 1] {
    let mut block = [[T::zero(); WIDTH]; 1];
    block[0][..range.len()].copy_from_slice(&slopes[range.clone()]);
    block
}

crate::once::compiled_once!(PRelu);

impl<T: Real> crate::once::OpKernel<T> for PRelu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x, slopes] = arity(NAME, inputs)?;
        if x.len() < 2 {
            return Err(Error::shape(NAME, "[samples, channels, …]", x));
        }
        if *slopes != [x[1]] {
            return Err(Error::shape(NAME, format!("slopes [{}]", x[1]), slopes));
        }
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let planes = Planes::of(inputs[0].shape());
        let (x, slopes) = (Dense::of(&inputs[0], cx.scratch), Dense::of(&inputs[1], cx.scratch));
        let mut nothing: [T; 0] = [];
        channels(cx.pool, 2 * x.len(), planes, slice_mut(out), &mut nothing, &|range, block, _| {
            vectorize!(|| channel_map(
                planes,
                &range,
                [block],
                [true],
                &of_block(&slopes, &range),
                [&x, &x, &x],
                #[inline(always)]
                |[slope], x, _, _| [if x > T::zero() { x } else { slope * x }],
            ));
        });
        x.release(cx.scratch);
        slopes.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let planes = Planes::of(at.inputs[0].shape());
        let (x, slopes) = (Dense::of(&at.inputs[0], cx.scratch), Dense::of(&at.inputs[1], cx.scratch));
        let grad = slice(at.grad);
        let (to_x, to_slopes) = grads.split_at_mut(1);
        let (has_x, has_slopes) = (to_x[0].is_some(), to_slopes[0].is_some());
        let (to_x, first) = target(&mut to_x[0]);
        let (to_slopes, first_slopes) = target(&mut to_slopes[0]);
        channels(cx.pool, 4 * x.len(), planes, to_x, to_slopes, &|range, block, to_slopes| {
            vectorize!(|| {
                let coefficients = of_block(&slopes, &range);
                if has_slopes {
                    let [sums] = channel_sums(
                        planes,
                        &range,
                        &coefficients,
                        [&x, grad, grad],
                        #[inline(always)]
                        |_, x, grad, _| [if x > T::zero() { T::zero() } else { x * grad }],
                    );
                    for (to_slope, &sum) in to_slopes.iter_mut().zip(&sums) {
                        *to_slope = T::of(if first_slopes { sum } else { to_slope.as_f64() + sum });
                    }
                }
                if has_x {
                    channel_map(
                        planes,
                        &range,
                        [block],
                        [first],
                        &coefficients,
                        [&x, grad, grad],
                        #[inline(always)]
                        |[slope], x, grad, _| [if x > T::zero() { grad } else { slope * grad }],
                    );
                }
            });
        });
        x.release(cx.scratch);
        slopes.release(cx.scratch);
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}
