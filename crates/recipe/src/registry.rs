//! Everything that a recipe may name.

use crate::data::{Sources, Transforms, all_sources, all_transforms};
use crate::initializers::Initializers;
use crate::kinds::Kinds;
use crate::layers::{Activations, Layers, all_activations, all_layers};
use crate::losses::Losses;
use crate::metrics::Metrics;
use crate::optimizer::{Rules, Schedules, all_rules, all_schedules};
use crate::penalties::PenaltyKinds;
use crate::{initializers, losses, metrics, penalties};

/// The parts that recipes may name, by family: those of gradwise, and yours.
///
/// To add one, describe it by a struct that implements [`Described`](crate::Described), or register a closure. A program around it that does
/// what the command line does is short:
///
/// ```
/// use gradwise_core::Loss;
/// use gradwise_layers::MseLoss;
/// use gradwise_recipe::{AnyLoss, OnNumbers, Recipe, Registry, Takes};
///
/// /// No options.
/// #[derive(serde::Deserialize)]
/// struct Nothing {}
///
/// let mut registry = Registry::new();
/// registry.losses.register("mine", |_: Nothing, _| {
///     Ok(AnyLoss { loss: Box::new(OnNumbers(MseLoss)), takes: Takes::Numbers })
/// })?;
/// let recipe: Recipe = "
///     data.source = { kind = 'blobs', samples = 60 }
///     model = { loss = 'mine', layers = ['linear'] }
///     train.epochs = 1
/// ".parse()?;
/// let trained = recipe.build(&registry)?.train(&mut [])?;
/// assert!(trained.summary.train_loss.is_finite());
/// # Ok::<(), gradwise_recipe::RecipeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    /// Where data come from.
    pub sources: Kinds<Sources>,
    /// What is made of inputs.
    pub transforms: Kinds<Transforms>,
    /// What is done to images in training.
    pub augment: gradwise_augment::spec::Registry,
    /// Layers and networks.
    pub layers: Kinds<Layers>,
    /// Activations.
    pub activations: Kinds<Activations>,
    /// Initializers.
    pub initializers: Kinds<Initializers>,
    /// Losses.
    pub losses: Kinds<Losses>,
    /// Metrics.
    pub metrics: Kinds<Metrics>,
    /// Rules of optimizers.
    pub rules: Kinds<Rules>,
    /// Schedules of the learning rate.
    pub schedules: Kinds<Schedules>,
    /// Penalties on weights.
    pub penalties: Kinds<PenaltyKinds>,
}

impl Registry {
    /// With all parts of gradwise.
    pub fn new() -> Self {
        Registry {
            sources: all_sources(),
            transforms: all_transforms(),
            augment: gradwise_augment::spec::Registry::new(),
            layers: all_layers(),
            activations: all_activations(),
            initializers: initializers::all(),
            losses: losses::all(),
            metrics: metrics::all(),
            rules: all_rules(),
            schedules: all_schedules(),
            penalties: penalties::all(),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}
