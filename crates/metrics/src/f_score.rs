//! Precision, recall and what joins them, over classes.

use crate::batch::own_methods;
use crate::{Average, Confusion};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// What of the classes is reported.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Which {
    All(Average),
    One(usize),
}

impl Which {
    fn name(self, what: &str) -> String {
        match self {
            Which::All(Average::Micro) => format!("micro_{what}"),
            Which::All(Average::Macro) => format!("macro_{what}"),
            Which::All(Average::Weighted) => format!("weighted_{what}"),
            Which::One(class) => format!("{what}_{class}"),
        }
    }

    fn one(class: usize, confusion: &Confusion) -> Result<Self> {
        let bound = confusion.undecided().len();
        if class < bound {
            return Ok(Which::One(class));
        }
        Err(Error::Index { op: "confusion", index: class, bound, position: 0 })
    }
}

macro_rules! class_metric {
    ($(#[$doc:meta])* $type:ident, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $type {
            which: Which,
            name: String,
            beta: f64,
            confusion: Confusion,
        }

        impl $type {
            /// Over all of `n_classes` classes.
            ///
            /// # Errors
            /// If there are none, or more than [`Confusion::MOST_CLASSES`].
            pub fn new(n_classes: usize, average: Average) -> Result<Self> {
                let which = Which::All(average);
                Ok($type { which, name: which.name($name), beta: 1.0, confusion: Confusion::new(n_classes)? })
            }

            /// Of one of `n_classes` classes, such as the positive one of two.
            ///
            /// # Errors
            /// As [`Self::new`], and if there is no such class.
            pub fn of_class(n_classes: usize, class: usize) -> Result<Self> {
                let confusion = Confusion::new(n_classes)?;
                let which = Which::one(class, &confusion)?;
                Ok($type { which, name: which.name($name), beta: 1.0, confusion })
            }

            /// Its name in reports, such as
            #[doc = concat!("`macro_", $name, "`.")]
            pub fn name(&self) -> &str {
                &self.name
            }

            /// What was counted.
            pub fn confusion(&self) -> &Confusion {
                &self.confusion
            }

            /// Forgets all samples.
            pub fn reset(&mut self) {
                self.confusion.reset();
            }
        }

        impl<T: Real> Metric<T, [usize]> for $type {
            own_methods!();

            fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
                self.confusion.update(predictions, targets, weights)
            }
        }
    };
}

class_metric! {
    /// How many of the samples that were taken for a class are of it: `P = TP / (TP + FP)`.
    ///
    /// Use it where a false alarm is dear. Predictions are scores `[N, classes]`, targets class indices; see [`Confusion`] for ties and
    /// NaN, and [`Confusion::precision_by`] for the averages. For yes-or-no answers of one score see
    /// [`BinaryConfusion`](crate::BinaryConfusion).
    ///
    /// ```
    /// use gradwise_metrics::{Average, Metric, Precision};
    /// use ndarray::array;
    ///
    /// let mut precision = Precision::new(2, Average::Macro)?;
    /// precision.update(&array![[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]].into_dyn(), &[0, 1, 1][..], None)?;
    /// assert_eq!((precision.name(), precision.value()), ("macro_precision", (0.5 + 1.0) / 2.0));
    /// # Ok::<(), gradwise_core::Error>(())
    /// ```
    Precision, "precision"
}

class_metric! {
    /// How many of the samples of a class were recognized: `R = TP / (TP + FN)`. Its macro average is also called balanced accuracy.
    ///
    /// Use it where a miss is dear. Predictions are scores `[N, classes]`, targets class indices; see [`Confusion`] for ties and NaN, and
    /// [`Confusion::recall_by`] for the averages.
    ///
    /// ```
    /// use gradwise_metrics::{Metric, Recall};
    /// use ndarray::array;
    ///
    /// let mut recall = Recall::of_class(2, 1)?;
    /// recall.update(&array![[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]].into_dyn(), &[0, 1, 1][..], None)?;
    /// assert_eq!((recall.name(), recall.value()), ("recall_1", 0.5));
    /// # Ok::<(), gradwise_core::Error>(())
    /// ```
    Recall, "recall"
}

class_metric! {
    /// The harmonic mean of precision and recall: `F_β = (1 + β²) TP / ((1 + β²) TP + β² FN + FP)`, with β = 1 unless set.
    ///
    /// Use it where classes are of very different sizes, so that accuracy says little. Predictions are scores `[N, classes]`, targets
    /// class indices; see [`Confusion`] for ties and NaN, and [`Confusion::f_score_by`] for the averages. Source: van Rijsbergen,
    /// *Information retrieval*, 1979.
    ///
    /// ```
    /// use gradwise_metrics::{Average, FScore, Metric};
    /// use ndarray::array;
    ///
    /// let mut f1 = FScore::new(2, Average::Macro)?;
    /// f1.update(&array![[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]].into_dyn(), &[0, 1, 1][..], None)?;
    /// assert!((f1.value() - 2.0 / 3.0).abs() < 1e-12);
    /// assert!(f1.with_beta(-1.0).is_err());
    /// # Ok::<(), gradwise_core::Error>(())
    /// ```
    FScore, "f_score"
}

impl Precision {
    /// The value so far, in `[0, 1]`; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        match self.which {
            Which::All(average) => self.confusion.precision_by(average),
            Which::One(class) => self.confusion.precision(class),
        }
    }
}

impl Recall {
    /// The value so far, in `[0, 1]`; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        match self.which {
            Which::All(average) => self.confusion.recall_by(average),
            Which::One(class) => self.confusion.recall(class),
        }
    }
}

impl FScore {
    /// With recall counting β times as much as precision.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn with_beta(self, beta: f64) -> Result<Self> {
        if beta >= 0.0 && beta.is_finite() {
            return Ok(FScore { beta, ..self });
        }
        Err(Error::value("f score: beta", "a finite number of at least 0", beta))
    }

    /// The value so far, in `[0, 1]`; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        match self.which {
            Which::All(average) => self.confusion.f_score_by(average, self.beta),
            Which::One(class) => self.confusion.f_score(class, self.beta),
        }
    }
}
