//! Root-mean-square normalization.

use super::rows::RowNorm;
use super::{check_epsilon, check_parameters};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

const NAME: &str = "rms_norm";

/// Root-mean-square normalization: `y = γ x / √(mean(x²) + ε)` over the trailing axes: [`LayerNorm`](super::LayerNorm) without its mean.
///
/// - Inputs: `x` of at least as many axes, and optionally `γ` of the shape of its trailing axes. Output: the shape of `x`.
///
/// Source: Zhang and Sennrich, *Root mean square layer normalization*, NeurIPS 2019.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmsNorm {
    rows: RowNorm,
}

impl RmsNorm {
    /// Normalization over this many trailing axes, with this `ε`, commonly `1e-6`.
    ///
    /// # Errors
    /// If there is no axis, or `epsilon` is not a positive number.
    pub fn new(axes: usize, epsilon: f64) -> Result<Self> {
        if axes == 0 {
            return Err(Error::value("rms_norm: axes", "at least 1", axes));
        }
        check_epsilon("rms_norm: epsilon", epsilon)?;
        Ok(RmsNorm { rows: RowNorm { center: false, epsilon, axes } })
    }
}

crate::once::compiled_once!(RmsNorm);

impl<T: Real> crate::once::OpKernel<T> for RmsNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let (Some(x), 1 | 2) = (inputs.first(), inputs.len()) else {
            return Err(Error::Arity { op: NAME, expected: 2, got: inputs.len() });
        };
        let Some(lead) = x.len().checked_sub(self.rows.axes) else {
            return Err(Error::shape(NAME, format!("at least {} axes", self.rows.axes), x));
        };
        check_parameters(NAME, &inputs[1..], &x[lead..])?;
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        self.rows.forward(inputs, out, saved, cx)
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        self.rows.backward(&at, grads, cx)
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}
