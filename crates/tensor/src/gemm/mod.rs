//! Products of matrices: `C ← f(α A B + β C + bias)`.
//!
//! A blocked product in the manner of Goto and van de Geijn (*Anatomy of High-Performance Matrix Multiplication*, ACM TOMS 34, 2008):
//! a micro-kernel that keeps a tile of `C` in registers, on panels of both factors packed into cache. It is our own because a
//! training step asks for what general libraries do not offer together: memory for packing from a [`Scratch`], an epilogue that adds
//! the bias and applies the activation while a tile is hot, any strides without a copy beforehand, images read as the
//! matrices that convolution makes of them, and results that are bit-identical for any number of threads.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_eight;
#[cfg(target_arch = "x86_64")]
mod avx2_strips;
#[cfg(target_arch = "x86_64")]
mod avx2_transpose;
pub(crate) mod blocks;
pub(crate) mod eight;
pub(crate) mod kernel;
pub(crate) mod operand;
pub(crate) mod out;
mod pack;
pub(crate) mod portable;
pub(crate) mod prefetch;
pub(crate) mod strips;
pub(crate) mod target;

use crate::parallel::Parts;
use crate::support::RowSums;
use crate::{Activation, simd};
use blocks::{Products, Work, multiply, multiply_all};
use gradwise_core::{Cx, Error, Pool, Real, Result, Scratch, check_size};
use ndarray::{Array2, ArrayRef2, ArrayView2};
use operand::Operand;
use target::{Columns, Target};

/// What a product-shaped kernel works with: memory, threads, and the vector instructions to use.
///
/// ```
/// use gradwise_core::{Scratch, Serial};
/// use gradwise_tensor::gemm::{self, Epilogue, Tools};
/// use ndarray::{arr2, Array2};
///
/// let mut scratch = Scratch::default();
/// let mut tools = Tools::new(&mut scratch, &Serial);
/// let (a, b) = (arr2(&[[1.0, 2.0], [3.0, 4.0]]), arr2(&[[0.0, 1.0], [1.0, 0.0]]));
/// let mut c = Array2::zeros((2, 2));
/// gemm::gemm(Epilogue::assign(), a.view(), b.view(), &mut c, &mut tools)?;
/// assert_eq!(c, arr2(&[[2.0, 1.0], [4.0, 3.0]]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub struct Tools<'a, T> {
    /// Memory to pack into.
    pub scratch: &'a mut Scratch<T>,
    /// Threads to split the output over.
    pub pool: &'a dyn Pool,
    /// The instructions to use; a level that the processor does not offer is taken as [`simd::Level::Portable`].
    pub level: simd::Level,
}

impl<'a, T> Tools<'a, T> {
    /// Memory and threads, with the level that [`simd::level`] finds.
    pub fn new(scratch: &'a mut Scratch<T>, pool: &'a dyn Pool) -> Self {
        Tools { scratch, pool, level: simd::level() }
    }
}

impl<'a, T> From<&'a mut Cx<'_, T>> for Tools<'a, T> {
    fn from(cx: &'a mut Cx<'_, T>) -> Self {
        Tools::new(&mut *cx.scratch, cx.pool)
    }
}

impl<T> std::fmt::Debug for Tools<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools")
            .field("threads", &self.pool.threads())
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// A vector added to every row or column of a product.
#[derive(Clone, Copy, Debug, Default)]
pub enum Bias<'a, T> {
    /// None.
    #[default]
    None,
    /// One number for each row.
    PerRow(&'a [T]),
    /// One number for each column.
    PerColumn(&'a [T]),
}

impl<T> Bias<'_, T> {
    fn is_none(&self) -> bool {
        matches!(self, Bias::None)
    }

    fn transposed(self) -> Self {
        match self {
            Bias::None => Bias::None,
            Bias::PerRow(bias) => Bias::PerColumn(bias),
            Bias::PerColumn(bias) => Bias::PerRow(bias),
        }
    }
}

/// What is done with a product `P = A B` as it is written: `C ← f(α P + β C + bias)`.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// The factor `α`.
    pub alpha: T,
    /// The factor `β`. With 0, `C` is not read: it may hold anything, NaN included.
    pub beta: T,
    /// The bias.
    pub bias: Bias<'a, T>,
    /// The function `f`.
    pub activation: Activation,
}

impl<'a, T: Real> Epilogue<'a, T> {
    /// `C ← P`.
    pub fn assign() -> Self {
        Self::scaled(T::zero())
    }

    /// `C ← P + β C`.
    pub fn scaled(beta: T) -> Self {
        Epilogue { alpha: T::one(), beta, bias: Bias::None, activation: Activation::Identity }
    }

    /// Whether there is neither a bias nor an activation.
    fn is_plain(&self) -> bool {
        self.bias.is_none() && self.activation == Activation::Identity
    }

    /// The same with a bias and an activation.
    #[must_use]
    pub fn then(self, bias: Bias<'a, T>, activation: Activation) -> Self {
        Epilogue { bias, activation, ..self }
    }
}

/// `C ← f(α A B + β C + bias)`, with `A` of shape `[m, k]`, `B` of `[k, n]` and `C` of `[m, n]`, all in any strides.
///
/// A transposed factor is a transposed view. Where `C` is neither in standard nor in column-major layout, the product takes one more
/// pass over it.
///
/// # Errors
/// [`Error::Shape`] if the shapes, or the bias's length, do not fit.
pub fn gemm<T: Real>(
    epilogue: Epilogue<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    c: &mut ArrayRef2<T>,
    tools: &mut Tools<'_, T>,
) -> Result<()> {
    let (m, k, n) = (a.nrows(), a.ncols(), b.ncols());
    if b.nrows() != k {
        return Err(Error::shape("matmul", format!("[{k}, _] on the right of [{m}, {k}]"), b.shape()));
    }
    if c.dim() != (m, n) {
        return Err(Error::shape("matmul", format!("an output [{m}, {n}]"), c.shape()));
    }
    let (bias, expected) = match epilogue.bias {
        Bias::None => (0, 0),
        Bias::PerRow(bias) => (bias.len(), m),
        Bias::PerColumn(bias) => (bias.len(), n),
    };
    if bias != expected {
        return Err(Error::shape("matmul", format!("a bias [{expected}]"), &[bias]));
    }
    if let Some(out) = c.as_slice_mut() {
        product(epilogue, a, b, out, tools);
    } else if let Some(out) = c.view_mut().reversed_axes().as_slice_mut() {
        let epilogue = Epilogue { bias: epilogue.bias.transposed(), ..epilogue };
        product(epilogue, b.reversed_axes(), a.reversed_axes(), out, tools);
    } else {
        let mut dense = tools.scratch.take(m * n);
        if epilogue.beta != T::zero() {
            dense.iter_mut().zip(c.iter()).for_each(|(dense, &c)| *dense = c);
        }
        product(epilogue, a, b, &mut dense, tools);
        c.iter_mut().zip(&dense).for_each(|(c, &dense)| *c = dense);
        tools.scratch.give(dense);
    }
    Ok(())
}

/// A product of matrices that fit, and the output in standard layout that it goes to.
pub(crate) struct Product<'a, T> {
    pub(crate) epilogue: Epilogue<'a, T>,
    pub(crate) a: ArrayView2<'a, T>,
    pub(crate) b: ArrayView2<'a, T>,
    pub(crate) out: &'a mut [T],
}

/// [`gemm`] on shapes that fit, into an output in standard layout.
pub(crate) fn product<T: Real>(
    epilogue: Epilogue<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    out: &mut [T],
    tools: &mut Tools<'_, T>,
) {
    let Sides { a, b, columns, row_stride, epilogue, out } = Sides::of(Product { epilogue, a, b, out });
    let (m, n, depth) = (a.lines(), b.lines(), a.depth());
    let products = Products { outputs: 1, terms: 1, m, n, depth, factors: &|_, _| (a, b), base: &|_| 0 };
    multiply(&products, &Target { out: &out, base: 0, row_stride, columns, epilogue }, tools);
}

/// Multiply-adds of a product up to which it shares a job with others: some 40 µs of one thread's work.
const SMALL: usize = 1 << 21;

/// Products that do not wait for each other, and sums of rows if there are any: in one job for the threads where all of them are small, as
/// threads that meet then take a good part of the time; else one after the other.
pub(crate) fn products<T: Real, const N: usize>(
    all: [Option<Product<'_, T>>; N],
    sums: Option<&RowSums<'_, T>>,
    tools: &mut Tools<'_, T>,
) {
    let small = |product: &Product<'_, T>| product.a.len().saturating_mul(product.b.ncols()) <= SMALL;
    if tools.pool.threads() == 1 || !all.iter().flatten().all(small) {
        all.into_iter().flatten().for_each(|Product { epilogue, a, b, out }| product(epilogue, a, b, out, tools));
        return sums.into_iter().for_each(|sums| sums.sum(tools.pool));
    }
    let sides = all.map(|product| product.map(Sides::of));
    let sides = sides.each_ref().map(Option::as_ref);
    let (factors, base) = (sides.map(|sides| move |_, _| Sides::factors(sides)), |_| 0);
    let products: [_; N] = std::array::from_fn(|i| {
        let Sides { a, b, .. } = sides[i]?;
        let (m, n, depth) = (a.lines(), b.lines(), a.depth());
        Some(Products { outputs: 1, terms: 1, m, n, depth, factors: &factors[i], base: &base })
    });
    let targets = sides.map(|sides| {
        let &Sides { columns, row_stride, epilogue, ref out, .. } = sides?;
        Some(Target { out, base: 0, row_stride, columns, epilogue })
    });
    let works: [_; N] =
        std::array::from_fn(|i| Some(Work { products: products[i].as_ref()?, target: targets[i].as_ref()? }));
    multiply_all(&works, sums, tools);
}

/// A product turned the way in which it is computed.
struct Sides<'a, T> {
    a: Operand<'a, T>,
    b: Operand<'a, T>,
    columns: Columns,
    row_stride: usize,
    epilogue: Epilogue<'a, T>,
    out: Parts<'a, T>,
}

impl<'a, T: Real> Sides<'a, T> {
    fn of(product: Product<'a, T>) -> Self {
        let Product { epilogue, a, b, out } = product;
        let (m, n, out) = (a.nrows(), b.ncols(), Parts::new(out));
        let (a, b) = (Operand::rows(a), Operand::columns(b));
        if is_better_transposed(&a, &b) {
            let epilogue = Epilogue { bias: epilogue.bias.transposed(), ..epilogue };
            return Sides { a: b, b: a, columns: Columns::of_matrix(m, n), row_stride: 1, epilogue, out };
        }
        Sides { a, b, columns: Columns::of_matrix(n, 1), row_stride: n, epilogue, out }
    }

    fn factors(sides: Option<&Self>) -> (Operand<'a, T>, Operand<'a, T>) {
        sides.map_or_else(|| unreachable!("factors of a product that is there"), |sides| (sides.a, sides.b))
    }
}

/// Whether to compute `Cᵀ = Bᵀ Aᵀ`, and to transpose its tiles as they are written.
///
/// A right factor whose columns lie in one piece, like the weight of a layer, has to be transposed when it is packed, while as a left
/// factor it is read where it lies.
fn is_better_transposed<T: Copy>(a: &Operand<'_, T>, b: &Operand<'_, T>) -> bool {
    let (m, n, depth) = (a.lines(), b.lines(), a.depth());
    if !b.has_whole_lines() || b.has_whole_cuts() {
        return false;
    }
    // Elements that are transposed in either way.
    let (right, left) = (n * depth, if a.has_whole_cuts() { 0 } else { m * depth });
    right > left + m * n / 2
}

/// `A B` as a new array, on one thread.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
///
/// ```
/// use ndarray::arr2;
///
/// let a = arr2(&[[1.0, 2.0, 3.0]]);
/// let square = gradwise_tensor::gemm::product_of(a.view(), a.t())?;
/// assert_eq!(square, arr2(&[[14.0]]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn product_of<T: Real>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Result<Array2<T>> {
    check_size::<T>("matmul", &[a.nrows(), b.ncols()])?;
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    gemm(Epilogue::assign(), a, b, &mut c, &mut Tools::new(&mut Scratch::default(), &gradwise_core::Serial))?;
    Ok(c)
}
