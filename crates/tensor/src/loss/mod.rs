//! Losses as single operations, from predictions to the number that is minimized.
//!
//! | loss of a sample | operation | for training loops |
//! |---|---|---|
//! | cross-entropy of logits and classes (or distributions) | [`SoftmaxCrossEntropy`] | [`CrossEntropyLoss`] |
//! | binary cross-entropy of logits, several labels a sample | [`BinaryCrossEntropyWithLogits`] | [`BceWithLogitsLoss`] |
//! | squared error | [`MeanSquaredError`] | [`MseLoss`] |
//! | absolute error | [`MeanAbsoluteError`] | [`MaeLoss`] |
//! | Huber's: squared near zero, absolute beyond | [`Huber`] | [`HuberLoss`] |
//! | any other that is a mean over elements | [`Pointwise`] over a [`Formula`] | |
//!
//! A loss of this module first is one number for each sample; the reduction then takes their mean, their sum, or leaves them as they
//! are. A sample's loss over several elements is their mean, so `Sum` adds up the samples' means, `Mean` is `Sum` over the number of
//! samples, and both hold whatever parts a batch is computed in.

mod cross_entropy;
mod formula;
mod pointwise;
mod reduce;
mod traits;

pub use cross_entropy::{SoftmaxCrossEntropy, Targets};
pub use formula::{AbsoluteError, Formula, HuberError, Logistic, SquaredError, WeightedLogistic};
pub use pointwise::{
    BinaryCrossEntropyWithLogits, Huber, MeanAbsoluteError, MeanSquaredError, Pointwise,
    WeightedBinaryCrossEntropyWithLogits,
};
pub use traits::{BceWithLogitsLoss, CrossEntropyLoss, HuberLoss, MaeLoss, MseLoss};
