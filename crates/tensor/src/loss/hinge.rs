//! Hinge losses: what is on the right side by a margin costs nothing.

use super::formula::Formula;
use super::pointwise::Pointwise;
use super::rowwise::{RowFormula, Rowwise, check_classes};
use gradwise_core::{ArrayRefD, Error, Loss, Op, Real, Reduction, Result, flip};

/// The hinge loss `max(0, 1 - t s)` of a score `s` and a target `t` of -1 or 1, or its square.
///
/// At the kink the slope is 0.
///
/// Source: Cortes and Vapnik, *Support-vector networks*, Machine Learning 20, 1995.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HingeError {
    /// Whether to square it: smooth, and harder on what is far on the wrong side.
    pub squared: bool,
}

impl<T: Real> Formula<T> for HingeError {
    fn name(&self) -> &'static str {
        "hinge"
    }
    #[inline(always)]
    fn value(&self, _: usize, score: T, target: T) -> T {
        let short = T::one() - target * score;
        // `max` would turn NaN into 0.
        let short = if short <= T::zero() { T::zero() } else { short };
        if self.squared { short * short } else { short }
    }
    #[inline(always)]
    fn slope(&self, _: usize, score: T, target: T) -> T {
        let short = T::one() - target * score;
        if short <= T::zero() {
            T::zero()
        } else if self.squared {
            -(short + short) * target
        } else {
            -target
        }
    }
    fn check_target(&self, target: T) -> Result<()> {
        if target.abs() == T::one() {
            return Ok(());
        }
        Err(Error::value("hinge: target", "-1 or 1", target))
    }
}

/// [`HingeError`] as a loss: scores and targets of one shape, the mean over a sample's elements. For one score a sample, as of a linear
/// support vector machine.
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::HingeLoss};
/// use ndarray::arr2;
///
/// let (scores, targets) = (arr2(&[[2.0], [0.5]]).into_dyn(), arr2(&[[1.0], [-1.0]]).into_dyn());
/// let loss = HingeLoss::default();
/// let op = loss.op(&*targets, Reduction::None)?;
/// assert_eq!(Eager::<f64>::default().forward(&*op, &[scores.view()])?.0.as_slice(), Some(&[0.0, 1.5][..]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HingeLoss(
    /// Squared or not.
    pub HingeError,
);

impl<T: Real> Loss<T, ArrayRefD<T>> for HingeLoss {
    fn name(&self) -> &'static str {
        "hinge"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(Pointwise::with(self.0, targets, reduction)?))
    }
}

/// The multi-class hinge loss `Σ_{j ≠ c} max(0, m - s_c + s_j)ᵖ / C` of the scores `s` of `C` classes, of which `c` is the right one, with margin
/// `m` and `p` of 1 or 2.
///
/// Source: Weston and Watkins, *Support vector machines for multi-class pattern recognition*, ESANN 1999; divided by the number of classes as
/// PyTorch's `multi_margin_loss` does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MultiMargin<'a> {
    classes: &'a [usize],
    loss: MultiMarginLoss,
}

impl<T: Real> RowFormula<T, 1> for MultiMargin<'_> {
    fn name(&self) -> &'static str {
        "multi_margin"
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        check_classes("multi_margin", self.classes, shape)
    }

    #[inline(always)]
    fn value(&self, sample: usize, [scores]: [&[T]; 1]) -> T {
        let class = self.classes[sample];
        let mut total = 0.0;
        for (j, &score) in scores.iter().enumerate() {
            let short = T::of(self.loss.margin) - scores[class] + score;
            let satisfied = short <= T::zero();
            if j != class && !satisfied {
                total += (if self.loss.squared { short * short } else { short }).as_f64();
            }
        }
        T::of(total / scores.len() as f64)
    }

    #[inline(always)]
    fn slopes(&self, sample: usize, _: usize, [scores]: [&[T]; 1], mut emit: impl FnMut(usize, T)) {
        let class = self.classes[sample];
        let share = T::one() / T::of_usize(scores.len());
        let mut right = T::zero();
        for (j, &score) in scores.iter().enumerate() {
            let short = T::of(self.loss.margin) - scores[class] + score;
            if j == class {
                continue;
            }
            let slope = if short <= T::zero() {
                T::zero()
            } else if self.loss.squared {
                (short + short) * share
            } else {
                share
            };
            right -= flip!("multi_margin/right", slope);
            emit(j, slope);
        }
        emit(class, right);
    }
}

/// [`MultiMargin`] as a loss: scores `[samples, classes]` against class indices.
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::MultiMarginLoss};
/// use ndarray::arr2;
///
/// let loss = MultiMarginLoss::new(1.0)?;
/// let op = loss.op(&[0_usize][..], Reduction::Mean)?;
/// let (value, _) = Eager::default().forward(&*op, &[arr2(&[[2.0, 1.5, -1.0, 0.0]]).into_dyn().view()])?;
/// assert_eq!(value[[]], 0.5 / 4.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MultiMarginLoss {
    margin: f64,
    squared: bool,
}

impl MultiMarginLoss {
    /// With a margin, commonly 1.
    ///
    /// # Errors
    /// If it is not a positive number.
    pub fn new(margin: f64) -> Result<Self> {
        Ok(MultiMarginLoss { margin: check_margin("multi_margin: margin", margin)?, squared: false })
    }

    /// With the square of what is short of the margin.
    #[must_use]
    pub fn squared(self) -> Self {
        MultiMarginLoss { squared: true, ..self }
    }
}

impl<T: Real> Loss<T, [usize]> for MultiMarginLoss {
    fn name(&self) -> &'static str {
        "multi_margin"
    }
    fn op<'a>(&'a self, targets: &'a [usize], reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(Rowwise::with(MultiMargin { classes: targets, loss: *self }, reduction)))
    }
}

/// Refuses what is no distance.
pub(super) fn check_margin(what: &'static str, margin: f64) -> Result<f64> {
    if margin > 0.0 && margin.is_finite() {
        return Ok(margin);
    }
    Err(Error::value(what, "a positive number", margin))
}
