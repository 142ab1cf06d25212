//! Embedding: rows of a table by their indices.

use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

const NAME: &str = "embedding";

/// Rows of a table: `y[i…, :] = w[index[i…], :]`.
///
/// - Input: the table `w` `[rows, width]`. Output: the shape of the indices, and `width`.
/// - Backward adds each gradient to the row it came from, rows that occur several times in the order of their occurrence.
/// - The row of the padding index, if there is one, is looked up like any other but gets no gradient.
///
/// ```
/// use gradwise_tensor::{eager::Eager, embedding::Embedding};
/// use ndarray::arr2;
///
/// let table = arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).into_dyn();
/// let lookup = Embedding::new(&[2, 0], &[2])?;
/// let (rows, _) = Eager::default().forward(&lookup, &[table.view()])?;
/// assert_eq!(rows, arr2(&[[5.0, 6.0], [1.0, 2.0]]).into_dyn());
///
/// let error = Eager::default().forward(&Embedding::new(&[3], &[1])?, &[table.view()]).unwrap_err();
/// assert_eq!(error.to_string(), "embedding: expected an index below 3, got 3 at position 0");
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Embedding<'a> {
    indices: &'a [usize],
    shape: &'a [usize],
    padding: Option<usize>,
}

impl<'a> Embedding<'a> {
    /// The lookup of indices that are in an array of this shape, in standard order.
    ///
    /// # Errors
    /// If the shape is not that of so many indices.
    pub fn new(indices: &'a [usize], shape: &'a [usize]) -> Result<Self> {
        if shape.iter().try_fold(1_usize, |size, &n| size.checked_mul(n)) != Some(indices.len()) {
            return Err(Error::shape(NAME, format!("a shape of {} indices", indices.len()), shape));
        }
        Ok(Embedding { indices, shape, padding: None })
    }

    /// With an index whose row is not learned.
    #[must_use]
    pub fn padding(self, index: usize) -> Self {
        Embedding { padding: Some(index), ..self }
    }
}

crate::once::compiled_once!(['a] Embedding<'a>);

impl<T: Real> crate::once::OpKernel<T> for Embedding<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let [table] = arity(NAME, inputs)?;
        let &[_, width] = table else {
            return Err(Error::shape(NAME, "a table [rows, width]", table));
        };
        Ok(IxDyn(&[self.shape, &[width]].concat()))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let &[rows, width] = inputs[0].shape() else { unreachable!("`out_shape` takes nothing else") };
        if let Some(position) = self.indices.iter().position(|&index| index >= rows) {
            return Err(Error::Index { op: NAME, index: self.indices[position], bound: rows, position });
        }
        let table = Dense::of(&inputs[0], cx.scratch);
        let work = out.len();
        parallel::rows(cx.pool, slice_mut(out), width, 1, work, &|positions, out| {
            for (&index, out) in self.indices[positions].iter().zip(out.chunks_exact_mut(width.max(1))) {
                out.copy_from_slice(&table[index * width..][..width]);
            }
        });
        table.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let Some(slot) = &grads[0] else { return Ok(()) };
        let width = slot.grad.shape()[1];
        let (grad, (to_table, first)) = (slice(at.grad), target(&mut grads[0]));
        let work = to_table.len() + grad.len();
        // Each task owns a range of the table's rows, and looks for them in all indices.
        parallel::rows(cx.pool, to_table, width, 1, work, &|rows, to_table| {
            if first {
                to_table.fill(T::zero());
            }
            for (&index, grad) in self.indices.iter().zip(grad.chunks_exact(width.max(1))) {
                if rows.contains(&index) && Some(index) != self.padding {
                    let to_row = &mut to_table[(index - rows.start) * width..][..width];
                    to_row.iter_mut().zip(grad).for_each(|(to_row, &grad)| *to_row += grad);
                }
            }
        });
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
