//! A layer with an activation that it cannot compute itself.

use super::AnyModule;
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Param, Params, Path, Result};

/// A module and what is done to its output. The module's parameters keep their paths; those of the activation are under `activation`.
pub(crate) struct Activated {
    pub(crate) module: AnyModule,
    pub(crate) activation: AnyModule,
}

impl Params<f32> for Activated {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<f32>)) {
        self.module.each(path, f);
        self.activation.each(path.field("activation"), f);
    }

    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<f32>)) {
        self.module.each_mut(path, f);
        self.activation.each_mut(path.field("activation"), f);
    }
}

impl Module<f32> for Activated {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, f32>, x: Var) -> Result<Var> {
        let y = self.module.forward(tape, x)?;
        let z = tape.scope("activation", |tape| self.activation.forward(tape, y))?;
        if y != x && z != y {
            tape.release(y);
        }
        Ok(z)
    }

    fn fold(&mut self) {
        self.module.fold();
    }
}
