//! The matrix product as an operation: transposed factors, and stacks of matrices with broadcasting.

use crate::gemm::blocks::{Products, multiply};
use crate::gemm::operand::Stack;
use crate::gemm::target::{Columns, Target};
use crate::gemm::{Epilogue, Tools};
use crate::parallel::Parts;
use crate::support::slice_mut;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

/// `C = A B`, for matrices or stacks of them.
///
/// `A` is `[.., m, k]`, or `[.., k, m]` if `transpose_a`; `B` is `[.., k, n]`, or `[.., n, k]` if `transpose_b`; `C` is `[.., m, n]`. The
/// leading axes are broadcast against each other as in elementwise arithmetic: aligned at their ends, an axis of 1 or a missing one
/// is repeated. Backward: `∂A = ∂C Bᵀ` and `∂B = Aᵀ ∂C`, summed over the axes that were repeated.
///
/// ```
/// use gradwise_core::Op;
/// use gradwise_tensor::MatMul;
///
/// let shape = Op::<f32>::out_shape(&MatMul::default(), &[&[8, 1, 5, 3], &[4, 3, 2]])?;
/// assert_eq!(shape, gradwise_core::ndarray::IxDyn(&[8, 4, 5, 2]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] if a factor has fewer than two axes, the inner lengths differ, or the leading axes do not broadcast.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MatMul {
    /// Whether `A` is given as its transpose.
    pub transpose_a: bool,
    /// Whether `B` is given as its transpose.
    pub transpose_b: bool,
}

const NAME: &str = "matmul";

impl MatMul {
    /// The lengths `[m, k, n]`.
    fn lengths(self, a: &[usize], b: &[usize]) -> Result<[usize; 3]> {
        for shape in [a, b] {
            if shape.len() < 2 {
                return Err(Error::shape(NAME, "a matrix or a stack of matrices", shape));
            }
        }
        let last_two = |shape: &[usize], transposed: bool| {
            let [rows, columns] = [shape[shape.len() - 2], shape[shape.len() - 1]];
            if transposed { [columns, rows] } else { [rows, columns] }
        };
        let [m, k] = last_two(a, self.transpose_a);
        let [inner, n] = last_two(b, self.transpose_b);
        if inner != k {
            let expected = if self.transpose_b { format!("[.., _, {k}]") } else { format!("[.., {k}, _]") };
            return Err(Error::shape(NAME, format!("{expected} on the right of {a:?}"), b));
        }
        Ok([m, k, n])
    }

    /// The factors as stacks of `A` and `B` themselves, whatever way they are given.
    fn stacks<'v, T: Real>(self, a: &'v ArrayViewD<'_, T>, b: &'v ArrayViewD<'_, T>) -> (Stack<'v, T>, Stack<'v, T>) {
        let (a, b) = (Stack::new(a), Stack::new(b));
        (if self.transpose_a { a.transposed() } else { a }, if self.transpose_b { b.transposed() } else { b })
    }

    /// Whether a stack of `A`s meets a single `B`: it is then one tall matrix.
    fn is_tall(self, a: &ArrayRefD<impl Real>, b: &ArrayRefD<impl Real>) -> bool {
        !self.transpose_a && b.ndim() == 2 && a.ndim() > 2 && a.is_standard_layout()
    }
}

/// The leading axes of a stack.
fn leading(shape: &[usize]) -> &[usize] {
    &shape[..shape.len() - 2]
}

/// A stack's shape with its leading axes counted out into one.
fn tall(shape: &[usize]) -> [usize; 2] {
    [shape[..shape.len() - 1].iter().product(), shape[shape.len() - 1]]
}

fn reshaped<'v, T: Real>(array: &'v ArrayRefD<T>, shape: &[usize]) -> ArrayViewD<'v, T> {
    let view = array.view().into_shape_with_order(IxDyn(shape));
    view.unwrap_or_else(|_| unreachable!("an array in standard layout, of the same size"))
}

/// Which matrix of a broadcast stack is the `repeat`-th use of the `own`-th matrix of one that goes into it.
fn broadcast_index(mut own: usize, mut repeat: usize, whole: &[usize], part: &[usize]) -> usize {
    let (mut index, mut stride) = (0, 1);
    for axis in (0..whole.len()).rev() {
        let len = whole[axis];
        let shared = (axis + part.len()).checked_sub(whole.len()).is_some_and(|at| part[at] == len);
        let counter = if shared { &mut own } else { &mut repeat };
        index += (*counter % len) * stride;
        *counter /= len;
        stride *= len;
    }
    index
}

crate::once::compiled_once!(MatMul);

impl<T: Real> crate::once::OpKernel<T> for MatMul {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [a, b] = arity(NAME, inputs)?;
        let [m, _, n] = self.lengths(a, b)?;
        let (rank, a_axes, b_axes) = (a.len().max(b.len()), leading(a), leading(b));
        let mut shape = IxDyn::zeros(rank);
        for from_end in 1..=rank - 2 {
            let len = |axes: &[usize]| axes.len().checked_sub(from_end).map_or(1, |at| axes[at]);
            let (a_len, b_len) = (len(a_axes), len(b_axes));
            if a_len != b_len && a_len != 1 && b_len != 1 {
                return Err(Error::shape(NAME, format!("leading axes that broadcast with {a_axes:?}"), b));
            }
            shape[rank - 2 - from_end] = if a_len == 1 { b_len } else { a_len };
        }
        shape[rank - 2] = m;
        shape[rank - 1] = n;
        Ok(shape)
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (mut a, b, mut shape) = (inputs[0].view(), &inputs[1], out.shape().to_vec());
        if self.is_tall(&inputs[0], b) {
            a = reshaped(&inputs[0], &tall(inputs[0].shape()));
            shape = tall(&shape).to_vec();
        }
        let [m, depth, n] = self.lengths(a.shape(), b.shape())?;
        let axes = leading(&shape);
        let (a, b) = self.stacks(&a, b);
        let factors = |i: usize, _: usize| (a.matrix(i, axes), b.matrix(i, axes).turned());
        let outputs = axes.iter().product();
        let products = Products { outputs, terms: 1, m, n, depth, factors: &factors, base: &|i| i * m * n };
        run(&products, slice_mut(out), T::zero(), cx);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let (mut a, b, mut grad) = (at.inputs[0].view(), &at.inputs[1], at.grad.view());
        let mut a_shape = at.inputs[0].shape().to_vec();
        if self.is_tall(&at.inputs[0], b) {
            a_shape = tall(&a_shape).to_vec();
            a = reshaped(&at.inputs[0], &a_shape);
            grad = reshaped(at.grad, &tall(at.grad.shape()));
        }
        let [m, k, n] = self.lengths(a.shape(), b.shape())?;
        let shape = grad.shape().to_vec();
        let axes = leading(&shape);
        let total: usize = axes.iter().product();
        let c = Stack::new(&grad);
        let (b_shape, (a, b)) = (b.shape().to_vec(), self.stacks(&a, b));

        // Every matrix of a factor sums over the outputs that it was repeated for.
        let terms_of = |own: &[usize]| total.checked_div(own.iter().product()).unwrap_or(0);
        for (input, slot) in grads.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let own = leading(if input == 0 { &a_shape } else { &b_shape });
            let (outputs, terms) = (own.iter().product(), terms_of(own));
            // (rows, columns) of the gradient as it is stored, and the length of the sum.
            let (rows, columns, depth) = match (input, self.transpose_a, self.transpose_b) {
                (0, false, _) => (m, k, n),
                (0, true, _) => (k, m, n),
                (_, _, false) => (k, n, m),
                (_, _, true) => (n, k, m),
            };
            let factors = |own_index: usize, term: usize| {
                let i = broadcast_index(own_index, term, axes, own);
                let c = c.matrix(i, axes);
                if input == 0 {
                    // ∂A = ∂C Bᵀ, or its transpose B ∂Cᵀ; the columns of Bᵀ are the rows of B.
                    let b = b.matrix(i, axes);
                    if self.transpose_a { (b, c) } else { (c, b) }
                } else {
                    // ∂B = Aᵀ ∂C, or its transpose ∂Cᵀ A.
                    let (a, c) = (a.matrix(i, axes).turned(), c.turned());
                    if self.transpose_b { (c, a) } else { (a, c) }
                }
            };
            if terms == 0 {
                slot.zeroed();
                continue;
            }
            let base = |i: usize| i * rows * columns;
            let products = Products { outputs, terms, m: rows, n: columns, depth, factors: &factors, base: &base };
            let beta = slot.beta();
            run(&products, slot.slice_mut(), beta, cx);
        }
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}

fn run<T: Real>(products: &Products<'_, T>, out: &mut [T], beta: T, cx: &mut Cx<'_, T>) {
    let out = &Parts::new(out);
    let columns = Columns::of_matrix(products.n, 1);
    let target = Target { out, base: 0, row_stride: products.n, columns, epilogue: Epilogue::scaled(beta) };
    multiply(products, &target, &mut Tools::from(cx));
}
