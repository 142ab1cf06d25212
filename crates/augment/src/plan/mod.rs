//! What was drawn: a list of deterministic steps, and how it is run on images and what belongs to them.

pub(crate) use buffers::Scratch;
pub(crate) use run::lengthen;
mod blend;
mod buffers;
mod note;
mod run;
mod step;
mod targets;

pub use blend::{Blend, Chain};
pub use buffers::Buffers;
pub use note::Note;
pub use step::{Effect, Step};
pub use targets::BoundingBox;

use crate::image::{ImageMut, ImageRef};
use crate::{Image, Kind, Result, Shape};

/// All that a pipeline drew for one sample: replayed, it does exactly the same to another image.
///
/// A plan holds numbers and no randomness; it is data, which can be looked at, saved and edited. Consecutive geometric steps have been
/// fused into one where that leaves one interpolation instead of several.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<Note>,
}

impl Plan {
    /// An empty one: it changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What was drawn, transform by transform, as it was before steps were fused: for captions and logs.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The shape and type of the result.
    ///
    /// # Errors
    /// As the step's that cannot work on such an image.
    pub fn output(&self, shape: Shape, kind: Kind) -> Result<(Shape, Kind)> {
        self.steps.iter().try_fold((shape, kind), |(shape, kind), step| step.output(shape, kind))
    }

    /// Runs it on an image.
    ///
    /// # Errors
    /// Before any value is written, if a step cannot work on such an image.
    pub fn apply(&self, image: ImageRef<'_>) -> Result<Image> {
        let (shape, kind) = self.output(image.shape(), image.kind())?;
        let mut target = Image::black(shape, kind)?;
        self.apply_into(image, target.as_mut(), &mut Buffers::default())?;
        Ok(target)
    }

    /// Runs it on an image, into memory of the caller's. Buffers that were used before are not allocated again.
    ///
    /// # Errors
    /// As [`Plan::apply`], and if the target has another shape or type than the [output](Plan::output).
    pub fn apply_into(&self, image: ImageRef<'_>, target: ImageMut<'_>, buffers: &mut Buffers) -> Result<()> {
        run::run(&self.steps, image, target, buffers)
    }
}
