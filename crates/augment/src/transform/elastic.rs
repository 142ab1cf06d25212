//! Images stretched here and squeezed there.

use super::Range;
use crate::fill::Fill;
use crate::geometry::{self, Interpolation};
use crate::plan::Step;
use crate::{Augment, Draw, Result};

/// Displaces every pixel by a smooth random field, another for each sample.
///
/// Use it for handwriting and for tissue, whose parts move against each other; little of it, for things that are rigid.
///
/// The field is uniform noise in `[-1, 1]` at every pixel, smoothed by a Gaussian of standard deviation `sigma` pixels, times `alpha`: the
/// published rule and torchvision's (whose defaults are 50 and 5; albumentations' are 1 and 50). With them, the displacements' standard
/// deviation is `alpha / (6.1 · sigma)` pixels, here 1.6. Boxes and points move along.
///
/// ```
/// use gradwise_augment::{Augment, ElasticTransform, Image, Key, Kind, Shape};
///
/// let elastic = ElasticTransform::new((20.0, 50.0), 5.0)?;
/// let image = Image::black(Shape::interleaved(28, 28, 1), Kind::U8)?;
/// assert_eq!(elastic.apply(image.as_ref(), Key::new(1))?.shape(), image.shape());
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ElasticTransform {
    alpha: Range,
    sigma: Range,
    fill: Fill,
    interpolation: Interpolation,
}

impl ElasticTransform {
    /// Displacements of noise before smoothing, and the smoothing's standard deviation, both in pixels.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for an inverted range, an `alpha` outside `[0, 10⁶]` or a `sigma` outside `[0.1,
    /// 1000]`.
    pub fn new(alpha: impl Into<Range>, sigma: impl Into<Range>) -> Result<Self> {
        Ok(ElasticTransform {
            alpha: alpha.into().within(0.0, 1e6, "elastic", "alpha")?,
            sigma: sigma.into().within(0.1, 1e3, "elastic", "sigma")?,
            fill: Fill::BLACK,
            interpolation: Interpolation::Bilinear,
        })
    }

    /// With another fill than black.
    #[must_use]
    pub fn fill(self, fill: Fill) -> Self {
        ElasticTransform { fill, ..self }
    }

    /// With another interpolation than bilinear.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Self {
        ElasticTransform { interpolation, ..self }
    }
}

impl Augment for ElasticTransform {
    fn name(&self) -> &str {
        "elastic"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let alpha = self.alpha.draw(draw.random());
        let sigma = self.sigma.draw(draw.random());
        draw.note("elastic", &[("alpha", alpha), ("sigma", sigma)]);
        draw.push(Step::Elastic(geometry::Elastic {
            amplitude: alpha as f32,
            sigma: sigma as f32,
            interpolation: self.interpolation,
            fill: self.fill,
            key: draw.key(),
        }))
    }
}
