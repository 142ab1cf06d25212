//! Rates that follow from how far parameters move.

use crate::check;
use gradwise_core::{Error, Result, flip};

/// Sets each parameter's learning rate so that an update moves it by a given share of its size.
///
/// After an update that moved a parameter by `Δ`, its own factor of the learning rate becomes
///
/// ```text
/// f ← f · clamp((target · η / η_max · ‖w‖ / ‖Δ‖)^strength, 1/2, 2),   within [1 / limit, limit]
/// ```
///
/// where η is the schedule's rate, η_max its largest so far, and `‖w‖` at least 0.001 for each number. So the schedule still holds: at
/// its largest rate a step is `target` of the weights, at a tenth of it a tenth. A share of 0.001 is what well-trained nets show; a deep
/// sigmoid net at one rate for all has 10⁻³ at its top and 10⁻⁷ at its bottom, and learns at the top alone. For plain descent and
/// momentum; rules that scale each gradient, as Adam does, equalize by themselves.
///
/// A strength of 0.5, a limit of 10⁴, and every step unless said otherwise. A step that is looked at costs a copy of each parameter.
///
/// ```
/// use gradwise_optim::{Constant, Equalizer, Grads, Optimizer, Param, Sgd, ndarray::arr1};
///
/// // Two layers, one of which gets gradients that have vanished.
/// let mut params = vec![Param::new(arr1(&[1.0_f64])), Param::new(arr1(&[1.0]))];
/// let mut optimizer = Optimizer::new(Sgd::new(), Constant::new(0.1)?).equalize(Equalizer::new(1e-3)?);
/// for _ in 0..60 {
///     let gradient = |x: f64| Some(arr1(&[x]).into_dyn());
///     let mut grads = Grads::from_arrays(&params, vec![gradient(1e-2), gradient(1e-5)]);
///     optimizer.apply(&mut params, &mut grads)?;
/// }
/// // Both have moved by a thousandth of themselves in each of the last steps.
/// assert!(params.iter().all(|param| param.value[[0]] < 0.98));
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Equalizer {
    target: f64,
    strength: f64,
    limit: f64,
    every: u64,
}

impl Equalizer {
    /// Towards updates of this share of a parameter's norm, usually 0.001.
    ///
    /// # Errors
    /// If it is not above 0.
    pub fn new(target: f64) -> Result<Self> {
        let target = check::positive("equalizer: target", target)?;
        Ok(Equalizer { target, strength: 0.5, limit: 1e4, every: 1 })
    }

    /// Corrects only a part of what is off, as an exponent.
    ///
    /// # Errors
    /// If it is not in `(0, 1]`.
    pub fn strength(self, strength: f64) -> Result<Self> {
        let strength = check::share("equalizer: strength", check::positive("equalizer: strength", strength)?)?;
        Ok(Equalizer { strength, ..self })
    }

    /// Bounds the factors of rates by this number and one over it.
    ///
    /// # Errors
    /// Unless it is a finite number of at least 1.
    pub fn limit(self, limit: f64) -> Result<Self> {
        if !(limit >= 1.0 && limit.is_finite()) {
            return Err(Error::value("equalizer: limit", "a finite number of at least 1", limit));
        }
        Ok(Equalizer { limit, ..self })
    }

    /// Looks at every `n`-th step only, from the first on.
    ///
    /// # Errors
    /// If `n` is 0.
    pub fn every(self, n: u64) -> Result<Self> {
        Ok(Equalizer { every: check::steps("equalizer: every", n)?, ..self })
    }

    pub(crate) fn acts_at(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// The new factor of a parameter that has moved by `moved`.
    pub(crate) fn factor(&self, factor: f64, moved: f64, (squares, len): (f64, usize), relative: f64) -> f64 {
        let size = squares.sqrt().max(1e-3 * (len as f64).sqrt());
        let wanted = self.target * relative * size;
        // A parameter that does not move, or to nowhere, says nothing about its rate.
        if !(moved > 0.0 && moved.is_finite() && wanted.is_finite()) {
            return factor;
        }
        (factor * (wanted / moved).powf(flip!("equalizer/strength", self.strength)).clamp(0.5, 2.0))
            .clamp(1.0 / self.limit, self.limit)
    }
}
