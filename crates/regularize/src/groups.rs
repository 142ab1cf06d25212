//! Which weights of an array belong together.

use gradwise_core::{ArrayRefD, ArrayViewD, Error, Real, Result, ndarray::Axis};

/// The groups that an array of weights falls into, for what is said of a group and not of a single weight: its norm.
///
/// Layers here store their weights as `[outputs, inputs, kernel…]`, so that [`Groups::Axis`]`(0)` makes one group of all weights that lead
/// into a unit or a filter. (Keras stores them the other way round, `[…, inputs, outputs]`: its `MaxNorm(axis=0)` of a dense layer and
/// its `axis=[0, 1, 2]` of a convolution are axis 0 here.) Axis 1 groups the weights that lead *out* of an input: a group that vanishes
/// is a feature that is not needed.
///
/// ```
/// use gradwise_regularize::{Constraint, Groups, MaxNorm, ndarray::arr2};
///
/// let mut weights = arr2(&[[3.0_f32, 4.0], [0.3, 0.4]]).into_dyn();
/// MaxNorm::new(1.0, Groups::Axis(0))?.apply(&mut weights)?;
/// assert_eq!(weights, arr2(&[[0.6, 0.8], [0.3, 0.4]]).into_dyn());
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Groups {
    /// Each index of an axis is a group: it holds all the weights with that index.
    Axis(usize),
    /// The whole array is one group.
    All,
}

impl Groups {
    /// Refuses arrays that have no such axis.
    pub(crate) fn check<T: Real>(self, what: &'static str, weights: &ArrayRefD<T>) -> Result<()> {
        match self {
            Groups::Axis(axis) if axis >= weights.ndim() => {
                let expected = format!("an array with an axis {axis}, whose indices are the groups");
                Err(Error::shape(what, expected, weights.shape()))
            }
            _ => Ok(()),
        }
    }

    /// Calls `f` with each group of an array that has passed [`Groups::check`].
    pub(crate) fn each<T: Real>(self, weights: &ArrayRefD<T>, mut f: impl FnMut(ArrayViewD<'_, T>)) {
        match self {
            Groups::Axis(axis) => weights.axis_iter(Axis(axis)).for_each(f),
            Groups::All => f(weights.view()),
        }
    }

    /// Multiplies each group by what `factor` makes of its norm, unless that is 1.
    pub(crate) fn rescale<T: Real>(
        self,
        what: &'static str,
        weights: &mut ArrayRefD<T>,
        factor: impl Fn(f64) -> f64,
    ) -> Result<()> {
        self.check(what, weights)?;
        let rescale = |group: &mut ArrayRefD<T>| {
            let factor = factor(norm(group));
            if factor != 1.0 {
                // In `f64`, so that the new norm is right to the last digit but one of the type.
                group.map_inplace(|w| *w = T::of(w.as_f64() * factor));
            }
        };
        match self {
            Groups::Axis(axis) => weights.axis_iter_mut(Axis(axis)).for_each(|mut group| rescale(&mut group)),
            Groups::All => rescale(weights),
        }
        Ok(())
    }
}

/// The Euclidean norm, summed in `f64`.
pub(crate) fn norm<T: Real>(weights: &ArrayRefD<T>) -> f64 {
    crate::norms::sum_of(weights, |w| w * w).sqrt()
}
