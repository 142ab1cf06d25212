//! Layer normalization.

use super::rows::RowNorm;
use super::{check_epsilon, check_parameters};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

const NAME: &str = "layer_norm";

/// Layer normalization: `y = γ (x - μ) / √(σ² + ε) + β`, with mean `μ` and biased variance `σ²` over the trailing axes.
///
/// - Inputs: `x` of at least as many axes, and optionally `γ` and `β` of the shape of its trailing axes. Output: the shape of `x`.
/// - Saves mean and inverse standard deviation of each row, `[rows, 2]`.
/// - It does not depend on the batch: training and evaluation are the same.
///
/// Source: Ba, Kiros and Hinton, *Layer normalization*, 2016, <https://arxiv.org/abs/1607.06450>.
///
/// ```
/// use gradwise_tensor::{eager::Eager, norm::LayerNorm};
/// use ndarray::arr2;
///
/// let x = arr2(&[[1.0, 3.0], [-5.0, 5.0]]).into_dyn();
/// let (y, _) = Eager::default().forward(&LayerNorm::new(1, 1e-12)?, &[x.view()])?;
/// assert!((&y - &arr2(&[[-1.0, 1.0], [-1.0, 1.0]])).iter().all(|d: &f64| d.abs() < 1e-9));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LayerNorm {
    rows: RowNorm,
}

impl LayerNorm {
    /// Normalization over this many trailing axes, with this `ε`, commonly `1e-5`.
    ///
    /// # Errors
    /// If there is no axis, or `epsilon` is not a positive number.
    pub fn new(axes: usize, epsilon: f64) -> Result<Self> {
        if axes == 0 {
            return Err(Error::value("layer_norm: axes", "at least 1", axes));
        }
        check_epsilon("layer_norm: epsilon", epsilon)?;
        Ok(LayerNorm { rows: RowNorm { center: true, epsilon, axes } })
    }
}

crate::once::compiled_once!(LayerNorm);

impl<T: Real> crate::once::OpKernel<T> for LayerNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let (Some(x), 1 | 3) = (inputs.first(), inputs.len()) else {
            return Err(Error::Arity { op: NAME, expected: 3, got: inputs.len() });
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
