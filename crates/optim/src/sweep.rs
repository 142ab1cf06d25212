//! One pass over a parameter, its gradient and its state.

use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, Serial, simd};
use std::mem::take;
use std::slice;
use std::sync::{Mutex, PoisonError};

/// Runs a kernel over a parameter, its gradient and `N` arrays of state in one pass over memory, without temporaries.
///
/// The kernel gets equally long slices, the same elements of each array. For an update that is a formula for each number by itself,
/// [`sweep_each`] takes the formula, and is the faster one.
/// Arrays in standard layout are handed over whole; other layouts, as of a gradient that is a transposed view, element by element,
/// which is correct and slow. `rule` is the name that an error tells.
///
/// # Errors
/// If an array has another shape than the parameter; nothing was changed then.
///
/// ```
/// use gradwise_optim::{ndarray::arr1, sweep};
///
/// // Momentum in its shortest form: v ← 0.9 v + g, w ← w − 0.1 v.
/// let (mut w, mut v) = (arr1(&[1.0_f32, 2.0]).into_dyn(), arr1(&[0.0, 0.0]).into_dyn());
/// let g = arr1(&[10.0_f32, -10.0]).into_dyn();
/// sweep("mine", &mut w, &g, [&mut v], |w, g, [v]| {
///     for i in 0..w.len() {
///         v[i] = 0.9 * v[i] + g[i];
///         w[i] -= 0.1 * v[i];
///     }
/// })?;
/// assert_eq!(w, arr1(&[0.0, 3.0]).into_dyn());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[inline]
pub fn sweep<T: Real, const N: usize>(
    rule: &'static str,
    param: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    state: [&mut ArrayRefD<T>; N],
    kernel: impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync,
) -> Result<()> {
    sweep_on(&Serial, rule, param, grad, state, kernel)
}

/// As [`sweep_on`], with a formula in the place of a kernel: `f(w, g, state)` gives the new `w` and the new state of one number.
///
/// The formula is compiled to the vector instructions that the processor has, if the compiler can inline it: mark a closure of some
/// length `#[inline(always)]`.
///
/// # Errors
/// As [`sweep`].
///
/// ```
/// use gradwise_core::Serial;
/// use gradwise_optim::{ndarray::arr1, sweep_each};
///
/// let (mut w, mut v) = (arr1(&[1.0_f32, 2.0]).into_dyn(), arr1(&[0.0, 0.0]).into_dyn());
/// let g = arr1(&[10.0_f32, -10.0]).into_dyn();
/// sweep_each(&Serial, "mine", &mut w, &g, [&mut v], |w, g, [v]| {
///     let v = 0.9 * v + g;
///     (w - 0.1 * v, [v])
/// })?;
/// assert_eq!(w, arr1(&[0.0, 3.0]).into_dyn());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub fn sweep_each<T: Real, const N: usize>(
    pool: &dyn Pool,
    rule: &'static str,
    param: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    state: [&mut ArrayRefD<T>; N],
    f: impl Fn(T, T, [T; N]) -> (T, [T; N]) + Sync,
) -> Result<()> {
    sweep_on(pool, rule, param, grad, state, |param, grad, state| {
        simd::vectorize(
            #[inline(always)]
            || each(param, grad, state, &f),
        );
    })
}

/// Numbers that are worked on in one go by [`sweep_each`].
const GO: usize = 32;

/// The new numbers go into arrays of their own first: so the compiler knows, without asking at run time, that nothing that is still to
/// be read is overwritten.
#[inline(always)]
fn each<T: Real, const N: usize>(
    param: &mut [T],
    grad: &[T],
    state: [&mut [T]; N],
    f: &impl Fn(T, T, [T; N]) -> (T, [T; N]),
) {
    let (param, param_rest) = param.as_chunks_mut::<GO>();
    let (grad, grad_rest) = grad.as_chunks::<GO>();
    let parts = state.map(|state| state.as_chunks_mut::<GO>());
    let mut rests = [const { None }; N];
    let mut chunks = [const { None }; N];
    for (i, (whole, rest)) in parts.into_iter().enumerate() {
        (chunks[i], rests[i]) = (Some(whole), Some(rest));
    }
    let chunks = chunks.map(Option::unwrap_or_default);
    let rests = rests.map(Option::unwrap_or_default);
    for (i, (param, grad)) in param.iter_mut().zip(grad).enumerate() {
        let mut new = [[T::zero(); GO]; N];
        let mut new_param = [T::zero(); GO];
        let old = chunks.each_ref().map(|state| &state[i]);
        for j in 0..GO {
            let (w, s) = f(param[j], grad[j], old.map(|old| old[j]));
            new_param[j] = w;
            for k in 0..N {
                new[k][j] = s[k];
            }
        }
        *param = new_param;
        for k in 0..N {
            chunks[k][i] = new[k];
        }
    }
    for (i, (param, grad)) in param_rest.iter_mut().zip(grad_rest).enumerate() {
        let (w, s) = f(*param, *grad, rests.each_ref().map(|state| state[i]));
        *param = w;
        for k in 0..N {
            rests[k][i] = s[k];
        }
    }
}

/// As [`sweep`], by the threads of a pool where the arrays are large. The kernel must treat each element by itself: then nothing
/// depends on the number of threads.
///
/// # Errors
/// As [`sweep`].
pub fn sweep_on<T: Real, const N: usize>(
    pool: &dyn Pool,
    rule: &'static str,
    param: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    mut state: [&mut ArrayRefD<T>; N],
    kernel: impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync,
) -> Result<()> {
    for shape in std::iter::once(grad.shape()).chain(state.iter().map(|s| s.shape())) {
        if shape != param.shape() {
            return Err(Error::shape(rule, format!("the parameter's shape {:?}", param.shape()), shape));
        }
    }
    let standard = grad.is_standard_layout() && state.iter().all(|s| s.is_standard_layout());
    if let (true, Some(param), Some(grad)) = (standard, param.as_slice_mut(), grad.as_slice()) {
        split(pool, param, grad, state.map(|s| s.as_slice_mut().unwrap_or_default()), kernel);
        return Ok(());
    }
    let mut state = state.each_mut().map(|s| s.iter_mut());
    for (param, grad) in param.iter_mut().zip(grad.iter()) {
        let state = state.each_mut().map(|s| s.next().map(slice::from_mut).unwrap_or_default());
        kernel(slice::from_mut(param), slice::from_ref(grad), state);
    }
    Ok(())
}

/// Elements that are worth a thread: it takes several times as long to update them as to wake one.
const MIN_SHARE: usize = 1 << 15;

/// The most threads that share an array: a few keep any memory busy.
const MOST: usize = 16;

/// Elements that stay together, so that no two threads write to one cache line.
const UNIT: usize = 16;

/// Runs a kernel on parts of slices of one length, one a thread.
pub(crate) fn split<T: Real, const N: usize>(
    pool: &dyn Pool,
    mut param: &mut [T],
    mut grad: &[T],
    mut state: [&mut [T]; N],
    kernel: impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync,
) {
    let n = pool.threads().min(param.len() / MIN_SHARE).min(MOST);
    if n <= 1 {
        return kernel(param, grad, state);
    }
    let len = param.len().div_ceil(n).next_multiple_of(UNIT);
    // Each task takes its part out of the lock, which is never contended.
    let parts: [_; MOST] = std::array::from_fn(|_| {
        let len = len.min(param.len());
        let (own_grad, rest) = grad.split_at(len);
        grad = rest;
        Mutex::new(Some((cut(&mut param, len), own_grad, state.each_mut().map(|state| cut(state, len)))))
    });
    pool.run(n, &|i| {
        let part = parts[i].lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((param, grad, state)) = part {
            kernel(param, grad, state);
        }
    });
}

/// Cuts the first elements off a slice.
fn cut<'a, T>(slice: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (head, rest) = take(slice).split_at_mut(len);
    *slice = rest;
    head
}
