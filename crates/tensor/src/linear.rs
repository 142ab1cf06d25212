//! The fully connected layer as one operation: product, bias and activation.

use crate::Activation;
use crate::dense::Dense;
use crate::gemm::{Bias, Epilogue, Product, Tools, product, products};
use crate::support::{RowSums, slice_mut};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::{ArrayView2, IxDyn};

/// `y = f(x Wᵀ + b)`, with `x` of shape `[.., n_in]`, `W` of `[n_out, n_in]`, `b` of `[n_out]` and `y` of `[.., n_out]`.
///
/// Inputs: `x`, `W` and, optionally, `b`. Any number of leading axes of `x` are counted out as one. The bias and the activation are
/// applied as each tile of the product is written, and backward finds the activation's derivative in the output:
/// `∂z = ∂y · f'`, `∂x = ∂z W`, `∂W = ∂zᵀ x`, `∂b = Σ ∂z` over the leading axes.
///
/// ```
/// use gradwise_core::Op;
/// use gradwise_tensor::{Activation, Linear};
///
/// let op = Linear::new(Activation::Relu);
/// let shape = Op::<f32>::out_shape(&op, &[&[32, 64], &[10, 64], &[10]])?;
/// assert_eq!(shape, gradwise_core::ndarray::IxDyn(&[32, 10]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] if the last axis of `x` is not the weight's, or the bias does not have one number for each output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Linear {
    /// The activation `f`.
    pub activation: Activation,
}

const NAME: &str = "linear";

impl Linear {
    /// A fully connected layer with an activation.
    pub fn new(activation: Activation) -> Self {
        Linear { activation }
    }
}

/// A matrix over a slice of its size.
fn matrix<T>(data: &[T], rows: usize, columns: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns), data).unwrap_or_else(|_| unreachable!("a slice of the matrix's size"))
}

/// Runs `f` on an input with its leading axes counted out as rows.
///
/// A matrix is taken in any strides; more axes are one matrix only in standard layout, and are copied if they are not.
fn with_rows<T: Real>(
    x: &ArrayViewD<'_, T>,
    n_in: usize,
    cx: &mut Cx<'_, T>,
    f: impl FnOnce(ArrayView2<'_, T>, &mut Tools<'_, T>),
) {
    if x.ndim() == 2 {
        return f(two_axes(x), &mut Tools::from(cx));
    }
    let dense = Dense::of(x, cx.scratch);
    f(matrix(&dense, n_rows(x.shape()), n_in), &mut Tools::from(&mut *cx));
    dense.release(cx.scratch);
}

fn two_axes<'v, T>(array: &'v ArrayViewD<'_, T>) -> ArrayView2<'v, T> {
    let view = array.view().into_dimensionality();
    view.unwrap_or_else(|_| unreachable!("a matrix, by `out_shape`"))
}

/// The product of all axes but the last.
fn n_rows(shape: &[usize]) -> usize {
    shape.split_last().map_or(1, |(_, leading)| leading.iter().product())
}

crate::once::compiled_once!(Linear);

impl<T: Real> crate::once::OpKernel<T> for Linear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let (x, weight, bias) = match *inputs {
            [x, weight] => (x, weight, None),
            [x, weight, bias] => (x, weight, Some(bias)),
            _ => return Err(Error::Arity { op: NAME, expected: 3, got: inputs.len() }),
        };
        let &[n_out, n_in] = weight else {
            return Err(Error::shape(NAME, "a weight [n_out, n_in]", weight));
        };
        let Some((_, leading)) = x.split_last().filter(|(last, _)| **last == n_in) else {
            return Err(Error::shape(NAME, format!("[.., {n_in}]"), x));
        };
        if let Some(bias) = bias
            && *bias != [n_out]
        {
            return Err(Error::shape(NAME, format!("a bias [{n_out}]"), bias));
        }
        let mut shape = IxDyn(x);
        shape[leading.len()] = n_out;
        Ok(shape)
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let weight = two_axes(&inputs[1]);
        let bias = inputs.get(2).map(|bias| Dense::of(bias, cx.scratch));
        let epilogue = Epilogue::assign().then(bias.as_deref().map_or(Bias::None, Bias::PerColumn), self.activation);
        with_rows(&inputs[0], weight.ncols(), cx, |x, tools| {
            product(epilogue, x, weight.reversed_axes(), slice_mut(out), tools);
        });
        if let Some(bias) = bias {
            bias.release(cx.scratch);
        }
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let (x, weight) = (&at.inputs[0], two_axes(&at.inputs[1]));
        let dense = self.activation.grad_before(at.grad, at.output, cx);
        let grad = matrix(&dense, n_rows(x.shape()), weight.nrows());
        let (to_x, others) = grads.split_at_mut(1);
        let (to_weight, to_bias) = others.split_at_mut(1);
        let packed = (to_weight[0].is_some() && x.ndim() != 2).then(|| Dense::of(x, cx.scratch));
        let rows = packed.as_ref().map(|x| matrix(x, grad.nrows(), weight.ncols()));
        let of_x = to_x[0].as_mut().map(|slot| {
            let epilogue = Epilogue::scaled(slot.beta());
            Product { epilogue, a: grad, b: weight, out: slot.slice_mut() }
        });
        let of_weight = to_weight[0].as_mut().map(|slot| {
            let epilogue = Epilogue::scaled(slot.beta());
            Product { epilogue, a: grad.reversed_axes(), b: rows.unwrap_or_else(|| two_axes(x)), out: slot.slice_mut() }
        });
        let of_bias = to_bias.first_mut().and_then(Option::as_mut).map(|slot| {
            let first = slot.first;
            RowSums::new(&dense, slot.slice_mut(), first)
        });
        products([of_x, of_weight], of_bias.as_ref(), &mut Tools::from(&mut *cx));
        packed.into_iter().for_each(|x| x.release(cx.scratch));
        dense.release(cx.scratch);
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs { inputs: true, output: self.activation != Activation::Identity }
    }

    fn before_activation(&self) -> Option<Box<dyn gradwise_core::Op<T> + '_>> {
        let fused = self.activation != Activation::Identity;
        fused.then(|| Box::new(Linear::new(Activation::Identity)) as _)
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        self.activation.bounds()
    }
}
