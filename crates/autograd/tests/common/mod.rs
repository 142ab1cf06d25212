//! Small operations for the tests of this crate, which knows of no others; each right, or wrong on purpose.

#![allow(dead_code)] // Not every test file uses all of them.

use gradwise_autograd::core::{ArrayRefD, ArrayViewD, At, Cx, Needs, Op, Saved, Slot, arity};
use gradwise_autograd::{Error, Real, Result};
use ndarray::{Axis, IxDyn};

/// An operation of two inputs of one shape, or of one, with its derivatives as functions.
pub(crate) struct Pointwise {
    pub(crate) name: &'static str,
    pub(crate) value: fn(f64, f64) -> f64,
    pub(crate) derivatives: [fn(f64, f64) -> f64; 2],
}

pub(crate) const ADD: Pointwise = Pointwise { name: "add", value: |a, b| a + b, derivatives: [|_, _| 1.0, |_, _| 1.0] };
pub(crate) const MUL: Pointwise = Pointwise { name: "mul", value: |a, b| a * b, derivatives: [|_, b| b, |a, _| a] };
pub(crate) const DIV: Pointwise =
    Pointwise { name: "div", value: |a, b| a / b, derivatives: [|_, b| 1.0 / b, |a, b| -a / (b * b)] };

impl<T: Real> Op<T> for Pointwise {
    fn name(&self) -> &'static str {
        self.name
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [a, b] = arity(self.name, inputs)?;
        if a == b { Ok(IxDyn(a)) } else { Err(Error::shape(self.name, format!("{a:?}"), b)) }
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        out.iter_mut()
            .zip(inputs[0].iter().zip(&inputs[1]))
            .for_each(|(y, (a, b))| *y = T::of((self.value)(a.as_f64(), b.as_f64())));
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        for (slot, derivative) in grads.iter_mut().zip(self.derivatives) {
            let Some(slot) = slot else { continue };
            let first = slot.first;
            let inputs = at.inputs[0].iter().zip(&at.inputs[1]);
            for ((g, &of_output), (a, b)) in slot.grad.iter_mut().zip(at.grad).zip(inputs) {
                let x = T::of(derivative(a.as_f64(), b.as_f64())) * of_output;
                *g = if first { x } else { *g + x };
            }
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}

/// The sum of all elements, a scalar.
pub(crate) struct Sum;

impl<T: Real> Op<T> for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        arity::<_, 1>("sum", inputs)?;
        Ok(IxDyn(&[]))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        out.fill(inputs[0].sum());
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        if let Some(slot) = &mut grads[0] {
            let g = at.grad[[]];
            let first = slot.first;
            slot.grad.map_inplace(|x| *x = if first { g } else { *x + g });
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

/// How a matrix product's backward can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    Sign,
    Factor,
    /// The gradient of the second input is that of its transpose.
    Transposed,
    /// The gradient of one group of rows is missing.
    MissingGroup,
    /// The gradient of the bias is one row's, not the sum over the rows it was broadcast to.
    ForgottenBroadcast,
    /// One entry is off by a thousandth.
    OneEntry,
    /// Assigns where it should add.
    AlwaysAssigns,
    /// Adds where it should assign.
    AlwaysAdds,
    /// Says that it does not need its inputs.
    HiddenNeed,
    /// Reads memory as if all inputs were in standard layout.
    IgnoresStrides,
    /// Forward reads scratch memory that it has not written, of this many numbers.
    ReadsScratch(usize),
    /// Backward does.
    BackwardReadsScratch(usize),
    /// Sums by as many parts as there are threads, where the work pays for them.
    SumsByThreads,
}

/// `x W + b` for `x [n, k]`, `W [k, m]`, `b [m]`, with a fault on request.
pub(crate) struct Affine(pub(crate) Fault);

impl Op<f64> for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x, w, b] = arity("affine", inputs)?;
        match (x, w, b) {
            ([n, k], [k2, m], [m2]) if k == k2 && m == m2 => Ok(IxDyn(&[*n, *m])),
            _ => Err(Error::shape("affine", format!("[{}, _]", x[1]), w)),
        }
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, f64>],
        out: &mut ArrayRefD<f64>,
        _: &mut Saved<f64>,
        cx: &mut Cx<'_, f64>,
    ) -> Result<()> {
        let two = |i: usize| inputs[i].view().into_dimensionality::<ndarray::Ix2>().expect("checked");
        let x = two(0);
        let flat: Vec<f64>;
        let w = if self.0 == Fault::IgnoresStrides {
            flat = inputs[1].iter().copied().collect::<Vec<_>>();
            let memory = inputs[1].as_slice_memory_order().unwrap_or(&flat);
            ndarray::ArrayView2::from_shape(two(1).raw_dim(), memory).expect("as many")
        } else {
            two(1)
        };
        out.assign(&(x.dot(&w) + &inputs[2]));
        match self.0 {
            // As a running maximum does, which no NaN shows.
            Fault::ReadsScratch(len) => {
                let buffer = cx.scratch.take(len);
                out.mapv_inplace(|y| y.max(buffer[len - 1]));
            }
            Fault::SumsByThreads if cx.pool.threads() > 1 && x.len() >= cx.pool.min_work() => {
                let parts = x.ncols().div_ceil(cx.pool.threads()).max(1);
                let mut sum = ndarray::Array2::zeros([x.nrows(), w.ncols()]);
                for (x, w) in x.axis_chunks_iter(Axis(1), parts).zip(w.axis_chunks_iter(Axis(0), parts)) {
                    sum += &x.dot(&w);
                }
                out.assign(&(sum + &inputs[2]));
            }
            _ => {}
        }
        Ok(())
    }
    fn backward(&self, at: At<'_, f64>, grads: &mut [Option<Slot<'_, f64>>], cx: &mut Cx<'_, f64>) -> Result<()> {
        let two = |x: &ArrayRefD<f64>| x.view().into_dimensionality::<ndarray::Ix2>().expect("checked").to_owned();
        let (x, w, g) = (two(&at.inputs[0]), two(&at.inputs[1]), two(at.grad));
        let mut of_x = g.dot(&w.t());
        let mut of_w = x.t().dot(&g);
        let mut of_b = g.sum_axis(Axis(0));
        match self.0 {
            Fault::Sign => of_x.mapv_inplace(|x| -x),
            Fault::Factor => of_w.mapv_inplace(|x| 2.0 * x),
            Fault::Transposed => {
                // Only a square one has the right shape at all; the other shapes are caught by the shapes.
                of_w = of_w.t().to_owned();
            }
            Fault::MissingGroup => {
                let middle = of_x.nrows() / 2;
                of_x.row_mut(middle).fill(0.0);
            }
            Fault::ForgottenBroadcast => of_b = g.row(0).to_owned(),
            Fault::OneEntry => of_w[[0, 1]] *= 1.001,
            Fault::BackwardReadsScratch(len) => of_b += cx.scratch.take(len)[len - 1],
            _ => {}
        }
        for (slot, gradient) in grads.iter_mut().zip([of_x.into_dyn(), of_w.into_dyn(), of_b.into_dyn()]) {
            if let Some(slot) = slot {
                match self.0 {
                    Fault::AlwaysAssigns => slot.grad.assign(&gradient),
                    Fault::AlwaysAdds => slot.grad.zip_mut_with(&gradient, |g, x| *g += x),
                    _ => slot.add(&gradient),
                }
            }
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        if self.0 == Fault::HiddenNeed { Needs::NOTHING } else { Needs::INPUTS }
    }
}
