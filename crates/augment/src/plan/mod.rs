//! What was drawn: a list of deterministic steps, and how it is run on images and what belongs to them.

pub(crate) use run::lengthen;
mod blend;
mod buffers;
mod note;
mod outline;
mod run;
mod spare;
mod step;
mod targets;

pub use blend::{Blend, Chain};
pub use buffers::Buffers;
pub use note::Note;
pub use step::{Effect, Step};
pub use targets::BoundingBox;

use crate::image::{ImageMut, ImageRef};
use crate::{Error, Image, Kind, Result, Shape};

/// All that a pipeline drew for one sample: replayed, it does exactly the same to another image of that size, and to what belongs to it.
///
/// A plan holds numbers and no randomness; it is data, which can be looked at, saved and edited. Consecutive geometric steps have been
/// fused into one where that leaves one interpolation instead of several.
///
/// ```
/// use gradwise_augment::{Affine, Augment, BoundingBox, Flip, GaussianNoise, Image, Key, Kind, Sequence, Shape};
///
/// let shape = Shape::interleaved(48, 64, 3);
/// let (image, mask) = (Image::black(shape, Kind::U8)?, Image::black(Shape::interleaved(48, 64, 1), Kind::U8)?);
/// let pipeline = Sequence::new()
///     .then(Flip::horizontal(0.5)?)
///     .then(Affine::rotation((-10.0, 10.0))?)
///     .then(GaussianNoise::new(0.0, 0.05)?);
///
/// // Drawn once; run on the image and on all that belongs to it.
/// let plan = pipeline.plan(shape, Kind::U8, Key::new(42).epoch(0).sample(7))?;
/// let augmented = plan.apply(image.as_ref())?;
/// let mask = plan.mask(shape, mask.as_ref())?;
/// let boxes = plan.boxes(shape, &[BoundingBox { left: 10.0, top: 5.0, right: 30.0, bottom: 25.0 }], 0.3)?;
/// // The centre of the pixel in column 12, row 8.
/// let points = plan.points(shape, &[(12.5, 8.5)])?;
/// assert_eq!((augmented.shape().width, mask.shape().width, boxes.len(), points.len()), (64, 64, 1, 1));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<Note>,
    /// Height and width of the image.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) drawn_for: Option<(usize, usize)>,
    /// Memory of what was drawn before.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) spare: spare::Spare,
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

    /// Height and width of the images that it was drawn for; `None` if it was not drawn.
    pub fn drawn_for(&self) -> Option<(usize, usize)> {
        self.drawn_for
    }

    /// Whether an image has the size that it was drawn for, as far as that matters: a translation by a tenth of the width, drawn for
    /// another width, is another translation.
    fn check_size(&self, shape: Shape) -> Result<()> {
        match self.drawn_for {
            Some((height, width))
                if (height, width) != (shape.height, shape.width) && self.steps.iter().any(Step::depends_on_size) =>
            {
                let expected = format!("an image of {height} x {width}, for which it was drawn");
                Err(Error::image("plan", expected, shape))
            }
            _ => Ok(()),
        }
    }

    /// Empties it for another draw.
    pub(crate) fn clear(&mut self) {
        self.spare.clear(&mut self.steps);
        self.notes.clear();
    }

    /// The shape and type of the result.
    ///
    /// # Errors
    /// As the step's that cannot work on such an image; [`Error::Image`] for an image of another size than the plan was drawn for, if a
    /// step holds pixels of it, as warps do (noise does not).
    pub fn output(&self, shape: Shape, kind: Kind) -> Result<(Shape, Kind)> {
        self.check_size(shape)?;
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
        self.check_size(image.shape())?;
        run::run(&self.steps, image, target, buffers)
    }
}
