//! The losses that recipes may name.

use crate::kinds::add_all;
use crate::set::{OnClasses, OnEither, OnNumbers, Target};
use crate::{Described, Family, Kinds, RecipeError, Result};
use gradwise_core::{ArrayRefD, Error, Loss, Op, Real, Reduction};
use gradwise_data::{ClassWeighting, class_weights};
use gradwise_layers as layers;
use gradwise_layers::tensor::loss::{Formula, Pointwise};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family of losses.
#[derive(Debug)]
pub enum Losses {}

impl Family for Losses {
    const WHAT: &'static str = "loss";
    type Built = AnyLoss;
    type Site<'a> = LossSite<'a>;
}

/// A loss, and which targets it takes.
pub struct AnyLoss {
    /// The loss.
    pub loss: Box<dyn Loss<f32, Target>>,
    /// The targets.
    pub takes: Takes,
}

impl std::fmt::Debug for AnyLoss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyLoss").field("loss", &self.loss.name()).field("takes", &self.takes).finish()
    }
}

/// Which targets a loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// Classes alone.
    Classes,
    /// Classes, or a share for each class, as mixup makes them.
    Shares,
    /// Numbers; classes become 0 and 1, one number a class, or one for both of two.
    Numbers,
    /// Numbers; classes become -1 and 1.
    Signs,
}

/// What building a loss is told of the data.
#[derive(Clone, Copy, Debug)]
pub struct LossSite<'a> {
    /// The share of each target that is spread over all classes.
    pub smoothing: f64,
    /// The classes of the training samples, if they have any.
    pub classes: Option<&'a [usize]>,
    /// How many classes there are.
    pub n_classes: usize,
}

/// All losses of this crate.
pub(crate) fn all() -> Kinds<Losses> {
    add_all!(
        Kinds::new();
        CrossEntropy, Focal, MultiMargin, BceWithLogits, BinaryFocal, Hinge, MeanSquaredError, MeanAbsoluteError, Huber,
        KlDivergence, CosineSimilarity, ProbabilityCrossEntropy, ProbabilityBce,
    )
}

fn boxed(loss: impl Loss<f32, Target> + 'static, takes: Takes) -> Result<AnyLoss> {
    Ok(AnyLoss { loss: Box::new(loss), takes })
}

/// How much each class counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected \"balanced\", or a list of numbers, one a class")]
pub enum ClassWeights {
    /// By the samples of each class.
    Named(Balanced),
    /// As they are said.
    Weights(Vec<f64>),
}

/// The word `balanced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Balanced {
    /// All classes count the same, however many samples they have.
    Balanced,
}

impl ClassWeights {
    fn weights(&self, site: &LossSite<'_>) -> Result<Vec<f64>> {
        match self {
            ClassWeights::Weights(weights) => Ok(weights.clone()),
            ClassWeights::Named(Balanced::Balanced) => {
                let classes = site.classes.ok_or_else(|| RecipeError::value("targets that are classes", "numbers"))?;
                Ok(class_weights(classes, site.n_classes, ClassWeighting::Balanced)?)
            }
        }
    }
}

/// `cross-entropy`: of classes, from outputs as they are (logits): not behind a softmax.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CrossEntropy {
    /// How much each class counts: `balanced`, or a number for each; the same, if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
}

impl Described<Losses> for CrossEntropy {
    const KIND: &'static str = "cross-entropy";

    fn build(self, site: &LossSite<'_>) -> Result<AnyLoss> {
        let mut loss = layers::CrossEntropyLoss::default();
        if let Some(weights) = self.class_weights {
            loss = loss.class_weights(weights.weights(site).map_err(|error| error.at("class-weights"))?)?;
        }
        if site.smoothing != 0.0 {
            loss = loss.label_smoothing(site.smoothing)?;
        }
        boxed(OnEither(loss), Takes::Shares)
    }
}

fn two() -> f64 {
    2.0
}

fn one() -> f64 {
    1.0
}

macro_rules! losses {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* }
        |$self:ident| $wrapper:ident($build:expr), $takes:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Described<Losses> for $name {
            const KIND: &'static str = $kind;
            fn build(self, _: &LossSite<'_>) -> Result<AnyLoss> {
                let $self = self;
                boxed($wrapper($build), Takes::$takes)
            }
        }
    )*};
}

losses! {
    /// `focal`: cross entropy in which samples that are classified well hardly count.
    Focal: "focal" {
        /// How little they count; 2, if it is not said.
        #[serde(default = "two")]
        gamma: f64
    } |options| OnClasses(layers::FocalLoss::new(options.gamma)?), Classes;
    /// `multi-margin`: the right class should lead by a margin.
    MultiMargin: "multi-margin" {
        /// The margin; 1, if it is not said.
        #[serde(default = "one")]
        margin: f64
    } |options| OnClasses(layers::MultiMarginLoss::new(options.margin)?), Classes;
    /// `bce-with-logits`: the cross entropy of yes or no, from outputs as they are; of two classes, or of several that do not exclude one another.
    BceWithLogits: "bce-with-logits" {
        /// How much the yes of each output counts; as much as the no, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        positive_weights: Option<Vec<f64>>
    } |options| OnNumbers(match options.positive_weights {
        Some(weights) => layers::BceWithLogitsLoss::default().positive_weights(weights)?,
        None => layers::BceWithLogitsLoss::default(),
    }), Numbers;
    /// `binary-focal`: as `bce-with-logits`, but samples that are classified well hardly count.
    BinaryFocal: "binary-focal" {
        /// How little they count; 2, if it is not said.
        #[serde(default = "two")]
        gamma: f64
    } |options| OnNumbers(layers::BinaryFocalLoss::new(options.gamma)?), Numbers;
    /// `hinge`: outputs should be beyond 1 on their class's side of 0.
    Hinge: "hinge" {} |_options| OnNumbers(layers::HingeLoss::default()), Signs;
    /// `mean-squared-error`.
    MeanSquaredError: "mean-squared-error" {} |_options| OnNumbers(layers::MseLoss), Numbers;
    /// `mean-absolute-error`.
    MeanAbsoluteError: "mean-absolute-error" {} |_options| OnNumbers(layers::MaeLoss), Numbers;
    /// `huber`: squared near 0, and absolute far from it.
    Huber: "huber" {
        /// From where on it is absolute; 1, if it is not said.
        #[serde(default = "one")]
        delta: f64
    } |options| OnNumbers(layers::HuberLoss::new(options.delta)?), Numbers;
    /// `kl-divergence`: of shares from log-probabilities, as `log-softmax` makes them.
    KlDivergence: "kl-divergence" {} |_options| OnNumbers(layers::KlDivLoss), Numbers;
    /// `cosine-similarity`: the angle between outputs and targets.
    CosineSimilarity: "cosine-similarity" {} |_options| OnNumbers(layers::CosineSimilarityLoss), Numbers;
    /// `probability-cross-entropy`: of classes, from probabilities, as `softmax` makes them. `cross-entropy` behind nothing is more exact.
    ProbabilityCrossEntropy: "probability-cross-entropy" {} |_options| OnNumbers(OfProbabilities(Categorical)), Numbers;
    /// `probability-bce`: of yes or no, from probabilities, as `sigmoid` makes them. `bce-with-logits` behind nothing is more exact.
    ProbabilityBce: "probability-bce" {} |_options| OnNumbers(OfProbabilities(Binary)), Numbers;
}

/// A loss on probabilities. They are kept this far from 0 and 1, where the logarithm is infinite (and, as with Keras, nothing is learned).
const EPSILON: f64 = 1e-7;

/// `-t ln p`, summed over classes.
#[derive(Clone, Copy, Debug)]
struct Categorical;

impl<T: Real> Formula<T> for Categorical {
    fn name(&self) -> &'static str {
        "probability_cross_entropy"
    }
    fn value(&self, _: usize, p: T, t: T) -> T {
        if t == T::zero() { T::zero() } else { -t * p.max(T::of(EPSILON)).ln() }
    }
    fn slope(&self, _: usize, p: T, t: T) -> T {
        if p < T::of(EPSILON) { T::zero() } else { -t / p }
    }
    fn sums(&self) -> bool {
        true
    }
    fn check_target(&self, target: T) -> Result<(), Error> {
        share("probability_cross_entropy: target", target)
    }
}

/// `-t ln p - (1 - t) ln (1 - p)`.
#[derive(Clone, Copy, Debug)]
struct Binary;

impl<T: Real> Formula<T> for Binary {
    fn name(&self) -> &'static str {
        "probability_bce"
    }
    fn value(&self, _: usize, p: T, t: T) -> T {
        let p = p.max(T::of(EPSILON)).min(T::one() - T::of(EPSILON));
        -t * p.ln() - (T::one() - t) * (-p).ln_1p()
    }
    fn slope(&self, _: usize, p: T, t: T) -> T {
        let inside = p >= T::of(EPSILON) && p <= T::one() - T::of(EPSILON);
        if inside || p.is_nan() { (p - t) / (p * (T::one() - p)) } else { T::zero() }
    }
    fn check_target(&self, target: T) -> Result<(), Error> {
        share("probability_bce: target", target)
    }
}

fn share<T: Real>(what: &'static str, target: T) -> Result<(), Error> {
    if target >= T::zero() && target <= T::one() {
        return Ok(());
    }
    Err(Error::value(what, "a number within [0, 1]", target))
}

/// A formula of probabilities as a loss.
#[derive(Clone, Copy, Debug)]
struct OfProbabilities<F>(F);

impl<F: Formula<f32> + Copy> Loss<f32, ArrayRefD<f32>> for OfProbabilities<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<f32>, reduction: Reduction) -> Result<Box<dyn Op<f32> + 'a>, Error> {
        Ok(Box::new(Pointwise::with(self.0, targets, reduction)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_autograd::check;
    use ndarray::array;

    #[test]
    fn losses_on_probabilities_have_the_slopes_of_their_formulas() {
        let (p, t) =
            (array![[0.2_f64, 0.5, 0.3], [0.9, 0.05, 0.05]].into_dyn(), array![[0.0, 1.0, 0.0], [0.7, 0.3, 0.0]]);
        let t = t.into_dyn();
        check::op(&Pointwise::with(Categorical, &t, Reduction::Mean).unwrap(), std::slice::from_ref(&p)).unwrap();
        check::op(&Pointwise::with(Binary, &t, Reduction::Mean).unwrap(), std::slice::from_ref(&p)).unwrap();
        assert!(Pointwise::with(Binary, &array![1.5].into_dyn(), Reduction::Mean).is_err());
    }

    #[test]
    fn probabilities_of_nothing_are_finite() {
        assert!((Categorical.value(0, 0.0_f64, 1.0) + EPSILON.ln()).abs() < 1e-12);
        assert_eq!(Categorical.slope(0, 0.0_f64, 1.0), 0.0);
        assert!(Binary.value(0, 1.0_f64, 0.0) > 16.0 && Binary.value(0, 1.0_f64, 1.0) < 1e-6);
        assert_eq!(Binary.slope(0, 1.0_f64, 0.0), 0.0);
        assert!(Binary.slope(0, f64::NAN, 0.0).is_nan());
    }
}
