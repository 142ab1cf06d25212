//! Triangles: a rate that goes up and down again and again.

use super::Schedule;
use crate::check;
use gradwise_core::{Error, Result, flip};

/// How the height of the triangles changes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Form {
    Equal,
    Halving,
    Exponential(f64),
}

/// A rate that rises from `low` to `high` and falls back along straight lines, cycle after cycle.
///
/// Three forms: equal triangles (PyTorch's `triangular`); [`Cyclic::halving`], each half as high as the one before (`triangular2`); and
/// [`Cyclic::exponential`], whose height is multiplied by a factor at every step (`exp_range`). The momentum that goes the other way is
/// [`Cyclic::momentum`]. When the best rate is not known but its range is, from a [`RangeTest`](crate::RangeTest). Source: Smith, *Cyclical
/// learning rates for training neural networks*, WACV 2017.
///
/// ```
/// use gradwise_optim::{Cyclic, Schedule};
///
/// let schedule = Cyclic::new(0.0, 1.0, 4)?;
/// assert_eq!([0, 2, 4, 6, 8, 12].map(|step| schedule.at(step)), [0.0, 0.5, 1.0, 0.5, 0.0, 1.0]);
/// assert_eq!(schedule.halving().at(12), 0.5);
/// assert_eq!(schedule.down(1)?.at(5), 0.0);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cyclic {
    low: f64,
    high: f64,
    up: u64,
    down: u64,
    form: Form,
}

impl Cyclic {
    /// Up in `up` steps, and down in as many.
    ///
    /// # Errors
    /// If a rate is negative or not finite, `low` is above `high`, or there are no steps.
    pub fn new(low: f64, high: f64, up: u64) -> Result<Self> {
        let low = check::not_negative("cyclic: low rate", low)?;
        let high = check::not_negative("cyclic: high rate", high)?;
        if low > high {
            return Err(Error::value("cyclic: low rate", format!("at most the high one, {high}"), low));
        }
        let up = check::steps("cyclic: steps up", up)?;
        Ok(Cyclic { low, high, up, down: up, form: Form::Equal })
    }

    /// Goes down in another number of steps than up.
    ///
    /// # Errors
    /// If it is 0.
    pub fn down(self, steps: u64) -> Result<Self> {
        Ok(Cyclic { down: check::steps("cyclic: steps down", steps)?, ..self })
    }

    /// Makes each triangle half as high as the one before.
    #[must_use]
    pub fn halving(self) -> Self {
        Cyclic { form: Form::Halving, ..self }
    }

    /// Multiplies the height by a factor at every step, usually a little below 1.
    ///
    /// # Errors
    /// If it is not in `(0, 1]`.
    pub fn exponential(self, factor: f64) -> Result<Self> {
        if !(factor > 0.0 && factor <= 1.0) {
            return Err(Error::value("cyclic: factor", "a number in (0, 1]", factor));
        }
        Ok(Cyclic { form: Form::Exponential(factor), ..self })
    }

    /// The momentum that belongs to it: from 0.9 down to 0.8 while the rate rises, and back while it falls.
    pub fn momentum(&self) -> CyclicMomentum {
        CyclicMomentum { cycle: *self, low: 0.8, high: 0.9 }
    }

    /// How high a step is, from 0 to 1.
    fn height(&self, step: u64) -> f64 {
        // In `u128`, the length of a cycle fits whatever its parts are.
        let length = u128::from(self.up) + u128::from(self.down);
        let (cycle, at) = (u128::from(step) / length, u128::from(step) % length);
        let share = if at <= u128::from(self.up) {
            at as f64 / self.up as f64
        } else {
            (length - at) as f64 / self.down as f64
        };
        share
            * match self.form {
                Form::Equal => 1.0,
                Form::Halving => 0.5_f64.powf(cycle as f64),
                Form::Exponential(factor) => factor.powf(step as f64),
            }
    }
}

impl Schedule for Cyclic {
    fn at(&self, step: u64) -> f64 {
        self.low + flip!("cyclic/height", (self.high - self.low) * self.height(step))
    }
}

/// The momentum of a [`Cyclic`] rate: high where the rate is low.
///
/// ```
/// use gradwise_optim::{Cyclic, Schedule};
///
/// let momentum = Cyclic::new(0.0, 1.0, 4)?.momentum().between(0.85, 0.95)?;
/// assert_eq!([momentum.at(0), momentum.at(8)], [0.95, 0.95]);
/// assert!((momentum.at(4) - 0.85).abs() < 1e-12);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CyclicMomentum {
    cycle: Cyclic,
    low: f64,
    high: f64,
}

impl CyclicMomentum {
    /// Goes between other values than 0.8 and 0.9.
    ///
    /// # Errors
    /// If one is not in `[0, 1)`, or `low` is above `high`.
    pub fn between(self, low: f64, high: f64) -> Result<Self> {
        let low = check::below_one("cyclic: low momentum", low)?;
        let high = check::below_one("cyclic: high momentum", high)?;
        if low > high {
            return Err(Error::value("cyclic: low momentum", format!("at most the high one, {high}"), low));
        }
        Ok(CyclicMomentum { low, high, ..self })
    }
}

impl Schedule for CyclicMomentum {
    fn at(&self, step: u64) -> f64 {
        self.high - flip!("cyclic_momentum/height", (self.high - self.low) * self.cycle.height(step))
    }
}
