//! The metrics that recipes may name.

use crate::kinds::add_all;
use crate::set::{OnClasses, OnNumbers, Target};
use crate::{Described, Family, Kinds, RecipeError, Result};
use gradwise_core::Metric;
use gradwise_metrics::{self as metrics, Average};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family of metrics.
#[derive(Debug)]
pub enum Metrics {}

impl Family for Metrics {
    const WHAT: &'static str = "metric";
    type Built = Box<dyn Metric<f32, Target>>;
    type Site<'a> = MetricSite;
}

/// What building a metric is told of model and data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricSite {
    /// How many classes there are, if the targets are classes.
    pub n_classes: Option<usize>,
    /// How many outputs the model has; with one, two classes are told apart by its size.
    pub outputs: usize,
    /// Whether outputs are probabilities.
    pub probabilities: bool,
}

impl MetricSite {
    fn classes(&self) -> Result<usize> {
        self.n_classes.ok_or_else(|| RecipeError::value("targets that are classes", "numbers"))
    }

    fn numbers<M: Metric<f32, gradwise_core::ArrayRefD<f32>> + 'static>(
        &self,
        metric: M,
    ) -> Result<Box<dyn Metric<f32, Target>>> {
        match self.n_classes {
            None => Ok(Box::new(OnNumbers(metric))),
            Some(_) => Err(RecipeError::value("targets that are numbers", "classes")),
        }
    }
}

/// All metrics of this crate.
pub(crate) fn all() -> Kinds<Metrics> {
    add_all!(
        Kinds::new();
        Accuracy, TopK, Precision, Recall, FScore, CalibrationError, RocAuc, PrAuc, R2, MeanAbsoluteError, MeanSquaredError,
        RootMeanSquaredError,
    )
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* }
        |$self:ident, $site:pat_param| $build:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Described<Metrics> for $name {
            const KIND: &'static str = $kind;
            fn build(self, site: &MetricSite) -> Result<Box<dyn Metric<f32, Target>>> {
                let ($self, $site) = (self, site);
                $build
            }
        }
    )*};
}

fn fifteen() -> usize {
    15
}

metrics! {
    /// `accuracy`: the share of samples whose class is the one that is predicted.
    Accuracy: "accuracy" {} |_options, site| {
        site.classes()?;
        Ok(match (site.outputs, site.probabilities) {
            (1, false) => Box::new(OnClasses(metrics::BinaryAccuracy::on_logits())),
            (1, true) => Box::new(OnClasses(metrics::BinaryAccuracy::on_probabilities())),
            _ => Box::new(OnClasses(metrics::Accuracy::new())),
        })
    };
    /// `top-k`: the share of samples whose class is among the first ones that are predicted.
    TopK: "top-k" {
        /// How many.
        k: usize
    } |options, site| {
        site.classes()?;
        Ok(Box::new(OnClasses(metrics::TopK::new(options.k)?)))
    };
    /// `precision`: the share of what is predicted that is so, as a mean over classes.
    Precision: "precision" {} |_options, site| {
        Ok(Box::new(OnClasses(metrics::Precision::new(site.classes()?, Average::Macro)?)))
    };
    /// `recall`: the share of what is so that is predicted, as a mean over classes.
    Recall: "recall" {} |_options, site| {
        Ok(Box::new(OnClasses(metrics::Recall::new(site.classes()?, Average::Macro)?)))
    };
    /// `f-score`: the harmonic mean of precision and recall, as a mean over classes.
    FScore: "f-score" {} |_options, site| {
        Ok(Box::new(OnClasses(metrics::FScore::new(site.classes()?, Average::Macro)?)))
    };
    /// `calibration-error`: how far the model's confidence is from its accuracy.
    CalibrationError: "calibration-error" {
        /// Of how many ranges of confidence; 15, if it is not said.
        #[serde(default = "fifteen")]
        bins: usize
    } |options, site| {
        site.classes()?;
        Ok(match site.probabilities {
            true => Box::new(OnClasses(metrics::CalibrationError::on_probabilities(options.bins)?)),
            false => Box::new(OnClasses(metrics::CalibrationError::on_logits(options.bins)?)),
        })
    };
    /// `roc-auc`: the probability that a sample of a class is ranked above one of another.
    RocAuc: "roc-auc" {} |_options, site| {
        let n_classes = site.classes()?;
        Ok(match site.outputs {
            1 => Box::new(OnClasses(metrics::RocAuc::new())),
            _ => Box::new(OnClasses(metrics::RocAuc::one_vs_rest(n_classes, Average::Macro)?)),
        })
    };
    /// `pr-auc`: the area under precision over recall.
    PrAuc: "pr-auc" {} |_options, site| {
        let n_classes = site.classes()?;
        Ok(match site.outputs {
            1 => Box::new(OnClasses(metrics::PrAuc::new())),
            _ => Box::new(OnClasses(metrics::PrAuc::one_vs_rest(n_classes, Average::Macro)?)),
        })
    };
    /// `r2`: the share of the targets' variance that is explained.
    R2: "r2" {} |_options, site| site.numbers(metrics::R2::new());
    /// `mean-absolute-error`.
    MeanAbsoluteError: "mean-absolute-error" {} |_options, site| site.numbers(metrics::MeanAbsoluteError::new());
    /// `mean-squared-error`.
    MeanSquaredError: "mean-squared-error" {} |_options, site| site.numbers(metrics::MeanSquaredError::new());
    /// `root-mean-squared-error`.
    RootMeanSquaredError: "root-mean-squared-error" {} |_options, site| site.numbers(metrics::RootMeanSquaredError::new());
}
