//! One pass over a parameter, its gradient and its state.

use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, Serial, simd};
use std::mem::take;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
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
/// length `#[inline(always)]`, and `move`, as constants that it only borrows are read again for every number.
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

/// Bytes of a vector.
const VECTOR: usize = 32;

#[inline(always)]
fn each<T: Real, const N: usize>(
    param: &mut [T],
    grad: &[T],
    state: [&mut [T]; N],
    f: &impl Fn(T, T, [T; N]) -> (T, [T; N]),
) {
    let mut state = state;
    if N > 3 {
        for (i, (param, grad)) in param.iter_mut().zip(grad).enumerate() {
            let (w, new) = f(*param, *grad, state.each_ref().map(|state| state[i]));
            *param = w;
            state.iter_mut().zip(new).for_each(|(state, new)| state[i] = new);
        }
        return;
    }
    let mut state = state.iter_mut().map(|state| &mut **state);
    let mut next = || state.next().unwrap_or_default();
    up_to_three(param, grad, next(), next(), next(), f);
}

/// Slices that are arguments, each by itself, are known not to overlap, and so is the formula if it owns its constants: then they
/// stay in registers, and a vector of new numbers can be stored before the next old ones are read. Of an array of slices the compiler
/// does not know it.
#[inline(always)]
fn up_to_three<T: Real, const N: usize>(
    param: &mut [T],
    grad: &[T],
    first: &mut [T],
    second: &mut [T],
    third: &mut [T],
    f: &impl Fn(T, T, [T; N]) -> (T, [T; N]),
) {
    let len = param.len();
    let grad = &grad[..len];
    let cut = |state: &mut [T], exists: bool| if exists { len } else { state.len() };
    let n = cut(first, N > 0);
    let first = &mut first[..n];
    let n = cut(second, N > 1);
    let second = &mut second[..n];
    let n = cut(third, N > 2);
    let third = &mut third[..n];
    // Large arrays begin at the same place of a page, all of them; behind a few numbers no vector is cut by the end of a cache line.
    let head = param.as_ptr().align_offset(VECTOR).min(len);
    for range in [0..head, head..len] {
        for i in range {
            let mut old = [T::zero(); N];
            if N > 0 {
                old[0] = first[i];
            }
            if N > 1 {
                old[1] = second[i];
            }
            if N > 2 {
                old[2] = third[i];
            }
            let (w, new) = f(param[i], grad[i], old);
            param[i] = w;
            if N > 0 {
                first[i] = new[0];
            }
            if N > 1 {
                second[i] = new[1];
            }
            if N > 2 {
                third[i] = new[2];
            }
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
    check_shapes(rule, param, grad, &state)?;
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

/// Refuses arrays of another shape than the parameter's.
fn check_shapes<T: Real, const N: usize>(
    rule: &'static str,
    param: &ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    state: &[&mut ArrayRefD<T>; N],
) -> Result<()> {
    for shape in std::iter::once(grad.shape()).chain(state.iter().map(|s| s.shape())) {
        if shape != param.shape() {
            return Err(Error::shape(rule, format!("the parameter's shape {:?}", param.shape()), shape));
        }
    }
    Ok(())
}

/// Changes a state and sums the squares of what a formula makes of each number: `f(w, g, state)` gives a number and the new state. The
/// parameter stays as it is.
///
/// The parts that threads sum depend on the length alone, and are added in order: the same bits for any number of threads.
pub(crate) fn sweep_sum<T: Real, const N: usize>(
    pool: &dyn Pool,
    rule: &'static str,
    param: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    mut state: [&mut ArrayRefD<T>; N],
    f: impl Fn(T, T, [T; N]) -> (T, [T; N]) + Sync,
) -> Result<f64> {
    const { assert!(N <= 2, "no more arrays than the loop has names for") };
    check_shapes(rule, param, grad, &state)?;
    let standard = grad.is_standard_layout() && state.iter().all(|s| s.is_standard_layout());
    if let (true, Some(param), Some(grad)) = (standard, param.as_slice_mut(), grad.as_slice()) {
        let n = (param.len() / MIN_SHARE).clamp(1, MOST);
        let sums = [const { AtomicU64::new(0) }; MOST];
        let state = state.map(|s| s.as_slice_mut().unwrap_or_default());
        split_into(pool, n, param, grad, state, |part, param, grad, state| {
            let sum = simd::vectorize(
                #[inline(always)]
                || each_sum(param, grad, state, &f),
            );
            sums[part].store(sum.to_bits(), Ordering::Relaxed);
        });
        return Ok(sums.iter().map(|sum| f64::from_bits(sum.load(Ordering::Relaxed))).sum());
    }
    let mut state = state.each_mut().map(|s| s.iter_mut());
    let mut sum = 0.0;
    for (param, grad) in param.iter().zip(grad.iter()) {
        let mut state = state.each_mut().map(|s| s.next());
        let (x, new) = f(*param, *grad, state.each_ref().map(|s| s.as_ref().map_or(T::zero(), |s| **s)));
        sum += x.as_f64().powi(2);
        state.iter_mut().zip(new).for_each(|(state, new)| state.iter_mut().for_each(|state| **state = new));
    }
    Ok(sum)
}

/// Numbers of which the formula's results are put down before they are summed: a loop that does both is not made of vector instructions.
const BLOCK: usize = 256;

/// As [`up_to_three`], for a sum in eight lanes of `f64`.
#[inline(always)]
fn each_sum<T: Real, const N: usize>(
    param: &[T],
    grad: &[T],
    state: [&mut [T]; N],
    f: &impl Fn(T, T, [T; N]) -> (T, [T; N]),
) -> f64 {
    let mut state = state.into_iter();
    let (mut first, mut second) = (state.next().unwrap_or_default(), state.next().unwrap_or_default());
    let mut results = [T::zero(); BLOCK];
    let mut lanes = [0.0; 8];
    for (param, grad) in param.chunks(BLOCK).zip(grad.chunks(BLOCK)) {
        let len = param.len();
        let first = cut(&mut first, if N > 0 { len } else { 0 });
        let second = cut(&mut second, if N > 1 { len } else { 0 });
        note(&mut results[..len], param, grad, first, second, f);
        for chunk in results[..len].chunks(8) {
            for (sum, x) in lanes.iter_mut().zip(chunk) {
                *sum += x.as_f64() * x.as_f64();
            }
        }
    }
    lanes.iter().sum()
}

/// The results of a formula for a block.
#[inline(always)]
fn note<T: Real, const N: usize>(
    results: &mut [T],
    param: &[T],
    grad: &[T],
    first: &mut [T],
    second: &mut [T],
    f: &impl Fn(T, T, [T; N]) -> (T, [T; N]),
) {
    let len = results.len();
    let (param, grad) = (&param[..len], &grad[..len]);
    for i in 0..len {
        let mut old = [T::zero(); N];
        if N > 0 {
            old[0] = first[i];
        }
        if N > 1 {
            old[1] = second[i];
        }
        let (x, new) = f(param[i], grad[i], old);
        results[i] = x;
        if N > 0 {
            first[i] = new[0];
        }
        if N > 1 {
            second[i] = new[1];
        }
    }
}

/// Elements that are worth a task: it takes several times as long to update them as to tell a thread, and those that another core has
/// written, as part of the gradient or to multiply by, come slowly.
const MIN_SHARE: usize = 1 << 13;

/// Tasks for each thread: one that is slower, or later, does fewer of them.
const TASKS: usize = 2;

/// The most tasks that share an array: a few threads keep any memory busy.
const MOST: usize = 16;

/// Elements that stay together, so that no two threads write to one cache line.
const UNIT: usize = 16;

/// Runs a kernel on parts of slices of one length, by the threads of a pool.
pub(crate) fn split<T: Real, const N: usize>(
    pool: &dyn Pool,
    param: &mut [T],
    grad: &[T],
    state: [&mut [T]; N],
    kernel: impl Fn(&mut [T], &[T], [&mut [T]; N]) + Sync,
) {
    let n = pool.threads().saturating_mul(TASKS).min(param.len() / MIN_SHARE).min(MOST);
    if n <= 1 || pool.threads() == 1 {
        return kernel(param, grad, state);
    }
    split_into(pool, n, param, grad, state, |_, param, grad, state| kernel(param, grad, state));
}

/// Runs a kernel on `n` parts, [`MOST`] at most, of slices of one length, and tells it which part it has.
fn split_into<T: Real, const N: usize>(
    pool: &dyn Pool,
    n: usize,
    mut param: &mut [T],
    mut grad: &[T],
    mut state: [&mut [T]; N],
    kernel: impl Fn(usize, &mut [T], &[T], [&mut [T]; N]) + Sync,
) {
    if n <= 1 {
        return kernel(0, param, grad, state);
    }
    let len = param.len().div_ceil(n).next_multiple_of(UNIT);
    // Each task takes its part out of the lock, which is never contended.
    let parts: [_; MOST] = std::array::from_fn(|_| {
        let len = len.min(param.len());
        let (own_grad, rest) = grad.split_at(len);
        grad = rest;
        Mutex::new(Some((cut(&mut param, len), own_grad, state.each_mut().map(|state| cut(state, len)))))
    });
    let task = |i: usize| {
        let part = parts[i].lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((param, grad, state)) = part {
            kernel(i, param, grad, state);
        }
    };
    pool.run(n, &task);
    // A pool runs them all; one that did not would leave numbers as they were, and nobody would know.
    (0..n).for_each(task);
}

/// Cuts the first elements off a slice.
fn cut<'a, T>(slice: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (head, rest) = take(slice).split_at_mut(len);
    *slice = rest;
    head
}
