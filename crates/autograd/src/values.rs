//! The values of variables: reading them, and giving their memory back.

use crate::node::{Source, owner, shape, value};
use crate::{Tape, Var};
use gradwise_core::{ArrayViewD, Error, Real, Result, Saved};
use smallvec::SmallVec;

impl<T: Real> Tape<'_, T> {
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

    /// Hands a number to whoever owns the loss, to be added to it: how a layer in the middle of a model penalizes what goes through it. A
    /// loop of one's own finds them with [`Tape::take_losses`]; the trainer adds them.
    ///
    /// Not within [`Tape::checkpoint`], of which nothing but the result is left.
    ///
    /// # Errors
    /// [`Error::ForeignVar`] if the variable is another tape's; a shape error unless it is one number.
    pub fn emit_loss(&mut self, loss: Var) -> Result<()> {
        let shape = self.shape(loss)?;
        if shape.iter().product::<usize>() != 1 {
            return Err(self.error(Error::shape("emit_loss", "one number", &shape)));
        }
        self.losses.push(loss);
        Ok(())
    }

    /// The numbers that layers handed out to be added to the loss, in their order; there are none afterwards.
    pub fn take_losses(&mut self) -> SmallVec<[Var; 2]> {
        std::mem::take(&mut self.losses)
    }

    /// Says that the value of a variable is not read any more, but by the backward passes of what was recorded so far. Its memory goes
    /// back to the workspace, to be used by the next operation, unless such a backward pass reads it; and even then, if it is large and
    /// cheap to make again ([`Op::is_cheap`](gradwise_core::Op::is_cheap)) from values that are kept anyway. A chain does this between its
    /// layers: evaluation holds two activations at a time and not all of them, training those that its products need.
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
}
