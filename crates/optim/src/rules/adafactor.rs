//! Adafactor.

use super::state::{RuleState, update_on_one_thread};
use crate::parts::{each_part, sum_parts};
use crate::sweep::sweep_sum;
use crate::{Hyper, Rule, check, sweep_each};
use gradwise_core::ndarray::{ArrayD, IxDyn};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, flip, simd, sum_of_squares};

/// Adafactor: Adam's second moment of a matrix from its row and column means alone, and steps relative to the weights.
///
/// With learning rate η and weight decay λ (decoupled), in the `t`-th update, counted from 1, for each matrix of the last two axes:
///
/// ```text
/// ω = t^−c,  α = max(ε₂, rms(w)) · min(η, 1/√t)
/// w ← (1 − η λ) w
/// r ← (1 − ω) r + ω (mean of g² over each row),  k ← … over each column
/// v = r kᵀ / max(mean(r), ε₁)                        a parameter with at most one axis keeps all of v ← (1 − ω) v + ω g²
/// u = g / √max(v, ε₁²)
/// w ← w − α u / max(1, rms(u) / d)
/// ```
///
/// For models whose optimizer must not need twice their memory. c = 0.8, ε₁ the rounding unit of the type, ε₂ = 0.001, d = 1, and a rate of
/// 0.01, which bounds the relative step, as in PyTorch, whose reading of the paper this is (the paper adds ε₁ = 10⁻³⁰ to `g²`). No
/// momentum. Source: Shazeer and Stern, *Adafactor: adaptive learning rates with sublinear memory cost*, ICML 2018.
///
/// ```
/// use gradwise_optim::{Adafactor, Constant, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Adafactor::default(), Constant::new(0.01)?);
/// let bounded = Adafactor::new(0.8)?.clip_at(2.0)?.floors(Some(1e-8), 1e-4)?;
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adafactor {
    decay: f64,
    clip: f64,
    /// ε₁; the rounding unit of the type, if there is none.
    floor: Option<f64>,
    /// ε₂.
    least_weight: f64,
}

impl Default for Adafactor {
    /// c = 0.8, d = 1, ε₁ the rounding unit, ε₂ = 0.001.
    fn default() -> Self {
        Adafactor { decay: 0.8, clip: 1.0, floor: None, least_weight: 1e-3 }
    }
}

impl Adafactor {
    /// With the exponent `c`, by which the share of a new gradient falls.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(decay: f64) -> Result<Self> {
        Ok(Adafactor { decay: check::not_negative("adafactor: decay", decay)?, ..Adafactor::default() })
    }

    /// Sets `d`, the largest root mean square of `u`.
    ///
    /// # Errors
    /// Unless it is a finite number of at least 1.
    pub fn clip_at(self, largest: f64) -> Result<Self> {
        if !(largest >= 1.0 && largest.is_finite()) {
            return Err(Error::value("adafactor: largest update", "a finite number of at least 1", largest));
        }
        Ok(Adafactor { clip: largest, ..self })
    }

    /// Sets ε₁, the least root of the second moment (`None` for the type's rounding unit), and ε₂, the least root mean square that
    /// a parameter is taken to have.
    ///
    /// # Errors
    /// If one is not above 0.
    pub fn floors(self, gradient: Option<f64>, weight: f64) -> Result<Self> {
        let floor = gradient.map(|floor| check::positive("adafactor: epsilon of the gradient", floor)).transpose()?;
        Ok(Adafactor { floor, least_weight: check::positive("adafactor: epsilon of the weight", weight)?, ..self })
    }
}

/// The numbers of one update.
#[derive(Clone, Copy)]
struct Numbers<T> {
    scale: T,
    share: T,
    floor: T,
    keep: T,
}

impl<T: Real> Rule<T> for Adafactor {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "adafactor"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        let Some((rows, columns)) = factors(param) else { return RuleState::zeros(param, &["mean_square"]) };
        RuleState::zeros(param, &[])
            .with("row_mean_square", ArrayD::zeros(rows))
            .with("column_mean_square", ArrayD::zeros(columns))
    }

    update_on_one_thread!(RuleState<T>);

    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut RuleState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        if grad.shape() != param.shape() {
            let expected = format!("the parameter's shape {:?}", param.shape());
            return Err(Error::shape("adafactor", expected, grad.shape()));
        }
        if !param.is_standard_layout() {
            // A parameter in another layout than parameters have: its copy is updated in its place.
            let mut copy = param.as_standard_layout().into_owned();
            self.update_on(pool, hyper, state, &mut copy, grad)?;
            param.assign(&copy);
            return Ok(());
        }
        // A copy of a gradient in another layout: sums are of one order.
        let grad = grad.as_standard_layout();
        let t = (state.updates() + 1) as f64;
        let n = Numbers {
            scale: T::of(hyper.gradient_scale),
            share: T::of(t.powf(-self.decay)),
            floor: self.floor.map_or(T::epsilon(), T::of),
            keep: T::of(1.0 - hyper.learning_rate * hyper.weight_decay),
        };
        let len = param.len().max(1) as f64;
        let relative = hyper.learning_rate.min(1.0 / t.sqrt());
        let step = relative * self.least_weight.max((sum_of_squares(param, pool) / len).sqrt());
        let bounded = |squares: f64| T::of(step / ((squares / len).sqrt() / self.clip).max(1.0));
        match factors(param) {
            Some((rows, columns)) => {
                let [row, column] = state.arrays("adafactor")?;
                if row.raw_dim() != rows || column.raw_dim() != columns {
                    return Err(Error::shape("adafactor", format!("row means {rows:?}"), row.shape()));
                }
                let axes = param.ndim();
                let size = [param.shape()[axes - 2], param.shape()[axes - 1]];
                let means = (row.as_slice_mut(), column.as_slice_mut());
                if let ((Some(row), Some(column)), Some(w), Some(g)) = (means, param.as_slice_mut(), grad.as_slice()) {
                    matrices(pool, n, size, (row, column), w, g, bounded);
                }
            }
            None => {
                let [mean] = state.arrays("adafactor")?;
                let squares = sweep_sum(
                    pool,
                    "adafactor",
                    param,
                    &grad,
                    [&mut *mean],
                    #[inline(always)]
                    move |_, g, [v]| {
                        let g = g * n.scale;
                        let v = v + n.share * (g * g - v);
                        (divided(g, v, n.floor), [v])
                    },
                )?;
                let step = bounded(squares);
                sweep_each(
                    pool,
                    "adafactor",
                    param,
                    &grad,
                    [mean],
                    #[inline(always)]
                    move |w, g, [v]| {
                        (n.keep * w - flip!("adafactor/step", step * divided(g * n.scale, v, n.floor)), [v])
                    },
                )?;
            }
        }
        state.count();
        Ok(())
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}

/// The shapes of the row and the column means of a parameter that has both.
fn factors<T: Real>(param: &ArrayRefD<T>) -> Option<(IxDyn, IxDyn)> {
    let axes = param.ndim();
    if axes < 2 {
        return None;
    }
    let (mut rows, mut columns) = (param.raw_dim(), param.raw_dim());
    (rows[axes - 1], columns[axes - 2]) = (1, 1);
    Some((rows, columns))
}

#[inline(always)]
fn divided<T: Real>(g: T, v: T, floor: T) -> T {
    let least = floor * floor;
    g / (if v > least { v } else { least }).sqrt()
}

/// Updates the matrices of a parameter, which lie one after the other; `bounded` gives the step from the sum of all `u²`.
fn matrices<T: Real>(
    pool: &dyn Pool,
    n: Numbers<T>,
    [rows, columns]: [usize; 2],
    (row, column): (&mut [T], &mut [T]),
    w: &mut [T],
    g: &[T],
    bounded: impl Fn(f64) -> T,
) {
    if w.is_empty() {
        return;
    }
    let squared = n.scale.as_f64().powi(2);
    let blend = |mean: &mut T, sum: f64, count: usize| {
        *mean += flip!("adafactor/mean", n.share) * (T::of(squared * sum / count as f64) - *mean);
    };
    each_part(pool, row, 1, columns, |first, part| {
        for (i, mean) in part.iter_mut().enumerate() {
            blend(mean, squares(&g[(first + i) * columns..][..columns]), columns);
        }
    });
    // Columns that lie side by side are summed together, as the rows go by.
    const SIDE: usize = 64;
    each_part(pool, column, 1, rows, |first, part| {
        let mut at = 0;
        while at < part.len() {
            let (matrix, start) = ((first + at) / columns, (first + at) % columns);
            let width = SIDE.min(part.len() - at).min(columns - start);
            let mut sums = [0.0; SIDE];
            for i in 0..rows {
                add_squares(&mut sums[..width], &g[(matrix * rows + i) * columns + start..][..width]);
            }
            part[at..at + width].iter_mut().zip(sums).for_each(|(mean, sum)| blend(mean, sum, rows));
            at += width;
        }
    });
    let (row, column) = (&*row, &*column);
    // What each row's column means are multiplied by.
    let factor = |index: usize| {
        let first = index / rows * rows;
        let mean = T::of(row[first..first + rows].iter().map(|x| x.as_f64()).sum::<f64>() / rows as f64);
        row[index] / if mean > n.floor { mean } else { n.floor }
    };
    let of_row = |index: usize| (&column[index / rows * columns..][..columns], &g[index * columns..][..columns]);
    let total = sum_parts(pool, row.len(), columns, |range| {
        range
            .map(|index| {
                let (a, (column, g)) = (factor(index), of_row(index));
                simd::vectorize(
                    #[inline(always)]
                    || {
                        let mut lanes = [0.0; 8];
                        for (k, g) in column.chunks(8).zip(g.chunks(8)) {
                            for ((sum, &k), &g) in lanes.iter_mut().zip(k).zip(g) {
                                let u = divided(g * n.scale, a * k, n.floor).as_f64();
                                *sum += u * u;
                            }
                        }
                        lanes.iter().sum::<f64>()
                    },
                )
            })
            .sum()
    });
    let step = bounded(total);
    each_part(pool, w, columns, 1, |first, part| {
        for (i, w) in part.chunks_mut(columns).enumerate() {
            let index = first / columns + i;
            let (a, (column, g)) = (factor(index), of_row(index));
            simd::vectorize(
                #[inline(always)]
                || {
                    for ((w, &k), &g) in w.iter_mut().zip(column).zip(g) {
                        *w = n.keep * *w - flip!("adafactor/step", step * divided(g * n.scale, a * k, n.floor));
                    }
                },
            );
        }
    });
}

/// `Σ x²` of a row.
fn squares<T: Real>(row: &[T]) -> f64 {
    let mut lanes = [0.0; 8];
    row.chunks(8).for_each(|chunk| add_squares(&mut lanes[..chunk.len()], chunk));
    lanes.iter().sum()
}

fn add_squares<T: Real>(sums: &mut [f64], numbers: &[T]) {
    for (sum, x) in sums.iter_mut().zip(numbers) {
        *sum += x.as_f64() * x.as_f64();
    }
}
