//! A recurrent layer over whole sequences.

use super::cell::{Back, Cell, Step};
use super::{GruCell, LstmCell, SimpleCell};
use crate::dense::{Dense, copy, view_mut};
use crate::gemm::{Bias, Epilogue, Tools, product};
use crate::support::{RowSums, slice, slice_mut, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Scratch, Slot};
use ndarray::{ArrayView2, Axis, IxDyn};

/// A recurrent layer over sequences, from a hidden state of zeros.
///
/// - Inputs: `x` `[samples, steps, features]`, `W` `[gates · h, features]`, `U` `[gates · h, h]`, and optionally the biases `b` and `c`
///   `[gates · h]` of both products.
/// - Output: the hidden states after every step, `[samples, steps, h]`; the last one is what sums the sequence up.
/// - Forward keeps the gates, the memory and the hidden states.
///
/// ```
/// use gradwise_tensor::{eager::Eager, recurrent::Lstm};
/// use ndarray::ArrayD;
///
/// let [x, w, u]: [ArrayD<f32>; 3] = [vec![2, 5, 3], vec![16, 3], vec![16, 4]].map(ArrayD::zeros);
/// let (y, _) = Eager::default().forward(&Lstm::default(), &[x.view(), w.view(), u.view()])?;
/// assert_eq!(y.shape(), &[2, 5, 4]);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recurrent<C>(C);

/// The sizes of one call.
#[derive(Clone, Copy)]
struct Sizes {
    samples: usize,
    steps: usize,
    features: usize,
    /// Hidden units.
    h: usize,
    /// Rows of the weights.
    gates: usize,
}

impl Sizes {
    fn of<C: Cell>(x: &[usize], hidden_weight: &[usize]) -> Self {
        let h = hidden_weight[1];
        Sizes { samples: x[0], steps: x[1], features: x[2], h, gates: C::GATES * h }
    }

    /// Rows of all steps.
    fn rows(&self) -> usize {
        self.samples * self.steps
    }
}

/// A matrix over the beginning of a slice.
fn matrix<T>(data: &[T], rows: usize, columns: usize) -> ArrayView2<'_, T> {
    let data = &data[..rows * columns];
    ArrayView2::from_shape((rows, columns), data).unwrap_or_else(|_| unreachable!("a slice of the matrix's size"))
}

fn two_axes<'v, T>(array: &'v ArrayViewD<'_, T>) -> ArrayView2<'v, T> {
    array.view().into_dimensionality().unwrap_or_else(|_| unreachable!("a matrix, by `out_shape`"))
}

/// `x` with its steps first, in memory to be given back.
fn by_steps<T: Real>(x: &ArrayViewD<'_, T>, scratch: &mut Scratch<T>) -> Vec<T> {
    let mut x = x.view();
    x.swap_axes(0, 1);
    let mut rows = scratch.take(x.len());
    copy(x.view(), view_mut(x.raw_dim(), &mut rows));
    rows
}

impl<C: Cell> Recurrent<C> {
    fn shape(inputs: &[&[usize]]) -> Result<IxDyn> {
        let (&[x, weight, hidden_weight], biases) =
            inputs.split_first_chunk().ok_or(Error::Arity { op: C::NAME, expected: 5, got: inputs.len() })?;
        if ![0, 2].contains(&biases.len()) {
            return Err(Error::Arity { op: C::NAME, expected: 5, got: inputs.len() });
        }
        let &[rows, h] = hidden_weight else {
            return Err(Error::shape(C::NAME, "a hidden weight [gates · h, h]", hidden_weight));
        };
        if h == 0 || rows != C::GATES * h {
            return Err(Error::shape(C::NAME, format!("a hidden weight [{} · h, h]", C::GATES), hidden_weight));
        }
        let &[samples, steps, features] = x else {
            return Err(Error::shape(C::NAME, "[samples, steps, features]", x));
        };
        if *weight != [rows, features] {
            return Err(Error::shape(C::NAME, format!("a weight [{rows}, {features}]"), weight));
        }
        if let Some(bias) = biases.iter().find(|bias| **bias != [rows]) {
            return Err(Error::shape(C::NAME, format!("a bias [{rows}]"), bias));
        }
        Ok(IxDyn(&[samples, steps, h]))
    }

    fn run<T: Real>(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) {
        let sizes = Sizes::of::<C>(inputs[0].shape(), inputs[2].shape());
        let Sizes { samples, steps, features, h, gates } = sizes;
        let biases: Vec<Dense<'_, T>> = inputs[3..].iter().map(|bias| Dense::of(bias, cx.scratch)).collect();
        let bias = |i: usize| biases.get(i).map_or(Bias::None, |bias| Bias::PerColumn(bias));
        let x = by_steps(&inputs[0], cx.scratch);
        let mut from_input = cx.scratch.take(sizes.rows() * gates);
        let plain = Epilogue::assign();
        let epilogue = plain.then(bias(0), crate::Activation::Identity);
        let weight = two_axes(&inputs[1]);
        let rows = matrix(&x, sizes.rows(), features);
        product(epilogue, rows, weight.reversed_axes(), &mut from_input, &mut Tools::from(&mut *cx));

        // What was before the first step comes first: zeros.
        let mut kept = cx.scratch.array(IxDyn(&[steps + 1, samples, C::KEPT * h]));
        let mut states = cx.scratch.array(IxDyn(&[steps + 1, samples, h]));
        let (kept_len, len) = (samples * C::KEPT * h, samples * h);
        slice_mut(&mut kept)[..kept_len].fill(T::zero());
        slice_mut(&mut states)[..len].fill(T::zero());
        let mut from_hidden = cx.scratch.take(samples * gates);
        let hidden_weight = two_axes(&inputs[2]).reversed_axes();
        let epilogue = plain.then(bias(1), crate::Activation::Identity);
        let out = slice_mut(out);
        for step in 0..steps {
            let (before, now) = slice_mut(&mut states)[step * len..].split_at_mut(len);
            let (kept_before, kept_now) = slice_mut(&mut kept)[step * kept_len..].split_at_mut(kept_len);
            let (last, tools) = (matrix(before, samples, h), &mut Tools::from(&mut *cx));
            product(epilogue, last, hidden_weight, &mut from_hidden, tools);
            let input = &from_input[step * samples * gates..];
            vectorize!(|| {
                for sample in 0..samples {
                    let state = &mut now[sample * h..][..h];
                    self.0.forward(Step {
                        input: &input[sample * gates..][..gates],
                        hidden: &from_hidden[sample * gates..][..gates],
                        last: &before[sample * h..][..h],
                        last_kept: &kept_before[sample * C::KEPT * h..][..C::KEPT * h],
                        kept: &mut kept_now[sample * C::KEPT * h..][..C::KEPT * h],
                        state: &mut *state,
                    });
                    out[(sample * steps + step) * h..][..h].copy_from_slice(state);
                }
            });
        }
        saved.arrays.extend([kept, states]);
        cx.scratch.give(from_input);
        cx.scratch.give(from_hidden);
        biases.into_iter().for_each(|bias| bias.release(cx.scratch));
        cx.scratch.give(x);
    }

    fn run_back<T: Real>(&self, at: &At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) {
        let sizes = Sizes::of::<C>(at.inputs[0].shape(), at.inputs[2].shape());
        let Sizes { samples, steps, features, h, gates } = sizes;
        let (kept, states, grad) = (slice(&at.saved.arrays[0]), slice(&at.saved.arrays[1]), slice(at.grad));
        let (kept_len, len, gates_len) = (samples * C::KEPT * h, samples * h, samples * gates);
        let mut to_input = cx.scratch.take(sizes.rows() * gates);
        let mut to_hidden = cx.scratch.take(sizes.rows() * gates);
        let (mut carried, mut memory) = (cx.scratch.take(len), cx.scratch.take(len));
        carried.fill(T::zero());
        memory.fill(T::zero());
        let hidden_weight = two_axes(&at.inputs[2]);
        for step in (0..steps).rev() {
            let now = step * gates_len..(step + 1) * gates_len;
            let (to_input, to_hidden) = (&mut to_input[now.clone()], &mut to_hidden[now]);
            vectorize!(|| {
                for sample in 0..samples {
                    let row = |start: usize| start + sample * h..start + (sample + 1) * h;
                    let kept_row = |start: usize| start + sample * C::KEPT * h..start + (sample + 1) * C::KEPT * h;
                    let carried = &mut carried[row(0)];
                    let grad = &grad[(sample * steps + step) * h..][..h];
                    carried.iter_mut().zip(grad).for_each(|(carried, &grad)| *carried += grad);
                    self.0.backward(Back {
                        kept: &kept[kept_row((step + 1) * kept_len)],
                        last_kept: &kept[kept_row(step * kept_len)],
                        last: &states[row(step * len)],
                        grad: carried,
                        memory: &mut memory[row(0)],
                        to_input: &mut to_input[sample * gates..][..gates],
                        to_hidden: &mut to_hidden[sample * gates..][..gates],
                    });
                }
            });
            let (grads, tools) = (matrix(to_hidden, samples, gates), &mut Tools::from(&mut *cx));
            product(Epilogue::scaled(T::one()), grads, hidden_weight, &mut carried, tools);
        }
        let by_input = matrix(&to_input, sizes.rows(), gates);
        let by_hidden = matrix(&to_hidden, sizes.rows(), gates);
        if let Some(slot) = &mut grads[0] {
            let mut to_x = cx.scratch.take(sizes.rows() * features);
            let weight = two_axes(&at.inputs[1]);
            product(Epilogue::assign(), by_input, weight, &mut to_x, &mut Tools::from(&mut *cx));
            add_by_samples(&to_x, sizes, slot);
            cx.scratch.give(to_x);
        }
        if let Some(slot) = &mut grads[1] {
            let x = by_steps(&at.inputs[0], cx.scratch);
            let rows = matrix(&x, sizes.rows(), features);
            let (epilogue, tools) = (Epilogue::scaled(slot.beta()), &mut Tools::from(&mut *cx));
            product(epilogue, by_input.reversed_axes(), rows, slot.slice_mut(), tools);
            cx.scratch.give(x);
        }
        if let Some(slot) = &mut grads[2] {
            // The states before each step.
            let rows = matrix(states, sizes.rows(), h);
            let (epilogue, tools) = (Epilogue::scaled(slot.beta()), &mut Tools::from(&mut *cx));
            product(epilogue, by_hidden.reversed_axes(), rows, slot.slice_mut(), tools);
        }
        for (slot, rows) in grads[3..].iter_mut().zip([&to_input, &to_hidden]) {
            if let Some(slot) = slot {
                let first = slot.first;
                RowSums::new(rows, slot.slice_mut(), first).sum(cx.pool);
            }
        }
        for buffer in [to_input, to_hidden, carried, memory] {
            cx.scratch.give(buffer);
        }
    }
}

/// Adds (or assigns) a gradient whose steps come first.
fn add_by_samples<T: Real>(to_x: &[T], sizes: Sizes, slot: &mut Slot<'_, T>) {
    let first = slot.first;
    let shape = (sizes.steps, sizes.samples, sizes.features);
    let Ok(to_x) = ndarray::ArrayView3::from_shape(shape, to_x) else { unreachable!("a slice of that size") };
    for (step, rows) in to_x.outer_iter().enumerate() {
        let mut grad = slot.grad.index_axis_mut(Axis(1), step);
        if first {
            grad.assign(&rows);
        } else {
            grad += &rows;
        }
    }
}

macro_rules! recurrent {
    ($($cell:ident),*) => {$(
        crate::once::compiled_once!([] Recurrent<$cell>);

        impl<T: Real> crate::once::OpKernel<T> for Recurrent<$cell> {
            fn name(&self) -> &'static str {
                $cell::NAME
            }
            fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
                Self::shape(inputs)
            }
            fn forward(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                out: &mut ArrayRefD<T>,
                saved: &mut Saved<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<()> {
                self.run(inputs, out, saved, cx);
                Ok(())
            }
            fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
                self.run_back(&at, grads, cx);
                Ok(())
            }
            fn needs(&self) -> Needs {
                Needs::INPUTS
            }
        }
    )*};
}
recurrent!(SimpleCell, LstmCell, GruCell);
