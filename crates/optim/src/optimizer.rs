//! A rule, a schedule and the states of a model's parameters, put together.

use crate::moved::{distance, keep};
use crate::{
    Applied, Clip, Equalizer, Group, Hyper, Rule, Schedule, State, StepInfo, Stepper, Stored, check, clip, slots,
    slots::Slot, units,
};
use gradwise_core::ndarray::ArrayD;
use gradwise_core::{Error, Grads, Params, ParamsExt, Pool, Real, Result, Serial, sum_of_squares};
use std::sync::Arc;

/// Trains the parameters of a model by a [`Rule`], at the rates of a [`Schedule`].
///
/// It holds the number of the step, a state for each parameter, and the gradients it was last given. States are made in the first step,
/// or by [`Stepper::prepare`]; the model must keep its parameters and their shapes from then on. Which parameters are trainable
/// may change: a parameter that is unfrozen later begins with a fresh state.
///
/// Gradients that do not fit the model, or are not finite, are refused before anything is changed: with the built-in rules, which cannot
/// fail after that, a step happens as a whole or not at all. (If a rule of your own fails at one parameter, those before it have been
/// updated.) Parameters without a gradient are left alone, their states included.
///
/// # With a model
/// [`Stepper::step`] evaluates and updates. Training loops use it.
///
/// # With gradients from elsewhere
/// [`Optimizer::apply`] updates. Anything that is [`Params`] will do for a model, such as a `Vec` of [`Param`](gradwise_core::Param)s:
///
/// ```
/// use gradwise_optim::{Clip, Grads, LinearWarmup, Constant, Optimizer, Param, Sgd, ndarray::arr1};
///
/// let mut params = vec![Param::new(arr1(&[1.0_f32, -2.0]))];
/// let mut optimizer = Optimizer::new(Sgd::with_momentum(0.9)?, LinearWarmup::new(10, Constant::new(0.1)?)?)
///     .weight_decay(1e-4)?
///     .clip(Clip::global_norm(1.0)?);
///
/// let mut grads = Grads::from_arrays(&params, vec![Some(arr1(&[3.0, 4.0]).into_dyn())]);
/// let applied = optimizer.apply(&mut params, &mut grads)?;
/// assert_eq!((applied.step, applied.grad_norm), (0, 5.0));
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub struct Optimizer<T: Real, R: Rule<T>> {
    rule: R,
    schedule: Box<dyn Schedule>,
    /// The rate that is taken in the place of the schedule's.
    rate: Option<f64>,
    momentum: Option<Box<dyn Schedule>>,
    weight_decay: f64,
    groups: Vec<Group>,
    clip: Option<Clip>,
    equalizer: Option<Equalizer>,
    /// The largest rate of the schedule so far, by which the equalizer measures the others.
    largest_rate: f64,
    step: u64,
    slots: Option<Vec<Slot<R::State>>>,
    grads: Grads<T>,
    measure: bool,
    update_norms: Vec<f64>,
    /// A parameter as it was before its update, while that is measured.
    before: Vec<T>,
    /// The parameters that training goes on with, where the model holds averages in their place.
    aside: Option<Vec<Option<ArrayD<T>>>>,
    pool: Arc<dyn Pool + Send + Sync>,
}

impl<T: Real, R: Rule<T>> Optimizer<T, R> {
    /// Trains by a rule at the rates of a schedule; with the rule's own weight decay, without clipping, all parameters alike.
    pub fn new(rule: R, schedule: impl Schedule + 'static) -> Self {
        Optimizer {
            weight_decay: rule.default_weight_decay(),
            rule,
            schedule: Box::new(schedule),
            rate: None,
            momentum: None,
            groups: Vec::new(),
            clip: None,
            equalizer: None,
            largest_rate: 0.0,
            step: 0,
            slots: None,
            grads: Grads::new(),
            measure: false,
            update_norms: Vec::new(),
            before: Vec::new(),
            aside: None,
            pool: Arc::new(Serial),
        }
    }

    /// Sets the strength λ of weight decay. Whether it is coupled or decoupled is the rule's: see [`Hyper::weight_decay`].
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn weight_decay(self, strength: f64) -> Result<Self> {
        Ok(Optimizer { weight_decay: check::not_negative("optimizer: weight decay", strength)?, ..self })
    }

    /// Sets a schedule for the momentum, in the place of the rule's own. The first step refuses it if the rule has no momentum.
    #[must_use]
    pub fn momentum(self, schedule: impl Schedule + 'static) -> Self {
        Optimizer { momentum: Some(Box::new(schedule)), ..self }
    }

    /// Adds a group of parameters that are trained differently.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds several groups, such as those of [`layer_decay`](crate::layer_decay).
    #[must_use]
    pub fn groups(mut self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.groups.extend(groups);
        self
    }

    /// Sets each parameter's rate by how far it moves.
    #[must_use]
    pub fn equalize(self, equalizer: Equalizer) -> Self {
        Optimizer { equalizer: Some(equalizer), ..self }
    }

    /// Clips gradients before they are used.
    #[must_use]
    pub fn clip(self, clip: Clip) -> Self {
        Optimizer { clip: Some(clip), ..self }
    }

    /// Splits large parameters over the threads of a pool. Results do not depend on it, to the bit.
    #[must_use]
    pub fn pool(self, pool: Arc<dyn Pool + Send + Sync>) -> Self {
        Optimizer { pool, ..self }
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// How many steps were done: the number of the next one.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The learning rate of the next step, before the factors of groups.
    pub fn learning_rate(&self) -> f64 {
        self.rate.unwrap_or_else(|| self.schedule.at(self.step))
    }

    /// What an [`Equalizer`] has made of each parameter's rate: its factor, by the parameter's path. Empty before the first step.
    pub fn equalized(&self) -> impl Iterator<Item = (&str, f64)> {
        self.slots.iter().flatten().map(|slot| (&*slot.path, slot.equalized))
    }

    /// Updates a model with gradients that were computed elsewhere.
    ///
    /// An optimizer that clips by value or by unit changes the gradients in place. The factor of one that clips by a norm is left to the
    /// rule, if it [scales gradients](Rule::scales_gradients), and the gradients are as they were; otherwise they are multiplied in
    /// place.
    ///
    /// # Errors
    /// If the model has changed since the first step, gradients do not fit it or are not finite, or a schedule gives a number out of
    /// range: neither the model nor the optimizer is changed then. And if the rule fails, which no built-in one does: the parameters
    /// before the one that the error names have been updated then.
    pub fn apply<M: Params<T> + ?Sized>(&mut self, model: &mut M, grads: &mut Grads<T>) -> Result<Applied> {
        self.must_hold_training_weights()?;
        let hyper = self.hyper()?;
        let known = self.slots.is_some();
        let mut slots = match self.slots.take() {
            Some(slots) => slots,
            None => slots::bind(&self.rule, &self.groups, model)?,
        };
        let applied = self.check(&mut slots, model, grads).and_then(|grad_norm| {
            self.update(&mut slots, &hyper, model, grads, grad_norm)?;
            Ok(Applied { step: self.step, learning_rate: hyper.learning_rate, grad_norm })
        });
        // A model that was refused at first sight is not the one to hold on to.
        if known || applied.is_ok() {
            self.slots = Some(slots);
        }
        self.step += u64::from(applied.is_ok());
        applied
    }

    /// Refuses to go on from averages.
    fn must_hold_training_weights(&self) -> Result<()> {
        if self.aside.is_some() {
            let expected = "those of training (a second call of `swap_averages`)";
            return Err(Error::value("optimizer: the model's parameters", expected, "their averages"));
        }
        Ok(())
    }

    /// The numbers of this step.
    fn hyper(&self) -> Result<Hyper> {
        let learning_rate = check::not_negative("schedule: learning rate", self.learning_rate())?;
        let momentum = match (&self.momentum, self.rule.momentum()) {
            (None, _) => None,
            (Some(schedule), Some(_)) => Some(check::below_one("schedule: momentum", schedule.at(self.step))?),
            (Some(_), None) => {
                return Err(Error::value("momentum schedule", "a rule with momentum", self.rule.name()));
            }
        };
        Ok(Hyper { learning_rate, momentum, weight_decay: self.weight_decay, gradient_scale: 1.0 })
    }

    /// Checks that model and gradients fit, marks the parameters to update, and returns the norm of their gradients.
    fn check<M: Params<T> + ?Sized>(
        &self,
        slots: &mut [Slot<R::State>],
        model: &M,
        grads: &mut Grads<T>,
    ) -> Result<f64> {
        let mut n = 0;
        let mut result = Ok(());
        model.visit(|_, param| {
            if let (Some(slot), Ok(())) = (slots.get_mut(n), &result) {
                result = slot.accept(&self.rule, param, (grads, n), &*self.pool);
            }
            n += 1;
        });
        result?;
        if n != slots.len() {
            let expected = format!("the {} that the model had in the first step", slots.len());
            return Err(Error::value("optimizer: number of parameters", expected, n));
        }
        if grads.len() != slots.len() {
            let expected = format!("one for each of the model's {} parameters", slots.len());
            return Err(Error::value("optimizer: gradients", expected, grads.len()));
        }
        Ok(slots.iter().map(|slot| slot.squares).sum::<f64>().sqrt())
    }

    /// Updates the parameters that are marked.
    fn update<M: Params<T> + ?Sized>(
        &mut self,
        slots: &mut [Slot<R::State>],
        hyper: &Hyper,
        model: &mut M,
        grads: &mut Grads<T>,
        grad_norm: f64,
    ) -> Result<()> {
        self.largest_rate = self.largest_rate.max(hyper.learning_rate);
        let relative = if self.largest_rate > 0.0 { hyper.learning_rate / self.largest_rate } else { 0.0 };
        let equalizer = self.equalizer.filter(|equalizer| equalizer.acts_at(self.step) && relative > 0.0);
        let Optimizer { rule, clip, measure, update_norms, before, pool, .. } = self;
        let scales = rule.scales_gradients();
        let watch = *measure || equalizer.is_some();
        update_norms.clear();
        let mut entries = slots.iter_mut().enumerate();
        let mut result = Ok(());
        model.visit_mut(|_, param| {
            let Some((index, slot)) = entries.next() else { return };
            let mut norm = 0.0;
            let mut factor = 1.0;
            if let (true, Some(clip)) = (slot.active, &clip) {
                factor = clip.factor(slot.squares.sqrt(), grad_norm);
                if let (Some(max), Some(grad)) = (clip.largest_value(), grads.get_mut(index)) {
                    clip::clip_value(grad, max);
                }
                if let (Some((share, floor)), Some(grad)) = (clip.unit_share(), grads.get_mut(index)) {
                    units::clip(grad, &param.value, share, floor);
                }
                if let (false, true, Some(grad)) = (scales, factor < 1.0, grads.get_mut(index)) {
                    clip::scale(grad, factor);
                }
            }
            if let (true, Some(state), Some(grad), Ok(())) = (slot.active, &mut slot.state, grads.get(index), &result) {
                let hyper = Hyper {
                    learning_rate: hyper.learning_rate * slot.learning_rate * slot.equalized,
                    weight_decay: hyper.weight_decay * slot.weight_decay,
                    gradient_scale: if scales { factor } else { 1.0 },
                    ..*hyper
                };
                if watch {
                    keep(&param.value, before, &**pool);
                }
                result = rule
                    .update_on(&**pool, &hyper, state, &mut param.value, grad)
                    .map_err(|error| error.at(&slot.path));
                if watch {
                    norm = distance(&param.value, before, &**pool);
                }
                if let (Some(equalizer), Ok(())) = (equalizer, &result) {
                    let size = (sum_of_squares(&param.value, &**pool), param.value.len());
                    slot.equalized = equalizer.factor(slot.equalized, norm, size, relative);
                }
            }
            if *measure {
                update_norms.push(norm);
            }
        });
        result
    }
}

impl<T: Real, R: Rule<T>, M: Params<T> + ?Sized> Stepper<T, M> for Optimizer<T, R> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        let mut grads = std::mem::take(&mut self.grads);
        let info = eval(model, &mut grads).and_then(|loss| {
            let Applied { step, learning_rate, grad_norm } = self.apply(model, &mut grads)?;
            Ok(StepInfo { step, loss, learning_rate, grad_norm })
        });
        self.grads = grads;
        info
    }

    fn grads(&self) -> &Grads<T> {
        &self.grads
    }

    fn measure_updates(&mut self, measure: bool) {
        self.measure = measure;
    }

    fn update_norms(&self) -> &[f64] {
        &self.update_norms
    }

    fn override_rate(&mut self, rate: Option<f64>) -> bool {
        self.rate = rate;
        true
    }

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.pool = pool;
    }

    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        let Some(slots) = &self.slots else { return Ok(()) };
        let mut n = 0;
        let mut fits = true;
        model.visit(|_, param| {
            fits &= slots.get(n).is_some_and(|slot| slot.fits(&param.value));
            n += 1;
        });
        if !fits || n != slots.len() {
            let expected = format!("the {} that are trained, of the same shapes", slots.len());
            return Err(Error::value("optimizer: parameters", expected, n));
        }
        if let Some(aside) = self.aside.take() {
            let mut aside = aside.into_iter();
            model.visit_mut(|_, param| {
                if let Some(Some(value)) = aside.next() {
                    param.value = value;
                }
            });
            return Ok(());
        }
        let (rule, mut slots) = (&self.rule, slots.iter());
        let mut aside = Vec::new();
        model.visit_mut(|_, param| {
            let average = slots.next().and_then(|slot| rule.average(slot.state.as_ref()?, &param.value));
            aside.push(average.map(|average| std::mem::replace(&mut param.value, average)));
        });
        self.aside = aside.iter().any(Option::is_some).then_some(aside);
        Ok(())
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.hyper()?;
        if self.slots.is_none() {
            self.slots = Some(slots::bind(&self.rule, &self.groups, model)?);
        }
        Ok(())
    }

    /// The number of the step as `step`, and what the rule remembers as `path:name`, such as `fc.weight:first_moment`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        self.must_hold_training_weights()?;
        let Some(slots) = &mut self.slots else {
            // Restoring would lose everything but the number of the step, without a word.
            return Err(Error::value("optimizer: state", "a step or `prepare` before", "none"));
        };
        f("step", Stored::Counter(&mut self.step));
        if self.equalizer.is_some() {
            f("largest_rate", Stored::Number(&mut self.largest_rate));
        }
        let mut full = String::new();
        for slot in slots {
            if self.equalizer.is_some() {
                f(&format!("{}:rate", slot.path), Stored::Number(&mut slot.equalized));
            }
            let Some(state) = &mut slot.state else { continue };
            state.visit(&mut |name, stored| {
                full.clear();
                full.push_str(&slot.path);
                full.push(':');
                full.push_str(name);
                f(&full, stored);
            });
        }
        Ok(())
    }
}

impl<T: Real, R: Rule<T>> std::fmt::Debug for Optimizer<T, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimizer")
            .field("rule", &self.rule.name())
            .field("learning_rate", &self.learning_rate())
            .field("weight_decay", &self.weight_decay)
            .field("clip", &self.clip)
            .field("equalizer", &self.equalizer)
            .field("groups", &self.groups)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
