//! The paths under which a tape records.

use crate::Tape;
use gradwise_core::{Param, Params, ParamsExt, Real, Result};

impl<T: Real> Tape<'_, T> {
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
}
