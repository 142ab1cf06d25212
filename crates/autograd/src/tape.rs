//! The record of a computation.

use crate::names::ScopeId;
use crate::node::{Node, Source, owner, value};
use crate::reading::{Probe, read};
use crate::segment::{NEVER, Segment};
use crate::workspace::Workspace;
use gradwise_core::{
    ArrayRefD, ArrayViewD, Cx, Error, Key, LayerReading, Needs, Op, Real, Result, Saved, Scratch, out_shape,
};
use ndarray::ArrayD;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU32, Ordering};

/// A variable of a tape: a small copyable index that knows which tape it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Var {
    pub(crate) tape: u32,
    pub(crate) node: u32,
}

/// How a tape runs: training or evaluation, with or without gradients, and where its randomness comes from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mode {
    /// Whether this is training: batch norm takes the batch's statistics.
    pub training: bool,
    /// Whether dropout drops and noise is added: in training, and where the spread of predictions is asked for.
    pub noise: bool,
    /// Whether gradients may be asked for. Without, operations keep nothing for backward.
    pub gradients: bool,
    /// The key that operations' keys are derived from.
    pub key: Key,
    /// Index, in the whole batch, of the first sample worked on.
    pub first_sample: usize,
    /// The weight of this batch in running statistics, in the place of each layer's own: with 1, 1/2, 1/3 and so on, they become
    /// averages of all batches. `None` in training.
    pub batch_weight: Option<f64>,
}

impl Mode {
    /// Training, with the randomness of a seed at a step.
    pub fn train(seed: u64, step: u64) -> Self {
        Mode { training: true, noise: true, gradients: true, key: Key::new(seed).with(step), ..Self::evaluate() }
    }

    /// Evaluation, without gradients.
    pub fn evaluate() -> Self {
        Mode {
            training: false,
            noise: false,
            gradients: false,
            key: Key::default(),
            first_sample: 0,
            batch_weight: None,
        }
    }

    /// Evaluation in which dropout drops as in the training of a seed: one draw of many, for Monte Carlo dropout.
    pub fn sample(seed: u64, draw: u64) -> Self {
        Mode { noise: true, key: Key::new(seed).with(draw), ..Self::evaluate() }
    }

    /// The same mode, with gradients: to look at those of a trained model.
    #[must_use]
    pub fn with_gradients(self) -> Self {
        Mode { gradients: true, ..self }
    }
}

/// The record of a computation (a Wengert list), from which [`Tape::backward`] computes gradients.
///
/// A tape borrows what it reads for `'p`: parameters, inputs, and the labels that operations hold. So a parameter cannot be updated
/// while a tape that read it is alive, and data must be declared before the tape:
///
/// ```compile_fail,E0506
/// # use gradwise_autograd::{Mode, Param, Tape, Workspace};
/// # use ndarray::arr1;
/// let mut workspace = Workspace::<f32>::new();
/// let mut weight = Param::new(arr1(&[1.0]));
/// let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
/// let w = tape.param(&weight);
/// weight = Param::new(arr1(&[2.0])); // the tape may still need the old one
/// tape.backward(w);
/// ```
///
/// Everything the tape computes lives in its [`Workspace`], which gets it back when the tape is dropped.
///
/// ```
/// use gradwise_autograd::{Mode, Tape, Workspace};
/// use ndarray::arr1;
/// # struct Square;
/// # impl<T: gradwise_core::Real> gradwise_core::Op<T> for Square {
/// #     fn name(&self) -> &'static str { "square" }
/// #     fn out_shape(&self, i: &[&[usize]]) -> gradwise_core::Result<ndarray::IxDyn> { Ok(ndarray::IxDyn(i[0])) }
/// #     fn forward(&self, i: &[gradwise_core::ArrayViewD<'_, T>], o: &mut gradwise_core::ArrayRefD<T>, _: &mut gradwise_core::Saved<T>, _: &mut gradwise_core::Cx<'_, T>) -> gradwise_core::Result<()> { o.assign(&i[0].mapv(|x| x * x)); Ok(()) }
/// #     fn backward(&self, at: gradwise_core::At<'_, T>, g: &mut [Option<gradwise_core::Slot<'_, T>>], _: &mut gradwise_core::Cx<'_, T>) -> gradwise_core::Result<()> { if let Some(s) = &mut g[0] { s.zip2(&at.inputs[0], at.grad, |x, g| (x + x) * g); } Ok(()) }
/// # }
///
/// let mut workspace = Workspace::<f64>::new();
/// let x = arr1(&[3.0]).into_dyn();
/// let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
/// let x = tape.variable(&x);
/// let y = tape.apply(Square, &[x])?;
/// tape.backward(y)?;
/// assert_eq!(tape.grad(x).map(|g| g[[0]]), Some(6.0));
/// # Ok::<(), gradwise_autograd::Error>(())
/// ```
pub struct Tape<'p, T: Real> {
    pub(crate) id: u32,
    pub(crate) nodes: Vec<Node<'p, T>>,
    /// Inputs of all operations, each a range.
    pub(crate) edges: Vec<u32>,
    pub(crate) grads: Vec<Option<ArrayD<T>>>,
    pub(crate) workspace: &'p mut Workspace<T>,
    pub(crate) mode: Mode,
    pub(crate) scope: ScopeId,
    pub(crate) watching: bool,
    /// What stands for a parameter, by its address.
    pub(crate) bound: SmallVec<[(usize, Var); 2]>,
    /// Variables of parameters that are not watched, by address.
    pub(crate) loose: SmallVec<[(usize, Var); 2]>,
    pub(crate) updates: Vec<(usize, ArrayD<T>)>,
    pub(crate) probe: Option<Probe>,
    pub(crate) readings: Vec<LayerReading>,
    /// What layers want to be added to the loss.
    pub(crate) losses: SmallVec<[Var; 2]>,
    pub(crate) checks_gradients: bool,
    /// Whether the backward pass that runs gives values back as it goes.
    pub(crate) frees: bool,
    /// Whether a backward pass gave values back: there can be no other.
    pub(crate) spent: bool,
    /// Whether no value is given back before the tape is dropped.
    pub(crate) keeps: bool,
    pub(crate) segments: Vec<Segment>,
}

/// Tapes are numbered so that a variable of one is refused by another.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl<'p, T: Real> Tape<'p, T> {
    /// An empty tape.
    pub fn new(workspace: &'p mut Workspace<T>, mode: Mode) -> Self {
        workspace.names.restart();
        workspace.scratch.begin(usize::from(mode.training) * 2 + usize::from(mode.gradients));
        let nodes = std::mem::take(&mut workspace.nodes);
        let edges = std::mem::take(&mut workspace.edges);
        let grads = std::mem::take(&mut workspace.grads);
        let updates = std::mem::take(&mut workspace.updates);
        let segments = std::mem::take(&mut workspace.segments);
        Tape {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            nodes,
            edges,
            grads,
            workspace,
            mode,
            scope: 0,
            watching: false,
            bound: SmallVec::new(),
            loose: SmallVec::new(),
            updates,
            probe: None,
            readings: Vec::new(),
            losses: SmallVec::new(),
            checks_gradients: false,
            frees: false,
            spent: false,
            keeps: false,
            segments,
        }
    }

    /// How the tape runs.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether this is training rather than evaluation.
    pub fn training(&self) -> bool {
        self.mode.training
    }

    /// Whether dropout drops and noise is added.
    pub fn draws(&self) -> bool {
        self.mode.noise
    }

    pub(crate) fn push(&mut self, source: Source<'p, T>, requires_grad: bool, retained: bool) -> Var {
        let node = self.nodes.len() as u32;
        let requires_grad = requires_grad && self.mode.gradients;
        let scope = self.scope;
        let (released, needed, result, passes) = (false, false, false, NEVER);
        self.nodes.push(Node { source, requires_grad, retained, released, needed, result, passes, scope });
        Var { tape: self.id, node }
    }

    /// A variable for data: an array that no gradient is asked for.
    pub fn input(&mut self, x: &'p ArrayRefD<T>) -> Var {
        self.push(Source::Input(x), false, true)
    }

    /// A variable for an array whose gradient is asked for: see [`Tape::grad`].
    pub fn variable(&mut self, x: &'p ArrayRefD<T>) -> Var {
        self.push(Source::Input(x), true, true)
    }

    /// A variable for an array that the tape takes over, and gives to the workspace in the end.
    pub fn constant(&mut self, x: ArrayD<T>) -> Var {
        self.push(Source::Constant(x), false, true)
    }

    /// Keeps the gradient of a variable that is not a leaf, so that [`Tape::grad`] finds it after [`Tape::backward`].
    ///
    /// # Errors
    /// [`Error::ForeignVar`] if the variable is another tape's.
    pub fn retain_grad(&mut self, var: Var) -> Result<()> {
        let node = self.node("retain_grad", var)?;
        self.nodes[node as usize].retained = true;
        Ok(())
    }

    /// Applies an operation to variables of this tape and records it.
    ///
    /// # Errors
    /// What the operation refuses, with the path of the layer; [`Error::ForeignVar`] for a variable of another tape.
    pub fn apply(&mut self, op: impl Op<T> + 'p, inputs: &[Var]) -> Result<Var> {
        self.apply_boxed(Box::new(op), inputs)
    }

    /// [`Tape::apply`], compiled once for all operations.
    fn apply_boxed(&mut self, op: Box<dyn Op<T> + 'p>, inputs: &[Var]) -> Result<Var> {
        for &input in inputs {
            self.node(op.name(), input)?;
        }
        let (hash, count) = self.workspace.names.count(self.scope);
        let key = self.mode.key.with(hash).with(count);
        let mut saved = Saved::default();
        let views: SmallVec<[ArrayViewD<'_, T>; 4]> = inputs.iter().map(|v| value(&self.nodes, v.node)).collect();
        let scratch = &mut self.workspace.scratch;
        let output = (|| {
            let shapes: SmallVec<[&[usize]; 4]> = views.iter().map(|x| x.shape()).collect();
            let mut output = scratch.array(out_shape(&*op, &shapes)?);
            let mut cx = Cx {
                scratch,
                pool: &*self.workspace.pool,
                training: self.mode.noise,
                key,
                first_sample: self.mode.first_sample,
            };
            op.forward(&views, &mut output, &mut saved, &mut cx)?;
            if let Some(probe) = self.probe {
                let path = self.workspace.names.path(self.scope);
                match op.before_activation().filter(|_| probe.before_activation) {
                    None => self.readings.push(read(path, op.name(), &output.view(), probe, op.bounds())),
                    Some(bare) => {
                        let mut before = cx.scratch.array(output.raw_dim());
                        let mut spare = Saved::default();
                        let result = bare.forward(&views, &mut before, &mut spare, &mut cx);
                        self.readings.push(read(path, op.name(), &before.view(), probe, None));
                        spare.recycle(cx.scratch);
                        cx.scratch.give_array(before);
                        result?;
                    }
                }
            }
            Ok(output)
        })();
        drop(views);
        let output = output.map_err(|error| self.error(error))?;
        let requires_grad = self.mode.gradients && inputs.iter().any(|v| self.nodes[v.node as usize].requires_grad);
        let needs = if requires_grad { op.needs() } else { Needs::NOTHING };
        if needs.inputs {
            for input in (0..inputs.len()).filter(|&k| op.needs_input(k, inputs.len())).map(|k| inputs[k]) {
                let owner = owner(&self.nodes, input.node);
                self.nodes[owner as usize].needed = true;
            }
        }
        if !self.mode.gradients && !self.mode.training {
            saved.recycle(&mut self.workspace.scratch);
        }
        let start = self.edges.len() as u32;
        self.edges.extend(inputs.iter().map(|v| v.node));
        let inputs = start..self.edges.len() as u32;
        let shape = output.raw_dim();
        let output = Some(output);
        let apply = Source::Apply { op, inputs, saved, lost: false, output, shape, key };
        let y = self.push(apply, requires_grad, false);
        self.nodes[y.node as usize].needed = needs.output;
        self.nodes[y.node as usize].passes = self.passes_to_make(y.node);
        Ok(y)
    }

    /// Memory to borrow, such as for [`Tape::update`].
    pub fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.workspace.scratch
    }

    /// The node of a variable of this tape whose value is there.
    pub(crate) fn node(&self, op: &'static str, var: Var) -> Result<u32> {
        if var.tape != self.id {
            return Err(self.error(Error::ForeignVar { op }));
        }
        let source = &self.nodes[owner(&self.nodes, var.node) as usize].source;
        if matches!(source, Source::Apply { output: None, .. }) {
            return Err(self.error(Error::Freed { op }));
        }
        Ok(var.node)
    }

    /// The error, with the path of the current scope.
    pub(crate) fn error(&self, error: Error) -> Error {
        error.at(self.path())
    }
}

impl<T: Real> Drop for Tape<'_, T> {
    fn drop(&mut self) {
        let workspace = &mut *self.workspace;
        let mut nodes = std::mem::take(&mut self.nodes);
        for node in nodes.drain(..) {
            match node.source {
                Source::Apply { mut saved, output, .. } => {
                    saved.recycle(&mut workspace.scratch);
                    output.into_iter().for_each(|array| workspace.scratch.give_array(array));
                }
                Source::Constant(x) => workspace.scratch.give_array(x),
                Source::Param(_) | Source::Input(_) | Source::View { .. } => {}
            }
        }
        self.grads.drain(..).flatten().for_each(|g| workspace.scratch.give_array(g));
        self.updates.drain(..).for_each(|(_, x)| workspace.scratch.give_array(x));
        workspace.scratch.settle();
        self.edges.clear();
        self.segments.clear();
        // The list is empty, so this changes only its type; the standard library keeps the memory when it collects in place.
        workspace.nodes = nodes.into_iter().map(|_| unreachable!("no nodes")).collect();
        workspace.edges = std::mem::take(&mut self.edges);
        workspace.grads = std::mem::take(&mut self.grads);
        workspace.updates = std::mem::take(&mut self.updates);
        workspace.segments = std::mem::take(&mut self.segments);
    }
}

impl<T: Real> std::fmt::Debug for Tape<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").field("nodes", &self.nodes.len()).field("mode", &self.mode).finish_non_exhaustive()
    }
}
