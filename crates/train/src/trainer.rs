//! The single step, public: whoever wants another loop writes it on this.

use crate::auxiliary::with_emitted;
use crate::{Objective, Result, TrainError, threads};
use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{ArrayViewD, Error as CoreError, Grads, LayerReading, Params, Real, Updates};
use gradwise_optim::Stepper;
use gradwise_regularize::{Constraints, Penalties, Pruner, Snapshot, SparsitySchedule};
use std::sync::Arc;

/// What a step did.
#[derive(Debug)]
pub struct StepReport<'a, T> {
    /// Number of the step since training began, from 0.
    pub step: u64,
    /// The objective's loss on the batch, before the update.
    pub loss: T,
    /// What penalties added to it, those on weights and those that layers hand out ([`Tape::emit_loss`]).
    pub penalty: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Euclidean norm of all gradients together, before clipping.
    pub grad_norm: f64,
    /// Samples in the batch.
    pub samples: usize,
    /// The gradients the update was made from, in the parameters' order.
    pub grads: &'a Grads<T>,
    /// Euclidean norm of each parameter's change, in the parameters' order; empty where it was not measured: see
    /// [`Trainer::measure_every`].
    pub update_norms: &'a [f64],
    /// Readings of the layers' outputs; empty where none were taken: see [`Trainer::probe_every`].
    pub layers: &'a [LayerReading],
}

/// Everything that a training step needs besides the model and the batch: the objective, the optimizer, memory, threads and seed.
///
/// ```
/// use gradwise_data::Batch;
/// use gradwise_layers::{Linear, MseLoss, core::Key};
/// use gradwise_optim::{Constant, Optimizer, Sgd};
/// use gradwise_train::{Supervised, Trainer};
/// use ndarray::array;
///
/// // y = 2x, from three points.
/// let x = array![[-1.0], [0.0], [1.0]].into_dyn();
/// let batch = Batch { targets: &x * 2.0, inputs: x, indices: vec![0, 1, 2] };
/// let mut model = Linear::<f64>::new(1, 1, Key::new(0))?;
/// let optimizer = Optimizer::new(Sgd::default(), Constant::new(0.5)?);
/// let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0);
/// for _ in 0..100 {
///     trainer.step(&mut model, &batch)?;
/// }
/// assert!(trainer.step(&mut model, &batch)?.loss < 1e-9);
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct Trainer<T: Real, O, S> {
    pub(crate) objective: O,
    pub(crate) stepper: S,
    pub(crate) workspace: Workspace<T>,
    updates: Updates<T>,
    pub(crate) penalties: Option<Penalties<T>>,
    pub(crate) constraints: Option<Constraints<T>>,
    pub(crate) pruning: Option<(Pruner, SparsitySchedule)>,
    /// The model while it is looked at with other weights.
    pub(crate) kept: Option<Snapshot<T>>,
    pub(crate) seed: u64,
    pub(crate) step: u64,
    measure_every: u64,
    probe_every: u64,
    readings: Vec<LayerReading>,
    /// Whether the optimizer has the workspace's threads.
    threads_shared: bool,
}

/// How many values of an operation's output a reading looks at: enough for two digits of a share, few enough to cost nothing.
const SAMPLE: usize = 4096;

impl<T: Real, O, S> Trainer<T, O, S> {
    /// A trainer on one thread. The seed is that of dropout and whatever else is random within a step.
    pub fn new(objective: O, stepper: S, seed: u64) -> Self {
        Trainer {
            objective,
            stepper,
            workspace: Workspace::new(),
            updates: Updates::new(),
            penalties: None,
            constraints: None,
            pruning: None,
            kept: None,
            seed,
            step: 0,
            measure_every: 0,
            probe_every: 0,
            readings: Vec::new(),
            threads_shared: false,
        }
    }

    /// The same on a number of threads, the caller's included. Results do not depend on it, to the bit.
    ///
    /// # Errors
    /// As [`threads`].
    pub fn threads(mut self, n: usize) -> Result<Self> {
        self.workspace = Workspace::with_pool(threads(n)?);
        self.threads_shared = false;
        Ok(self)
    }

    /// The same with penalties on the weights, whose gradients are added to those of the objective.
    #[must_use]
    pub fn penalties(mut self, penalties: Penalties<T>) -> Self {
        self.penalties = Some(penalties);
        self
    }

    /// The same with constraints on the weights, which are brought back into bounds after each update.
    ///
    /// ```
    /// use gradwise_layers::{Linear, MseLoss, core::Key};
    /// use gradwise_optim::{Constant, Optimizer, Sgd};
    /// use gradwise_regularize::{Constraints, NonNegative};
    /// use gradwise_train::{Supervised, Trainer};
    /// # use gradwise_data::Batch;
    /// # use ndarray::array;
    /// # let x = array![[1.0], [2.0]].into_dyn();
    /// # let batch = Batch { targets: &x * -3.0, inputs: x, indices: vec![0, 1] };
    ///
    /// // Outputs that must not fall when an input rises, whatever the data say.
    /// let mut model = Linear::<f64>::new(1, 1, Key::new(0))?;
    /// let optimizer = Optimizer::new(Sgd::default(), Constant::new(0.1)?);
    /// let constraints = Constraints::new().on("weight", NonNegative)?;
    /// let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0).constraints(constraints);
    /// for _ in 0..10 {
    ///     trainer.step(&mut model, &batch)?;
    /// }
    /// assert_eq!(model.weight().value[[0, 0]], 0.0);
    /// # Ok::<(), gradwise_train::TrainError>(())
    /// ```
    #[must_use]
    pub fn constraints(mut self, constraints: Constraints<T>) -> Self {
        self.constraints = Some(constraints);
        self
    }

    /// The same with weights removed as training goes on, and kept removed: those nearest to zero, as many of them as a schedule says.
    /// Gradients of removed weights are set to zero before an update, the weights themselves after it.
    ///
    /// To go on with a run, give it a pruner that was [resumed](Pruner::resume) with the masks of [`Trainer::pruner`].
    #[must_use]
    pub fn pruning(mut self, pruner: Pruner, schedule: SparsitySchedule) -> Self {
        self.pruning = Some((pruner, schedule));
        self
    }

    /// The same, with so many steps done: to go on with a run, whose randomness depends on the number of the step.
    #[must_use]
    pub fn starting_at(mut self, step: u64) -> Self {
        self.step = step;
        self
    }

    /// Measures how far each parameter moves in every `n`-th step, from the first on; never, if `n` is 0.
    #[must_use]
    pub fn measure_every(mut self, n: u64) -> Self {
        self.measure_every = n;
        self
    }

    /// Reads the layers' outputs in every `n`-th step, from the first on; never, if `n` is 0.
    #[must_use]
    pub fn probe_every(mut self, n: u64) -> Self {
        self.probe_every = n;
        self
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// How many threads a step uses.
    pub fn n_threads(&self) -> usize {
        self.workspace.threads()
    }

    /// The optimizer.
    pub fn stepper(&self) -> &S {
        &self.stepper
    }

    /// The optimizer, to save or restore its state.
    pub fn stepper_mut(&mut self) -> &mut S {
        &mut self.stepper
    }

    /// What removes weights, if something does.
    pub fn pruner(&self) -> Option<&Pruner> {
        self.pruning.as_ref().map(|(pruner, _)| pruner)
    }

    /// The objective.
    pub fn objective(&self) -> &O {
        &self.objective
    }

    /// The memory of the steps, for evaluating between them.
    pub fn workspace(&mut self) -> &mut Workspace<T> {
        &mut self.workspace
    }

    /// One step: forward, loss, backward, update.
    ///
    /// Buffers of the model, such as running statistics, are updated once, from the optimizer's first evaluation.
    ///
    /// # Errors
    /// If model, batch and objective do not fit together; [`TrainError::Diverged`] at a number that is not finite, with the layer and the
    /// operation that made the first one. The model is as it was before the step then.
    pub fn step<M, B>(&mut self, model: &mut M, batch: &B) -> Result<StepReport<'_, T>>
    where
        M: Params<T> + ?Sized,
        B: ?Sized,
        O: Objective<T, M, B>,
        S: Stepper<T, M>,
    {
        self.step_with(model, batch, &mut |_| Ok(()))
    }

    /// The same step, with a look at the model's predictions for the batch, as they were before the update.
    ///
    /// # Errors
    /// As [`Trainer::step`], and those of `look`.
    pub fn step_with<M, B>(
        &mut self,
        model: &mut M,
        batch: &B,
        look: &mut dyn FnMut(ArrayViewD<'_, T>) -> gradwise_core::Result<()>,
    ) -> Result<StepReport<'_, T>>
    where
        M: Params<T> + ?Sized,
        B: ?Sized,
        O: Objective<T, M, B>,
        S: Stepper<T, M>,
    {
        let step = self.step;
        let every = |n: u64| n > 0 && step.is_multiple_of(n);
        let mode = Mode::train(self.seed, step);
        let probe = every(self.probe_every);
        self.stepper.measure_updates(every(self.measure_every));
        if !self.threads_shared {
            self.stepper.use_pool(Arc::clone(self.workspace.pool()));
            self.threads_shared = true;
        }
        self.readings.clear();
        if let Some((pruner, _)) = &mut self.pruning {
            pruner.check(&*model)?;
        }
        if let Some(constraints) = &mut self.constraints {
            constraints.check(&*model)?;
        }

        let Trainer { objective, stepper, workspace, updates, penalties, pruning, readings, .. } = self;
        let (mut first, mut samples, mut penalty, mut data_loss) = (true, 0, 0.0, T::nan());
        let result = stepper.step(model, &mut |model: &M, grads: &mut Grads<T>| {
            workspace.reclaim(grads);
            if first {
                updates.clear(&mut |array| workspace.scratch().give_array(array));
            }
            let mut tape = Tape::new(workspace, mode);
            tape.watch(model);
            if probe && first {
                tape.probe(SAMPLE);
            }
            let outcome = objective.record(&mut tape, model, batch)?;
            let value = scalar(&tape, outcome.loss)?;
            if !value.is_finite() {
                return Err(origin(&tape, value.as_f64()));
            }
            let is_first = std::mem::take(&mut first);
            if is_first {
                samples = outcome.samples;
                data_loss = value;
                tape.take_updates(updates);
                *readings = tape.take_readings();
                if let Some(predictions) = outcome.predictions {
                    look(tape.try_value(predictions)?)?;
                }
            }
            let (total, emitted) = with_emitted(&mut tape, outcome.loss)?;
            if !emitted.is_finite() {
                return Err(origin(&tape, emitted));
            }
            // All values were looked at, so their memory may serve the gradients.
            tape.backward_freeing(total)?;
            tape.take_grads(grads)?;
            drop(tape);
            let mut added = emitted;
            if let Some(penalties) = penalties {
                added += penalties.apply(model, grads)?;
            }
            if let Some((pruner, _)) = pruning {
                pruner.apply_to_grads(grads)?;
            }
            if is_first {
                penalty = added;
            }
            Ok(value + T::of(added))
        });
        let info = match result {
            Ok(info) => info,
            Err(error) => return Err(self.explain(error, model, batch)),
        };
        // Applied once, whatever the optimizer evaluated after.
        self.updates.apply(model);
        if let Some((pruner, schedule)) = &mut self.pruning
            && schedule.is_due(step)
        {
            pruner.prune(model, schedule.at(step))?;
        }
        self.hold(model)?;
        self.step += 1;
        Ok(StepReport {
            step,
            loss: data_loss,
            penalty,
            learning_rate: info.learning_rate,
            grad_norm: info.grad_norm,
            samples,
            grads: self.stepper.grads(),
            update_norms: self.stepper.update_norms(),
            layers: &self.readings,
        })
    }

    /// Adds the step to an error; if it is a gradient that is not finite, finds out by another pass whose it is.
    fn explain<M, B>(&mut self, error: CoreError, model: &M, batch: &B) -> TrainError
    where
        M: Params<T> + ?Sized,
        B: ?Sized,
        O: Objective<T, M, B>,
    {
        let step = self.step;
        if !matches!(error.cause(), CoreError::NotFinite { .. }) {
            return error.into();
        }
        let mut tape = Tape::new(&mut self.workspace, Mode::train(self.seed, step));
        tape.watch(model);
        tape.check_gradients();
        tape.keep_values();
        let again = self.objective.record(&mut tape, model, batch).and_then(|outcome| match tape.first_not_finite() {
            Some(origin) => Err(CoreError::NotFinite { op: origin.op, got: origin.value }.at(&origin.path)),
            None => with_emitted(&mut tape, outcome.loss).and_then(|(total, _)| tape.backward(total)),
        });
        let source = match again {
            Err(more_precise) if matches!(more_precise.cause(), CoreError::NotFinite { .. }) => more_precise,
            _ => error,
        };
        TrainError::Diverged { step, source }
    }
}

fn scalar<T: Real>(tape: &Tape<'_, T>, loss: gradwise_autograd::Var) -> gradwise_core::Result<T> {
    let value = tape.try_value(loss)?;
    match value.iter().next() {
        Some(&x) if value.len() == 1 => Ok(x),
        _ => Err(CoreError::shape("objective", "a loss of one element", value.shape())),
    }
}

/// The error for a loss that is not finite: who made the first such number.
fn origin<T: Real>(tape: &Tape<'_, T>, loss: f64) -> CoreError {
    match tape.first_not_finite() {
        Some(origin) => CoreError::NotFinite { op: origin.op, got: origin.value }.at(&origin.path),
        None => CoreError::NotFinite { op: "loss", got: loss },
    }
}
