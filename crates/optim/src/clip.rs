//! Keeping gradients small.
//!
//! | what | effect | source |
//! |---|---|---|
//! | [`by_global_norm`] | all gradients are scaled by one factor: the direction stays | Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013 |
//! | [`by_norm`] | each parameter's gradient is scaled by its own factor | |
//! | [`by_value`] | each number is clamped: the direction changes | Mikolov, thesis, 2012 |
//! | [`by_unit`] | each unit's gradient is scaled to a share of its weights: AGC | Brock et al., *High-performance large-scale image recognition without normalization*, ICML 2021 |
//!
//! The functions work on any [`Grads`]; an [`Optimizer`](crate::Optimizer) is told a [`Clip`].

use crate::{check, units};
use gradwise_core::{ArrayRefD, Grads, Params, ParamsExt, Real, Result, Serial, flip, simd, sum_of_squares};

/// Scales all gradients so that their common Euclidean norm is at most `max`, and returns the norm before.
///
/// `g ← g · min(1, max / ‖g‖)`, where `‖g‖` is over all gradients together. If the norm is not a finite number nothing is changed, since
/// no factor would help; the caller sees it in the result. PyTorch adds 10⁻⁶ to the norm in the denominator.
///
/// # Errors
/// If `max` is not above 0.
///
/// ```
/// use gradwise_optim::{Grads, Param, clip, ndarray::arr1};
///
/// let model = vec![Param::new(arr1(&[0.0_f32, 0.0]))];
/// let mut grads = Grads::from_arrays(&model, vec![Some(arr1(&[3.0, 4.0]).into_dyn())]);
/// assert_eq!(clip::by_global_norm(&mut grads, 1.0)?, 5.0);
/// assert_eq!(grads.get(0).unwrap(), &arr1(&[0.6, 0.8]).into_dyn());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub fn by_global_norm<T: Real>(grads: &mut Grads<T>, max: f64) -> Result<f64> {
    let max = check::positive("clip: largest global norm", max)?;
    let norm = grads.global_norm();
    if let Some(factor) = factor(norm, max) {
        grads.scale(T::of(factor));
    }
    Ok(norm)
}

/// Scales each parameter's gradient so that its own Euclidean norm is at most `max`.
///
/// # Errors
/// If `max` is not above 0.
pub fn by_norm<T: Real>(grads: &mut Grads<T>, max: f64) -> Result<()> {
    let max = check::positive("clip: largest norm", max)?;
    grads.iter_mut().for_each(|(_, grad)| clip_norm(grad, max));
    Ok(())
}

/// Clamps each number of each gradient to `[−max, max]`. NaN stays NaN.
///
/// # Errors
/// If `max` is not above 0.
pub fn by_value<T: Real>(grads: &mut Grads<T>, max: f64) -> Result<()> {
    let max = check::positive("clip: largest value", max)?;
    grads.iter_mut().for_each(|(_, grad)| clip_value(grad, max));
    Ok(())
}

/// Scales the gradient of each unit so that its norm is at most a share of the norm of the unit's weights: adaptive gradient clipping.
///
/// `g_i ← g_i · min(1, share · max(‖w_i‖, floor) / ‖g_i‖)`, where unit `i` of a parameter with several axes is what its first index selects
/// (the weights of one output), and any other parameter is one unit. For deep nets without normalization; the output layer is
/// usually left out. A share of 0.01 and a floor of 0.001 are the paper's; a model whose gradients do not fit it is left alone there.
///
/// # Errors
/// If `share` or `floor` is not above 0.
///
/// ```
/// use gradwise_optim::{Grads, Param, clip, ndarray::arr2};
///
/// let model = vec![Param::new(arr2(&[[3.0_f64, 4.0], [0.0, 1.0]]))];
/// let mut grads = Grads::from_arrays(&model, vec![Some(arr2(&[[0.6, 0.8], [0.0, 0.5]]).into_dyn())]);
/// clip::by_unit(&model, &mut grads, 0.1, 1e-3)?;
/// let clipped = grads.get(0).unwrap();
/// // The first unit's gradient, of norm 1, may have a tenth of 5; the second's, of norm 0.5, a tenth of 1.
/// assert!((clipped[[0, 0]] - 0.3).abs() < 1e-12 && (clipped[[1, 1]] - 0.1).abs() < 1e-12);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub fn by_unit<T: Real, M: Params<T> + ?Sized>(model: &M, grads: &mut Grads<T>, share: f64, floor: f64) -> Result<()> {
    let share = check::positive("clip: share of the weights", share)?;
    let floor = check::positive("clip: least norm of the weights", floor)?;
    let mut index = 0;
    model.visit(|_, param| {
        if let Some(grad) = grads.get_mut(index) {
            units::clip(grad, &param.value, share, floor);
        }
        index += 1;
    });
    Ok(())
}

/// What an optimizer does to gradients before it uses them.
///
/// ```
/// use gradwise_optim::Clip;
///
/// let clip = Clip::global_norm(1.0)?;
/// let adaptive = Clip::unit(0.01)?.floor(1e-3)?;
/// assert!(Clip::value(f64::NAN).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clip {
    by: By,
    max: f64,
    floor: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum By {
    GlobalNorm,
    Norm,
    Value,
    Unit,
}

impl Clip {
    /// As [`by_global_norm`].
    ///
    /// # Errors
    /// If `max` is not above 0.
    pub fn global_norm(max: f64) -> Result<Self> {
        Ok(Clip { by: By::GlobalNorm, max: check::positive("clip: largest global norm", max)?, floor: 0.0 })
    }

    /// As [`by_norm`].
    ///
    /// # Errors
    /// If `max` is not above 0.
    pub fn norm(max: f64) -> Result<Self> {
        Ok(Clip { by: By::Norm, max: check::positive("clip: largest norm", max)?, floor: 0.0 })
    }

    /// As [`by_value`].
    ///
    /// # Errors
    /// If `max` is not above 0.
    pub fn value(max: f64) -> Result<Self> {
        Ok(Clip { by: By::Value, max: check::positive("clip: largest value", max)?, floor: 0.0 })
    }

    /// As [`by_unit`], whose floor is 0.001 unless [`Clip::floor`] says otherwise.
    ///
    /// # Errors
    /// If `share` is not above 0.
    pub fn unit(share: f64) -> Result<Self> {
        Ok(Clip { by: By::Unit, max: check::positive("clip: share of the weights", share)?, floor: 1e-3 })
    }

    /// Sets the least norm that the weights of a unit are taken to have; of use for [`Clip::unit`] alone.
    ///
    /// # Errors
    /// If it is not above 0.
    pub fn floor(self, floor: f64) -> Result<Self> {
        Ok(Clip { floor: check::positive("clip: least norm of the weights", floor)?, ..self })
    }

    /// What to multiply a gradient by, whose own norm and whose norm together with all others are given.
    pub(crate) fn factor(&self, norm: f64, global_norm: f64) -> f64 {
        let norm = match self.by {
            By::GlobalNorm => global_norm,
            By::Norm => norm,
            By::Value | By::Unit => return 1.0,
        };
        factor(norm, self.max).unwrap_or(1.0)
    }

    /// The largest value, if that is what it clips by.
    pub(crate) fn largest_value(&self) -> Option<f64> {
        (self.by == By::Value).then_some(self.max)
    }

    /// The share of a unit's weights and their least norm, if that is what it clips by.
    pub(crate) fn unit_share(&self) -> Option<(f64, f64)> {
        (self.by == By::Unit).then_some((self.max, self.floor))
    }
}

/// What to multiply by, if anything.
fn factor(norm: f64, max: f64) -> Option<f64> {
    (norm.is_finite() && norm > max).then(|| flip!("clip/factor", max / norm))
}

/// Multiplies a gradient.
pub(crate) fn scale<T: Real>(grad: &mut ArrayRefD<T>, factor: f64) {
    let factor = T::of(factor);
    map(
        grad,
        #[inline(always)]
        |g| g * factor,
    );
}

fn map<T: Real>(grad: &mut ArrayRefD<T>, f: impl Fn(T) -> T) {
    simd::vectorize(
        #[inline(always)]
        || match grad.as_slice_memory_order_mut() {
            Some(slice) => slice.iter_mut().for_each(|g| *g = f(*g)),
            None => grad.map_inplace(|g| *g = f(*g)),
        },
    );
}

fn clip_norm<T: Real>(grad: &mut ArrayRefD<T>, max: f64) {
    if let Some(factor) = factor(sum_of_squares(grad, &Serial).sqrt(), max) {
        scale(grad, factor);
    }
}

/// Clamps the numbers of a gradient; NaN stays.
pub(crate) fn clip_value<T: Real>(grad: &mut ArrayRefD<T>, max: f64) {
    let max = T::of(max);
    map(
        grad,
        #[inline(always)]
        |g| {
            let g = if g > max { max } else { g };
            if g < -max { flip!("clip/least", -max) } else { g }
        },
    );
}
