//! Learning rates as pure functions of the step.
//!
//! A schedule knows nothing of models or rules. Steps are counted from 0; what a step is (a batch, an epoch) is up to whoever asks, and
//! an [`Optimizer`](crate::Optimizer) asks once a batch. The same schedules serve for momentum
//! ([`Optimizer::momentum`](crate::Optimizer::momentum)). One depends on what is measured, and is told it: [`ReduceOnPlateau`].

mod cosine;
mod cyclic;
mod decay;
mod inverse;
mod one_cycle;
mod plateau;
mod polynomial;
mod restarts;
mod sequence;
mod warmup;

pub use cosine::Cosine;
pub use cyclic::{Cyclic, CyclicMomentum};
pub use decay::{Constant, Exponential, MultiStep, StepDecay};
pub use inverse::{InverseSqrt, InverseTime};
pub use one_cycle::{OneCycle, OneCycleMomentum};
pub use plateau::{ReduceOnPlateau, Reduced};
pub use polynomial::Polynomial;
pub use restarts::CosineRestarts;
pub use sequence::Sequence;
pub use warmup::LinearWarmup;

/// A number for each step: a learning rate, a momentum.
///
/// # Contract
/// - `at` is a pure function: training that is resumed at step `n` asks for `n` and goes on as if it had never stopped.
/// - Every step has a value, those beyond the planned end included.
///
/// Closures are schedules:
///
/// ```
/// use gradwise_optim::{Adam, Optimizer, Schedule};
///
/// let inverse_root = |step: u64| 0.1 / ((step + 1) as f64).sqrt();
/// assert_eq!(inverse_root.at(3), 0.05);
/// let optimizer = Optimizer::<f32, _>::new(Adam::default(), inverse_root);
/// ```
pub trait Schedule: Send + Sync {
    /// The value at a step, counted from 0.
    fn at(&self, step: u64) -> f64;
}

impl<F: Fn(u64) -> f64 + Send + Sync> Schedule for F {
    fn at(&self, step: u64) -> f64 {
        self(step)
    }
}

impl Schedule for Box<dyn Schedule> {
    fn at(&self, step: u64) -> f64 {
        (**self).at(step)
    }
}

/// From `start` to `end` along half a cosine, for `share` from 0 to 1; exact at both ends.
fn half_cosine(start: f64, end: f64, share: f64) -> f64 {
    line(start, end, 0.5 * (1.0 - gradwise_core::flip!("half_cosine/cosine", (std::f64::consts::PI * share).cos())))
}

/// From `start` to `end` along a line, for `share` from 0 to 1; exact at both ends.
fn line(start: f64, end: f64, share: f64) -> f64 {
    (1.0 - share) * start + share * end
}
