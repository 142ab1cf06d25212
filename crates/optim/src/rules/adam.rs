//! Adam, AMSGrad, and AdamW.

use crate::{
    Hyper, Rule, State, Stored, check,
    settle::{settle, settle_squares},
    sweep_each,
};
use gradwise_core::{ArrayRefD, Pool, Real, Result, Serial, flip, ndarray::ArrayD};

/// Adam: each number's own rate, from running means of its gradient and of the gradient's square.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`), in the `t`-th update, counted from 1:
///
/// ```text
/// d ← g + λ w
/// m ← β₁ m + (1 − β₁) d
/// v ← β₂ v + (1 − β₂) d²
/// w ← w − η / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
///
/// [`Adam::amsgrad`] puts the largest `v` so far in the place of `v` in the last line, so that rates never grow. The coupled decay is
/// scaled by `1/√v` along with the gradient, which weakens it where gradients are large; [`AdamW`] does not do that.
///
/// Sources: Kingma and Ba, *Adam: a method for stochastic optimization*, ICLR 2015; Reddi, Kale and Kumar, *On the convergence of Adam
/// and beyond*, ICLR 2018, with the bias correction that PyTorch gives it.
///
/// ```
/// use gradwise_optim::Adam;
///
/// assert_eq!(Adam::default(), Adam::new(0.9, 0.999, 1e-8)?);
/// let amsgrad = Adam::default().amsgrad();
/// assert_eq!(Adam::new(0.9, 1.0, 1e-8).unwrap_err().to_string(), "adam: beta2: expected a number in [0, 1), got 1");
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adam {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    amsgrad: bool,
}

impl Default for Adam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, as the paper proposes.
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false }
    }
}

impl Adam {
    /// With decays β₁ and β₂ of the running means, and ε, which bounds the rate of numbers whose gradient is nearly zero.
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`, or ε is not above 0.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(Adam {
            beta1: check::below_one("adam: beta1", beta1)?,
            beta2: check::below_one("adam: beta2", beta2)?,
            epsilon: check::positive("adam: epsilon", epsilon)?,
            amsgrad: false,
        })
    }

    /// Lets rates only shrink.
    #[must_use]
    pub fn amsgrad(self) -> Self {
        Adam { amsgrad: true, ..self }
    }

    fn init<T: Real>(&self, param: &ArrayRefD<T>) -> AdamState<T> {
        let zeros = || ArrayD::zeros(param.raw_dim());
        AdamState { updates: 0, first_moment: zeros(), second_moment: zeros(), largest: self.amsgrad.then(zeros) }
    }

    /// Both kinds of decay in one kernel: `coupled` is added to the gradient, `keep` multiplies the weight; one of them does nothing.
    fn update<T: Real>(
        &self,
        pool: &dyn Pool,
        name: &'static str,
        hyper: &Hyper,
        decay: Decay,
        state: &mut AdamState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        let (coupled, keep) = match decay {
            Decay::Coupled => (hyper.weight_decay, 1.0),
            Decay::Decoupled => (0.0, 1.0 - flip!("adamw/decay", hyper.learning_rate * hyper.weight_decay)),
        };
        let beta1 = hyper.momentum.unwrap_or(self.beta1);
        let t = (state.updates + 1) as f64;
        let step = T::of(hyper.learning_rate / (1.0 - beta1.powf(t)));
        let root = T::of(1.0 / (1.0 - self.beta2.powf(t)).sqrt());
        let numbers = Numbers {
            scale: T::of(hyper.gradient_scale),
            coupled: T::of(coupled),
            keep: T::of(keep),
            new1: T::of(1.0 - beta1),
            beta2: T::of(self.beta2),
            new2: T::of(1.0 - self.beta2),
            step,
            root,
            epsilon: T::of(self.epsilon),
        };
        let AdamState { updates, first_moment, second_moment, largest } = &mut *state;
        if let Some(largest) = largest {
            let state = [&mut *first_moment, second_moment, largest].map(|array| &mut **array);
            sweep_each(
                pool,
                name,
                param,
                grad,
                state,
                #[inline(always)]
                move |w, g, [m, v, largest]| {
                    let (m, v) = numbers.moments(w, g, m, v);
                    let largest = if v > largest { v } else { largest };
                    (numbers.moved(w, m, flip!("amsgrad/largest", largest)), [m, v, largest])
                },
            )?;
        } else {
            let state = [&mut *first_moment, second_moment].map(|array| &mut **array);
            sweep_each(
                pool,
                name,
                param,
                grad,
                state,
                #[inline(always)]
                move |w, g, [m, v]| {
                    let (m, v) = numbers.moments(w, g, m, v);
                    (numbers.moved(w, m, v), [m, v])
                },
            )?;
        }
        settle(pool, name, *updates, first_moment, grad)?;
        settle_squares(pool, name, *updates, second_moment, grad, self.epsilon)?;
        *updates += 1;
        Ok(())
    }
}

/// The numbers of one update, in the type it is computed in.
#[derive(Clone, Copy)]
struct Numbers<T> {
    scale: T,
    coupled: T,
    keep: T,
    new1: T,
    beta2: T,
    new2: T,
    step: T,
    root: T,
    epsilon: T,
}

impl<T: Real> Numbers<T> {
    /// The new means of the gradient and of its square.
    #[inline(always)]
    fn moments(&self, w: T, g: T, m: T, v: T) -> (T, T) {
        let d = g * self.scale + flip!("adam/decay", self.coupled * w);
        (m + flip!("adam/momentum", self.new1 * (d - m)), self.beta2 * v + self.new2 * d * d)
    }

    /// The new weight.
    #[inline(always)]
    fn moved(&self, w: T, m: T, v: T) -> T {
        self.keep * w - flip!("adam/step", self.step * m / (v.sqrt() * self.root + self.epsilon))
    }
}

#[derive(Clone, Copy)]
enum Decay {
    Coupled,
    Decoupled,
}

/// Adam with decoupled weight decay: the weights shrink by `1 − η λ` in every update, whatever their gradients.
///
/// As [`Adam`], with `d = g`, and in the last line `(1 − η λ) w` in the place of `w`. λ is 0.01 unless an optimizer is told otherwise,
/// as in PyTorch. Source: Loshchilov and Hutter, *Decoupled weight decay regularization*, ICLR 2019; as in PyTorch, the decay is
/// multiplied by the learning rate and so follows its schedule.
///
/// ```
/// use gradwise_optim::{AdamW, Constant, Optimizer, no_decay_on_vectors};
///
/// let optimizer = Optimizer::<f32, _>::new(AdamW::default(), Constant::new(3e-4)?)
///     .weight_decay(0.05)?
///     .group(no_decay_on_vectors());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct AdamW {
    adam: Adam,
}

impl AdamW {
    /// With decays β₁ and β₂ of the running means, and ε: see [`Adam::new`].
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`, or ε is not above 0.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(AdamW { adam: Adam::new(beta1, beta2, epsilon)? })
    }

    /// Lets rates only shrink.
    #[must_use]
    pub fn amsgrad(self) -> Self {
        AdamW { adam: self.adam.amsgrad() }
    }
}

/// What [`Adam`] and [`AdamW`] remember of a parameter.
#[derive(Clone, Debug)]
pub struct AdamState<T> {
    updates: u64,
    first_moment: ArrayD<T>,
    second_moment: ArrayD<T>,
    largest: Option<ArrayD<T>>,
}

impl<T: Real> State<T> for AdamState<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        f("updates", Stored::Counter(&mut self.updates));
        f("first_moment", Stored::Array(&mut self.first_moment));
        f("second_moment", Stored::Array(&mut self.second_moment));
        if let Some(largest) = &mut self.largest {
            f("largest_second_moment", Stored::Array(largest));
        }
    }
}

impl<T: Real> Rule<T> for Adam {
    type State = AdamState<T>;

    fn name(&self) -> &'static str {
        "adam"
    }

    fn init(&self, param: &ArrayRefD<T>) -> AdamState<T> {
        self.init(param)
    }

    fn update(
        &self,
        hyper: &Hyper,
        state: &mut AdamState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.update(&Serial, "adam", hyper, Decay::Coupled, state, param, grad)
    }

    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut AdamState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.update(pool, "adam", hyper, Decay::Coupled, state, param, grad)
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}

impl<T: Real> Rule<T> for AdamW {
    type State = AdamState<T>;

    fn name(&self) -> &'static str {
        "adamw"
    }

    fn init(&self, param: &ArrayRefD<T>) -> AdamState<T> {
        self.adam.init(param)
    }

    fn update(
        &self,
        hyper: &Hyper,
        state: &mut AdamState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.adam.update(&Serial, "adamw", hyper, Decay::Decoupled, state, param, grad)
    }

    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut AdamState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.adam.update(pool, "adamw", hyper, Decay::Decoupled, state, param, grad)
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.adam.beta1)
    }

    fn default_weight_decay(&self) -> f64 {
        0.01
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
