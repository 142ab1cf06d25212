//! Functions of one number, element by element.
//!
//! [`Unary`] is the open end: a formula and its derivative. [`Map`] makes an [`Op`] of any of them, with threads, vector instructions,
//! strided inputs and a backward pass that keeps no more than the derivative reads.
//!
//! ```
//! use gradwise_core::{Needs, Serial};
//! use gradwise_tensor::elementwise::{Map, Unary, map};
//! use ndarray::arr1;
//!
//! /// x³. That is all there is to a new operation.
//! struct Cube;
//! impl Unary<f64> for Cube {
//!     fn name(&self) -> &'static str { "cube" }
//!     fn forward(&self, x: f64) -> f64 { x * x * x }
//!     fn derivative(&self, x: f64, _y: f64) -> f64 { 3.0 * x * x }
//!     fn needs(&self) -> Needs { Needs::INPUTS }
//! }
//! let op = Map(Cube);
//! # fn is_op(_: impl gradwise_core::Op<f64>) {} is_op(op);
//!
//! assert_eq!(map(&Serial, &Cube, &arr1(&[1.0, 2.0])), arr1(&[1.0, 8.0]));
//! ```

use super::UNIT;
use crate::dense::{Dense, copy, overwrite, view_mut};
use crate::parallel;
use crate::support::vectorize;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Pool, Real, Result, Saved, Scratch, Slot, arity};
use ndarray::{Array, ArrayRef, Dimension, IxDyn};

/// A differentiable function of one number, `y = f(x)`.
///
/// # Contract
/// The functions are pure. What [`Unary::needs`] leaves out, the derivative does not read: it may be given any number there. A function
/// whose derivative can be told from y should ask for the output alone: the tape may then overwrite or free the input.
pub trait Unary<T: Real>: Send + Sync {
    /// The function's name in errors and readings.
    fn name(&self) -> &'static str;

    /// `f(x)`.
    fn forward(&self, x: T) -> T;

    /// `dy/dx`, where `y = f(x)`. At a kink, any number between the one-sided derivatives; say which.
    fn derivative(&self, x: T, y: T) -> T;

    /// What the derivative reads: `inputs` is x, `output` is y.
    fn needs(&self) -> Needs {
        Needs::ALL
    }

    /// How many additions or loads one evaluation is worth, to decide whether threads pay.
    fn cost(&self) -> usize {
        1
    }

    /// Between which numbers `f(x)` lies, if that is known and one of them is finite: see [`Op::bounds`].
    fn bounds(&self) -> Option<[f64; 2]> {
        None
    }
}

impl<T: Real, F: Unary<T> + ?Sized> Unary<T> for &F {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    #[inline(always)]
    fn forward(&self, x: T) -> T {
        (**self).forward(x)
    }
    #[inline(always)]
    fn derivative(&self, x: T, y: T) -> T {
        (**self).derivative(x, y)
    }
    fn needs(&self) -> Needs {
        (**self).needs()
    }
    fn cost(&self) -> usize {
        (**self).cost()
    }
    fn bounds(&self) -> Option<[f64; 2]> {
        (**self).bounds()
    }
}

/// The operation that applies a [`Unary`] function to every element. Output and input have one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Map<F>(
    /// The function.
    pub F,
);

/// `x ← f(x)`, element by element.
pub fn map_mut<T: Real, F: Unary<T>, D: Dimension>(pool: &dyn Pool, f: &F, x: &mut ArrayRef<T, D>) {
    if let Some(slice) = x.as_slice_memory_order_mut() {
        return map_slice_mut(pool, f, slice);
    }
    let mut packed = vec![T::zero(); x.len()];
    view_mut(x.raw_dim(), &mut packed).assign(x);
    map_slice_mut(pool, f, &mut packed);
    x.assign(&view_mut(x.raw_dim(), &mut packed));
}

/// `out ← f(x)`, element by element.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ.
pub fn map_into<T: Real, F: Unary<T>, D: Dimension>(
    pool: &dyn Pool,
    f: &F,
    x: &ArrayRef<T, D>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    map_with(pool, &mut Scratch::default(), f, x, out)
}

/// `f(x)`, element by element, in a new array.
pub fn map<T: Real, F: Unary<T>, D: Dimension>(pool: &dyn Pool, f: &F, x: &ArrayRef<T, D>) -> Array<T, D> {
    let mut out = x.to_owned();
    map_mut(pool, f, &mut out);
    out
}

/// `grad ← grad * f'(x)`, element by element, where `y = f(x)`: the backward pass in place.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ.
pub fn map_backward_mut<T: Real, F: Unary<T>, D: Dimension>(
    pool: &dyn Pool,
    f: &F,
    x: &ArrayRef<T, D>,
    y: &ArrayRef<T, D>,
    grad: &mut ArrayRef<T, D>,
) -> Result<()> {
    same_shape(f.name(), x.shape(), grad.shape())?;
    same_shape(f.name(), y.shape(), grad.shape())?;
    let scratch = &mut Scratch::default();
    let (x, y) = (Dense::of(x, scratch), Dense::of(y, scratch));
    let run = |grad: &mut [T]| {
        let work = grad.len() * (f.cost() + 2);
        parallel::rows(pool, grad, 1, UNIT, work, &|range, part| {
            let (x, y) = (&x[range.clone()], &y[range]);
            vectorize!(|| part.iter_mut().zip(x).zip(y).for_each(|((g, &x), &y)| *g *= f.derivative(x, y)));
        });
    };
    if let Some(slice) = grad.as_slice_mut() {
        run(slice);
    } else {
        let mut packed = scratch.take(grad.len());
        view_mut(grad.raw_dim(), &mut packed).assign(grad);
        run(&mut packed);
        grad.assign(&view_mut(grad.raw_dim(), &mut packed));
    }
    Ok(())
}

fn same_shape(op: &'static str, got: &[usize], expected: &[usize]) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::shape(op, format!("{expected:?}"), got)) }
}

/// A function with options is applied to so many elements into a buffer on the stack, which is then copied: the compiler could not
/// tell otherwise that writing the output leaves the options as they are, and would load them anew for every element.
const CHUNK: usize = 64;

fn map_slice_mut<T: Real, F: Unary<T>>(pool: &dyn Pool, f: &F, x: &mut [T]) {
    let work = x.len() * f.cost();
    parallel::rows(pool, x, 1, UNIT, work, &|_, part| {
        vectorize!(|| {
            if size_of::<F>() == 0 {
                return part.iter_mut().for_each(|x| *x = f.forward(*x));
            }
            for chunk in part.chunks_mut(CHUNK) {
                let mut buffer = [T::zero(); CHUNK];
                let values = &mut buffer[..chunk.len()];
                values.iter_mut().zip(&*chunk).for_each(|(o, &x)| *o = f.forward(x));
                chunk.copy_from_slice(values);
            }
        });
    });
}

fn map_with<T: Real, F: Unary<T>, D: Dimension>(
    pool: &dyn Pool,
    scratch: &mut Scratch<T>,
    f: &F,
    x: &ArrayRef<T, D>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    same_shape(f.name(), out.shape(), x.shape())?;
    let Some(dense) = x.as_slice() else {
        // The output is as good a place as any to pack an odd view into.
        copy(x.view().into_dyn(), out.view_mut().into_dyn());
        map_mut(pool, f, out);
        return Ok(());
    };
    overwrite(out, scratch, |out, _| {
        let work = out.len() * f.cost();
        parallel::rows(pool, out, 1, UNIT, work, &|range, part| {
            vectorize!(|| {
                let x = &dense[range];
                if size_of::<F>() == 0 {
                    return part.iter_mut().zip(x).for_each(|(o, &x)| *o = f.forward(x));
                }
                for (out, x) in part.chunks_mut(CHUNK).zip(x.chunks(CHUNK)) {
                    let mut buffer = [T::zero(); CHUNK];
                    let values = &mut buffer[..x.len()];
                    values.iter_mut().zip(x).for_each(|(o, &x)| *o = f.forward(x));
                    out.copy_from_slice(values);
                }
            });
        });
    });
    Ok(())
}

impl<T: Real, F: Unary<T>> Op<T> for Map<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity(self.0.name(), inputs)?;
        Ok(IxDyn(x))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let [x] = inputs else {
            return Err(Error::Arity { op: self.0.name(), expected: 1, got: inputs.len() });
        };
        map_with(cx.pool, cx.scratch, &self.0, x, out)
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let [Some(slot)] = grads else { return Ok(()) };
        let f = &self.0;
        let needs = f.needs();
        same_shape(f.name(), slot.grad.shape(), at.grad.shape())?;
        // In place of what is not needed, and may be gone, anything of the right length will do.
        let x = Dense::of(if needs.inputs { &*at.inputs[0] } else { at.grad }, cx.scratch);
        let y = Dense::of(if needs.output { at.output } else { at.grad }, cx.scratch);
        let grad = Dense::of(at.grad, cx.scratch);
        let (first, out) = (slot.first, slot.slice_mut());
        let work = out.len() * (f.cost() + 2);
        parallel::rows(cx.pool, out, 1, UNIT, work, &|range, part| {
            let (x, y, grad) = (&x[range.clone()], &y[range.clone()], &grad[range]);
            let each = part.iter_mut().zip(grad).zip(x.iter().zip(y));
            vectorize!(|| {
                if first {
                    each.for_each(|((o, &grad), (&x, &y))| *o = grad * f.derivative(x, y));
                } else {
                    each.for_each(|((o, &grad), (&x, &y))| *o += grad * f.derivative(x, y));
                }
            });
        });
        for dense in [x, y, grad] {
            dense.release(cx.scratch);
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        self.0.needs()
    }
    fn is_cheap(&self) -> bool {
        self.0.cost() <= CHEAP
    }
    fn bounds(&self) -> Option<[f64; 2]> {
        self.0.bounds()
    }
}

/// The cost up to which a function is computed about as fast as its argument is read.
pub(crate) const CHEAP: usize = 4;

/// Makes a type that is a [`Unary`], a [`Binary`](super::Binary) or a [`Reduction`](crate::reduce::Reduction) for every [`Real`] an
/// operation itself, through one of their wrappers: `op_through!(Relu, |this| Map(*this))`.
macro_rules! op_through {
    ($name:ident, |$this:ident| $op:expr) => {
        crate::once::compiled_once!($name);

        impl<T: gradwise_core::Real> crate::once::OpKernel<T> for $name {
            fn name(&self) -> &'static str {
                let $this = self;
                gradwise_core::Op::<T>::name(&$op)
            }
            fn out_shape(&self, inputs: &[&[usize]]) -> gradwise_core::Result<ndarray::IxDyn> {
                let $this = self;
                gradwise_core::Op::<T>::out_shape(&$op, inputs)
            }
            fn forward(
                &self,
                inputs: &[gradwise_core::ArrayViewD<'_, T>],
                out: &mut gradwise_core::ArrayRefD<T>,
                saved: &mut gradwise_core::Saved<T>,
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                let $this = self;
                gradwise_core::Op::<T>::forward(&$op, inputs, out, saved, cx)
            }
            fn backward(
                &self,
                at: gradwise_core::At<'_, T>,
                grads: &mut [Option<gradwise_core::Slot<'_, T>>],
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                let $this = self;
                gradwise_core::Op::<T>::backward(&$op, at, grads, cx)
            }
            fn needs(&self) -> gradwise_core::Needs {
                let $this = self;
                gradwise_core::Op::<T>::needs(&$op)
            }
            fn is_cheap(&self) -> bool {
                let $this = self;
                gradwise_core::Op::<T>::is_cheap(&$op)
            }
            fn bounds(&self) -> Option<[f64; 2]> {
                let $this = self;
                gradwise_core::Op::<T>::bounds(&$op)
            }
        }
    };
}
pub(crate) use op_through;

/// Defines a function without options: its documentation, name, cost, needs, `|x, y|`, `f(x)`, the derivative, and bounds if it has some.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident, $text:literal, cost $cost:literal, needs $needs:ident,
       |$x:ident, $y:ident| $forward:expr, $derivative:expr $(, bounds $bounds:expr)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        unary_with!($name, $text, cost $cost, needs |_this| Needs::$needs,
            |_this, $x, $y| $forward, $derivative $(, bounds $bounds)?);
    )*};
}
pub(crate) use unary;

/// The same for a type that is already defined and has options; the closures' first argument is `self`.
macro_rules! unary_with {
    ($name:ident, $text:literal, cost $cost:literal, needs |$self:ident| $needs:expr,
     |$this:ident, $x:ident, $y:ident| $forward:expr, $derivative:expr $(, bounds $bounds:expr)?) => {
        impl<T: Real> Unary<T> for $name {
            fn name(&self) -> &'static str {
                $text
            }
            #[inline(always)]
            fn forward(&self, $x: T) -> T {
                let $this = self;
                $forward
            }
            #[inline(always)]
            #[allow(unused_variables)]
            fn derivative(&self, $x: T, $y: T) -> T {
                let $this = self;
                $derivative
            }
            fn needs(&self) -> Needs {
                let $self = self;
                $needs
            }
            fn cost(&self) -> usize {
                $cost
            }
            $(fn bounds(&self) -> Option<[f64; 2]> {
                let $this = self;
                Some($bounds)
            })?
        }
        crate::elementwise::op_through!($name, |this| Map(*this));
    };
}
pub(crate) use unary_with;
