//! Operations that are compiled once, in this crate.
//!
//! An `impl<T: Real> Op<T>` is compiled anew in every crate that uses it, kernels and all: a test would take a minute to build, and
//! a program several. So the operations here implement [`OpKernel`], which is the same trait under another name, and
//! the macro `compiled_once!` makes the `Op` of it: two non-generic copies, behind a virtual call that costs nothing beside the work.

use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

/// [`Op`](gradwise_core::Op) as it is written; its contract is that of `Op`.
pub trait OpKernel<T: Real>: Send + Sync {
    /// See [`Op::name`](gradwise_core::Op::name).
    fn name(&self) -> &'static str;
    /// See [`Op::out_shape`](gradwise_core::Op::out_shape).
    ///
    /// # Errors
    /// If the operation cannot take such inputs.
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn>;
    /// See [`Op::forward`](gradwise_core::Op::forward).
    ///
    /// # Errors
    /// If values make it impossible.
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()>;
    /// See [`Op::backward`](gradwise_core::Op::backward).
    ///
    /// # Errors
    /// If it cannot be computed.
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()>;
    /// See [`Op::needs`](gradwise_core::Op::needs).
    fn needs(&self) -> Needs {
        Needs::ALL
    }
    /// See [`Op::needs_input`](gradwise_core::Op::needs_input).
    fn needs_input(&self, index: usize, count: usize) -> bool {
        let _ = (index, count);
        self.needs().inputs
    }
    /// See [`Op::is_cheap`](gradwise_core::Op::is_cheap).
    fn is_cheap(&self) -> bool {
        false
    }
    /// See [`Op::again`](gradwise_core::Op::again).
    ///
    /// # Errors
    /// None that forward did not return.
    fn again(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        saved: &Saved<T>,
        out: &mut ArrayRefD<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let _ = saved;
        let mut same = Saved::default();
        let result = self.forward(inputs, out, &mut same, cx);
        same.recycle(cx.scratch);
        result
    }
    /// See [`Op::before_activation`](gradwise_core::Op::before_activation).
    fn before_activation(&self) -> Option<Box<dyn gradwise_core::Op<T> + '_>> {
        None
    }
    /// See [`Op::bounds`](gradwise_core::Op::bounds).
    fn bounds(&self) -> Option<[f64; 2]> {
        None
    }
}

/// Makes an operation of a type that is a [`OpKernel`] for both number types.
macro_rules! compiled_once {
    ($op:ident) => {
        $crate::once::compiled_once!([] $op);
    };
    ([$($lifetime:lifetime)?] $op:ty) => {
        impl<$($lifetime)?> gradwise_core::PerType for $op {
            type For<T: gradwise_core::Real> = dyn $crate::once::OpKernel<T> $(+ $lifetime)?;
            // These are so small that the compiler inlines them into other crates, which then need the table of virtual functions, and compile
            // the kernels for it themselves. In a program that is optimized, that is as well: it compiles what it uses, most often for `f32` alone. Where
            // many programs are made, as for tests, it happens in each; there, they are compiled here, once.
            #[cfg_attr(debug_assertions, inline(never))]
            fn f32(&self) -> &Self::For<f32> {
                self
            }
            #[cfg_attr(debug_assertions, inline(never))]
            fn f64(&self) -> &Self::For<f64> {
                self
            }
        }

        impl<$($lifetime,)? T: gradwise_core::Real> gradwise_core::Op<T> for $op {
            fn name(&self) -> &'static str {
                T::pick(self).name()
            }
            fn out_shape(&self, inputs: &[&[usize]]) -> gradwise_core::Result<ndarray::IxDyn> {
                T::pick(self).out_shape(inputs)
            }
            fn forward(
                &self,
                inputs: &[gradwise_core::ArrayViewD<'_, T>],
                out: &mut gradwise_core::ArrayRefD<T>,
                saved: &mut gradwise_core::Saved<T>,
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                T::pick(self).forward(inputs, out, saved, cx)
            }
            fn backward(
                &self,
                at: gradwise_core::At<'_, T>,
                grads: &mut [Option<gradwise_core::Slot<'_, T>>],
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                let op = T::pick(self);
                gradwise_core::flip_inputs!(op.name(), |at, grads, cx| op.backward(at, grads, cx))
            }
            fn needs(&self) -> gradwise_core::Needs {
                T::pick(self).needs()
            }
            fn needs_input(&self, index: usize, count: usize) -> bool {
                T::pick(self).needs_input(index, count)
            }
            fn is_cheap(&self) -> bool {
                T::pick(self).is_cheap()
            }
            fn again(
                &self,
                inputs: &[gradwise_core::ArrayViewD<'_, T>],
                saved: &gradwise_core::Saved<T>,
                out: &mut gradwise_core::ArrayRefD<T>,
                cx: &mut gradwise_core::Cx<'_, T>,
            ) -> gradwise_core::Result<()> {
                T::pick(self).again(inputs, saved, out, cx)
            }
            fn before_activation(&self) -> Option<Box<dyn gradwise_core::Op<T> + '_>> {
                T::pick(self).before_activation()
            }
            fn bounds(&self) -> Option<[f64; 2]> {
                T::pick(self).bounds()
            }
        }
    };
}
pub(crate) use compiled_once;
