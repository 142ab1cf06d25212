//! One pass over a parameter, its gradient and its state.

use gradwise_core::{ArrayRefD, Error, Real, Result};
use std::slice;

/// Runs a kernel over a parameter, its gradient and `N` arrays of state in one pass over memory, without temporaries.
///
/// The kernel gets equally long slices, the same elements of each array. Written as a plain loop it is vectorized by the compiler.
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
    mut state: [&mut ArrayRefD<T>; N],
    kernel: impl Fn(&mut [T], &[T], [&mut [T]; N]),
) -> Result<()> {
    for shape in std::iter::once(grad.shape()).chain(state.iter().map(|s| s.shape())) {
        if shape != param.shape() {
            return Err(Error::shape(rule, format!("the parameter's shape {:?}", param.shape()), shape));
        }
    }
    let standard = grad.is_standard_layout() && state.iter().all(|s| s.is_standard_layout());
    if let (true, Some(param), Some(grad)) = (standard, param.as_slice_mut(), grad.as_slice()) {
        kernel(param, grad, state.map(|s| s.as_slice_mut().unwrap_or_default()));
        return Ok(());
    }
    let mut state = state.each_mut().map(|s| s.iter_mut());
    for (param, grad) in param.iter_mut().zip(grad.iter()) {
        let state = state.each_mut().map(|s| s.next().map(slice::from_mut).unwrap_or_default());
        kernel(slice::from_mut(param), slice::from_ref(grad), state);
    }
    Ok(())
}
