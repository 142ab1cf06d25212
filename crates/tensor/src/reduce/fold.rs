//! The engine of all reductions: one pass over an array that folds the elements along some axes.
//!
//! What is folded is a small value with a neutral start, a step and a merge ([`Fold`]); the order in which elements meet depends on
//! the shape alone, so results are bit-identical for any number of threads.

use super::AxisSet;
use crate::nest::Nest;
use crate::parallel;
use crate::support::vectorize;
use gradwise_core::{Pool, Real};
use std::ops::Range;

/// How to fold numbers into one.
///
/// The fold sees what stands in the output before it (`old`): a second pass finds the first one's result there, as the variance finds
/// the mean, and a gradient slot finds what it shall add to.
///
/// # Contract
/// `merge(start(), a)` is `a`; steps and merges may be grouped in any way that keeps every element exactly once.
pub trait Fold<T: Real>: Sync {
    /// What is carried along; usually an `f64`, so that no digit of an `f32` is lost in long sums.
    type Acc: Copy + Send;

    /// The fold of nothing.
    fn start(&self) -> Self::Acc;

    /// The fold of what came before and one more element.
    fn step(&self, acc: Self::Acc, x: T, old: T) -> Self::Acc;

    /// The fold of two parts.
    fn merge(&self, a: Self::Acc, b: Self::Acc) -> Self::Acc;

    /// The result, for `n` elements.
    fn finish(&self, acc: Self::Acc, n: usize, old: T) -> T;

    /// Elementary operations in a step, to decide whether threads pay.
    fn cost(&self) -> usize {
        1
    }
}

/// `factor * Σ x`, assigned, or added to what is there.
#[derive(Clone, Copy, Debug)]
pub struct SumInto<T> {
    /// Multiplies the sum.
    pub factor: T,
    /// Whether the result is added to the output's old content.
    pub add: bool,
}

impl<T: Real> Fold<T> for SumInto<T> {
    type Acc = f64;
    #[inline(always)]
    fn start(&self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn step(&self, acc: f64, x: T, _: T) -> f64 {
        acc + x.as_f64()
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn finish(&self, acc: f64, _: usize, old: T) -> T {
        let sum = T::of(acc * self.factor.as_f64());
        if self.add { old + sum } else { sum }
    }
}

/// Partial results kept at once where whole rows are folded into a row: enough to hide the loop, few enough for the first-level cache.
const BLOCK: usize = 128;
/// Partial results of a contiguous run, so that additions need not wait for each other.
const LANES: usize = 8;

/// Folds `x`, dense and of the shape `shape`, along `axes` into `out`, dense and of the remaining shape.
///
/// # Panics
/// If the lengths of `x` and `out` are not those of the shapes.
pub fn fold<T: Real, F: Fold<T>>(pool: &dyn Pool, f: &F, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
    let n = axes.count(shape);
    assert_eq!(x.len(), shape.iter().product::<usize>(), "elements of the array to fold");
    assert_eq!(out.len() * n, x.len(), "elements of the folded array");
    if x.is_empty() {
        return out.iter_mut().for_each(|o| *o = f.finish(f.start(), 0, *o));
    }
    let plan = Plan::new(shape, axes);
    let work = x.len() * f.cost();
    if plan.is_one_run() && out.len() < pool.threads() {
        // Too few outputs to share them out: the threads share each output's run.
        return out
            .iter_mut()
            .zip(x.chunks_exact(n))
            .for_each(|(out, run)| *out = fold_together(pool, f, run, work, *out));
    }
    parallel::rows(pool, out, 1, 1, work, &|range, part| {
        vectorize!(|| {
            if plan.inner_folded {
                fold_runs(f, &plan, n, x, range, part);
            } else {
                fold_rows(f, &plan, n, x, range, part);
            }
        });
    });
}

struct Plan {
    kept: Nest<1>,
    folded: Nest<1>,
    /// Length of the innermost loop, which is contiguous.
    inner: usize,
    inner_folded: bool,
}

impl Plan {
    fn new(shape: &[usize], axes: AxisSet) -> Self {
        let (mut kept, mut folded) = (Nest::new(), Nest::new());
        let mut rest: usize = shape.iter().product();
        let mut inner_folded = false;
        for (axis, &len) in shape.iter().enumerate() {
            rest /= len;
            let folds = axes.contains(axis);
            if folds { &mut folded } else { &mut kept }.push(len, [rest]);
            if len > 1 {
                inner_folded = folds;
            }
        }
        let (inner, _) = if inner_folded { folded.pop() } else { kept.pop() };
        Plan { kept, folded, inner, inner_folded }
    }

    /// Whether each output is the fold of one contiguous run, in the order of the outputs.
    fn is_one_run(&self) -> bool {
        self.inner_folded && self.folded.len() == 1
    }
}

/// Every output is the fold of contiguous runs.
#[inline(always)]
fn fold_runs<T: Real, F: Fold<T>>(f: &F, plan: &Plan, n: usize, x: &[T], range: Range<usize>, out: &mut [T]) {
    let start = range.start;
    plan.kept.each(
        range,
        #[inline(always)]
        |i, [base]| {
            let old = out[i - start];
            let mut acc = f.start();
            plan.folded.each(
                0..plan.folded.len(),
                #[inline(always)]
                |_, [offset]| {
                    acc = f.merge(acc, fold_run(f, &x[base + offset..][..plan.inner], old));
                },
            );
            out[i - start] = f.finish(acc, n, old);
        },
    );
}

/// Parts that a long run is folded in, at most.
const PARTS: usize = 32;
/// Elements of such a part, at least.
const PART: usize = 1 << 15;

/// The length of the parts that a run is folded in. It depends on the run's length alone, so that threads may share the parts.
fn part_len(len: usize) -> usize {
    len.div_ceil(PARTS).next_multiple_of(LANES).max(PART)
}

/// The fold of a run whose parts the threads share.
fn fold_together<T: Real, F: Fold<T>>(pool: &dyn Pool, f: &F, run: &[T], work: usize, old: T) -> T {
    let len = part_len(run.len());
    let mut accs = [f.start(); PARTS];
    let accs = &mut accs[..run.len().div_ceil(len)];
    parallel::rows(pool, accs, 1, 1, work, &|range, accs| {
        vectorize!(|| {
            for (i, acc) in range.zip(accs) {
                *acc = fold_part(f, &run[i * len..(i * len + len).min(run.len())], old);
            }
        });
    });
    f.finish(accs.iter().fold(f.start(), |a, &b| f.merge(a, b)), run.len(), old)
}

#[inline(always)]
fn fold_run<T: Real, F: Fold<T>>(f: &F, run: &[T], old: T) -> F::Acc {
    let len = part_len(run.len());
    run.chunks(len).fold(
        f.start(),
        #[inline(always)]
        |acc, part| f.merge(acc, fold_part(f, part, old)),
    )
}

#[inline(always)]
fn fold_part<T: Real, F: Fold<T>>(f: &F, run: &[T], old: T) -> F::Acc {
    let mut lanes = [f.start(); LANES];
    let (chunks, rest) = run.as_chunks::<LANES>();
    for chunk in chunks {
        for (acc, &x) in lanes.iter_mut().zip(chunk) {
            *acc = f.step(*acc, x, old);
        }
    }
    for (acc, &x) in lanes.iter_mut().zip(rest) {
        *acc = f.step(*acc, x, old);
    }
    let [a, b, c, d, e, g, h, i] = lanes;
    f.merge(f.merge(f.merge(a, b), f.merge(c, d)), f.merge(f.merge(e, g), f.merge(h, i)))
}

/// Every row of outputs is the fold of whole rows.
#[inline(always)]
fn fold_rows<T: Real, F: Fold<T>>(f: &F, plan: &Plan, n: usize, x: &[T], range: Range<usize>, out: &mut [T]) {
    if range.is_empty() {
        return;
    }
    let inner = plan.inner;
    let n_rows = plan.folded.len();
    plan.kept.each(
        range.start / inner..range.end.div_ceil(inner),
        #[inline(always)]
        |row, [base]| {
            let stop = ((row + 1) * inner).min(range.end) - row * inner;
            let mut from = (row * inner).max(range.start) - row * inner;
            while from < stop {
                let len = BLOCK.min(stop - from);
                let olds = &mut out[row * inner + from - range.start..][..len];
                let mut accs = [f.start(); BLOCK];
                plan.folded.each(
                    0..n_rows,
                    #[inline(always)]
                    |_, [offset]| {
                        let xs = &x[base + offset + from..][..len];
                        for ((acc, &x), &old) in accs.iter_mut().zip(xs).zip(olds.iter()) {
                            *acc = f.step(*acc, x, old);
                        }
                    },
                );
                for (old, &acc) in olds.iter_mut().zip(&accs) {
                    *old = f.finish(acc, n, *old);
                }
                from += len;
            }
        },
    );
}
