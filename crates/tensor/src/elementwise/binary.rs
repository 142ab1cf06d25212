//! Functions of two numbers, element by element, with broadcasting.
//!
//! [`Binary`] is the open end: a formula and its two partial derivatives. [`Map2`] makes an [`Op`] of any of them; those named here
//! are operations themselves.
//!
//! ```
//! use gradwise_core::{Result, Serial};
//! use gradwise_tensor::elementwise::{Binary, Map2, zip};
//! use ndarray::arr1;
//!
//! /// The length of the hypotenuse, √(a² + b²).
//! struct Hypot;
//! impl Binary<f64> for Hypot {
//!     fn name(&self) -> &'static str { "hypot" }
//!     fn forward(&self, a: f64, b: f64) -> f64 { a.hypot(b) }
//!     fn left(&self, a: f64, _: f64, y: f64) -> f64 { a / y }
//!     fn right(&self, _: f64, b: f64, y: f64) -> f64 { b / y }
//! }
//! let op = Map2(Hypot); // an `Op` with gradients, broadcasting and threads
//! # fn is_op(_: impl gradwise_core::Op<f64>) {} is_op(op);
//!
//! let y = zip(&Serial, &Hypot, &arr1(&[3.0, 5.0]), &arr1(&[4.0, 12.0]))?;
//! assert_eq!(y, arr1(&[5.0, 13.0]).into_dyn());
//! # Ok::<(), gradwise_core::Error>(())
//! ```

use super::UNIT;
use super::unary::CHEAP;
use crate::broadcast::{self, sum_slice_to};
use crate::dense::{Dense, overwrite, view_mut};
use crate::nest::Walk;
use crate::parallel;
use crate::support::vectorize;
use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Pool, Real, Result, Saved, Scratch, Serial, Slot, arity,
    check_size,
};
use ndarray::{ArrayD, ArrayRef, Dimension, IxDyn};

/// A differentiable function of two numbers, `y = f(a, b)`.
///
/// # Contract
/// The functions are pure. What [`Binary::needs`] leaves out, the derivatives do not read: they may be given any number there.
pub trait Binary<T: Real>: Send + Sync {
    /// The function's name in errors and readings.
    fn name(&self) -> &'static str;

    /// `f(a, b)`.
    fn forward(&self, a: T, b: T) -> T;

    /// `∂y/∂a`, where `y = f(a, b)`.
    fn left(&self, a: T, b: T, y: T) -> T;

    /// `∂y/∂b`, where `y = f(a, b)`.
    fn right(&self, a: T, b: T, y: T) -> T;

    /// What the derivatives read: `inputs` are a and b, `output` is y.
    fn needs(&self) -> Needs {
        Needs::ALL
    }

    /// How many additions or loads one evaluation is worth, to decide whether threads pay.
    fn cost(&self) -> usize {
        1
    }
}

impl<T: Real, F: Binary<T> + ?Sized> Binary<T> for &F {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    #[inline(always)]
    fn forward(&self, a: T, b: T) -> T {
        (**self).forward(a, b)
    }
    #[inline(always)]
    fn left(&self, a: T, b: T, y: T) -> T {
        (**self).left(a, b, y)
    }
    #[inline(always)]
    fn right(&self, a: T, b: T, y: T) -> T {
        (**self).right(a, b, y)
    }
    fn needs(&self) -> Needs {
        (**self).needs()
    }
    fn cost(&self) -> usize {
        (**self).cost()
    }
}

/// The operation that applies a [`Binary`] function to two arrays, broadcast to one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Map2<F>(
    /// The function.
    pub F,
);

/// `out ← f(a, b)`, element by element, where `a` and `b` broadcast to the shape of `out`.
///
/// # Errors
/// [`Error::Shape`] if they do not.
pub fn zip_into<T: Real, F: Binary<T>, A: Dimension, B: Dimension, D: Dimension>(
    pool: &dyn Pool,
    f: &F,
    a: &ArrayRef<T, A>,
    b: &ArrayRef<T, B>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    zip_with(pool, &mut Scratch::default(), f, a, b, out)
}

/// `f(a, b)`, element by element, with broadcasting, in a new array.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn zip<T: Real, F: Binary<T>, A: Dimension, B: Dimension>(
    pool: &dyn Pool,
    f: &F,
    a: &ArrayRef<T, A>,
    b: &ArrayRef<T, B>,
) -> Result<ArrayD<T>> {
    let shape = broadcast::out_shape(f.name(), &[a.shape(), b.shape()])?;
    check_size::<T>(f.name(), shape.slice())?;
    let mut out = ArrayD::zeros(shape);
    zip_into(pool, f, a, b, &mut out)?;
    Ok(out)
}

/// `a ← f(a, b)`, element by element, where `b` broadcasts to the shape of `a`.
///
/// # Errors
/// [`Error::Shape`] if it does not.
pub fn zip_mut<T: Real, F: Binary<T>, A: Dimension, B: Dimension>(
    pool: &dyn Pool,
    f: &F,
    a: &mut ArrayRef<T, A>,
    b: &ArrayRef<T, B>,
) -> Result<()> {
    check_out(f.name(), b.shape(), b.shape(), a.shape())?;
    let mut scratch = Scratch::default();
    let walk = Walk::new(a.shape(), [b.shape()]);
    let b = Dense::of(b, &mut scratch);
    let run = |a: &mut [T]| {
        let work = a.len() * f.cost();
        parallel::rows(pool, a, 1, UNIT, work, &|range, part| {
            vectorize!(|| {
                walk.runs(
                    range,
                    #[inline(always)]
                    |r, [at]| {
                        if walk.steps == [0] {
                            part[r].iter_mut().for_each(|a| *a = f.forward(*a, b[at]));
                        } else {
                            part[r].iter_mut().zip(&b[at..]).for_each(|(a, &b)| *a = f.forward(*a, b));
                        }
                    },
                );
            });
        });
    };
    if let Some(slice) = a.as_slice_mut() {
        run(slice);
    } else {
        let mut packed = scratch.take(a.len());
        view_mut(a.raw_dim(), &mut packed).assign(a);
        run(&mut packed);
        a.assign(&view_mut(a.raw_dim(), &mut packed));
    }
    Ok(())
}

fn check_out(op: &'static str, a: &[usize], b: &[usize], out: &[usize]) -> Result<()> {
    let shape = broadcast::out_shape(op, &[out, a, b])?;
    if shape.slice() == out {
        return Ok(());
    }
    Err(Error::shape(op, format!("an output that {a:?} and {b:?} broadcast to"), out))
}

fn zip_with<T: Real, F: Binary<T>, A: Dimension, B: Dimension, D: Dimension>(
    pool: &dyn Pool,
    scratch: &mut Scratch<T>,
    f: &F,
    a: &ArrayRef<T, A>,
    b: &ArrayRef<T, B>,
    out: &mut ArrayRef<T, D>,
) -> Result<()> {
    check_out(f.name(), a.shape(), b.shape(), out.shape())?;
    let walk = Walk::new(out.shape(), [a.shape(), b.shape()]);
    let (a, b) = (Dense::of(a, scratch), Dense::of(b, scratch));
    overwrite(out, scratch, |out, _| {
        let work = out.len() * f.cost();
        parallel::rows(pool, out, 1, UNIT, work, &|range, part| {
            vectorize!(|| {
                walk.runs(
                    range,
                    #[inline(always)]
                    |r, at| {
                        each(
                            walk.steps,
                            &a,
                            &b,
                            at,
                            &mut part[r],
                            #[inline(always)]
                            |o, _, a, b| *o = f.forward(a, b),
                        );
                    },
                );
            });
        });
    });
    a.release(scratch);
    b.release(scratch);
    Ok(())
}

/// Calls `f(element, its index, a, b)` for the elements of a run, with a loop of its own for every way of stepping.
#[inline(always)]
fn each<T: Real>(
    steps: [usize; 2],
    a: &[T],
    b: &[T],
    at: [usize; 2],
    run: &mut [T],
    mut f: impl FnMut(&mut T, usize, T, T),
) {
    let (a, b) = (&a[at[0]..], &b[at[1]..]);
    let n = run.len();
    match steps {
        [0, 0] => run.iter_mut().enumerate().for_each(|(i, o)| f(o, i, a[0], b[0])),
        [0, _] => {
            let (a, b) = (a[0], &b[..n]);
            run.iter_mut().zip(b).enumerate().for_each(|(i, (o, &b))| f(o, i, a, b));
        }
        [_, 0] => {
            let (a, b) = (&a[..n], b[0]);
            run.iter_mut().zip(a).enumerate().for_each(|(i, (o, &a))| f(o, i, a, b));
        }
        _ => {
            let (a, b) = (&a[..n], &b[..n]);
            run.iter_mut().zip(a).zip(b).enumerate().for_each(|(i, ((o, &a), &b))| f(o, i, a, b));
        }
    }
}

impl<T: Real, F: Binary<T>> Op<T> for Map2<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let shapes = arity::<_, 2>(self.0.name(), inputs)?;
        broadcast::out_shape(self.0.name(), &shapes)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let [a, b] = inputs else {
            return Err(Error::Arity { op: self.0.name(), expected: 2, got: inputs.len() });
        };
        zip_with(cx.pool, cx.scratch, &self.0, a, b, out)
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let f = &self.0;
        let [left, right] = grads else {
            return Err(Error::Arity { op: f.name(), expected: 2, got: grads.len() });
        };
        if let Some(slot) = left {
            backward_side(
                f,
                &at,
                slot,
                cx,
                #[inline(always)]
                |a, b, y| f.left(a, b, y),
            )?;
        }
        if let Some(slot) = right {
            backward_side(
                f,
                &at,
                slot,
                cx,
                #[inline(always)]
                |a, b, y| f.right(a, b, y),
            )?;
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        self.0.needs()
    }
    fn is_cheap(&self) -> bool {
        self.0.cost() <= CHEAP
    }
}

/// The gradient of one operand: `slot += Σ grad * derivative(a, b, y)` over what it was repeated along.
fn backward_side<T: Real, F: Binary<T>>(
    f: &F,
    at: &At<'_, T>,
    slot: &mut Slot<'_, T>,
    cx: &mut Cx<'_, T>,
    derivative: impl Fn(T, T, T) -> T + Sync,
) -> Result<()> {
    let shape = at.grad.shape();
    if !broadcast::fits(slot.grad.shape(), shape) {
        return Err(Error::shape(f.name(), format!("a shape that broadcasts to {shape:?}"), slot.grad.shape()));
    }
    let needs = f.needs();
    let repeated = slot.grad.shape() != shape;
    let grad = Dense::of(at.grad, cx.scratch);
    if repeated && needs == Needs::NOTHING {
        // A derivative that depends on nothing is a constant, which can be taken out of the sum.
        sum_slice_to(cx.pool, derivative(T::nan(), T::nan(), T::nan()), &grad, shape, slot);
        grad.release(cx.scratch);
        return Ok(());
    }
    // In place of what is not needed, and may be gone, anything of the right length will do.
    let [a, b] = if needs.inputs { [&*at.inputs[0], &*at.inputs[1]] } else { [at.grad; 2] };
    let walk = Walk::new(shape, [a.shape(), b.shape()]);
    let (a, b) = (Dense::of(a, cx.scratch), Dense::of(b, cx.scratch));
    let y = Dense::of(if needs.output { at.output } else { at.grad }, cx.scratch);
    let fill = |first: bool, out: &mut [T]| {
        let work = out.len() * f.cost();
        parallel::rows(cx.pool, out, 1, UNIT, work, &|range, part| {
            let (grad, y) = (&grad[range.clone()], &y[range.clone()]);
            vectorize!(|| {
                walk.runs(
                    range,
                    #[inline(always)]
                    |r, at| {
                        let (grad, y) = (&grad[r.clone()], &y[r.clone()]);
                        if first {
                            each(
                                walk.steps,
                                &a,
                                &b,
                                at,
                                &mut part[r],
                                #[inline(always)]
                                |o, i, a, b| *o = grad[i] * derivative(a, b, y[i]),
                            );
                        } else {
                            each(
                                walk.steps,
                                &a,
                                &b,
                                at,
                                &mut part[r],
                                #[inline(always)]
                                |o, i, a, b| *o += grad[i] * derivative(a, b, y[i]),
                            );
                        }
                    },
                );
            });
        });
    };
    if repeated {
        let mut product = cx.scratch.take(grad.len());
        fill(true, &mut product);
        sum_slice_to(cx.pool, T::one(), &product, shape, slot);
        cx.scratch.give(product);
    } else {
        fill(slot.first, slot.slice_mut());
    }
    for dense in [grad, a, b, y] {
        dense.release(cx.scratch);
    }
    Ok(())
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident, $text:literal, cost $cost:literal, needs $needs:ident,
       |$a:ident, $b:ident, $y:ident| $forward:expr, $left:expr, $right:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl<T: Real> Binary<T> for $name {
            fn name(&self) -> &'static str {
                $text
            }
            #[inline(always)]
            fn forward(&self, $a: T, $b: T) -> T {
                $forward
            }
            #[inline(always)]
            #[allow(unused_variables)]
            fn left(&self, $a: T, $b: T, $y: T) -> T {
                $left
            }
            #[inline(always)]
            #[allow(unused_variables)]
            fn right(&self, $a: T, $b: T, $y: T) -> T {
                $right
            }
            fn needs(&self) -> Needs {
                Needs::$needs
            }
            fn cost(&self) -> usize {
                $cost
            }
        }
        crate::elementwise::op_through!($name, |this| Map2(*this));
    )*};
}

binary! {
    /// `a + b`.
    Add, "add", cost 1, needs NOTHING, |a, b, y| a + b, T::one(), T::one();
    /// `a - b`.
    Sub, "sub", cost 1, needs NOTHING, |a, b, y| a - b, T::one(), -T::one();
    /// `a * b`, element by element.
    Mul, "mul", cost 1, needs INPUTS, |a, b, y| a * b, b, a;
    /// `a / b`, by the rules of IEEE 754 for zero.
    Div, "div", cost 4, needs INPUTS, |a, b, y| a / b, b.recip(), -(a / b) / b;
    /// `aᵇ`, NaN for a negative base with a fraction as exponent.
    ///
    /// The derivative by a is `b aᵇ⁻¹`, and 0 where `b = 0`; the derivative by b is `y ln a`, and 0 where `a = 0` and `b ≥ 0`
    /// (PyTorch's conventions).
    Pow, "pow", cost 40, needs ALL, |a, b, y| a.powf(b),
        if b == T::zero() { T::zero() } else { b * a.powf(b - T::one()) },
        if a == T::zero() && b >= T::zero() { T::zero() } else { y * a.ln() };
    /// The larger of a and b; NaN if either is. Where they are equal, each gets half of the gradient (PyTorch's
    /// convention).
    Maximum, "maximum", cost 1, needs INPUTS, |a, b, y| if a > b || a.is_nan() { a } else { b },
        share(a > b, a == b), share(b > a, a == b);
    /// The smaller of a and b; NaN if either is. Where they are equal, each gets half of the gradient.
    Minimum, "minimum", cost 1, needs INPUTS, |a, b, y| if a < b || a.is_nan() { a } else { b },
        share(a < b, a == b), share(b < a, a == b);
}

#[inline(always)]
fn share<T: Real>(wins: bool, ties: bool) -> T {
    if wins {
        T::one()
    } else if ties {
        T::of(0.5)
    } else {
        T::zero()
    }
}

/// `a + b` in a new array.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn add<T: Real, A: Dimension, B: Dimension>(a: &ArrayRef<T, A>, b: &ArrayRef<T, B>) -> Result<ArrayD<T>> {
    zip(&Serial, &Add, a, b)
}

/// `a - b` in a new array.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn sub<T: Real, A: Dimension, B: Dimension>(a: &ArrayRef<T, A>, b: &ArrayRef<T, B>) -> Result<ArrayD<T>> {
    zip(&Serial, &Sub, a, b)
}

/// `a * b`, element by element, in a new array.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn mul<T: Real, A: Dimension, B: Dimension>(a: &ArrayRef<T, A>, b: &ArrayRef<T, B>) -> Result<ArrayD<T>> {
    zip(&Serial, &Mul, a, b)
}

/// `a / b`, element by element, in a new array.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn div<T: Real, A: Dimension, B: Dimension>(a: &ArrayRef<T, A>, b: &ArrayRef<T, B>) -> Result<ArrayD<T>> {
    zip(&Serial, &Div, a, b)
}
