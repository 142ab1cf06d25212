//! Steppers that are more than a rule: wrappers around any of them, and methods of their own.
//!
//! | stepper | evaluations a step | what for |
//! |---|---|---|
//! | [`Averaged`] | as inside | averages of the weights, exponential or equal (SWA), to evaluate and save |
//! | [`Lookahead`] | as inside | slow weights that follow the fast ones |
//! | [`Sam`] | 2 | flat minima |
//! | [`Accumulate`] | 1 | large batches in small memory |
//! | [`GradientNoise`] | as inside | noise that helps over bad starts |
//! | [`Sgld`] | 1 | samples from a posterior |
//! | [`Annealing`] | 2, or 1 | global search without gradients |
//! | [`Lbfgs`] | up to 25 | whole batches and smooth functions |
//!
//! Wrappers go around each other: `Averaged` around `Sam` around an [`Optimizer`](crate::Optimizer) is what it reads like.

mod accumulate;
mod annealing;
mod average;
mod lbfgs;
mod line_search;
mod lookahead;
mod noise;
mod sam;
mod sgld;
mod snapshot;

pub use accumulate::Accumulate;
pub use annealing::{Annealing, Proposal, metropolis};
pub use average::{Average, Averaged};
pub use lbfgs::Lbfgs;
pub use lookahead::Lookahead;
pub use noise::GradientNoise;
pub use sam::Sam;
pub use sgld::Sgld;

/// The methods of a wrapper that are those of the stepper inside.
macro_rules! as_inside {
    () => {
        fn grads(&self) -> &gradwise_core::Grads<T> {
            self.inner.grads()
        }
        fn measure_updates(&mut self, measure: bool) {
            self.inner.measure_updates(measure);
        }
        fn update_norms(&self) -> &[f64] {
            self.inner.update_norms()
        }
        fn override_rate(&mut self, rate: Option<f64>) -> bool {
            self.inner.override_rate(rate)
        }
    };
}
pub(crate) use as_inside;
