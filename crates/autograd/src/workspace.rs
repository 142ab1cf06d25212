//! What outlives a tape, so that the next one need not make it again.

use crate::names::Names;
use crate::node::Node;
use crate::segment::Segment;
use gradwise_core::{Grads, Pool, Real, Scratch, Serial};
use ndarray::ArrayD;
use std::sync::Arc;

/// The memory of tapes: buffers, node lists, names, and the pool of threads that operations may use.
///
/// A workspace serves one tape at a time, and outlives it. The first step with it allocates what the net needs; later steps of the
/// same shapes find it all there.
///
/// ```
/// use gradwise_autograd::{Mode, Tape, Workspace};
/// use ndarray::arr1;
///
/// let mut workspace = Workspace::<f32>::new();
/// let x = arr1(&[1.0, 2.0]).into_dyn();
/// for step in 0..3 {
///     let mut tape = Tape::new(&mut workspace, Mode::train(0, step));
///     let x = tape.input(&x);
///     assert_eq!(tape.value(x).sum(), 3.0);
/// }
/// ```
pub struct Workspace<T: Real> {
    pub(crate) scratch: Scratch<T>,
    pub(crate) pool: Arc<dyn Pool + Send + Sync>,
    pub(crate) names: Names,
    // The lists of the last tape, empty, for their memory.
    pub(crate) nodes: Vec<Node<'static, T>>,
    pub(crate) edges: Vec<u32>,
    pub(crate) grads: Vec<Option<ArrayD<T>>>,
    pub(crate) updates: Vec<(usize, ArrayD<T>)>,
    /// A flag for each node, or each parameter.
    pub(crate) flags: Vec<bool>,
    /// Sums of squares of parameters' gradients, by node, in the order in which they were finished.
    pub(crate) squares: Vec<(u32, f64)>,
    pub(crate) segments: Vec<Segment>,
    /// Segments whose values were made again, by their number, and how often each of their values is still read.
    pub(crate) open: Vec<u32>,
    pub(crate) uses: Vec<u32>,
    pub(crate) watched: Vec<Watched>,
    pub(crate) param_nodes: Vec<Option<u32>>,
}

/// A parameter of the watched model: where it lives, and its place in the fixed order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    pub(crate) address: usize,
    pub(crate) index: u32,
    pub(crate) trainable: bool,
}

impl<T: Real> Default for Workspace<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> Workspace<T> {
    /// An empty workspace whose operations run on the caller's thread.
    pub fn new() -> Self {
        Self::with_pool(Arc::new(Serial))
    }

    /// The threads that operations split their work over.
    pub fn pool(&self) -> &Arc<dyn Pool + Send + Sync> {
        &self.pool
    }

    /// An empty workspace whose operations may split their work over a pool.
    ///
    /// Results do not depend on the pool, to the bit.
    pub fn with_pool(pool: Arc<dyn Pool + Send + Sync>) -> Self {
        Workspace {
            scratch: Scratch::default(),
            pool,
            names: Names::default(),
            nodes: Vec::new(),
            edges: Vec::new(),
            grads: Vec::new(),
            updates: Vec::new(),
            flags: Vec::new(),
            squares: Vec::new(),
            segments: Vec::new(),
            open: Vec::new(),
            uses: Vec::new(),
            watched: Vec::new(),
            param_nodes: Vec::new(),
        }
    }

    /// How many threads operations may use.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The free buffers: to borrow memory from, and to give back what was taken out of a tape.
    pub fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.scratch
    }

    /// Takes back the memory of gradients that are no longer looked at, for the next backward pass: called before a step, it makes the
    /// first step the only one that allocates any. The entries are empty afterwards.
    pub fn reclaim(&mut self, grads: &mut Grads<T>) {
        grads.reset(std::iter::empty(), &mut |array| self.scratch.give_array(array));
    }

    /// Gives all free memory back to the allocator; the next step takes it anew.
    pub fn clear(&mut self) {
        self.scratch.clear();
    }
}

impl<T: Real> std::fmt::Debug for Workspace<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace")
            .field("threads", &self.pool.threads())
            .field("free_bytes", &self.scratch.free_bytes())
            .finish_non_exhaustive()
    }
}
