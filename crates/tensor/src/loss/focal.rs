//! Focal losses: cross-entropy that looks away from what is learned already.

use super::cross_entropy::check_weights;
use super::formula::{Formula, Logistic, check_label};
use super::pointwise::Pointwise;
use super::rowwise::{RowFormula, Rowwise, check_classes};
use crate::math;
use gradwise_core::{ArrayRefD, Error, Loss, Op, Real, Reduction, Result, flip};

fn check_gamma(gamma: f64) -> Result<f64> {
    if gamma >= 0.0 && gamma.is_finite() {
        return Ok(gamma);
    }
    Err(Error::value("focal: gamma", "a finite number, at least 0", gamma))
}

/// `q^γ`, where `0^0` is 1.
#[inline(always)]
fn power<T: Real>(q: T, gamma: f64) -> T {
    if gamma == 2.0 { q * q } else { q.powf(T::of(gamma)) }
}

/// The focal loss of a logit `x` and a target `t` in `[0, 1]`: `α_t q^γ bce(x, t)`, where `p = sigmoid(x)`, `q = p (1 - t) + (1 - p) t` is how wrong
/// it is, and `α_t = α t + (1 - α) (1 - t)`.
///
/// With γ = 0 and no α it is [`Logistic`].
///
/// Source: Lin et al., *Focal loss for dense object detection*, ICCV 2017; for soft targets as torchvision's `sigmoid_focal_loss`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BinaryFocal {
    gamma: f64,
    alpha: Option<f64>,
}

impl BinaryFocal {
    #[inline(always)]
    fn alpha<T: Real>(&self, target: T) -> T {
        match self.alpha {
            Some(alpha) => T::of(alpha) * target + T::of(1.0 - alpha) * (T::one() - target),
            None => T::one(),
        }
    }
}

/// The probabilities of on and off, neither by subtraction from 1.
#[inline(always)]
fn probabilities<T: Real>(logit: T) -> (T, T) {
    let small = math::exp(-logit.abs());
    let (near, far) = (T::one() / (T::one() + small), small / (T::one() + small));
    if logit > T::zero() { (near, far) } else { (far, near) }
}

impl<T: Real> Formula<T> for BinaryFocal {
    fn name(&self) -> &'static str {
        "binary_focal"
    }
    #[inline(always)]
    fn value(&self, position: usize, logit: T, target: T) -> T {
        let (p, rest) = probabilities(logit);
        let wrong = p * (T::one() - target) + rest * target;
        let factor = self.alpha(target) * power(wrong, self.gamma);
        // A sure and right prediction costs nothing, a sure and wrong one what it costs.
        factor * Logistic.value(position, logit, target)
    }
    #[inline(always)]
    fn slope(&self, position: usize, logit: T, target: T) -> T {
        let (p, rest) = probabilities(logit);
        let wrong = p * (T::one() - target) + rest * target;
        // dq/dx = (1 - 2t) p (1 - p), divided by q: as q goes to 0, so does p (1 - p).
        let change = (T::one() - target - target) * (p * rest);
        let relative = if wrong == T::zero() { T::zero() } else { change / wrong };
        let loss: T = Logistic.value(position, logit, target);
        let slope: T = Logistic.slope(position, logit, target);
        self.alpha(target)
            * power(wrong, self.gamma)
            * (slope + flip!("binary_focal/factor", T::of(self.gamma) * relative * loss))
    }
    fn check_target(&self, target: T) -> Result<()> {
        check_label("binary_focal: target", target)
    }
}

/// [`BinaryFocal`] as a loss: logits and targets of one shape, the mean over a sample's elements. For labels that are on or off where one of both is
/// rare.
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::BinaryFocalLoss};
/// use ndarray::arr2;
///
/// let (logits, targets) = (arr2(&[[0.0]]).into_dyn(), arr2(&[[1.0]]).into_dyn());
/// let loss = BinaryFocalLoss::new(2.0)?;
/// let op = loss.op(&*targets, Reduction::Mean)?;
/// let (value, _) = Eager::<f64>::default().forward(&*op, &[logits.view()])?;
/// assert!((value[[]] - 2.0_f64.ln() / 4.0).abs() < 1e-15);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BinaryFocalLoss(BinaryFocal);

impl BinaryFocalLoss {
    /// With the focusing parameter γ; the paper takes 2.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(gamma: f64) -> Result<Self> {
        Ok(BinaryFocalLoss(BinaryFocal { gamma: check_gamma(gamma)?, alpha: None }))
    }

    /// With the weight α of the positive class, and 1 - α of the negative; the paper takes 0.25.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn alpha(self, alpha: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&alpha) {
            return Ok(BinaryFocalLoss(BinaryFocal { alpha: Some(alpha), ..self.0 }));
        }
        Err(Error::value("binary_focal: alpha", "a number in [0, 1]", alpha))
    }
}

impl<T: Real> Loss<T, ArrayRefD<T>> for BinaryFocalLoss {
    fn name(&self) -> &'static str {
        "binary_focal"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(Pointwise::with(self.0, targets, reduction)?))
    }
}

/// The focal loss of logits `x` of classes, of which `c` is the right one: `-w_c (1 - p_c)^γ ln p_c` with `p = softmax(x)` and class weights `w`, 1
/// unless given.
///
/// Source: as [`BinaryFocal`], with softmax instead of a sigmoid a class.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Focal<'a> {
    classes: &'a [usize],
    loss: &'a FocalLoss,
}

impl Focal<'_> {
    /// `ln p_c` and `1 - p_c`, which is the sum of the others' shares.
    #[inline(always)]
    fn likelihood<T: Real>(class: usize, logits: &[T]) -> (T, T, T, f64) {
        let largest = logits.iter().fold(T::neg_infinity(), |a, &b| if b > a { b } else { a });
        let (mut all, mut others) = (0.0, 0.0);
        for (j, &x) in logits.iter().enumerate() {
            let share = math::exp(x - largest).as_f64();
            all += share;
            others += if j == class { 0.0 } else { share };
        }
        ((logits[class] - largest) - T::of(all.ln()), T::of(others / all), largest, all)
    }

    #[inline(always)]
    fn weight<T: Real>(&self, class: usize) -> T {
        self.loss.weights.as_ref().map_or(T::one(), |weights| T::of(weights[class]))
    }
}

impl<T: Real> RowFormula<T, 1> for Focal<'_> {
    fn name(&self) -> &'static str {
        "focal"
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        match &self.loss.weights {
            Some(weights) if weights.len() != shape[1] => {
                Err(Error::shape("focal", format!("logits of {} classes, as the weights", weights.len()), shape))
            }
            _ => check_classes("focal", self.classes, shape),
        }
    }

    #[inline(always)]
    fn value(&self, sample: usize, [logits]: [&[T]; 1]) -> T {
        let class = self.classes[sample];
        let (log, wrong, ..) = Self::likelihood(class, logits);
        -self.weight::<T>(class) * power(wrong, self.loss.gamma) * log
    }

    #[inline(always)]
    fn slopes(&self, sample: usize, _: usize, [logits]: [&[T]; 1], mut emit: impl FnMut(usize, T)) {
        let class = self.classes[sample];
        let (log, wrong, largest, all) = Self::likelihood(class, logits);
        let (gamma, right) = (T::of(self.loss.gamma), T::one() - wrong);
        // dL/dx_j = w q^γ (γ p_c ln(p_c) / q - 1) (δ_jc - p_j); as q goes to 0, ln(p_c) / q goes to -1.
        let slant = if wrong == T::zero() { -T::one() } else { log / wrong };
        let outer = self.weight::<T>(class)
            * power(wrong, self.loss.gamma)
            * (flip!("focal/factor", gamma * right * slant) - T::one());
        let scale = T::of(1.0 / all);
        for (j, &x) in logits.iter().enumerate() {
            let p = math::exp(x - largest) * scale;
            emit(j, outer * if j == class { wrong } else { -p });
        }
    }
}

/// [`Focal`] as a loss: logits `[samples, classes]` against class indices. For classes of which some are rare or hard.
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::FocalLoss};
/// use ndarray::arr2;
///
/// let loss = FocalLoss::new(2.0)?;
/// let op = loss.op(&[1_usize][..], Reduction::Mean)?;
/// let (value, _) = Eager::<f64>::default().forward(&*op, &[arr2(&[[0.0, 0.0]]).into_dyn().view()])?;
/// assert!((value[[]] - 2.0_f64.ln() / 4.0).abs() < 1e-15);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct FocalLoss {
    gamma: f64,
    weights: Option<Vec<f64>>,
}

impl FocalLoss {
    /// With the focusing parameter γ; the paper takes 2.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(gamma: f64) -> Result<Self> {
        Ok(FocalLoss { gamma: check_gamma(gamma)?, weights: None })
    }

    /// With a weight for each class. The mean still divides by the number of samples.
    ///
    /// # Errors
    /// If a weight is negative or not finite.
    pub fn class_weights(self, weights: Vec<f64>) -> Result<Self> {
        check_weights("focal: class weight", &weights)?;
        Ok(FocalLoss { weights: Some(weights), ..self })
    }
}

impl<T: Real> Loss<T, [usize]> for FocalLoss {
    fn name(&self) -> &'static str {
        "focal"
    }
    fn op<'a>(&'a self, targets: &'a [usize], reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(Rowwise::with(Focal { classes: targets, loss: self }, reduction)))
    }
}
