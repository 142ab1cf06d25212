//! One schedule after another.

use super::Schedule;
use gradwise_core::{Error, Result, flip};

/// Schedules one after another, each from its own step 0.
///
/// ```
/// use gradwise_optim::{Constant, Cosine, Schedule, Sequence};
///
/// // Flat for 75 steps, then down in 25.
/// let schedule = Sequence::new(Constant::new(0.1)?).then_at(75, Cosine::new(0.1, 25)?)?;
/// assert_eq!([schedule.at(74), schedule.at(75), schedule.at(100)], [0.1, 0.1, 0.0]);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub struct Sequence {
    /// Each with the step it begins at: increasing, the first 0.
    parts: Vec<(u64, Box<dyn Schedule>)>,
}

impl Sequence {
    /// Begins with a schedule.
    pub fn new(first: impl Schedule + 'static) -> Self {
        Sequence { parts: vec![(0, Box::new(first))] }
    }

    /// Goes over to another schedule at a step.
    ///
    /// # Errors
    /// If the step is not after the one the last schedule begins at.
    pub fn then_at(mut self, step: u64, next: impl Schedule + 'static) -> Result<Self> {
        let last = self.parts.last().map_or(0, |(begin, _)| *begin);
        if step <= last {
            return Err(Error::value(
                "sequence: step",
                format!("a step after {last}, where the last part begins"),
                step,
            ));
        }
        self.parts.push((step, Box::new(next)));
        Ok(self)
    }
}

impl Schedule for Sequence {
    fn at(&self, step: u64) -> f64 {
        let next = self.parts.partition_point(|(begin, _)| *begin <= step);
        // The first part begins at 0, so at least one has begun.
        let (begin, schedule) = &self.parts[next - 1];
        flip!("sequence/part", schedule.at(step - begin))
    }
}

impl std::fmt::Debug for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|(begin, _)| begin)).finish()
    }
}
