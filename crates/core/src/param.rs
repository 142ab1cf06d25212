//! Parameters, and the visit that finds them in a model.

use crate::{Path, Real};
use ndarray::{Array, ArrayD, Dimension};

/// What training does with a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// It gets a gradient and is updated.
    Trainable,
    /// It is part of the model, but gets no gradient: fine-tuning leaves it alone.
    Frozen,
    /// Running statistics and the like: saved and averaged with the weights, written by the layer, never given a gradient.
    Buffer,
}

/// An array that belongs to a model: a weight, a bias, a running mean.
///
/// A `Param` is a plain value with public fields. It holds no gradient; gradients travel in [`Grads`](crate::Grads).
///
/// ```
/// use gradwise_core::{Kind, Param};
/// use ndarray::arr1;
///
/// let bias = Param::new(arr1(&[0.0_f32, 0.0]));
/// assert_eq!(bias.kind, Kind::Trainable);
/// assert_eq!(bias.value.shape(), &[2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Param<T> {
    /// The numbers, in standard (row-major) layout.
    pub value: ArrayD<T>,
    /// What training does with them.
    pub kind: Kind,
}

impl<T: Real> Param<T> {
    /// A trainable parameter. An array in another layout is copied into the standard one.
    pub fn new<D: Dimension>(value: Array<T, D>) -> Self {
        Param { value: standard(value.into_dyn()), kind: Kind::Trainable }
    }

    /// A buffer: saved with the weights, never given a gradient.
    pub fn buffer<D: Dimension>(value: Array<T, D>) -> Self {
        Param { value: standard(value.into_dyn()), kind: Kind::Buffer }
    }

    /// Whether it gets a gradient.
    pub fn is_trainable(&self) -> bool {
        self.kind == Kind::Trainable
    }

    /// Takes a trainable parameter out of training; buffers stay buffers.
    pub fn freeze(&mut self) {
        if self.kind == Kind::Trainable {
            self.kind = Kind::Frozen;
        }
    }

    /// Lets a frozen parameter train again; buffers stay buffers.
    pub fn unfreeze(&mut self) {
        if self.kind == Kind::Frozen {
            self.kind = Kind::Trainable;
        }
    }
}

fn standard<T: Clone>(value: ArrayD<T>) -> ArrayD<T> {
    if value.is_standard_layout() { value } else { value.as_standard_layout().into_owned() }
}

/// Something that has parameters: a layer, a block, a model.
///
/// # Contract
/// - `each` and `each_mut` visit the same parameters under the same paths in the same order, every time, each once.
/// - The order may not depend on values, threads or earlier visits: gradients, optimizer states and checkpoints are matched by it.
/// - A path is unique within a model. The visitor is handed the path of the part itself; the part adds its own names.
/// - A parameter used in two places is owned, and visited, in one.
///
/// `#[derive(Params)]` (in `gradwise-derive`, re-exported where this trait is used) writes both methods. By hand:
///
/// ```
/// use gradwise_core::{Param, Params, ParamsExt, Path, Real};
/// use ndarray::{arr1, arr2};
///
/// struct Affine<T> { weight: Param<T>, bias: Param<T> }
///
/// impl<T: Real> Params<T> for Affine<T> {
///     fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
///         self.weight.each(path.field("weight"), f);
///         self.bias.each(path.field("bias"), f);
///     }
///     fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
///         self.weight.each_mut(path.field("weight"), f);
///         self.bias.each_mut(path.field("bias"), f);
///     }
/// }
///
/// let model = Affine { weight: Param::new(arr2(&[[1.0_f32], [2.0]])), bias: Param::new(arr1(&[0.5])) };
/// assert_eq!(model.paths(), ["weight", "bias"]);
/// assert_eq!(model.n_trainable(), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no part of a model: it does not implement `Params<{T}>`",
    label = "neither a parameter nor a layer",
    note = "derive or implement `Params` for it; a field that holds no parameters is left out with `#[params(skip)]`"
)]
pub trait Params<T: Real> {
    /// Calls `f` with each parameter and its path, which begins with `path`.
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>));

    /// The same visit with mutable access.
    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>));
}

impl<T: Real> Params<T> for Param<T> {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
        f(path, self);
    }
    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
        f(path, self);
    }
}

macro_rules! forward_params {
    ($($name:ty),*) => {$(
        impl<T: Real, P: Params<T> + ?Sized> Params<T> for $name {
            fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
                (**self).each(path, f);
            }
            fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
                (**self).each_mut(path, f);
            }
        }
    )*};
}
forward_params!(Box<P>, &mut P);

macro_rules! list_params {
    ($([$($generics:tt)*] $name:ty),*) => {$(
        impl<T: Real, P: Params<T>, $($generics)*> Params<T> for $name {
            fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
                for (i, part) in self.iter().enumerate() {
                    part.each(path.index(i), f);
                }
            }
            fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
                for (i, part) in self.iter_mut().enumerate() {
                    part.each_mut(path.index(i), f);
                }
            }
        }
    )*};
}
list_params!([] Vec<P>, [] [P], [const N: usize] [P; N]);

impl<T: Real, P: Params<T>> Params<T> for Option<P> {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
        if let Some(part) = self {
            part.each(path, f);
        }
    }
    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
        if let Some(part) = self {
            part.each_mut(path, f);
        }
    }
}

macro_rules! tuple_params {
    ($(($($P:ident $i:tt),*)),*) => {$(
        impl<T: Real, $($P: Params<T>),*> Params<T> for ($($P,)*) {
            fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
                let _ = (&path, &f);
                $(self.$i.each(path.index($i), f);)*
            }
            fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
                let _ = (&path, &f);
                $(self.$i.each_mut(path.index($i), f);)*
            }
        }
    )*};
}
tuple_params!(
    (),
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
);

/// What follows from a visit; implemented for everything that has parameters.
pub trait ParamsExt<T: Real>: Params<T> {
    /// Calls `f` with each parameter and its path in the whole model.
    fn visit<'a>(&'a self, mut f: impl FnMut(Path<'_>, &'a Param<T>)) {
        self.each(Path::root(), &mut f);
    }

    /// The same visit with mutable access.
    fn visit_mut(&mut self, mut f: impl FnMut(Path<'_>, &mut Param<T>)) {
        self.each_mut(Path::root(), &mut f);
    }

    /// The paths of all parameters, in their fixed order.
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.visit(|path, _| paths.push(path.to_string()));
        paths
    }

    /// How many arrays the model has, buffers included.
    fn n_params(&self) -> usize {
        let mut n = 0;
        self.visit(|_, _| n += 1);
        n
    }

    /// How many numbers are trained: the "number of parameters" of a paper.
    fn n_trainable(&self) -> usize {
        let mut n = 0;
        self.visit(|_, p| n += if p.is_trainable() { p.value.len() } else { 0 });
        n
    }
}
impl<T: Real, P: Params<T> + ?Sized> ParamsExt<T> for P {}
