//! The differentiable function: the one trait everything computes through.

use crate::{Error, Key, Pool, Real, Scratch};
use ndarray::{ArrayD, ArrayRef, Dimension, IxDyn, Zip};

/// An array of any dimension by reference, whoever owns it: ndarray's recommended argument type.
pub type ArrayRefD<T> = ArrayRef<T, IxDyn>;
/// A read-only view of any dimension.
pub type ArrayViewD<'a, T> = ndarray::ArrayViewD<'a, T>;

/// What an operation may use besides its arguments.
pub struct Cx<'a, T> {
    /// Memory to borrow; what is taken is given back before the operation returns.
    pub scratch: &'a mut Scratch<T>,
    /// Threads to split the output over.
    pub pool: &'a dyn Pool,
    /// Whether dropout drops and noise is added: in training, and where the spread of predictions is asked for.
    pub training: bool,
    /// The operation's own random key, from seed, step, layer path and its position in the layer. An operation that draws for each
    /// sample derives a key for each with `cx.key.with((cx.first_sample + i) as u64)`.
    pub key: Key,
    /// Index, in the whole batch, of the first sample in this one. It is 0 unless a batch is worked on in parts.
    pub first_sample: usize,
}

impl<T> std::fmt::Debug for Cx<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx")
            .field("threads", &self.pool.threads())
            .field("training", &self.training)
            .field("key", &self.key)
            .field("first_sample", &self.first_sample)
            .finish_non_exhaustive()
    }
}

/// A gradient to fill.
///
/// Several operations may contribute to one gradient. The first one assigns, later ones add; so nothing is ever set to zero first.
/// Matrix products take [`Slot::beta`]; elementwise operations use [`Slot::zip`] and its like, which do the right thing.
#[derive(Debug)]
pub struct Slot<'a, T> {
    /// Where the gradient goes: in standard layout, of the input's shape. Unspecified content if `first`.
    pub grad: &'a mut ArrayRefD<T>,
    /// Whether to assign (`true`) or to add (`false`).
    pub first: bool,
}

impl<T: Real> Slot<'_, T> {
    /// The factor of what is there already, as in `C ← A B + β C`: 0 for the first write, 1 afterwards.
    pub fn beta(&self) -> T {
        if self.first { T::zero() } else { T::one() }
    }

    /// Adds (or assigns) an array of the same shape.
    pub fn add(&mut self, x: &ArrayRefD<T>) {
        self.zip(x, |x| x);
    }

    /// Adds (or assigns) a function of the elements of an array of the same shape.
    pub fn zip(&mut self, x: &ArrayRefD<T>, f: impl Fn(T) -> T) {
        if self.first {
            Zip::from(&mut *self.grad).and(x).for_each(|g, &x| *g = f(x));
        } else {
            Zip::from(&mut *self.grad).and(x).for_each(|g, &x| *g += f(x));
        }
    }

    /// Adds (or assigns) a function of the elements of two arrays of the same shape.
    pub fn zip2(&mut self, x: &ArrayRefD<T>, y: &ArrayRefD<T>, f: impl Fn(T, T) -> T) {
        if self.first {
            Zip::from(&mut *self.grad).and(x).and(y).for_each(|g, &x, &y| *g = f(x, y));
        } else {
            Zip::from(&mut *self.grad).and(x).and(y).for_each(|g, &x, &y| *g += f(x, y));
        }
    }

    /// The gradient as a plain slice, set to zero if nothing was written yet: for kernels that scatter.
    pub fn zeroed(&mut self) -> &mut [T] {
        if self.first {
            self.grad.fill(T::zero());
            self.first = false;
        }
        self.slice_mut()
    }

    /// The gradient as a plain slice. The caller minds [`Slot::first`].
    pub fn slice_mut(&mut self) -> &mut [T] {
        // The contract of the slot; a tape that breaks it is defective.
        self.grad.as_slice_mut().unwrap_or_else(|| unreachable!("slots are in standard layout"))
    }
}

/// What forward keeps for backward, in memory that the tape lends and takes back.
#[derive(Debug)]
pub struct Saved<T> {
    /// Numbers.
    pub arrays: Vec<ArrayD<T>>,
    /// Indices, such as the positions of maxima.
    pub indices: Vec<u32>,
    /// Bytes, such as masks and small indices.
    pub bytes: Vec<u8>,
}

impl<T> Default for Saved<T> {
    fn default() -> Self {
        Saved { arrays: Vec::new(), indices: Vec::new(), bytes: Vec::new() }
    }
}

impl<T: Real> Saved<T> {
    /// Adds an array of unspecified values and returns it to be filled.
    pub fn array(&mut self, shape: &[usize], scratch: &mut Scratch<T>) -> &mut ArrayD<T> {
        self.arrays.push(scratch.array(IxDyn(shape)));
        // It was pushed the line before.
        self.arrays.last_mut().unwrap_or_else(|| unreachable!())
    }

    /// Gives all memory back.
    pub fn recycle(&mut self, scratch: &mut Scratch<T>) {
        self.arrays.drain(..).for_each(|a| scratch.give_array(a));
        scratch.give_words(std::mem::take(&mut self.indices));
        scratch.give_bytes(std::mem::take(&mut self.bytes));
    }
}

/// What backward is given besides the slots: the operation's own forward pass, and the gradient of its output.
#[derive(Debug)]
pub struct At<'a, T> {
    /// The inputs of forward, in any strides. Their shapes are right in any case; their values are unspecified where
    /// [`Op::needs_input`] is false.
    pub inputs: &'a [ArrayViewD<'a, T>],
    /// The output of forward, in standard layout. Its values are unspecified where [`Needs::output`] is false.
    pub output: &'a ArrayRefD<T>,
    /// The gradient of the loss with respect to the output, in standard layout.
    pub grad: &'a ArrayRefD<T>,
    /// What forward saved.
    pub saved: &'a Saved<T>,
}

/// What backward reads, so that the rest can be freed or overwritten before it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Needs {
    /// The values of [`At::inputs`].
    pub inputs: bool,
    /// The values of [`At::output`].
    pub output: bool,
}

impl Needs {
    /// Inputs and output.
    pub const ALL: Needs = Needs { inputs: true, output: true };
    /// The inputs only, as for a product.
    pub const INPUTS: Needs = Needs { inputs: true, output: false };
    /// The output only, as for a sigmoid, whose derivative is `y (1 - y)`.
    pub const OUTPUT: Needs = Needs { inputs: false, output: true };
    /// Neither, as for a sum, or where all that is needed was saved.
    pub const NOTHING: Needs = Needs { inputs: false, output: false };
}

/// A differentiable function of arrays.
///
/// An operation is a plain value. Labels, indices and options are its fields, borrowed where they are large. It may be as small as an
/// addition or a whole fused layer: what is fused is decided by whoever writes the operation, not by a compiler.
///
/// # Contract
/// - `out_shape` refuses inputs that forward cannot take: everything that depends on shapes alone is checked there. It must not read
///   beyond the slice it is given: use [`arity`].
/// - `forward` gets inputs of any strides and an output of the promised shape in standard layout, with unspecified content; it writes
///   every element. What backward will need, and cannot get from inputs and output, it saves.
/// - `backward` adds the gradient of each input into its slot, respecting [`Slot::first`]. A slot is `None` where nobody asks for that
///   gradient. One variable used as two inputs gives two calls' worth of writes: the tape sees to it that they add up.
/// - Both are pure functions of their arguments: the same arguments, key and mode give the same bits, whatever the pool.
/// - Errors are returned, never panicked. Shapes with a zero axis are valid unless the formula has no meaning for them.
///
/// The smallest example is on this crate's front page.
pub trait Op<T: Real>: Send + Sync {
    /// The operation's name in errors and readings, in lower case: `"matmul"`.
    fn name(&self) -> &'static str;

    /// The shape of the output for inputs of these shapes.
    ///
    /// # Errors
    /// If the operation cannot take such inputs.
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error>;

    /// Computes the output.
    ///
    /// # Errors
    /// If values, not shapes, make it impossible: an index out of range.
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error>;

    /// Adds `∂loss/∂inputᵢ` into `grads[i]`, given `∂loss/∂output`.
    ///
    /// # Errors
    /// If it cannot be computed, as for an operation without a derivative.
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error>;

    /// What `backward` reads of the forward pass. Everything, unless an operation says otherwise.
    fn needs(&self) -> Needs {
        Needs::ALL
    }

    /// Whether `backward` reads the values of input `index` of `count`: of all, if [`Op::needs`] names the inputs, unless an operation says
    /// otherwise.
    fn needs_input(&self, index: usize, count: usize) -> bool {
        let _ = (index, count);
        self.needs().inputs
    }

    /// Whether the output is cheap to make once more: by a pass over the inputs, as an activation or a normalization is, and a product is
    /// not. A tape may then give the output's memory back after forward, and have [`Op::again`] make it when backward comes to it.
    fn is_cheap(&self) -> bool {
        false
    }

    /// Makes the output once more, to the same bits, from the inputs of forward and what it saved. It is called only where
    /// [`Op::is_cheap`] says so, and calls forward unless there is a shorter way: batch norm knows its statistics already.
    ///
    /// # Errors
    /// None that forward did not return.
    fn again(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        saved: &Saved<T>,
        out: &mut ArrayRefD<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let _ = saved;
        let mut same = Saved::default();
        let result = self.forward(inputs, out, &mut same, cx);
        same.recycle(cx.scratch);
        result
    }

    /// The same operation without the activation that is fused to its end, if one is: what a probe looks at that wants to see the signal
    /// before it is bent.
    fn before_activation(&self) -> Option<Box<dyn Op<T> + '_>> {
        None
    }

    /// Between which numbers all outputs lie, if that is known and one of them is finite: `[0, 1]` for a sigmoid, `[0, ∞]` for a ReLU. A
    /// reading tells by them how many outputs are saturated.
    fn bounds(&self) -> Option<[f64; 2]> {
        None
    }
}

macro_rules! forward_op {
    ($($name:ty),*) => {$(
        impl<T: Real, O: Op<T> + ?Sized> Op<T> for $name {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
                (**self).out_shape(inputs)
            }
            fn forward(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                out: &mut ArrayRefD<T>,
                saved: &mut Saved<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                (**self).forward(inputs, out, saved, cx)
            }
            fn backward(
                &self,
                at: At<'_, T>,
                grads: &mut [Option<Slot<'_, T>>],
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                (**self).backward(at, grads, cx)
            }
            fn needs(&self) -> Needs {
                (**self).needs()
            }
            fn needs_input(&self, index: usize, count: usize) -> bool {
                (**self).needs_input(index, count)
            }
            fn is_cheap(&self) -> bool {
                (**self).is_cheap()
            }
            fn again(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                saved: &Saved<T>,
                out: &mut ArrayRefD<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                (**self).again(inputs, saved, out, cx)
            }
            fn before_activation(&self) -> Option<Box<dyn Op<T> + '_>> {
                (**self).before_activation()
            }
            fn bounds(&self) -> Option<[f64; 2]> {
                (**self).bounds()
            }
        }
    )*};
}
forward_op!(Box<O>, &O);

/// Takes the inputs apart, or says how many were expected.
///
/// # Errors
/// [`Error::Arity`] if there are not exactly `N`.
///
/// ```
/// let [a, b] = gradwise_core::arity("add", &[1, 2])?;
/// assert_eq!((a, b), (1, 2));
/// assert!(gradwise_core::arity::<_, 2>("add", &[1]).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn arity<X: Copy, const N: usize>(op: &'static str, inputs: &[X]) -> Result<[X; N], Error> {
    <[X; N]>::try_from(inputs).map_err(|_| Error::Arity { op, expected: N, got: inputs.len() })
}

/// Refuses a shape of which there can be no array: its elements must have addresses, and so must those of an empty array if each axis of
/// length zero had length one, as ndarray has it.
///
/// # Errors
/// [`Error::Shape`] in the name of the operation.
///
/// ```
/// use gradwise_core::check_size;
///
/// assert!(check_size::<f32>("zeros", &[1 << 20, 0]).is_ok());
/// let error = check_size::<f32>("zeros", &[1 << 40, 0, 1 << 40]).unwrap_err();
/// assert!(error.to_string().starts_with("zeros: expected an array that fits into memory, got shape ["));
/// ```
pub fn check_size<T>(op: &'static str, shape: &[usize]) -> Result<(), Error> {
    let bytes = shape.iter().filter(|&&len| len > 0).try_fold(size_of::<T>(), |n, &len| n.checked_mul(len));
    match bytes {
        Some(bytes) if bytes <= isize::MAX as usize => Ok(()),
        _ => Err(Error::shape(op, "an array that fits into memory", shape)),
    }
}

/// The shape of an operation's output, for whoever is going to make an array of it: as [`Op::out_shape`], but refused if there can be none.
///
/// Small inputs may ask for it. Two matrices without elements have a product as large as one likes.
///
/// # Errors
/// What the operation refuses; what [`check_size`] does.
pub fn out_shape<T: Real>(op: &(impl Op<T> + ?Sized), inputs: &[&[usize]]) -> Result<IxDyn, Error> {
    let shape = op.out_shape(inputs)?;
    check_size::<T>(op.name(), shape.slice()).map(|()| shape)
}
