//! Signs that a check of our tests turns round.
//!
//! A test that passes with a wrong derivative tests nothing. So `cargo xtask inventory` compiles the workspace once with
//! `--cfg gradwise_flips`, runs each test again and again with one sign turned round, which the environment names, and expects it to
//! fail. Without that flag [`flip!`](crate::flip!) and [`flip_inputs!`](crate::flip_inputs!) are their last argument, and nothing here
//! is compiled: nobody who uses these crates meets any of it.

/// A term of a formula, of which the check can turn the sign round: `s + flip!("silu/slope", x * s)`.
///
/// The name is that of the operation, rule or penalty, and after a slash that of the term.
#[cfg(not(gradwise_flips))]
#[doc(hidden)]
#[macro_export]
macro_rules! flip {
    ($name:expr, $term:expr) => {
        $term
    };
}

/// As in a build without the flag, but that the sign of the named term is the other one.
#[cfg(gradwise_flips)]
#[doc(hidden)]
#[macro_export]
macro_rules! flip {
    ($name:expr, $term:expr) => {
        if $crate::flip::flipped($name, "") { -($term) } else { $term }
    };
}

/// A backward pass, of which the check can turn round the gradient of one input: that of the second one by the name `conv2d/1`.
#[cfg(not(gradwise_flips))]
#[doc(hidden)]
#[macro_export]
macro_rules! flip_inputs {
    ($op:expr, |$at:ident, $grads:ident, $cx:ident| $backward:expr) => {
        $backward
    };
}

/// As in a build without the flag, but that the gradient of the named input has the other sign.
#[cfg(gradwise_flips)]
#[doc(hidden)]
#[macro_export]
macro_rules! flip_inputs {
    ($op:expr, |$at:ident, $grads:ident, $cx:ident| $backward:expr) => {
        $crate::flip::inputs($op, $at, $grads, $cx, &mut |$at, $grads, $cx| $backward)
    };
}

#[cfg(gradwise_flips)]
pub use named::{flipped, inputs};

#[cfg(gradwise_flips)]
mod named {
    use crate::{At, Cx, Error, Real, Slot};
    use ndarray::{ArrayD, IxDyn};
    use std::sync::OnceLock;

    /// Whether `GRADWISE_FLIP` in the environment is this name, which may be given in two parts.
    pub fn flipped(name: &str, rest: &str) -> bool {
        static NAMED: OnceLock<Option<String>> = OnceLock::new();
        let named = NAMED.get_or_init(|| std::env::var("GRADWISE_FLIP").ok());
        named.as_deref().and_then(|named| named.strip_prefix(name)) == Some(rest)
    }

    /// Runs a backward pass, and turns round what it does to the gradient of the input that is named by its number.
    pub fn inputs<T: Real>(
        op: &str,
        at: At<'_, T>,
        grads: &mut [Option<Slot<'_, T>>],
        cx: &mut Cx<'_, T>,
        backward: &mut dyn FnMut(At<'_, T>, &mut [Option<Slot<'_, T>>], &mut Cx<'_, T>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let named = grads.iter().enumerate().position(|(i, slot)| slot.is_some() && flipped(op, &format!("/{i}")));
        let Some(named) = named else { return backward(at, grads, cx) };
        let shape = grads[named].as_ref().map_or(&[][..], |slot| slot.grad.shape());
        let mut own = ArrayD::zeros(IxDyn(shape));
        let mut slots: Vec<Option<Slot<'_, T>>> = grads
            .iter_mut()
            .map(|slot| slot.as_mut().map(|slot| Slot { grad: &mut *slot.grad, first: slot.first }))
            .collect();
        slots[named] = Some(Slot { grad: &mut own, first: true });
        backward(at, &mut slots, cx)?;
        drop(slots);
        if let Some(slot) = &mut grads[named] {
            slot.zip(&own, |x| -x);
        }
        Ok(())
    }
}
