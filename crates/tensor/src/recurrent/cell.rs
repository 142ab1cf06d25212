//! What distinguishes recurrent layers: one step of one sample.

use gradwise_core::Real;

/// One step of one sample, forward. `h` below is the number of hidden units.
#[derive(Debug)]
pub struct Step<'a, T> {
    /// What the input contributes to the gates, `[GATES · h]`.
    pub input: &'a [T],
    /// What the last hidden state contributes to them, `[GATES · h]`.
    pub hidden: &'a [T],
    /// The last hidden state, `[h]`.
    pub last: &'a [T],
    /// What the last step kept, `[KEPT · h]`; zeros before the first one.
    pub last_kept: &'a [T],
    /// What this step keeps for the next one and for backward, `[KEPT · h]`.
    pub kept: &'a mut [T],
    /// The new hidden state, `[h]`.
    pub state: &'a mut [T],
}

/// One step of one sample, backward.
#[derive(Debug)]
pub struct Back<'a, T> {
    /// What the step kept, `[KEPT · h]`.
    pub kept: &'a [T],
    /// What the step before kept.
    pub last_kept: &'a [T],
    /// The hidden state before, `[h]`.
    pub last: &'a [T],
    /// The gradient of the new hidden state, `[h]`; to be replaced by what reaches the last one past the gates' products.
    pub grad: &'a mut [T],
    /// The gradient that the step after left for this one's memory, `[h]`; to be replaced by that of the step before.
    pub memory: &'a mut [T],
    /// The gradient of [`Step::input`], to be written.
    pub to_input: &'a mut [T],
    /// The gradient of [`Step::hidden`], to be written.
    pub to_hidden: &'a mut [T],
}

/// The cell of a recurrent layer.
pub trait Cell: Copy + Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// Rows of the weights for each hidden unit.
    const GATES: usize;
    /// Numbers that a step keeps for each hidden unit.
    const KEPT: usize;

    /// A step forward.
    fn forward<T: Real>(&self, step: Step<'_, T>);

    /// A step backward.
    fn backward<T: Real>(&self, back: Back<'_, T>);
}

/// `N` parts of `h` numbers each.
#[inline(always)]
pub(super) fn parts<T, const N: usize>(all: &[T], h: usize) -> [&[T]; N] {
    std::array::from_fn(|i| &all[i * h..][..h])
}

/// `N` parts of `h` numbers each, to be written.
#[inline(always)]
pub(super) fn parts_mut<T, const N: usize>(all: &mut [T], h: usize) -> [&mut [T]; N] {
    let mut rest = all;
    std::array::from_fn(|_| {
        let (part, others) = std::mem::take(&mut rest).split_at_mut(h);
        rest = others;
        part
    })
}
