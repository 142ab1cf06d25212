//! How far a parameter moves in an update.

use crate::sweep::split;
use gradwise_core::ndarray::aview1;
use gradwise_core::{ArrayRefD, Pool, Real, sum_of_squares};

/// Copies the numbers of a parameter, in their logical order.
pub(crate) fn keep<T: Real>(param: &ArrayRefD<T>, before: &mut Vec<T>, pool: &dyn Pool) {
    match param.as_slice() {
        Some(slice) => {
            before.resize(slice.len(), T::zero());
            split(pool, before, slice, [], |before, slice, []| before.copy_from_slice(slice));
        }
        None => {
            before.clear();
            before.extend(param.iter());
        }
    }
}

/// The Euclidean norm of the difference to what [`keep`] has kept, which is lost.
pub(crate) fn distance<T: Real>(param: &ArrayRefD<T>, before: &mut [T], pool: &dyn Pool) -> f64 {
    match param.as_slice() {
        Some(slice) => split(pool, before, slice, [], |before, slice, []| {
            before.iter_mut().zip(slice).for_each(|(before, &now)| *before -= now);
        }),
        None => before.iter_mut().zip(param).for_each(|(before, &now)| *before -= now),
    }
    sum_of_squares(&aview1(before).into_dyn(), pool).sqrt()
}
