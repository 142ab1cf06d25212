//! The record of a computation.

use crate::names::ScopeId;
use crate::node::{Node, Source, kept, owner, shape, value};
use crate::reading::{Origin, first_not_finite, read};
use crate::segment::{NEVER, Segment};
use crate::view::{Copied, View};
use crate::workspace::{Watched, Workspace};
use gradwise_core::{
    ArrayRefD, ArrayViewD, Cx, Error, Key, LayerReading, Needs, Op, Param, Params, ParamsExt, Real, Result, Saved,
    Scratch, Updates, check_size, out_shape,
};
use ndarray::{ArrayD, Axis, IxDyn};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU32, Ordering};

/// A variable of a tape: a small copyable index that knows which tape it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Var {
    pub(crate) tape: u32,
    pub(crate) node: u32,
}

/// How a tape runs: training or evaluation, with or without gradients, and where its randomness comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode {
    /// Whether dropout drops and batch norm takes the batch's statistics.
    pub training: bool,
    /// Whether gradients may be asked for. Without, operations keep nothing for backward.
    pub gradients: bool,
    /// The key that operations' keys are derived from.
    pub key: Key,
    /// Index, in the whole batch, of the first sample worked on.
    pub first_sample: usize,
}

impl Mode {
    /// Training, with the randomness of a seed at a step.
    pub fn train(seed: u64, step: u64) -> Self {
        Mode { training: true, gradients: true, key: Key::new(seed).with(step), first_sample: 0 }
    }

    /// Evaluation, without gradients.
    pub fn evaluate() -> Self {
        Mode { training: false, gradients: false, key: Key::default(), first_sample: 0 }
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
    scope: ScopeId,
    watching: bool,
    /// What stands for a parameter, by its address.
    bound: SmallVec<[(usize, Var); 2]>,
    /// Variables of parameters that are not watched, by address.
    loose: SmallVec<[(usize, Var); 2]>,
    updates: Vec<(usize, ArrayD<T>)>,
    probe: Option<usize>,
    readings: Vec<LayerReading>,
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

    /// Learns the names and the order of a model's parameters, so that errors and readings carry their layer's path, and gradients can
    /// be taken in that order with [`Tape::take_grads`]. Before the model's forward pass; once a tape.
    pub fn watch<P: Params<T> + ?Sized>(&mut self, model: &P) {
        let Workspace { watched, names, param_nodes, .. } = &mut *self.workspace;
        watched.clear();
        let mut index = 0;
        model.visit(|path, p| {
            let address = std::ptr::from_ref(p).addr();
            watched.push(Watched { address, index, trainable: p.is_trainable() });
            names.set_param(index as usize, path);
            index += 1;
        });
        watched.sort_unstable_by_key(|w| w.address);
        param_nodes.clear();
        param_nodes.resize(index as usize, None);
        self.watching = true;
    }

    /// The place of a parameter in the watched model.
    pub(crate) fn index_of(&self, p: &Param<T>) -> Option<usize> {
        let address = std::ptr::from_ref(p).addr();
        if !self.watching {
            return None;
        }
        let watched = &self.workspace.watched;
        watched.binary_search_by_key(&address, |w| w.address).ok().map(|i| watched[i].index as usize)
    }

    /// Whether a parameter of the watched model was read before it was watched, so that its gradient would not be found.
    pub(crate) fn has_unwatched(&self) -> bool {
        let watched = &self.workspace.watched;
        self.loose.iter().any(|(address, _)| watched.binary_search_by_key(address, |w| w.address).is_ok())
    }

    pub(crate) fn watched(&self) -> Option<&[Watched]> {
        self.watching.then_some(&self.workspace.watched[..])
    }

    fn push(&mut self, source: Source<'p, T>, requires_grad: bool, retained: bool) -> Var {
        let node = self.nodes.len() as u32;
        let requires_grad = requires_grad && self.mode.gradients;
        let scope = self.scope;
        let (released, needed, result, passes) = (false, false, false, NEVER);
        self.nodes.push(Node { source, requires_grad, retained, released, needed, result, passes, scope });
        Var { tape: self.id, node }
    }

    /// The variable of a parameter; of what is bound in its place, if something is. The same one every time.
    pub fn param(&mut self, p: &'p Param<T>) -> Var {
        let address = std::ptr::from_ref(p).addr();
        if let Some((_, var)) = self.bound.iter().rev().find(|(a, _)| *a == address) {
            return *var;
        }
        let index = self.index_of(p);
        let known = match index {
            Some(i) => self.workspace.param_nodes[i].map(|node| Var { tape: self.id, node }),
            None => self.loose.iter().find(|(a, _)| *a == address).map(|(_, v)| *v),
        };
        known.unwrap_or_else(|| {
            let var = self.push(Source::Param(p), p.is_trainable(), true);
            match index {
                Some(i) => self.workspace.param_nodes[i] = Some(var.node),
                None => self.loose.push((address, var)),
            }
            var
        })
    }

    /// Lets a variable stand for a parameter: from here on, whoever reads the parameter through this tape gets the variable. Weight
    /// norm, spectral norm and DropConnect wrap any layer this way. [`Tape::unbind`] ends it.
    ///
    /// # Errors
    /// [`Error::ForeignVar`] if the variable is another tape's; a shape error if its shape is not the parameter's.
    pub fn bind(&mut self, p: &'p Param<T>, var: Var) -> Result<()> {
        let node = self.node("bind", var)?;
        let shape = value(&self.nodes, node);
        if shape.shape() != p.value.shape() {
            return Err(self.error(Error::shape("bind", format!("{:?}", p.value.shape()), shape.shape())));
        }
        self.bound.push((std::ptr::from_ref(p).addr(), var));
        Ok(())
    }

    /// Ends the latest [`Tape::bind`] of a parameter.
    pub fn unbind(&mut self, p: &Param<T>) {
        let address = std::ptr::from_ref(p).addr();
        if let Some(i) = self.bound.iter().rposition(|(a, _)| *a == address) {
            self.bound.remove(i);
        }
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
                training: self.mode.training,
                key,
                first_sample: self.mode.first_sample,
            };
            op.forward(&views, &mut output, &mut saved, &mut cx)?;
            Ok(output)
        })();
        drop(views);
        let output = output.map_err(|error| self.error(error))?;
        if let Some(sample) = self.probe {
            let path = self.workspace.names.path(self.scope);
            self.readings.push(read(path, op.name(), &output.view(), sample));
        }
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

    fn view(&mut self, of: u32, view: View) -> Var {
        let requires_grad = self.nodes[of as usize].requires_grad;
        self.push(Source::View { of, view }, requires_grad, false)
    }

    /// The same elements under another shape; without a copy unless the variable is a transposed or sliced view.
    ///
    /// # Errors
    /// If the shapes do not hold the same number of elements.
    pub fn reshape(&mut self, x: Var, shape: &[usize]) -> Result<Var> {
        let node = self.node("reshape", x)?;
        let from = value(&self.nodes, node);
        let n = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if n != Some(from.len()) {
            let expected = format!("as many elements as {shape:?} has");
            return Err(self.error(Error::shape("reshape", expected, from.shape())));
        }
        check_size::<T>("reshape", shape).map_err(|error| self.error(error))?;
        if from.is_standard_layout() {
            return Ok(self.view(node, View::Reshape(IxDyn(shape))));
        }
        let copy = self.apply(Copied, &[x])?;
        Ok(self.view(copy.node, View::Reshape(IxDyn(shape))))
    }

    /// The axes in another order, without a copy: axis `i` of the result is axis `order[i]` of `x`.
    ///
    /// # Errors
    /// If `order` does not name every axis of `x` once.
    pub fn permute(&mut self, x: Var, order: &[usize]) -> Result<Var> {
        let node = self.node("permute", x)?;
        let from = value(&self.nodes, node);
        let once = |axis| order.iter().filter(|&&a| a == axis).count() == 1;
        if order.len() != from.ndim() || !(0..from.ndim()).all(once) {
            let expected = format!("an array whose axes are {order:?}, each once");
            return Err(self.error(Error::shape("permute", expected, from.shape())));
        }
        Ok(self.view(node, View::Permute(order.iter().copied().collect())))
    }

    /// The axes in reverse order: the transpose of a matrix. Without a copy.
    ///
    /// # Errors
    /// [`Error::ForeignVar`] for a variable of another tape.
    pub fn transpose(&mut self, x: Var) -> Result<Var> {
        let node = self.node("transpose", x)?;
        let order: SmallVec<[usize; 6]> = (0..value(&self.nodes, node).ndim()).rev().collect();
        Ok(self.view(node, View::Permute(order)))
    }

    /// Elements `range` of one axis, without a copy.
    ///
    /// # Errors
    /// If the axis or the range is not within the array.
    pub fn slice(&mut self, x: Var, axis: usize, range: std::ops::Range<usize>) -> Result<Var> {
        let node = self.node("slice", x)?;
        let from = value(&self.nodes, node);
        if axis >= from.ndim() || range.start > range.end || range.end > from.shape()[axis] {
            let expected = format!("at least {} elements on axis {axis}", range.end.max(range.start));
            return Err(self.error(Error::shape("slice", expected, from.shape())));
        }
        Ok(self.view(node, View::Slice(Axis(axis), range)))
    }

    /// The value of a variable.
    ///
    /// # Panics
    /// If the variable is another tape's or its value was freed; see [`Tape::try_value`].
    pub fn value(&self, var: Var) -> ArrayViewD<'_, T> {
        self.try_value(var).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The value of a variable, or an error if there is none.
    ///
    /// # Errors
    /// [`Error::ForeignVar`], [`Error::Freed`].
    pub fn try_value(&self, var: Var) -> Result<ArrayViewD<'_, T>> {
        Ok(value(&self.nodes, self.node("value", var)?))
    }

    /// The shape of a variable.
    ///
    /// # Errors
    /// [`Error::ForeignVar`] if it is another tape's.
    pub fn shape(&self, var: Var) -> Result<SmallVec<[usize; 6]>> {
        if var.tape != self.id {
            return Err(self.error(Error::ForeignVar { op: "shape" }));
        }
        Ok(ndarray::Dimension::slice(&shape(&self.nodes, var.node)).iter().copied().collect())
    }

    /// What an operation saved for backward: where a layer finds the batch's statistics. `None` for variables that are not the output
    /// of an operation, and without gradients.
    pub fn saved(&self, var: Var) -> Option<&Saved<T>> {
        match &self.nodes.get(var.node as usize)?.source {
            Source::Apply { saved, .. } if var.tape == self.id => Some(saved),
            _ => None,
        }
    }

    /// Memory to borrow, such as for [`Tape::update`].
    pub fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.workspace.scratch
    }

    /// Emits the new value of a buffer, such as a running mean: the layer sits behind `&self`, so whoever owns the model applies it,
    /// once a step, from [`Tape::take_updates`]. The latest of several values for one buffer counts.
    pub fn update(&mut self, p: &'p Param<T>, new: ArrayD<T>) {
        match self.index_of(p) {
            Some(index) => self.updates.push((index, new)),
            None => self.workspace.scratch.give_array(new),
        }
    }

    /// The latest value emitted for a buffer in this tape, else its present one: what a layer that runs twice continues from.
    pub fn buffer<'a>(&'a self, p: &'a Param<T>) -> &'a ArrayD<T> {
        let index = self.index_of(p);
        self.updates.iter().rev().find(|(i, _)| Some(*i) == index).map_or(&p.value, |(_, value)| value)
    }

    /// Moves the emitted values of buffers into `updates`, replacing those it holds.
    pub fn take_updates(&mut self, updates: &mut Updates<T>) {
        let scratch = &mut self.workspace.scratch;
        updates.clear(&mut |array| scratch.give_array(array));
        for (index, value) in self.updates.drain(..) {
            if let Some(old) = updates.set(index, value) {
                scratch.give_array(old);
            }
        }
    }

    /// Names what is recorded inside: errors, readings and random keys carry the path.
    ///
    /// # Errors
    /// What the closure returns.
    pub fn scope<R>(&mut self, name: &str, f: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let outer = self.scope;
        self.scope = self.workspace.names.child(outer, name);
        let result = f(self);
        self.scope = outer;
        result
    }

    /// Names what is recorded inside after a layer, recognized by one of its parameters: the scope is the path under which the watched
    /// model visits it. So a layer inside a struct that derives `Params` goes by its field's name, though nobody passes that name along.
    /// Where the parameter is not watched, the scope is `name` within the current one.
    ///
    /// # Errors
    /// What the closure returns.
    pub fn layer<R>(&mut self, p: &Param<T>, name: &str, f: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        match self.index_of(p).and_then(|i| self.workspace.names.layer(i)) {
            Some(scope) => {
                let outer = std::mem::replace(&mut self.scope, scope);
                let result = f(self);
                self.scope = outer;
                result
            }
            None => self.scope(name, f),
        }
    }

    /// Names what is recorded inside after a container of layers, recognized by the first of its parameters as [`Tape::layer`] recognizes
    /// a layer. So what has no parameters of its own, such as an activation in a chain, goes by its full path too. The current scope stays
    /// where the container has no parameters or is not watched.
    ///
    /// # Errors
    /// What the closure returns.
    pub fn block<R, P: Params<T> + ?Sized>(&mut self, part: &P, f: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let mut first = None;
        if self.watching {
            part.visit(|path, p| {
                if first.is_none() {
                    first = self.index_of(p).map(|index| (index, path.depth()));
                }
            });
        }
        let scope = first.and_then(|(index, depth)| self.workspace.names.above(index, depth));
        let outer = self.scope;
        self.scope = scope.unwrap_or(outer);
        let result = f(self);
        self.scope = outer;
        result
    }

    /// The path of the current scope.
    pub fn path(&self) -> &str {
        self.workspace.names.path(self.scope)
    }

    /// The path of the `index`-th parameter of the watched model.
    pub fn param_path(&self, index: usize) -> &str {
        self.workspace.names.param(index)
    }

    /// Reads about `sample` values of every operation's output from here on: see [`Tape::take_readings`].
    pub fn probe(&mut self, sample: usize) {
        self.probe = Some(sample);
    }

    /// The readings of the operations recorded since [`Tape::probe`], in their order.
    pub fn take_readings(&mut self) -> Vec<LayerReading> {
        std::mem::take(&mut self.readings)
    }

    /// The first value on the tape that is not finite, and who made it.
    pub fn first_not_finite(&self) -> Option<Origin> {
        (0..self.nodes.len() as u32).find_map(|i| {
            let node = &self.nodes[i as usize];
            let bad = first_not_finite(&kept(&self.nodes, i)?)?;
            let (path, op) = match &node.source {
                Source::View { .. } => return None,
                Source::Param(p) => (self.index_of(p).map_or("", |i| self.param_path(i)), "parameter"),
                Source::Input(_) | Source::Constant(_) => (self.workspace.names.path(node.scope), "input"),
                Source::Apply { op, .. } => (self.workspace.names.path(node.scope), op.name()),
            };
            Some(Origin { path: path.to_owned(), op, value: bad })
        })
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

    /// Says that the value of a variable is not read any more, but by the backward passes of what was recorded so far. Its memory goes
    /// back to the workspace, to be used by the next operation, unless such a backward pass reads it; and even then, if it is large and
    /// cheap to make again ([`Op::is_cheap`]) from values that are kept anyway. A chain does this between its layers: evaluation holds two
    /// activations at a time and not all of them, training those that its products need.
    ///
    /// Values seen by a view live as long as the view is not released.
    pub fn release(&mut self, var: Var) {
        if self.keeps || var.tape != self.id {
            return;
        }
        self.nodes[var.node as usize].released = true;
        let owner = owner(&self.nodes, var.node);
        let held = self.nodes[owner as usize..]
            .iter()
            .enumerate()
            .any(|(i, node)| !node.released && crate::node::owner(&self.nodes, owner + i as u32) == owner);
        if !held {
            self.free_if_spare(owner);
        }
    }

    /// From here on gives no value back before the tape is dropped: whoever looks for something finds all of them.
    pub fn keep_values(&mut self) {
        self.keeps = true;
    }

    /// Gives the output of an operation, and what it saved, back to the workspace.
    pub(crate) fn free(&mut self, node: u32) {
        self.free_output(node);
        if let Source::Apply { saved, .. } = &mut self.nodes[node as usize].source {
            saved.recycle(&mut self.workspace.scratch);
        }
    }

    /// Gives the output of an operation back to the workspace.
    pub(crate) fn free_output(&mut self, node: u32) {
        if let Source::Apply { output, .. } = &mut self.nodes[node as usize].source {
            output.take().into_iter().for_each(|array| self.workspace.scratch.give_array(array));
        }
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
