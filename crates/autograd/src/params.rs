//! A model's parameters and buffers on a tape.

use crate::node::{Source, value};
use crate::workspace::{Watched, Workspace};
use crate::{Tape, Var};
use gradwise_core::{Error, Param, Params, ParamsExt, Real, Result, Updates};
use ndarray::ArrayD;

impl<'p, T: Real> Tape<'p, T> {
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

    /// Emits the new value of a buffer, such as a running mean: the layer sits behind `&self`, so whoever owns the model applies it,
    /// once a step, from [`Tape::take_updates`]. The latest of several values for one buffer counts; one of another shape than the buffer's
    /// is not applied.
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
}
