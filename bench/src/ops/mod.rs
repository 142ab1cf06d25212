//! The operations that are timed one by one.
//!
//! Each is an [`Entry`]: a name, the least work it has to do, and a function that makes its arrays. Those are made when its turn comes,
//! so that the memory of one is not in the caches of another.

mod memory;
mod optimizers;
mod products;

use crate::peak::{Stream, Traffic, multiply_adds};
use gradwise_core::{Pool, Result};
use ndarray::{ArrayD, IxDyn};
use std::sync::Arc;

/// Threads that an operation may use.
pub type Threads = Arc<dyn Pool + Send + Sync>;

/// One call of an operation.
pub type Run = Box<dyn FnMut() -> Result<()>>;

/// The least that an operation has to do.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Floating-point operations, a multiply-add being two.
    Flops(f64),
    /// Memory, each number once.
    Memory(Traffic),
}

/// An operation to time.
pub struct Entry {
    /// Its name, unique.
    pub name: String,
    /// Its work.
    pub work: Work,
    start: Box<dyn FnOnce(Threads) -> Result<Run>>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("work", &self.work).finish_non_exhaustive()
    }
}

impl Entry {
    fn new(name: impl Into<String>, work: Work, start: impl FnOnce(Threads) -> Result<Run> + 'static) -> Self {
        Entry { name: name.into(), work, start: Box::new(start) }
    }

    /// Makes the operation's arrays.
    ///
    /// # Errors
    /// What the operation refuses; none does.
    pub fn start(self, pool: Threads) -> Result<Run> {
        (self.start)(pool)
    }
}

/// All operations: products, convolutions, what is bound by memory, optimizers.
pub fn all() -> Vec<Entry> {
    let kinds = [products::products(), products::convolutions(), memory::operations(), optimizers::optimizers()];
    kinds.into_iter().flatten().collect()
}

/// What the processor does at best of the kind of work an operation does.
#[derive(Debug)]
pub enum Peak {
    /// Fused multiply-adds.
    Flops,
    /// A stream of the same traffic.
    Memory(Stream),
}

impl Peak {
    /// The peak for some work.
    pub fn new(work: Work, threads: usize) -> Self {
        match work {
            Work::Flops(_) => Peak::Flops,
            Work::Memory(traffic) => Peak::Memory(Stream::new(traffic, threads)),
        }
    }

    /// Runs at the peak for a moment, and returns how often it did the work of the operation meanwhile.
    pub fn run(&self, work: Work, pool: &dyn Pool) -> f64 {
        match (self, work) {
            (Peak::Memory(stream), _) => {
                stream.run(pool);
                1.0
            }
            (Peak::Flops, Work::Flops(flops)) => multiply_adds(pool) / flops,
            (Peak::Flops, Work::Memory(_)) => f64::NAN,
        }
    }
}

/// Numbers in [-0.5, 0.5] that repeat late.
fn filled(shape: &[usize]) -> ArrayD<f32> {
    let mut x = 1_u32;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 8) as f32 / (1 << 24) as f32 - 0.5
    })
}
