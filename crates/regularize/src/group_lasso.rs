//! A penalty that removes whole groups of weights.

use crate::groups::norm;
use crate::{Groups, Penalty, check};
use gradwise_core::{ArrayRefD, Error, Real, Result, flip, ndarray::Axis, ndarray::Zip};

/// The group lasso, `λ Σ_g √n_g ‖w_g‖`, for groups of `n_g` weights: whole groups become (nearly) zero, and so whole units, filters or
/// input features.
///
/// Use it to find out how wide a layer has to be, or which inputs matter; [`L1`](crate::L1) removes single weights instead, which makes
/// no array smaller. The gradient is `λ √n_g w_g / ‖w_g‖`, 0 for a group of zeros. The factor √n_g makes groups of different sizes
/// comparable; [`GroupLasso::unweighted`] leaves it out. Source: Yuan and Lin, *Model selection and estimation in regression with
/// grouped variables*, 2006; for units of a net: Scardapane et al., *Group sparse regularization for deep neural networks*, 2017.
///
/// Weights may have any shape that has the groups' axis. The value of an array without it is NaN, its gradient an error.
///
/// ```
/// use gradwise_regularize::{GroupLasso, Groups, Penalty, ndarray::arr2};
///
/// // Two units with two weights each.
/// let weights = arr2(&[[3.0_f64, 4.0], [0.0, 0.0]]).into_dyn();
/// let penalty = GroupLasso::new(0.1, Groups::Axis(0))?;
/// assert!((penalty.value(&weights) - 0.1 * 2_f64.sqrt() * 5.0).abs() < 1e-12);
///
/// let mut grad = arr2(&[[0.0, 0.0], [0.0, 0.0]]).into_dyn();
/// penalty.unweighted().add_gradient(&weights, &mut grad)?;
/// assert!((grad[[0, 1]] - 0.1 * 0.8).abs() < 1e-12 && grad[[1, 1]] == 0.0);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GroupLasso {
    strength: f64,
    groups: Groups,
    weighted: bool,
}

impl GroupLasso {
    /// With strength λ, over groups.
    ///
    /// # Errors
    /// If the strength is negative or not finite.
    pub fn new(strength: f64, groups: Groups) -> Result<Self> {
        Ok(GroupLasso { strength: check::not_negative("group lasso: strength", strength)?, groups, weighted: true })
    }

    /// Without the factor √n_g: `λ Σ_g ‖w_g‖`.
    #[must_use]
    pub fn unweighted(self) -> Self {
        GroupLasso { weighted: false, ..self }
    }

    /// `λ`, times the root of the groups' size where that counts. All groups of an array are of one size.
    fn factor<T: Real>(&self, weights: &ArrayRefD<T>) -> f64 {
        let n_groups = match self.groups {
            Groups::Axis(axis) => weights.len_of(Axis(axis)),
            Groups::All => 1,
        };
        let size = if self.weighted { weights.len() as f64 / n_groups.max(1) as f64 } else { 1.0 };
        self.strength * size.sqrt()
    }
}

impl<T: Real> Penalty<T> for GroupLasso {
    fn value(&self, weights: &ArrayRefD<T>) -> f64 {
        if self.groups.check("group lasso", weights).is_err() {
            return f64::NAN;
        }
        let mut sum = 0.0;
        self.groups.each(weights, |group| sum += norm(&group));
        self.factor(weights) * sum
    }

    fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
        self.groups.check("group lasso", weights)?;
        if weights.shape() != grad.shape() {
            let expected = format!("a gradient of the weights' shape {:?}", weights.shape());
            return Err(Error::shape("group lasso", expected, grad.shape()));
        }
        let strength = self.factor(weights);
        let add = |weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>| {
            let norm = norm(weights);
            if norm != 0.0 {
                let factor = flip!("group_lasso/factor", strength / norm);
                Zip::from(grad).and(weights).for_each(|g, w| *g += T::of(factor * w.as_f64()));
            }
        };
        match self.groups {
            Groups::Axis(axis) => {
                let groups = weights.axis_iter(Axis(axis)).zip(grad.axis_iter_mut(Axis(axis)));
                groups.for_each(|(weights, mut grad)| add(&weights, &mut grad));
            }
            Groups::All => add(weights, grad),
        }
        Ok(())
    }
}
