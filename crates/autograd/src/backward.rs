//! Gradients: the tape, read backwards.

use crate::node::{Node, Source, kept, shape};
use crate::reading::first_not_finite;
use crate::view::View;
use crate::{Tape, Var};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Grads, Real, Result, Slot, sum_of_squares};
use ndarray::{ArrayD, ArrayViewMutD, IxDyn};
use smallvec::SmallVec;

/// A gradient on loan to an operation that fills it.
struct Loan<T> {
    /// The node it is the gradient of, after reshapes are seen through.
    node: u32,
    /// The shape the operation sees.
    shape: IxDyn,
    array: ArrayD<T>,
    first: bool,
    /// Whether it is a second gradient for a node that is lent already, to be added to the first.
    extra: bool,
}

impl<T: Real> Tape<'_, T> {
    /// Computes the gradient of a loss with respect to everything that it depends on and that asks for one.
    ///
    /// Gradients of leaves are then found by [`Tape::grad`]; those of the watched model's parameters are taken with
    /// [`Tape::take_grads`]. A second call starts anew.
    ///
    /// # Errors
    /// If the tape is in a mode without gradients; if the loss is not a single number; if an operation cannot be differentiated.
    pub fn backward(&mut self, loss: Var) -> Result<()> {
        if !self.frees {
            self.node("backward", loss)?;
        }
        let shape = self.shape(loss)?;
        if shape.iter().product::<usize>() != 1 {
            return Err(self.error(Error::shape("backward", "a loss of one element", &shape)));
        }
        let one = ArrayD::from_elem(IxDyn(&shape), T::one());
        self.backward_from(loss, &one)
    }

    /// The same, giving the memory of every value back to the workspace as soon as backward has no more use for it, so that gradients move
    /// in where values were. Values of operations' outputs are gone afterwards, the loss's and the predictions' too: read them before.
    ///
    /// # Errors
    /// As [`Tape::backward`].
    pub fn backward_freeing(&mut self, loss: Var) -> Result<()> {
        self.node("backward", loss)?;
        if self.mode.gradients {
            self.free_unneeded();
        }
        self.frees = true;
        let result = self.backward(loss);
        (self.frees, self.spent) = (false, true);
        result
    }

    /// Frees the outputs that no backward pass will read.
    fn free_unneeded(&mut self) {
        for i in 0..self.nodes.len() {
            if !self.nodes[i].needed {
                self.free_output(i as u32);
            }
        }
    }

    /// Computes the gradients of `Σ seed · var`: the product of `seed` with the Jacobian of `var`.
    ///
    /// # Errors
    /// If the shapes differ; if an operation cannot be differentiated.
    pub fn backward_from(&mut self, var: Var, seed: &ArrayRefD<T>) -> Result<()> {
        if !self.mode.gradients {
            let expected = "a tape with gradients, got one in a mode without";
            return Err(self.error(Error::Other(format!("backward: expected {expected}"))));
        }
        if self.spent {
            return Err(self.error(Error::Freed { op: "backward" }));
        }
        let node = if self.frees { var.node } else { self.node("backward", var)? };
        let shape = shape(&self.nodes, node);
        if IxDyn(seed.shape()) != shape {
            return Err(self.error(Error::shape("backward", format!("a seed of shape {shape:?}"), seed.shape())));
        }
        let scratch = &mut self.workspace.scratch;
        self.grads.drain(..).flatten().for_each(|g| scratch.give_array(g));
        self.grads.resize_with(self.nodes.len(), || None);
        self.workspace.squares.clear();
        if !self.nodes[node as usize].requires_grad {
            return Ok(());
        }
        let root = reshaped(&self.nodes, node);
        let mut array = self.workspace.scratch.array(crate::node::shape(&self.nodes, root));
        array.iter_mut().zip(seed.iter()).for_each(|(g, s)| *g = *s);
        self.grads[root as usize] = Some(array);
        let mut next = self.segments.len();
        self.workspace.open.clear();
        for i in (0..=node).rev() {
            self.enter_segments(i, &mut next)?;
            self.backward_node(i)?;
            self.leave_segments(i);
        }
        Ok(())
    }

    fn backward_node(&mut self, i: u32) -> Result<()> {
        match &self.nodes[i as usize].source {
            // Everything that uses it came after it on the tape, so its gradient is complete, and the last addition has left it in the
            // cache: for the optimizer, which needs the norm, this is the time to sum it.
            Source::Param(_) => {
                if let Some(grad) = &self.grads[i as usize] {
                    let squares = sum_of_squares(grad, &*self.workspace.pool);
                    self.workspace.squares.push((i, squares));
                }
                return Ok(());
            }
            Source::Input(_) | Source::Constant(_) => return Ok(()),
            Source::View { .. } | Source::Apply { .. } => {}
        }
        let Some(grad) = self.grads[i as usize].take() else { return Ok(()) };
        let result = match &self.nodes[i as usize].source {
            Source::View { of, .. } => {
                self.backward_view(i, *of, &grad);
                Ok(())
            }
            _ => self.make_needed(i).and_then(|()| self.backward_apply(i, &grad)),
        };
        if self.nodes[i as usize].retained {
            self.grads[i as usize] = Some(grad);
        } else {
            self.workspace.scratch.give_array(grad);
        }
        result
    }

    /// Adds a view's gradient to that of what it views.
    fn backward_view(&mut self, i: u32, of: u32, grad: &ArrayD<T>) {
        let Source::View { view, .. } = &self.nodes[i as usize].source else { return };
        let node = reshaped(&self.nodes, of);
        let mut loan = lend(&self.nodes, &mut self.grads, &mut self.workspace.scratch, node, of);
        if loan.first && !view.covers() {
            loan.array.fill(T::zero());
            loan.first = false;
        }
        let mut seen = view.of_mut(reshape_mut(&mut loan.array, &loan.shape));
        if loan.first {
            seen.assign(grad);
        } else {
            seen += grad;
        }
        self.grads[loan.node as usize] = Some(loan.array);
    }

    fn backward_apply(&mut self, i: u32, grad: &ArrayD<T>) -> Result<()> {
        let Source::Apply { op, inputs, saved, output, key, .. } = &self.nodes[i as usize].source else {
            return Ok(());
        };
        let inputs = &self.edges[inputs.start as usize..inputs.end as usize];

        // Lend each input's gradient, once; a second gradient of the same variable goes to memory of its own and is added after.
        let mut loans: SmallVec<[Option<Loan<T>>; 4]> = SmallVec::new();
        for &input in inputs {
            let loan = self.nodes[input as usize].requires_grad.then(|| {
                let node = reshaped(&self.nodes, input);
                if loans.iter().flatten().any(|l| l.node == node) {
                    let shape = shape(&self.nodes, input);
                    let array = self.workspace.scratch.array(shape.clone());
                    Loan { node, shape, array, first: true, extra: true }
                } else {
                    lend(&self.nodes, &mut self.grads, &mut self.workspace.scratch, node, input)
                }
            });
            loans.push(loan);
        }

        let result = {
            // In the place of a value that was freed, since nobody reads it: as many zeros, which take no memory.
            let zero = T::zero();
            let zeros = ndarray::aview0(&zero).into_dyn();
            let blank = |n| zeros.broadcast(shape(&self.nodes, n)).unwrap_or(zeros.view());
            let values: SmallVec<[ArrayViewD<'_, T>; 4]> =
                inputs.iter().map(|&n| kept(&self.nodes, n).unwrap_or_else(|| blank(n))).collect();
            let output: &ArrayRefD<T> = output.as_deref().unwrap_or(grad);
            let mut views: SmallVec<[Option<(ArrayViewMutD<'_, T>, bool)>; 4]> = loans
                .iter_mut()
                .map(|loan| loan.as_mut().map(|l| (reshape_mut(&mut l.array, &l.shape), l.first)))
                .collect();
            let mut slots: SmallVec<[Option<Slot<'_, T>>; 4]> = views
                .iter_mut()
                .map(|view| view.as_mut().map(|(grad, first)| Slot { grad: &mut **grad, first: *first }))
                .collect();
            let mut cx = Cx {
                scratch: &mut self.workspace.scratch,
                pool: &*self.workspace.pool,
                training: self.mode.noise,
                key: *key,
                first_sample: self.mode.first_sample,
            };
            op.backward(At { inputs: &values, output, grad, saved }, &mut slots, &mut cx)
        };
        let name = op.name();
        let scope = self.nodes[i as usize].scope;
        if self.frees {
            self.free(i);
        }

        // What was lent comes back; what came twice is added.
        let mut bad = None;
        for loan in loans.into_iter().flatten() {
            if self.checks_gradients && bad.is_none() {
                bad = first_not_finite(&loan.array.view());
            }
            if loan.extra {
                if let Some(sum) = &mut self.grads[loan.node as usize] {
                    reshape_mut(sum, &loan.shape).zip_mut_with(&loan.array, |sum, &g| *sum += g);
                }
                self.workspace.scratch.give_array(loan.array);
            } else {
                self.grads[loan.node as usize] = Some(loan.array);
            }
        }
        let path = self.workspace.names.path(scope);
        match bad {
            Some(got) => Err(Error::NotFinite { op: name, got }.at(path)),
            None => result.map_err(|error| error.at(path)),
        }
    }

    /// The gradient of a leaf (an input made with [`Tape::variable`], a parameter) or of a variable kept with [`Tape::retain_grad`];
    /// `None` if it has none, or if the loss does not depend on it.
    pub fn grad(&self, var: Var) -> Option<ArrayViewD<'_, T>> {
        if var.tape != self.id {
            return None;
        }
        self.grads.get(var.node as usize)?.as_ref().map(|g| g.view())
    }

    /// From the next [`Tape::backward`] on, looks at every gradient and stops at the first that is not finite, naming the operation
    /// whose backward made it. It costs a pass over every gradient.
    pub fn check_gradients(&mut self) {
        self.checks_gradients = true;
    }

    /// Moves the gradients of the watched model's parameters into `grads`, in the model's order, and takes the memory of what was in
    /// there.
    ///
    /// # Errors
    /// If no model is watched: see [`Tape::watch`].
    pub fn take_grads(&mut self, grads: &mut Grads<T>) -> Result<()> {
        if self.watched().is_none() {
            return Err(self.error(Error::Other("take_grads: expected a watched model, got none".into())));
        }
        if self.has_unwatched() {
            let got = "a parameter of it that was read before";
            return Err(
                self.error(Error::Other(format!("take_grads: expected the model to be watched first, got {got}")))
            );
        }
        let workspace = &mut *self.workspace;
        let trainable = &mut workspace.flags;
        trainable.clear();
        trainable.resize(workspace.watched.len(), false);
        workspace.watched.iter().for_each(|w| trainable[w.index as usize] = w.trainable);
        let scratch = &mut workspace.scratch;
        grads.reset(trainable.iter().copied(), &mut |array| scratch.give_array(array));
        for (index, node) in workspace.param_nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            if let Some(array) = self.grads.get_mut(*node as usize).and_then(Option::take) {
                // Nodes were finished from the last to the first.
                match workspace.squares.binary_search_by(|(other, _)| node.cmp(other)) {
                    Ok(at) => grads.set_with_squares(index, array, workspace.squares[at].1),
                    Err(_) => grads.set(index, array),
                }
            }
        }
        Ok(())
    }
}

/// The node whose gradient serves for `node`: reshapes share that of what they reshape, unless theirs is asked for.
fn reshaped<T: Real>(nodes: &[Node<'_, T>], mut node: u32) -> u32 {
    while let Node { source: Source::View { of, view: View::Reshape(_) }, retained: false, .. } = nodes[node as usize] {
        node = of;
    }
    node
}

/// Takes the gradient of `node` out of the list, or memory for it, to be filled in the shape of `input`.
fn lend<T: Real>(
    nodes: &[Node<'_, T>],
    grads: &mut [Option<ArrayD<T>>],
    scratch: &mut gradwise_core::Scratch<T>,
    node: u32,
    input: u32,
) -> Loan<T> {
    let shape = shape(nodes, input);
    match grads[node as usize].take() {
        Some(array) => Loan { node, shape, array, first: false, extra: false },
        None => {
            let array = scratch.array(crate::node::shape(nodes, node));
            Loan { node, shape, array, first: true, extra: false }
        }
    }
}

/// An array in standard layout, under another shape.
fn reshape_mut<'a, T: Real>(array: &'a mut ArrayD<T>, shape: &IxDyn) -> ArrayViewMutD<'a, T> {
    array
        .view_mut()
        .into_shape_with_order(shape.clone())
        .unwrap_or_else(|_| unreachable!("gradients are in standard layout, and reshapes keep the number of elements"))
}
