//! More elements around an array.

use super::{only, only_slot};
use crate::dense::{Dense, overwrite};
use crate::parallel;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Pool, Real, Result, Saved, Scratch, Slot, arity};
use ndarray::{Dimension, IxDyn};

/// What stands in the elements that padding adds. Examples are for `[1, 2, 3]` and two elements on either side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// A number: `[c, c, 1, 2, 3, c, c]`.
    Constant(f64),
    /// The array mirrored at its first and last element: `[3, 2, 1, 2, 3, 2, 1]`. Takes fewer elements than the axis has.
    Reflect,
    /// The first and last element repeated: `[1, 1, 1, 2, 3, 3, 3]`.
    Edge,
    /// The array repeated: `[2, 3, 1, 2, 3, 1, 2]`.
    Wrap,
}

/// The input with elements added before and after, along every axis.
///
/// ```
/// use gradwise_tensor::{Pad, PadMode, eager::Eager};
/// use ndarray::arr1;
///
/// let x = arr1(&[1.0, 2.0, 3.0]).into_dyn();
/// let (y, _) = Eager::default().forward(&Pad::new(&[(2, 1)], PadMode::Reflect), &[x.view()])?;
/// assert_eq!(y, arr1(&[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    /// How many elements to add before and after, for every axis.
    pub amounts: Vec<(usize, usize)>,
    /// What they are.
    pub mode: PadMode,
}

impl Pad {
    /// By these amounts, in this mode.
    pub fn new(amounts: &[(usize, usize)], mode: PadMode) -> Self {
        Pad { amounts: amounts.to_vec(), mode }
    }

    fn shape(&self, x: &[usize]) -> Result<IxDyn> {
        if x.len() != self.amounts.len() {
            return Err(Error::shape("pad", format!("{} axes, one for each amount", self.amounts.len()), x));
        }
        let mut out = IxDyn(x);
        for (axis, &(before, after)) in self.amounts.iter().enumerate() {
            let largest = match self.mode {
                PadMode::Constant(_) => usize::MAX,
                PadMode::Reflect => x[axis].saturating_sub(1),
                PadMode::Edge | PadMode::Wrap if x[axis] == 0 => 0,
                PadMode::Edge | PadMode::Wrap => usize::MAX,
            };
            if before.max(after) > largest {
                return Err(Error::shape(
                    "pad",
                    format!("a longer axis {axis} to add {before} and {after} elements from"),
                    x,
                ));
            }
            let Some(len) = before.checked_add(after).and_then(|n| n.checked_add(x[axis])) else {
                return Err(Error::value(
                    "pad: amounts",
                    "an axis that fits into memory",
                    format_args!("{before} and {after}"),
                ));
            };
            out[axis] = len;
        }
        Ok(out)
    }

    /// Which of the `n` elements along an axis stands at position `i` of the output.
    #[inline]
    fn source(&self, axis: usize, i: usize, n: usize) -> Option<usize> {
        let before = self.amounts[axis].0;
        if i >= before && i - before < n {
            return Some(i - before);
        }
        match self.mode {
            PadMode::Constant(_) => None,
            PadMode::Edge => Some(if i < before { 0 } else { n - 1 }),
            PadMode::Reflect => Some(if i < before { before - i } else { 2 * (n - 1) - (i - before) }),
            PadMode::Wrap => Some((i + n - before % n) % n),
        }
    }

    /// Where the row of the input begins that a row of the output is made of; rows are those of the last axis.
    fn source_row(&self, mut row: usize, x: &[usize], out: &[usize]) -> Option<usize> {
        let mut offset = 0;
        let mut stride = x.last().copied().unwrap_or(1);
        for axis in (0..x.len().saturating_sub(1)).rev() {
            offset += stride * self.source(axis, row % out[axis], x[axis])?;
            row /= out[axis];
            stride *= x[axis];
        }
        Some(offset)
    }
}

/// `out ←` the padded `x`.
///
/// # Errors
/// [`Error::Shape`] if there are not as many amounts as axes, an axis is too short for the mode, or `out` has another shape than the
/// result.
pub fn pad_into<T: Real>(pool: &dyn Pool, pad: &Pad, x: &ArrayRefD<T>, out: &mut ArrayRefD<T>) -> Result<()> {
    forward(pool, &mut Scratch::default(), pad, x, out)
}

fn forward<T: Real>(
    pool: &dyn Pool,
    scratch: &mut Scratch<T>,
    pad: &Pad,
    x: &ArrayRefD<T>,
    out: &mut ArrayRefD<T>,
) -> Result<()> {
    let shape = pad.shape(x.shape())?;
    if shape.slice() != out.shape() {
        return Err(Error::shape("pad", format!("an output of shape {:?}", shape.slice()), out.shape()));
    }
    let constant = if let PadMode::Constant(value) = pad.mode { T::of(value) } else { T::zero() };
    let (last, n) = (x.ndim().saturating_sub(1), x.shape().last().copied().unwrap_or(1));
    let row_len = shape.slice().last().copied().unwrap_or(1);
    let before = pad.amounts.last().map_or(0, |a| a.0);
    let dense = Dense::of(x, scratch);
    overwrite(out, scratch, |out, _| {
        let work = out.len();
        parallel::rows(pool, out, row_len, 1, work, &|rows, part| {
            for (row, out) in rows.zip(part.chunks_exact_mut(row_len.max(1))) {
                let Some(start) = pad.source_row(row, x.shape(), shape.slice()) else {
                    out.fill(constant);
                    continue;
                };
                let x = &dense[start..][..n];
                out[before..before + n].copy_from_slice(x);
                for i in (0..before).chain(before + n..row_len) {
                    out[i] = pad.source(last, i, n).map_or(constant, |j| x[j]);
                }
            }
        });
    });
    dense.release(scratch);
    Ok(())
}

/// Adds the gradient of the padded array into that of the array: each element gets the sum over all places where it stands.
///
/// # Errors
/// As [`pad_into`].
pub fn pad_backward<T: Real>(pad: &Pad, grad: &ArrayRefD<T>, slot: &mut Slot<'_, T>) -> Result<()> {
    backward(&mut Scratch::default(), pad, grad, slot)
}

fn backward<T: Real>(scratch: &mut Scratch<T>, pad: &Pad, grad: &ArrayRefD<T>, slot: &mut Slot<'_, T>) -> Result<()> {
    let x = slot.grad.raw_dim();
    let shape = pad.shape(x.slice())?;
    if shape.slice() != grad.shape() {
        return Err(Error::shape("pad", format!("a gradient of shape {:?}", shape.slice()), grad.shape()));
    }
    let (last, n) = (x.ndim().saturating_sub(1), x.slice().last().copied().unwrap_or(1));
    let row_len = shape.slice().last().copied().unwrap_or(1);
    let before = pad.amounts.last().map_or(0, |a| a.0);
    let dense = Dense::of(grad, scratch);
    let out = slot.zeroed();
    for (row, grad) in dense.chunks_exact(row_len.max(1)).enumerate() {
        let Some(start) = pad.source_row(row, x.slice(), shape.slice()) else { continue };
        let out = &mut out[start..][..n];
        out.iter_mut().zip(&grad[before..]).for_each(|(o, &g)| *o += g);
        for i in (0..before).chain(before + n..row_len) {
            if let Some(j) = pad.source(last, i, n) {
                out[j] += grad[i];
            }
        }
    }
    dense.release(scratch);
    Ok(())
}

crate::once::compiled_once!(Pad);

impl<T: Real> crate::once::OpKernel<T> for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("pad", inputs)?;
        self.shape(x)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        forward(cx.pool, cx.scratch, self, only("pad", inputs)?, out)
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        only_slot(grads).map_or(Ok(()), |slot| backward(cx.scratch, self, at.grad, slot))
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
