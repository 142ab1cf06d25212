//! Losses as single operations, from predictions to the number that is minimized.
//!
//! | loss of a sample | operation | for training loops |
//! |---|---|---|
//! | cross-entropy of logits and classes (or distributions) | [`SoftmaxCrossEntropy`] | [`CrossEntropyLoss`] |
//! | binary cross-entropy of logits, several labels a sample | [`BinaryCrossEntropyWithLogits`] | [`BceWithLogitsLoss`] |
//! | squared error | [`MeanSquaredError`] | [`MseLoss`] |
//! | absolute error | [`MeanAbsoluteError`] | [`MaeLoss`] |
//! | Huber's: squared near zero, absolute beyond | [`Huber`] | [`HuberLoss`] |
//! | focal, of classes | [`Focal`] | [`FocalLoss`] |
//! | focal, several labels a sample | [`BinaryFocal`] | [`BinaryFocalLoss`] |
//! | hinge, of targets -1 and 1 | [`HingeError`] | [`HingeLoss`] |
//! | hinge, of classes | [`MultiMargin`] | [`MultiMarginLoss`] |
//! | Kullback-Leibler divergence of log-probabilities | [`Divergence`] | [`KlDivLoss`] |
//! | cosine of the angle to a target vector | | [`CosineSimilarityLoss`] |
//! | cosine of the angle between two inputs | [`CosineEmbedding`] | |
//! | anchor, positive and negative: triplets | [`TripletMargin`] | |
//! | any other over elements | [`Pointwise`] over a [`Formula`] | |
//! | any other over rows | [`Rowwise`] over a [`RowFormula`] | |
//!
//! A loss of this module first is one number for each sample; the reduction then takes their mean, their sum, or leaves them as they
//! are. A sample's loss over several elements is their mean, so `Sum` adds up the samples' means, `Mean` is `Sum` over the number of
//! samples, and both hold whatever parts a batch is computed in.

mod cross_entropy;
mod divergence;
mod focal;
mod formula;
mod hinge;
mod pointwise;
mod reduce;
mod rowwise;
mod similarity;
mod traits;

pub use cross_entropy::{SoftmaxCrossEntropy, Targets};
pub use divergence::{Divergence, KlDivLoss};
pub use focal::{BinaryFocal, BinaryFocalLoss, Focal, FocalLoss};
pub use formula::{AbsoluteError, Formula, HuberError, Logistic, SquaredError, WeightedLogistic};
pub use hinge::{HingeError, HingeLoss, MultiMargin, MultiMarginLoss};
pub use pointwise::{
    BinaryCrossEntropyWithLogits, Huber, MeanAbsoluteError, MeanSquaredError, Pointwise,
    WeightedBinaryCrossEntropyWithLogits,
};
pub use rowwise::{RowFormula, Rowwise};
pub use similarity::{CosineDistance, CosineEmbedding, CosineSimilarityLoss, Triplet, TripletMargin};
pub use traits::{BceWithLogitsLoss, CrossEntropyLoss, HuberLoss, MaeLoss, MseLoss};
