//! Running means that have decayed to nothing.

use crate::{Result, sweep_on};
use gradwise_core::{ArrayRefD, Pool, Real, simd};

/// In every so many updates running means are looked at. No mean with a decay of 0.84 or more gets from the bound to the subnormal
/// numbers in between.
const EVERY: u64 = 64;

/// What is too small to matter in a sum with anything that does: 10⁻³¹ in `f32`, 10⁻²⁹² in `f64`.
fn negligible<T: Real>() -> T {
    T::min_positive_value() / T::epsilon()
}

/// Sets the numbers of a running mean to 0 that are [`negligible`]. See [`settle_below`].
pub(crate) fn settle<T: Real>(
    pool: &dyn Pool,
    rule: &'static str,
    updates: u64,
    mean: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
) -> Result<()> {
    settle_below(pool, rule, updates, mean, grad, negligible())
}

/// Sets the numbers of a running mean of squares to 0 whose root is nothing beside ε, which is added to it. See [`settle_below`].
pub(crate) fn settle_squares<T: Real>(
    pool: &dyn Pool,
    rule: &'static str,
    updates: u64,
    mean: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    epsilon: f64,
) -> Result<()> {
    let lost = T::of(epsilon) * T::epsilon();
    settle_below(pool, rule, updates, mean, grad, negligible::<T>().min(lost * lost))
}

/// Sets the numbers of a running mean to 0 that are below `least`.
///
/// The weights of a unit that has died get gradients of exactly 0, and the mean of those shrinks by the same factor in every update. After
/// some 800 of them by 0.9 it is subnormal, and there it stays: a few units in the last place, times 0.9, are rounded to
/// themselves. Arithmetic on such numbers takes many times as long, a whole update of Adam up to twice.
fn settle_below<T: Real>(
    pool: &dyn Pool,
    rule: &'static str,
    updates: u64,
    mean: &mut ArrayRefD<T>,
    grad: &ArrayRefD<T>,
    least: T,
) -> Result<()> {
    if !(updates + 1).is_multiple_of(EVERY) {
        return Ok(());
    }
    // The gradient is along for its shape alone.
    sweep_on(pool, rule, mean, grad, [], |mean, _, []| {
        simd::vectorize(
            #[inline(always)]
            || {
                for x in mean {
                    *x = if x.abs() < least { T::zero() } else { *x };
                }
            },
        );
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Adadelta, Adam, Adamax, Hyper, Lamb, Lars, Nadam, RAdam, RmsProp, Rule, ScheduleFreeAdamW, Sgd, State, Stored,
    };
    use gradwise_core::{Serial, ndarray::arr1};

    #[test]
    fn what_is_too_small_to_matter_is_zero_and_all_else_stays() {
        let all = [1e-32_f32, -1e-32, 2e-31, -2e-31, 1e-45, 0.0, 1.0, f32::NAN, f32::INFINITY];
        let (mut mean, grad) = (arr1(&all).into_dyn(), arr1(&[0.0; 9]).into_dyn());
        settle(&Serial, "test", 0, &mut mean, &grad).unwrap();
        assert_eq!(mean[[0]], 1e-32, "not in every update");
        settle(&Serial, "test", EVERY - 1, &mut mean, &grad).unwrap();
        assert_eq!(mean.as_slice().unwrap()[..7], [0.0, 0.0, 2e-31, -2e-31, 0.0, 0.0, 1.0]);
        assert!(mean[[7]].is_nan() && mean[[8]] == f32::INFINITY);
    }

    #[test]
    fn means_of_a_dead_unit_never_become_subnormal() {
        fn check<R: Rule<f32>>(rule: &R, name: &str) {
            let mut param = arr1(&[1.0_f32]).into_dyn();
            let mut state = rule.init(&param);
            for update in 0..2500 {
                let grad = arr1(&[if update == 0 { 1.0 } else { 0.0 }]).into_dyn();
                rule.update(&Hyper::new(1e-3), &mut state, &mut param, &grad).unwrap();
                state.visit(&mut |stored, value| {
                    if let (true, Stored::Array(mean)) = (stored == name, value) {
                        assert!(!mean[[0]].is_subnormal(), "{name} after {update} updates");
                        assert!(update < 2000 || mean[[0]] == 0.0, "{name} after {update} updates");
                    }
                });
            }
        }
        let adam = Adam::new(0.9, 0.95, 1e-8).unwrap();
        check(&adam, "first_moment");
        check(&adam, "second_moment");
        check(&adam.amsgrad(), "second_moment");
        check(&Sgd::with_momentum(0.9).unwrap(), "velocity");
        check(&Adadelta::default(), "mean_square");
        check(&RmsProp::default().momentum(0.9).unwrap(), "velocity");
        check(&Adamax::default(), "first_moment");
        check(&Nadam::new(0.9, 0.95, 1e-8).unwrap(), "first_moment");
        check(&Nadam::new(0.9, 0.95, 1e-8).unwrap(), "second_moment");
        check(&RAdam::new(0.9, 0.95, 1e-8).unwrap(), "first_moment");
        check(&RAdam::new(0.9, 0.95, 1e-8).unwrap(), "second_moment");
        check(&ScheduleFreeAdamW::new(0.9, 0.95, 1e-8).unwrap(), "second_moment");
        check(&Lars::default(), "velocity");
        check(&Lamb::new(0.9, 0.95, 1e-6).unwrap(), "first_moment");
        check(&Lamb::new(0.9, 0.95, 1e-6).unwrap(), "second_moment");
    }
}
