//! A net in evaluation: the same outputs in three ways.

use crate::cases::Case;
use gradwise_layers::{Chain, Mode, Module, ModuleExt, ParamsExt, Tape, Workspace};
use gradwise_train::{Result, threads};
use ndarray::{ArrayD, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How the outputs are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// On a tape that knows the model, as during training.
    Tape,
    /// By `predict`.
    Predict,
    /// By `predict`, of the model with its batch norms folded.
    Folded,
}

/// All of them, the plainest first.
pub const WAYS: [Way; 3] = [Way::Tape, Way::Predict, Way::Folded];

/// A case's net, and one batch of normal numbers.
#[allow(missing_debug_implementations)] // Holds a whole net and its memory.
pub struct Inference {
    model: Chain<f32>,
    inputs: ArrayD<f32>,
    workspace: Workspace<f32>,
    way: Way,
}

impl Inference {
    /// A net of a case, ready to be asked about batches of this size.
    ///
    /// # Errors
    /// If there is no such number of threads.
    pub fn new(case: &Case, batch: usize, n_threads: usize, way: Way) -> Result<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let shape = [&[batch], case.sample].concat();
        let inputs = ArrayD::from_shape_simple_fn(IxDyn(&shape), || StandardNormal.sample(&mut random));
        let mut model = case.model()?;
        // Statistics that are not those of a new net, with which folding would change next to nothing.
        model.visit_mut(|path, p| {
            let range = match path.to_string() {
                path if path.ends_with("running_mean") => -0.5..0.5,
                path if path.ends_with("running_var") => 0.5..2.0,
                _ => return,
            };
            p.value.mapv_inplace(|_| random.random_range(range.clone()));
        });
        let model = if way == Way::Folded { model.folded() } else { model };
        Ok(Inference { model, inputs, workspace: Workspace::with_pool(threads(n_threads)?), way })
    }

    /// The outputs.
    ///
    /// # Errors
    /// What the net refuses; none of the cases' does.
    pub fn run(&mut self) -> Result<ArrayD<f32>> {
        if self.way != Way::Tape {
            return Ok(self.model.predict(&self.inputs, &mut self.workspace)?);
        }
        let mut tape = Tape::new(&mut self.workspace, Mode::evaluate());
        tape.watch(&self.model);
        let x = tape.input(&self.inputs);
        let y = self.model.forward(&mut tape, x)?;
        Ok(tape.try_value(y)?.to_owned())
    }

    /// Bytes that values lie in.
    pub fn workspace_bytes(&mut self) -> usize {
        self.workspace.scratch().free_bytes()
    }
}
