//! Stochastic gradient descent, with and without momentum.

use crate::{Hyper, Rule, State, Stored, check, settle::settle, sweep_each};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, Serial, flip, ndarray::ArrayD};

/// Stochastic gradient descent: plain, with heavy-ball momentum, or with Nesterov's.
///
/// With learning rate η, momentum μ, dampening δ and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`):
///
/// ```text
/// d ← g + λ w
/// v ← d in the first update, μ v + (1 − δ) d afterwards        (only if μ > 0)
/// w ← w − η d              plain
/// w ← w − η v              momentum
/// w ← w − η (d + μ v)      Nesterov
/// ```
///
/// The learning rate multiplies the velocity, as in PyTorch, and is not part of it, as it is in Polyak's own form: the two differ when
/// the rate changes. Sources: Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964; Nesterov, 1983, in the
/// form of Sutskever et al., *On the importance of initialization and momentum in deep learning*, ICML 2013.
///
/// ```
/// use gradwise_optim::Sgd;
///
/// let plain = Sgd::new();
/// let nesterov = Sgd::with_momentum(0.9)?.nesterov()?;
/// assert!(Sgd::with_momentum(1.5).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sgd {
    momentum: f64,
    dampening: f64,
    nesterov: bool,
}

impl Sgd {
    /// Plain gradient descent.
    pub fn new() -> Self {
        Sgd::default()
    }

    /// With heavy-ball momentum μ, usually 0.9.
    ///
    /// # Errors
    /// If μ is not in `[0, 1)`.
    pub fn with_momentum(momentum: f64) -> Result<Self> {
        Ok(Sgd { momentum: check::below_one("sgd: momentum", momentum)?, ..Sgd::default() })
    }

    /// Takes Nesterov's look-ahead step.
    ///
    /// # Errors
    /// Without momentum or with dampening: its formula has no meaning then.
    pub fn nesterov(self) -> Result<Self> {
        Sgd { nesterov: true, ..self }.consistent()
    }

    /// Lets only the share `1 − δ` of a gradient into the velocity.
    ///
    /// # Errors
    /// If δ is not in `[0, 1]`, without momentum, or with Nesterov's step.
    pub fn dampening(self, dampening: f64) -> Result<Self> {
        Sgd { dampening: check::share("sgd: dampening", dampening)?, ..self }.consistent()
    }

    fn consistent(self) -> Result<Self> {
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::value("sgd: momentum with nesterov", "a number in (0, 1)", self.momentum));
        }
        if self.nesterov && self.dampening != 0.0 {
            return Err(Error::value("sgd: dampening with nesterov", "0", self.dampening));
        }
        if self.dampening != 0.0 && self.momentum == 0.0 {
            return Err(Error::value("sgd: dampening without momentum", "0", self.dampening));
        }
        Ok(self)
    }
}

/// What [`Sgd`] remembers of a parameter: nothing without momentum.
#[derive(Clone, Debug)]
pub struct SgdState<T> {
    updates: u64,
    velocity: Option<ArrayD<T>>,
}

impl<T: Real> State<T> for SgdState<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        if let Some(velocity) = &mut self.velocity {
            f("updates", Stored::Counter(&mut self.updates));
            f("velocity", Stored::Array(velocity));
        }
    }
}

impl<T: Real> Rule<T> for Sgd {
    type State = SgdState<T>;

    fn name(&self) -> &'static str {
        "sgd"
    }

    fn init(&self, param: &ArrayRefD<T>) -> SgdState<T> {
        SgdState { updates: 0, velocity: (self.momentum > 0.0).then(|| ArrayD::zeros(param.raw_dim())) }
    }

    fn update(
        &self,
        hyper: &Hyper,
        state: &mut SgdState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.update_on(&Serial, hyper, state, param, grad)
    }

    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut SgdState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        let rate = T::of(hyper.learning_rate);
        let decay = T::of(hyper.weight_decay);
        let scale = T::of(hyper.gradient_scale);
        let Some(velocity) = &mut state.velocity else {
            return sweep_each(pool, "sgd", param, grad, [], move |w, g, []| {
                (w - flip!("sgd/step", rate * (g * scale + flip!("sgd/decay", decay * w))), [])
            });
        };
        let momentum = T::of(hyper.momentum.unwrap_or(self.momentum));
        // The velocity starts from the whole first gradient; it is zero before, so momentum makes no difference there.
        let share = if state.updates == 0 { T::one() } else { T::of(1.0 - self.dampening) };
        // Nesterov's step looks ahead: w − η (d + μ v).
        let (ahead, along) = if self.nesterov { (T::one(), momentum) } else { (T::zero(), T::one()) };
        sweep_each(pool, "sgd", param, grad, [velocity], move |w, g, [v]| {
            let d = g * scale + flip!("sgd/decay", decay * w);
            let v = flip!("sgd/momentum", momentum * v) + share * d;
            (w - flip!("sgd/step", rate * (flip!("sgd/ahead", ahead * d) + along * v)), [v])
        })?;
        settle(pool, "sgd", state.updates, velocity, grad)?;
        state.updates += 1;
        Ok(())
    }

    fn momentum(&self) -> Option<f64> {
        (self.momentum > 0.0).then_some(self.momentum)
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
