//! Batch normalization by the statistics of the batch.

use super::shards::{Gathered, Pair, merge_moments, merge_sums};
use super::{check_epsilon, check_parameters, check_rank, write};
use crate::Activation;
use crate::dense::Dense;
use crate::support::{
    Block, Planes, WIDTH, channel_map, channel_sums, channels, channels_of, slice, slice_mut, target, vectorize,
};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, flip};
use ndarray::IxDyn;
use std::ops::Range;

const NAME: &str = "batch_norm";

/// Numbers saved for each channel.
const SAVED: usize = 4;

/// Batch normalization in training: `y = γ (x - μ) / √(σ² + ε) + β`, with mean `μ` and biased variance `σ²` of each channel over all
/// samples and positions, those of other shards of the batch included; optionally with something added, and optionally followed by
/// `max(y, 0)`.
///
/// - Inputs: `x` `[samples, channels, …]`, and optionally `γ` and `β`, both `[channels]`; with [`BatchNorm::with_residual`], behind them,
///   what is added, of the shape of `x`. Output: the shape of `x`.
/// - Saves the mean in `saved.arrays[0]` and the **biased** variance in `saved.arrays[1]`, both `[channels]`, for running statistics.
///   Those conventionally keep the unbiased variance, which is `m / (m - 1)` times as large for `m` values a channel.
/// - Saves behind them, in `saved.arrays[2]` and `[3]`, what `x - μ` is multiplied with and what is added then, so that the output need
///   not be kept: [`Op::again`](gradwise_core::Op::again) makes it in one pass. Last, in `saved.arrays[4]`, is `m`, as an array of shape
///   `[1]`: it counts the whole batch's values where the pool has a shard of it.
/// - Backward is the closed form in one pass for the sums and one for the gradient,
///   `∂x = γ / √(σ² + ε) · (∂y - mean(∂y) - x̂ · mean(∂y x̂))`, channel by channel while the channel is in the cache.
///
/// In evaluation, and for fixed statistics, use [`BatchNormInference`](super::BatchNormInference).
///
/// Source: Ioffe and Szegedy, *Batch normalization*, ICML 2015.
///
/// ```
/// use gradwise_tensor::{eager::Eager, norm::BatchNorm};
/// use ndarray::arr2;
///
/// let x = arr2(&[[1.0, 10.0], [3.0, 30.0]]).into_dyn();
/// let (y, saved) = Eager::default().training(true).forward(&BatchNorm::new(1e-12)?, &[x.view()])?;
/// assert!((&y - &arr2(&[[-1.0, -1.0], [1.0, 1.0]])).iter().all(|d: &f64| d.abs() < 1e-9));
/// assert_eq!(saved.arrays[0], ndarray::arr1(&[2.0, 20.0]).into_dyn()); // means
/// assert_eq!(saved.arrays[1], ndarray::arr1(&[1.0, 100.0]).into_dyn()); // biased variances
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BatchNorm {
    epsilon: f64,
    relu: bool,
    residual: bool,
}

impl BatchNorm {
    /// Batch normalization with this `ε`, commonly `1e-5`.
    ///
    /// # Errors
    /// If `epsilon` is not a positive number.
    pub fn new(epsilon: f64) -> Result<Self> {
        check_epsilon("batch_norm: epsilon", epsilon)?;
        Ok(BatchNorm { epsilon, relu: false, residual: false })
    }

    /// Whether a rectifier, `max(y, 0)`, follows in the same pass.
    #[must_use]
    pub fn with_relu(self, relu: bool) -> Self {
        BatchNorm { relu, ..self }
    }

    /// Whether the last input is added to what is normalized, before the rectifier if there is one: the end of a residual block in one pass,
    /// in the place of three.
    #[must_use]
    pub fn with_residual(self, residual: bool) -> Self {
        BatchNorm { residual, ..self }
    }

    /// What is added to the variance.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// Whether a rectifier follows.
    pub fn relu(&self) -> bool {
        self.relu
    }
}

/// What [`rectified`] does not let a value fall below: 0 for a rectifier, or nothing. A number and not a flag, so that kernels need
/// no branch.
pub(super) fn floor<T: Real>(relu: bool) -> T {
    if relu { T::zero() } else { T::neg_infinity() }
}

/// `max(y, floor)` that lets NaN through.
#[inline(always)]
pub(super) fn rectified<T: Real>(y: T, floor: T) -> T {
    if y < floor { floor } else { y }
}

/// The output up to which [`masked`] stops a gradient: 0 for a rectifier; NaN, which nothing is up to, without one.
pub(super) fn kink<T: Real>(relu: bool) -> T {
    if relu { T::zero() } else { T::nan() }
}

/// The gradient before the rectifier, from that after it and the output. As for a rectifier by itself, the gradient of an output that is
/// NaN stays visible.
#[inline(always)]
pub(super) fn masked<T: Real>(grad: T, output: T, kink: T) -> T {
    if output <= kink { T::zero() } else { grad }
}

/// The channel's `γ`, or 1.
pub(super) fn scale_of<T: Real>(gamma: Option<&[T]>, channel: usize) -> f64 {
    gamma.map_or(1.0, |gamma| gamma[channel].as_f64())
}

crate::once::compiled_once!(BatchNorm);

impl<T: Real> crate::once::OpKernel<T> for BatchNorm {
    fn name(&self) -> &'static str {
        if self.relu { "batch_norm_relu" } else { NAME }
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let added = usize::from(self.residual);
        let (Some(x), 1 | 3) = (inputs.first(), inputs.len().wrapping_sub(added)) else {
            return Err(Error::Arity { op: NAME, expected: 3 + added, got: inputs.len() });
        };
        check_rank(NAME, x)?;
        let (parameters, residual) = inputs[1..].split_at(inputs.len() - 1 - added);
        check_parameters(NAME, parameters, &[x[1]])?;
        if let Some(residual) = residual.first().filter(|residual| *residual != x) {
            return Err(Error::shape(NAME, format!("an array to add of the input's shape {x:?}"), residual));
        }
        let planes = Planes::of(x);
        if planes.channels > 0 && planes.count() < 2 {
            return Err(Error::shape(
                NAME,
                "more than one value a channel in training (a single one has no variance; leave out a last batch of one sample)",
                x,
            ));
        }
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let planes = Planes::of(inputs[0].shape());
        let x = Dense::of(&inputs[0], cx.scratch);
        let (parameters, added) = inputs[1..].split_at(inputs.len() - 1 - usize::from(self.residual));
        let gamma = parameters.first().map(|gamma| Dense::of(gamma, cx.scratch));
        let beta = parameters.get(1).map(|beta| Dense::of(beta, cx.scratch));
        let added = added.first().map(|added| Dense::of(added, cx.scratch));
        let mut stats = cx.scratch.take(SAVED * planes.channels);
        let (epsilon, floor) = (self.epsilon, floor(self.relu));
        let here = |range: &Range<usize>| vectorize!(|| moments(planes, range, &x));
        let gathered = Gathered::of(planes, planes.len(), cx, &here, merge_moments)?;

        channels(cx.pool, 3 * planes.len(), planes, slice_mut(out), &mut stats, &|range, block, stats| {
            vectorize!(|| {
                // A copy, which no write to the output can change.
                let lowest = floor;
                let [means, variances] = match &gathered {
                    Some(gathered) => gathered.all(&range),
                    None => moments(planes, &range, &x),
                };
                let (gamma, beta) = (of_block(gamma.as_deref(), &range, 1.0), of_block(beta.as_deref(), &range, 0.0));
                let (mut coefficients, mut spread) = ([[T::zero(); WIDTH]; 3], [T::zero(); WIDTH]);
                // Whole vectors of channels, whether there are so many or not.
                for j in 0..WIDTH {
                    let (mean, variance) = (means[j], T::of(variances[j]));
                    let center = T::of(mean);
                    let scale = gamma[j] / (variance.as_f64() + epsilon).sqrt();
                    // What rounding takes from the mean is made up for in the shift.
                    let shift = beta[j] + (center.as_f64() - mean) * scale;
                    spread[j] = variance;
                    (coefficients[0][j], coefficients[1][j], coefficients[2][j]) = (center, T::of(scale), T::of(shift));
                }
                for (j, stats) in stats.as_chunks_mut::<SAVED>().0.iter_mut().enumerate() {
                    *stats = [coefficients[0][j], spread[j], coefficients[1][j], coefficients[2][j]];
                }
                normalize(planes, &range, block, &coefficients, &x, added.as_deref(), lowest);
            },);
        });

        for k in 0..SAVED {
            let array = saved.array(&[planes.channels], cx.scratch);
            array.iter_mut().zip(stats.chunks(SAVED)).for_each(|(a, stats)| *a = stats[k]);
        }
        let count = gathered.as_ref().map_or(planes.count() as f64, Gathered::count);
        saved.array(&[1], cx.scratch).fill(T::of(count));
        gathered.into_iter().for_each(|gathered| gathered.release(cx));
        cx.scratch.give(stats);
        x.release(cx.scratch);
        [gamma, beta, added].into_iter().flatten().for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let planes = Planes::of(at.inputs[0].shape());
        let x = Dense::of(&at.inputs[0], cx.scratch);
        let n_parameters = at.inputs.len() - 1 - usize::from(self.residual);
        let gamma = at.inputs.get(1).filter(|_| n_parameters > 0).map(|gamma| Dense::of(gamma, cx.scratch));
        let grad = slice(at.grad);
        let (epsilon, kink) = (self.epsilon, kink(self.relu));
        // The output is read for the rectifier's mask alone; without one it may be gone.
        let output = if self.relu { slice(at.output) } else { grad };
        let (mean, variance) = (slice(&at.saved.arrays[0]), slice(&at.saved.arrays[1]));
        let mut stats = cx.scratch.take(2 * planes.channels);
        let (of_x, others) = grads.split_at_mut(1);
        let (of_parameters, of_added) = others.split_at_mut(n_parameters);
        let (wanted, added) = (of_x[0].is_some(), of_added.iter().any(Option::is_some));
        let (to_x, first) = target(&mut of_x[0]);
        let (to_added, first_added) = of_added.first_mut().map_or((&mut [][..], true), target);
        let sums = |range: &Range<usize>| vectorize!(|| slope_sums(planes, range, mean, [&x[..], grad, output], kink));
        // Only the gradient of `x` depends on other shards' samples; those of the parameters are added up by whoever owns the shards.
        let gathered = if wanted { Gathered::of(planes, 3 * planes.len(), cx, &sums, merge_sums)? } else { None };
        let count = gathered.as_ref().map_or(planes.count() as f64, Gathered::count);

        let outs = [to_x, to_added];
        channels_of(cx.pool, 6 * planes.len(), planes, outs, &mut stats, &|range, [block, block_added], stats| {
            vectorize!(|| {
                let stop = kink;
                let all = [&x[..], grad, output];
                let (own, [sum, product]) = match &gathered {
                    Some(gathered) => (gathered.own(&range), gathered.all(&range)),
                    None => {
                        let own = slope_sums(planes, &range, mean, all, stop);
                        (own, own)
                    }
                };
                let gamma = of_block(gamma.as_deref(), &range, 1.0);
                let variances = of_block(Some(variance), &range, 0.0);
                let (mut coefficients, mut inverses) = ([[T::zero(); WIDTH]; 4], [0.0; WIDTH]);
                coefficients[0][..range.len()].copy_from_slice(&mean[range.clone()]);
                for j in 0..WIDTH {
                    let inverse = 1.0 / (variances[j] + epsilon).sqrt();
                    let scale = gamma[j] * inverse;
                    inverses[j] = inverse;
                    coefficients[1][j] = T::of(scale);
                    coefficients[2][j] =
                        T::of(flip!("batch_norm/slope", -scale * inverse * inverse * product[j] / count));
                    coefficients[3][j] = T::of(flip!("batch_norm/mean", -scale * sum[j] / count));
                }
                for (j, stats) in stats.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                    *stats = [T::of(own[1][j] * inverses[j]), T::of(own[0][j])];
                }
                match (wanted, added) {
                    (true, false) => channel_map(
                        planes,
                        &range,
                        [block],
                        [first],
                        &coefficients,
                        all,
                        #[inline(always)]
                        move |[center, a, b, c], x, grad, output| {
                            [masked(grad, output, stop) * a + ((x - center) * b + c)]
                        },
                    ),
                    (true, true) => channel_map(
                        planes,
                        &range,
                        [block, block_added],
                        [first, first_added],
                        &coefficients,
                        all,
                        #[inline(always)]
                        move |[center, a, b, c], x, grad, output| {
                            let grad = masked(grad, output, stop);
                            [grad * a + ((x - center) * b + c), grad]
                        },
                    ),
                    (false, true) => channel_map(
                        planes,
                        &range,
                        [block_added],
                        [first_added],
                        &coefficients,
                        all,
                        #[inline(always)]
                        move |_, _, grad, output| [masked(grad, output, stop)],
                    ),
                    (false, false) => (),
                }
            },);
        });

        for (k, slot) in of_parameters.iter_mut().enumerate() {
            let (grad, first) = target(slot);
            write(grad, first, stats.chunks(2).map(|stats| stats[k]));
        }
        gathered.into_iter().for_each(|gathered| gathered.release(cx));
        cx.scratch.give(stats);
        x.release(cx.scratch);
        gamma.into_iter().for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs { inputs: true, output: self.relu }
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        if self.relu { Activation::Relu.bounds() } else { None }
    }

    /// What is added matters to the output alone.
    fn needs_input(&self, index: usize, count: usize) -> bool {
        !(self.residual && index + 1 == count)
    }

    fn is_cheap(&self) -> bool {
        true
    }

    fn again(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        saved: &Saved<T>,
        out: &mut ArrayRefD<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let planes = Planes::of(inputs[0].shape());
        let x = Dense::of(&inputs[0], cx.scratch);
        let added = inputs.last().filter(|_| self.residual).map(|added| Dense::of(added, cx.scratch));
        let known = [0, 2, 3].map(|k| slice(&saved.arrays[k]));
        let floor = floor(self.relu);
        channels::<T, T>(cx.pool, 2 * planes.len(), planes, slice_mut(out), &mut [], &|range, block, _| {
            vectorize!(|| {
                let lowest = floor;
                let mut coefficients = [[T::zero(); WIDTH]; 3];
                for (of_block, all) in coefficients.iter_mut().zip(known) {
                    of_block[..range.len()].copy_from_slice(&all[range.clone()]);
                }
                normalize(planes, &range, block, &coefficients, &x, added.as_deref(), lowest);
            },);
        });
        x.release(cx.scratch);
        added.into_iter().for_each(|added| added.release(cx.scratch));
        Ok(())
    }
}

/// The numbers of a block of channels, and `or` where there are none.
#[inline(always)]
fn of_block<T: Real>(numbers: Option<&[T]>, channels: &Range<usize>, or: f64) -> [f64; WIDTH] {
    let mut block = [or; WIDTH];
    if let Some(numbers) = numbers {
        block.iter_mut().zip(&numbers[channels.clone()]).for_each(|(to, x)| *to = x.as_f64());
    }
    block
}

/// `max((x - center) · scale + shift + added, lowest)` of a block, the coefficients in this order.
#[inline(always)]
fn normalize<T: Real>(
    planes: Planes,
    channels: &Range<usize>,
    block: &mut Block<'_, T>,
    coefficients: &[[T; WIDTH]; 3],
    x: &[T],
    added: Option<&[T]>,
    lowest: T,
) {
    match added {
        None => channel_map(
            planes,
            channels,
            [block],
            [true],
            coefficients,
            [x; 3],
            #[inline(always)]
            move |[center, scale, shift], x, _, _| [rectified((x - center) * scale + shift, lowest)],
        ),
        Some(added) => channel_map(
            planes,
            channels,
            [block],
            [true],
            coefficients,
            [x, added, x],
            #[inline(always)]
            move |[center, scale, shift], x, more, _| [rectified((x - center) * scale + (shift + more), lowest)],
        ),
    }
}

/// Mean and biased variance of each channel of a block.
#[inline(always)]
fn moments<T: Real>(planes: Planes, channels: &Range<usize>, x: &[T]) -> Pair {
    let pivot = [pivots(planes, channels, x)];
    let [sum, squares] = channel_sums(
        planes,
        channels,
        &pivot,
        [x; 3],
        #[inline(always)]
        move |[pivot], x, _, _| {
            let d = x - pivot;
            [d, d * d]
        },
    );
    let (mut moments, count) = ([[0.0; WIDTH]; 2], planes.count() as f64);
    for j in 0..channels.len() {
        let rest = sum[j] / count;
        let variance = squares[j] / count - rest * rest;
        moments[0][j] = pivot[0][j].as_f64() + rest;
        moments[1][j] = if variance < 0.0 { 0.0 } else { variance };
    }
    moments
}

/// `Σ ∂y` and `Σ ∂y (x - μ)` of each channel of a block, from `x`, the gradient and the output.
#[inline(always)]
fn slope_sums<T: Real>(planes: Planes, channels: &Range<usize>, mean: &[T], arrays: [&[T]; 3], kink: T) -> Pair {
    let mut center = [[T::zero(); WIDTH]; 1];
    center[0][..channels.len()].copy_from_slice(&mean[channels.clone()]);
    channel_sums(
        planes,
        channels,
        &center,
        arrays,
        #[inline(always)]
        move |[center], x, grad, output| {
            let grad = masked(grad, output, kink);
            [grad, grad * (x - center)]
        },
    )
}

/// A value near each channel's mean: that of its first run of elements in memory.
///
/// Squares of differences from it are at most as many times too large as there are runs (if all others are alike and far from the
/// first), which `f32` bears, where squares of the values themselves are too large without bound.
#[inline(always)]
fn pivots<T: Real>(planes: Planes, channels: &Range<usize>, x: &[T]) -> [T; WIDTH] {
    let mut pivots = [T::zero(); WIDTH];
    if planes.inner == 1 {
        pivots[..channels.len()].copy_from_slice(&x[channels.clone()]);
        return pivots;
    }
    let first = Planes { samples: 1, ..planes };
    let [sums] = channel_sums(
        first,
        channels,
        &[],
        [x; 3],
        #[inline(always)]
        move |[], x, _, _| [x],
    );
    for (pivot, sum) in pivots.iter_mut().zip(sums) {
        *pivot = T::of(sum / planes.inner as f64);
    }
    pivots
}
