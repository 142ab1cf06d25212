//! Parameters that are trained differently from the others.

use crate::check;
use gradwise_core::{PathPattern, Result};

/// Some of a model's parameters, with the factors that apply to them.
///
/// Parameters are chosen by a pattern over their paths. `*` stands for any text within one name, `**` for any number of whole names:
///
/// | pattern | chooses |
/// |---|---|
/// | `head.weight` | that one parameter |
/// | `encoder.**` | everything in `encoder`, at any depth |
/// | `**.bias` | biases at any depth |
/// | `*.bias` | biases of the model's own layers, not of layers in layers |
/// | `blocks.*.conv*.weight` | the weights of every block's convolutions |
///
/// **Every group that a parameter is in applies to it**: factors are multiplied, and it is frozen if one of them says so. So "no decay on
/// biases" and "a tenth of the rate in the encoder" are two groups, and both hold for the encoder's biases. A pattern that chooses no
/// parameter at all is reported as an error when the optimizer first sees the model: it is a typing error more often than not.
///
/// ```
/// use gradwise_optim::{Adam, Constant, Group, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Adam::default(), Constant::new(1e-3)?)
///     .weight_decay(1e-4)?
///     .group(Group::matching("encoder.**")?.learning_rate_times(0.1)?)
///     .group(Group::matching("**.bias")?.weight_decay_times(0.0)?)
///     .group(Group::matching("embedding.**")?.frozen());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    pub(crate) pattern: PathPattern,
    max_axes: Option<usize>,
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    pub(crate) frozen: bool,
}

impl Group {
    /// The parameters whose path a pattern matches.
    ///
    /// # Errors
    /// If the pattern is malformed: an empty name, or `**` within one.
    pub fn matching(pattern: &str) -> Result<Self> {
        Ok(Group::new(PathPattern::new("group: pattern", pattern)?, None))
    }

    /// The parameters with at most one axis: biases, and the scales and shifts of normalizations.
    pub fn vectors() -> Self {
        Group::new(PathPattern::all(), Some(1))
    }

    fn new(pattern: PathPattern, max_axes: Option<usize>) -> Self {
        Group { pattern, max_axes, learning_rate: 1.0, weight_decay: 1.0, frozen: false }
    }

    /// Multiplies the learning rate.
    ///
    /// # Errors
    /// If the factor is negative or not finite.
    pub fn learning_rate_times(self, factor: f64) -> Result<Self> {
        Ok(Group { learning_rate: check::not_negative("group: learning rate factor", factor)?, ..self })
    }

    /// Multiplies the weight decay.
    ///
    /// # Errors
    /// If the factor is negative or not finite.
    pub fn weight_decay_times(self, factor: f64) -> Result<Self> {
        Ok(Group { weight_decay: check::not_negative("group: weight decay factor", factor)?, ..self })
    }

    /// Takes the parameters out of training. Their gradients are left out of the gradient norm and of clipping.
    ///
    /// [`Param::freeze`](gradwise_core::Param::freeze) does so without even computing gradients; a group leaves the model alone.
    #[must_use]
    pub fn frozen(self) -> Self {
        Group { frozen: true, ..self }
    }

    /// Whether a parameter of this path and this many axes is in the group.
    pub(crate) fn has(&self, path: &str, n_axes: usize) -> bool {
        self.max_axes.is_none_or(|max| n_axes <= max) && self.pattern.matches(path)
    }
}

/// The group that takes weight decay off biases and off the scales and shifts of normalizations: everything with at most one axis.
///
/// Decay is meant to keep functions simple by small weights; it does nothing of the kind for a shift, and fights the normalization
/// for a scale.
pub fn no_decay_on_vectors() -> Group {
    Group { weight_decay: 0.0, ..Group::vectors() }
}
