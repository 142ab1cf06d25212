//! Elements by index.

use super::{check_axis, only, only_slot};
use crate::dense::{Dense, overwrite};
use crate::parallel;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Pool, Real, Result, Saved, Scratch, Slot, arity};
use ndarray::{Dimension, IxDyn};

/// `out[…, k, …] = x[…, indices[k], …]` along an axis: rows of a table, columns of a matrix, in any order and any number of times.
///
/// Backward adds the gradients of all copies of an element, in the order of the indices. Scatter-add is [`scatter_add`].
///
/// ```
/// use gradwise_tensor::{Gather, eager::Eager};
/// use ndarray::arr2;
///
/// let x = arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).into_dyn();
/// let (y, _) = Eager::default().forward(&Gather { axis: 0, indices: &[2, 0, 2] }, &[x.view()])?;
/// assert_eq!(y, arr2(&[[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gather<'a> {
    /// The axis, counted from 0.
    pub axis: usize,
    /// What to take along it.
    pub indices: &'a [usize],
}

/// `out[r] = x[r, indices[r]]`: one element of each row, such as the log-probability of its label.
///
/// The rows are those of the last axis, in standard order; the output has the shape of the others: `[N, C]` gives `[N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick<'a> {
    /// Which element to take, for each row.
    pub indices: &'a [usize],
}

fn check_indices(op: &'static str, indices: &[usize], bound: usize) -> Result<()> {
    match indices.iter().position(|&index| index >= bound) {
        None => Ok(()),
        Some(position) => Err(Error::Index { op, index: indices[position], bound, position }),
    }
}

/// `out ← x[…, indices, …]` along an axis.
///
/// # Errors
/// [`Error::Index`] for an axis or an index out of range, [`Error::Shape`] if `out` has another shape than the result.
pub fn gather_into<T: Real>(
    pool: &dyn Pool,
    axis: usize,
    indices: &[usize],
    x: &ArrayRefD<T>,
    out: &mut ArrayRefD<T>,
) -> Result<()> {
    gather(pool, &mut Scratch::default(), Gather { axis, indices }, x, out)
}

/// `table[…, indices[k], …] += x[…, k, …]` along an axis, in the order of the indices: the adjoint of gathering.
///
/// # Errors
/// [`Error::Index`] for an axis or an index out of range, [`Error::Shape`] if the shapes do not belong together.
///
/// ```
/// use gradwise_core::Serial;
/// use gradwise_tensor::shape::scatter_add;
/// use ndarray::arr1;
///
/// let mut table = arr1(&[0.0, 10.0]).into_dyn();
/// scatter_add(&Serial, 0, &[1, 0, 1], &arr1(&[1.0, 2.0, 3.0]).into_dyn(), &mut table)?;
/// assert_eq!(table, arr1(&[2.0, 14.0]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn scatter_add<T: Real>(
    pool: &dyn Pool,
    axis: usize,
    indices: &[usize],
    x: &ArrayRefD<T>,
    table: &mut ArrayRefD<T>,
) -> Result<()> {
    let gather = Gather { axis, indices };
    let expected = gather.shape(table.shape())?;
    if expected.slice() != x.shape() {
        return Err(Error::shape("scatter_add", format!("{:?}", expected.slice()), x.shape()));
    }
    check_indices("scatter_add", indices, table.shape()[axis])?;
    let x = Dense::of(x, &mut Scratch::default());
    let shape = table.raw_dim();
    if let Some(slice) = table.as_slice_mut() {
        scatter(pool, axis, indices, &x, shape.slice(), false, slice);
    } else {
        let mut packed: Vec<T> = table.iter().copied().collect();
        scatter(pool, axis, indices, &x, shape.slice(), false, &mut packed);
        table.iter_mut().zip(packed).for_each(|(o, v)| *o = v);
    }
    Ok(())
}

impl Gather<'_> {
    fn shape(&self, x: &[usize]) -> Result<IxDyn> {
        check_axis("gather", self.axis, x.len(), 0)?;
        let mut out = IxDyn(x);
        out[self.axis] = self.indices.len();
        Ok(out)
    }
}

fn gather<T: Real>(
    pool: &dyn Pool,
    scratch: &mut Scratch<T>,
    Gather { axis, indices }: Gather<'_>,
    x: &ArrayRefD<T>,
    out: &mut ArrayRefD<T>,
) -> Result<()> {
    let expected = Gather { axis, indices }.shape(x.shape())?;
    if expected.slice() != out.shape() {
        return Err(Error::shape("gather", format!("an output of shape {:?}", expected.slice()), out.shape()));
    }
    let n = x.shape()[axis];
    check_indices("gather", indices, n)?;
    let inner: usize = x.shape()[axis + 1..].iter().product();
    let dense = Dense::of(x, scratch);
    overwrite(out, scratch, |out, _| {
        let work = out.len();
        parallel::rows(pool, out, inner, 1, work, &|rows, part| {
            for (row, out) in rows.zip(part.chunks_exact_mut(inner.max(1))) {
                let (outer, k) = (row / indices.len(), row % indices.len());
                out.copy_from_slice(&dense[(outer * n + indices[k]) * inner..][..inner]);
            }
        });
    });
    dense.release(scratch);
    Ok(())
}

/// Adds rows of `x` to the rows of `table` that the indices name. Each task has a range of the table's rows and goes through all
/// indices, so that additions to one row are made by one thread in one order.
fn scatter<T: Real>(
    pool: &dyn Pool,
    axis: usize,
    indices: &[usize],
    x: &[T],
    shape: &[usize],
    first: bool,
    table: &mut [T],
) {
    let n = shape[axis];
    let inner: usize = shape[axis + 1..].iter().product();
    let work = x.len() + if first { table.len() } else { 0 };
    parallel::rows(pool, table, inner, 1, work, &|rows, part| {
        if first {
            part.fill(T::zero());
        }
        if rows.is_empty() {
            return;
        }
        for outer in rows.start / n..rows.end.div_ceil(n) {
            for (k, &index) in indices.iter().enumerate() {
                let row = outer * n + index;
                if rows.contains(&row) {
                    let out = &mut part[(row - rows.start) * inner..][..inner];
                    let x = &x[(outer * indices.len() + k) * inner..][..inner];
                    out.iter_mut().zip(x).for_each(|(o, &x)| *o += x);
                }
            }
        }
    });
}

crate::once::compiled_once!(['a] Gather<'a>);

impl<T: Real> crate::once::OpKernel<T> for Gather<'_> {
    fn name(&self) -> &'static str {
        "gather"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("gather", inputs)?;
        self.shape(x)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        gather(cx.pool, cx.scratch, *self, only("gather", inputs)?, out)
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let Some(slot) = only_slot(grads) else { return Ok(()) };
        let shape = slot.grad.raw_dim();
        check_axis("gather", self.axis, shape.ndim(), 0)?;
        check_indices("gather", self.indices, shape[self.axis])?;
        let grad = Dense::of(at.grad, cx.scratch);
        let first = slot.first;
        scatter(cx.pool, self.axis, self.indices, &grad, shape.slice(), first, slot.slice_mut());
        grad.release(cx.scratch);
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

impl Pick<'_> {
    /// The number of columns, once everything is checked.
    fn columns(&self, shape: &[usize]) -> Result<usize> {
        let Some((&columns, rows)) = shape.split_last() else {
            return Err(Error::shape("pick", "at least one axis", shape));
        };
        if rows.iter().product::<usize>() != self.indices.len() {
            return Err(Error::shape("pick", format!("{} rows, as many as indices", self.indices.len()), shape));
        }
        Ok(columns)
    }
}

/// `out[r] ← x[r, indices[r]]`, where the rows are those of the last axis of `x`.
///
/// # Errors
/// [`Error::Index`] for an index out of range, [`Error::Shape`] if there are not as many indices as rows or `out` has another shape
/// than the leading axes of `x`.
pub fn pick_into<T: Real>(indices: &[usize], x: &ArrayRefD<T>, out: &mut ArrayRefD<T>) -> Result<()> {
    pick(&mut Scratch::default(), indices, x, out)
}

fn pick<T: Real>(scratch: &mut Scratch<T>, indices: &[usize], x: &ArrayRefD<T>, out: &mut ArrayRefD<T>) -> Result<()> {
    let columns = Pick { indices }.columns(x.shape())?;
    if out.shape() != &x.shape()[..x.ndim() - 1] {
        return Err(Error::shape("pick", format!("an output of shape {:?}", &x.shape()[..x.ndim() - 1]), out.shape()));
    }
    check_indices("pick", indices, columns)?;
    let dense = Dense::of(x, scratch);
    overwrite(out, scratch, |out, _| {
        out.iter_mut().zip(indices).enumerate().for_each(|(r, (o, &index))| *o = dense[r * columns + index]);
    });
    dense.release(scratch);
    Ok(())
}

crate::once::compiled_once!(['a] Pick<'a>);

impl<T: Real> crate::once::OpKernel<T> for Pick<'_> {
    fn name(&self) -> &'static str {
        "pick"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("pick", inputs)?;
        self.columns(x)?;
        Ok(IxDyn(&x[..x.len() - 1]))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        pick(cx.scratch, self.indices, only("pick", inputs)?, out)
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        let Some(slot) = only_slot(grads) else { return Ok(()) };
        let columns = self.columns(slot.grad.shape())?;
        check_indices("pick", self.indices, columns)?;
        let out = slot.zeroed();
        for ((r, &index), &grad) in self.indices.iter().enumerate().zip(at.grad) {
            out[r * columns + index] += grad;
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
