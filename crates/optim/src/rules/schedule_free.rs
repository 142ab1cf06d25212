//! Schedule-free gradient descent and AdamW.

use super::state::{RuleState, update_on_one_thread};
use crate::{Hyper, Rule, check, settle::settle_squares, sweep_each};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, flip, ndarray::ArrayD};

/// The weights of the average `x`, which both rules share.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Averaging {
    /// `y = (1 − β) z + β x`.
    beta: f64,
}

impl Averaging {
    fn new(what: &'static str, beta: f64) -> Result<Self> {
        if beta > 0.0 && beta < 1.0 {
            Ok(Averaging { beta })
        } else {
            Err(Error::value(what, "a number in (0, 1)", beta))
        }
    }

    /// The new sum of weights, the largest rate, and the share of the new point in the average.
    fn share(rate: f64, sum: f64, largest: f64) -> (f64, f64, f64) {
        let largest = rate.max(largest);
        let weight = largest * largest;
        let sum = sum + weight;
        (sum, largest, if sum > 0.0 { weight / sum } else { 0.0 })
    }

    /// `x = (y − (1 − β) z) / β`.
    fn average<T: Real>(&self, state: &RuleState<T>, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
        let z = state.array("base").filter(|z| z.shape() == param.shape())?;
        let (other, by) = (T::of(1.0 - self.beta), T::of(1.0 / self.beta));
        let mut average = param.to_owned();
        average.zip_mut_with(z, |y, &z| *y = (*y - flip!("schedule-free/average", other * z)) * by);
        Some(average)
    }
}

/// What is remembered of a parameter before its first update: the sequence `z` begins where the parameter stands.
fn start<T: Real>(param: &ArrayRefD<T>) -> RuleState<T> {
    RuleState::zeros(param, &[])
        .with("base", param.to_owned())
        .with_number("sum_of_weights", 0.0)
        .with_number("largest_rate", 0.0)
}

/// Schedule-free gradient descent: an average of all points takes the place of a falling learning rate.
///
/// With learning rate η, momentum β and weight decay λ (an L2 penalty at `y`). Gradients are taken at `y`, which is what the model holds
/// while it trains; `z` moves, `x` is evaluated:
///
/// ```text
/// d ← g(y) + λ y
/// z ← z − η d
/// x ← (1 − c) x + c z,   c = γ² / Σ γ²,  γ the largest rate so far
/// y ← (1 − β) z + β x
/// ```
///
/// For training whose length is not known beforehand: a constant rate, after a [warm-up](crate::LinearWarmup), does as well as one that
/// falls on schedule. **The model is to be evaluated, and saved for use, at `x`**:
/// [`Stepper::swap_averages`](crate::Stepper::swap_averages) before, and again after. β = 0.9 usually; rates are larger than plain
/// descent's, 1 or more. Source: Defazio et al., *The road less scheduled*, NeurIPS 2024; the authors' code is followed, but `x` is not
/// stored: it follows from `y` and `z`.
///
/// ```
/// use gradwise_optim::{Constant, Grads, Optimizer, Param, ScheduleFreeSgd, Stepper, ndarray::arr1};
///
/// let mut params = vec![Param::new(arr1(&[1.0_f64]))];
/// let mut optimizer = Optimizer::new(ScheduleFreeSgd::default(), Constant::new(0.5)?);
/// for _ in 0..100 {
///     let mut grads = Grads::from_arrays(&params, vec![Some(params[0].value.clone())]);
///     optimizer.apply(&mut params, &mut grads)?;
/// }
/// let training = params.clone();
/// optimizer.swap_averages(&mut params)?;
/// assert!(params[0].value[[0]].abs() < 1e-3);
/// optimizer.swap_averages(&mut params)?;
/// assert_eq!(params, training);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScheduleFreeSgd {
    averaging: Averaging,
}

impl Default for ScheduleFreeSgd {
    /// β = 0.9.
    fn default() -> Self {
        ScheduleFreeSgd { averaging: Averaging { beta: 0.9 } }
    }
}

impl ScheduleFreeSgd {
    /// With the share β of the average in the point where gradients are taken.
    ///
    /// # Errors
    /// If it is not in `(0, 1)`.
    pub fn new(beta: f64) -> Result<Self> {
        Ok(ScheduleFreeSgd { averaging: Averaging::new("schedule-free sgd: beta", beta)? })
    }
}

impl<T: Real> Rule<T> for ScheduleFreeSgd {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "schedule-free sgd"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        start(param)
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
        let name = "schedule-free sgd";
        let [sum, largest] = state.numbers(name)?;
        let (new_sum, new_largest, share) = Averaging::share(hyper.learning_rate, *sum, *largest);
        let rate = T::of(hyper.learning_rate);
        let of_y = T::of(hyper.learning_rate * (1.0 - self.averaging.beta * (1.0 - share)));
        let (share, scale, decay) = (T::of(share), T::of(hyper.gradient_scale), T::of(hyper.weight_decay));
        let arrays = state.arrays::<1>(name)?;
        sweep_each(
            pool,
            name,
            param,
            grad,
            arrays,
            #[inline(always)]
            move |y, g, [z]| {
                let d = g * scale + decay * y;
                (y + share * (z - y) - of_y * d, [z - flip!("schedule-free sgd/base", rate * d)])
            },
        )?;
        let [sum, largest] = state.numbers(name)?;
        (*sum, *largest) = (new_sum, new_largest);
        state.count();
        Ok(())
    }

    fn average(&self, state: &RuleState<T>, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
        self.averaging.average(state, param)
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}

/// Schedule-free AdamW: as [`ScheduleFreeSgd`], with gradients divided by the root of a running mean of their squares.
///
/// ```text
/// v ← β₂ v + (1 − β₂) g²
/// d ← g / (√(v / (1 − β₂ᵗ)) + ε) + λ y
/// ```
///
/// in the `t`-th update, counted from 1; then `z`, `x` and `y` as there. The decay is decoupled from the division. For training with Adam
/// whose length is not known beforehand; rates are one to ten times Adam's, 0.0025 in the authors' code. β = 0.9, β₂ = 0.999, ε = 10⁻⁸,
/// and no decay unless an optimizer is told one. **Evaluate and save at `x`**, as there.
///
/// ```
/// use gradwise_optim::{Constant, LinearWarmup, Optimizer, ScheduleFreeAdamW};
///
/// let schedule = LinearWarmup::new(100, Constant::new(2.5e-3)?)?;
/// let optimizer = Optimizer::<f32, _>::new(ScheduleFreeAdamW::default(), schedule).weight_decay(0.1)?;
/// assert!(ScheduleFreeAdamW::new(0.0, 0.999, 1e-8).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScheduleFreeAdamW {
    averaging: Averaging,
    beta2: f64,
    epsilon: f64,
}

impl Default for ScheduleFreeAdamW {
    /// β = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    fn default() -> Self {
        ScheduleFreeAdamW { averaging: Averaging { beta: 0.9 }, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl ScheduleFreeAdamW {
    /// With the share β of the average in the point where gradients are taken, the decay β₂ of the mean square, and ε.
    ///
    /// # Errors
    /// If β is not in `(0, 1)`, β₂ not in `[0, 1)`, or ε not above 0.
    pub fn new(beta: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(ScheduleFreeAdamW {
            averaging: Averaging::new("schedule-free adamw: beta", beta)?,
            beta2: check::below_one("schedule-free adamw: beta2", beta2)?,
            epsilon: check::positive("schedule-free adamw: epsilon", epsilon)?,
        })
    }
}

impl<T: Real> Rule<T> for ScheduleFreeAdamW {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "schedule-free adamw"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        start(param).with("second_moment", ArrayD::zeros(param.raw_dim()))
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
        let name = "schedule-free adamw";
        let updates = state.updates();
        let [sum, largest] = state.numbers(name)?;
        let (new_sum, new_largest, share) = Averaging::share(hyper.learning_rate, *sum, *largest);
        let root = T::of(1.0 / (1.0 - self.beta2.powf((updates + 1) as f64)).sqrt());
        let rate = T::of(hyper.learning_rate);
        let of_y = T::of(hyper.learning_rate * (1.0 - self.averaging.beta * (1.0 - share)));
        let (share, scale, decay) = (T::of(share), T::of(hyper.gradient_scale), T::of(hyper.weight_decay));
        let (beta2, new2, epsilon) = (T::of(self.beta2), T::of(1.0 - self.beta2), T::of(self.epsilon));
        let [base, second] = state.arrays(name)?;
        sweep_each(
            pool,
            name,
            param,
            grad,
            [base, &mut *second],
            #[inline(always)]
            move |y, g, [z, v]| {
                let g = g * scale;
                let v = beta2 * v + new2 * g * g;
                let d = g / (v.sqrt() * root + epsilon) + decay * y;
                (y + share * (z - y) - of_y * d, [z - flip!("schedule-free adamw/base", rate * d), v])
            },
        )?;
        settle_squares(pool, name, updates, second, grad, self.epsilon)?;
        let [sum, largest] = state.numbers(name)?;
        (*sum, *largest) = (new_sum, new_largest);
        state.count();
        Ok(())
    }

    fn average(&self, state: &RuleState<T>, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
        self.averaging.average(state, param)
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
