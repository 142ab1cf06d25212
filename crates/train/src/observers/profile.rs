//! How the layers of a net fare, step after step.

use crate::{LayerRow, layer_rows};
use gradwise_core::{Event, Observer, Real, Stop};
use std::ops::ControlFlow;

/// Keeps, of each step in which readings were taken, what there is to tell of every layer: the norm of its gradient, how far its weights
/// move, how sparse its outputs are, which units are dead or saturated.
///
/// Readings are taken as [`Trainer::probe_every`](crate::Trainer::probe_every) says, and updates measured as
/// [`Trainer::measure_every`](crate::Trainer::measure_every) does.
///
/// ```
/// use gradwise_data::{Batches, Samples, digits};
/// use gradwise_layers::{Activation, Chain, CrossEntropyLoss, Flatten, Linear, core::Key};
/// use gradwise_optim::{Constant, Optimizer, Sgd};
/// use gradwise_train::{Fit, LayerProfile, Supervised, Trainer, gradient_slope};
///
/// // A deep net of sigmoids: gradients vanish towards its input.
/// let mut deep = Chain::<f32>::seeded(Key::new(1)).then(Flatten).then(Linear::config(64, 20));
/// for _ in 0..6 {
///     deep = deep.then(Linear::config(20, 20).activation(Activation::Sigmoid));
/// }
/// let mut model = deep.then(Linear::config(20, 10)).build()?;
/// let optimizer = Optimizer::new(Sgd::default(), Constant::new(0.1)?);
/// let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0).probe_every(10).measure_every(10);
/// let digits = digits::<f32>();
/// let mut profile = LayerProfile::new();
/// let batches = Batches::new(digits.len(), 128)?;
/// Fit::new(1).run(&mut trainer, &mut model, &digits, batches, &mut [&mut profile])?;
///
/// assert_eq!(profile.steps().map(|(step, _)| step).collect::<Vec<_>>(), [0, 10]);
/// let (_, rows) = profile.steps().last().unwrap();
/// assert!(gradient_slope(rows).unwrap() > 0.3);
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LayerProfile {
    steps: Vec<(u64, Vec<LayerRow>)>,
}

impl LayerProfile {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The steps in which readings were taken, by their number, with the layers in the order in which they ran.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (u64, &[LayerRow])> {
        self.steps.iter().map(|(step, rows)| (*step, &rows[..]))
    }
}

impl<T: Real> Observer<T> for LayerProfile {
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        if let Event::Step { step, model, grads, update_norms, layers, .. } = event
            && !layers.is_empty()
        {
            self.steps.push((*step, layer_rows(*model, grads, update_norms, layers)));
        }
        ControlFlow::Continue(())
    }
}
