//! The steps of a plan.

use super::Blend;
use super::buffers::Scratch;
use crate::filter::LocalFilter;
use crate::frame::{Frame, FrameMut};
use crate::geometry::{Elastic, Filter, Interpolation, Resize, Symmetry, Warp};
use crate::image::{ImageMut, Value};
use crate::noise::{AddNoise, Photons, SaltAndPepper};
use crate::value::pass::{self, Change};
use crate::value::{ColourStep, Dropout, Erase, Grid, Levels, Normalize, Tone};
use crate::{Colour, Error, Fill, Key, Kind, Result, Shape};
use std::fmt::Debug;
use std::sync::Arc;

/// A deterministic operation on an image: what a transform's draw comes to.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "step", rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Step {
    /// A flip or quarter turn, exact.
    Symmetry {
        /// Which.
        symmetry: Symmetry,
    },
    /// A resampling along a map.
    Warp(Warp),
    /// Every pixel a little aside.
    Elastic(Elastic),
    /// Another size.
    Resize(Resize),
    /// Each channel brought to another mean and scale, as floating-point values.
    Normalize(Normalize),
    /// Noise that is added or multiplied.
    Noise(AddNoise),
    /// Noise of counted light.
    Photons(Photons),
    /// Pixels that become black or white.
    SaltAndPepper(SaltAndPepper),
    /// A rectangle that is lost.
    Erase(Erase),
    /// Squares that are lost, on a grid.
    Grid(Grid),
    /// Single pixels that are lost.
    Dropout(Dropout),
    /// A function of each value.
    Tone {
        /// Which.
        tone: Tone,
    },
    /// A function of each pixel's channels.
    Colour {
        /// Which.
        colour: ColourStep,
    },
    /// A function of each value and the image's histogram.
    Levels {
        /// Which.
        levels: Levels,
    },
    /// A function of the values around each value.
    Filter(LocalFilter),
    /// A compression.
    #[cfg(feature = "jpeg")]
    Jpeg(crate::value::Jpeg),
    /// The image mixed with what other steps make of it.
    Blend(Blend),
    /// A user's own operation. It cannot be saved: a saved plan has none.
    #[cfg_attr(feature = "serde", serde(skip))]
    Effect {
        /// The operation.
        effect: Arc<dyn Effect>,
        /// The key of what it draws.
        key: Key,
    },
}

/// A user's own operation on the values of an image, in place.
///
/// Implement it for what the steps of this crate cannot express; where they can, a transform that [pushes](crate::Draw::push) them is
/// shorter, and can be saved.
pub trait Effect: Send + Sync + Debug {
    /// Its name, for notes and errors.
    fn name(&self) -> &str;

    /// Changes the values. All that is random must come from the key.
    ///
    /// # Errors
    /// Whatever the operation's are; what is then left in the image is not used.
    fn apply(&self, image: ImageMut<'_>, key: Key) -> Result<()>;
}

impl Step {
    /// Its name, for errors; a user's operation has its own.
    pub fn name(&self) -> &str {
        match self {
            Step::Symmetry { .. } => "symmetry",
            Step::Warp(_) => "warp",
            Step::Elastic(_) => "elastic",
            Step::Resize(_) => "resize",
            Step::Normalize(_) => "normalize",
            Step::Noise(_) => "noise",
            Step::Photons(_) => "shot noise",
            Step::SaltAndPepper(_) => "salt and pepper",
            Step::Erase(_) => "erase",
            Step::Grid(_) => "grid",
            Step::Tone { .. } => "tone",
            Step::Colour { .. } => "colour",
            Step::Levels { .. } => "levels",
            Step::Filter(_) => "filter",
            #[cfg(feature = "jpeg")]
            Step::Jpeg(_) => "jpeg",
            Step::Blend(_) => "blend",
            Step::Dropout(_) => "pixel dropout",
            Step::Effect { effect, .. } => effect.name(),
        }
    }

    /// The shape and type of the result.
    ///
    /// # Errors
    /// [`Error::Image`] for an image that the step cannot work on; [`Error::Parameter`] for
    /// numbers that it cannot work with, such as NaN: a step may have been read from a file.
    pub fn output(&self, shape: Shape, kind: Kind) -> Result<(Shape, Kind)> {
        // As far as points are told apart.
        let countable = |name: &str| match shape.width.max(shape.height) {
            0..=0x100_0000 => Ok(()),
            _ => Err(Error::image(name, "at most 2^24 pixels a side", shape)),
        };
        match self {
            Step::Symmetry { symmetry } => Ok((symmetry.shape(shape), kind)),
            Step::Warp(warp) => {
                countable("warp")?;
                warp.check(shape)?;
                Ok((shape.sized(warp.height, warp.width), kind))
            }
            Step::Resize(resize) => {
                let target = shape.sized(resize.height, resize.width);
                target.checked_len("resize")?;
                Ok((target, kind))
            }
            Step::Elastic(elastic) => {
                elastic.check()?;
                countable("elastic")?;
                Ok((shape, kind))
            }
            Step::Normalize(normalize) => {
                normalize.check(shape)?;
                Ok((shape, Kind::F32))
            }
            Step::Noise(noise) => noise.check().map(|()| (shape, kind)),
            Step::Photons(photons) => photons.check().map(|()| (shape, kind)),
            Step::Erase(erase) => erase.check().map(|()| (shape, kind)),
            Step::Grid(grid) => grid.colour.check("grid").map(|()| (shape, kind)),
            Step::Dropout(dropout) => dropout.check().map(|()| (shape, kind)),
            Step::Tone { tone } => tone.check().map(|()| (shape, kind)),
            Step::Colour { colour } => colour.check().map(|()| (shape, kind)),
            Step::Levels { levels } => levels.check().map(|()| (shape, kind)),
            #[cfg(feature = "jpeg")]
            Step::Jpeg(jpeg) => jpeg.check(shape).map(|()| (shape, kind)),
            Step::Blend(blend) => blend.check(shape, kind).map(|()| (shape, kind)),
            Step::Filter(filter) => filter.check(shape).map(|()| (shape, kind)),
            Step::SaltAndPepper(_) | Step::Effect { .. } => Ok((shape, kind)),
        }
    }

    /// Whether it changes values where they lie; otherwise it reads one image and writes another.
    pub(super) fn is_in_place(&self) -> bool {
        !self.is_geometric() && !matches!(self, Step::Filter(_) | Step::Blend(_))
    }

    /// Whether it moves pixels. Otherwise it changes values, and leaves masks, boxes and points as they are.
    pub(super) fn is_geometric(&self) -> bool {
        matches!(self, Step::Symmetry { .. } | Step::Warp(_) | Step::Elastic(_) | Step::Resize(_))
    }

    /// Whether it holds numbers of pixels, which mean something else in an image of another size.
    pub(super) fn depends_on_size(&self) -> bool {
        match self {
            Step::Warp(_) | Step::Resize(_) | Step::Erase(_) | Step::SaltAndPepper(_) => true,
            Step::Blend(blend) => blend.chains.iter().flat_map(|chain| &chain.steps).any(Step::depends_on_size),
            _ => false,
        }
    }

    /// Whether it computes with values, which must then be finite.
    pub(super) fn computes(&self) -> bool {
        !matches!(self, Step::Symmetry { .. })
    }

    /// Whether it makes floating-point values of bytes.
    pub(super) fn makes_floats(&self) -> bool {
        matches!(self, Step::Normalize(_))
    }

    /// The step that does, on bytes.
    pub(super) fn floats(&self, source: Frame<'_, u8>, target: FrameMut<'_, f32>) {
        match self {
            Step::Normalize(normalize) => normalize.floats(source, target),
            _ => unreachable!("it keeps the type"),
        }
    }

    /// What it is to a [pass](pass::run), if it changes each pixel by itself and can share one with others.
    fn change(&self) -> Option<Change> {
        match *self {
            Step::Tone { tone: Tone::Linear { factor, offset } } => Some(Change::Linear { factor, offset }),
            Step::Colour { colour } => Some(Change::Colour(colour)),
            _ => None,
        }
    }

    /// Runs the first of some steps, which is in place, and those after it that share its pass: how many. What is not in the image yet is read
    /// `from` elsewhere.
    pub(super) fn in_place<P: Value>(
        steps: &[Step],
        from: Option<&[P]>,
        image: FrameMut<'_, P>,
        scratch: &mut Scratch,
    ) -> Result<usize> {
        /// Steps of a pass.
        const MOST: usize = 8;
        let mut changes = [Change::Linear { factor: 1.0, offset: 0.0 }; MOST];
        let shared = steps.iter().map_while(Step::change).take(MOST);
        let n = changes.iter_mut().zip(shared).map(|(slot, change)| *slot = change).count();
        match steps {
            // One function of each value for itself needs no colours.
            [Step::Tone { .. }, ..] if n == 1 => (),
            _ if n > 0 => {
                pass::run(&changes[..n], from, image);
                return Ok(n);
            }
            [Step::Noise(noise), ..] => {
                noise.run(from, image);
                return Ok(1);
            }
            _ => (),
        }
        if let Some(from) = from {
            image.data.copy_from_slice(from);
        }
        steps.first().map_or(Ok(()), |step| step.alone(image, scratch)).map(|()| 1)
    }

    /// A step that is in place and shares nothing.
    fn alone<P: Value>(&self, image: FrameMut<'_, P>, scratch: &mut Scratch) -> Result<()> {
        match self {
            Step::Noise(noise) => noise.run(None, image),
            Step::Photons(photons) => photons.run(image),
            Step::SaltAndPepper(noise) => return noise.run(image, &mut scratch.bits),
            Step::Erase(erase) => erase.run(image),
            Step::Grid(grid) => grid.run(image),
            Step::Dropout(dropout) => dropout.run(image),
            Step::Tone { tone } => tone.run(image),
            Step::Colour { colour } => pass::run(&[Change::Colour(*colour)], None, image),
            Step::Levels { levels } => return levels.run(image, &mut scratch.levels),
            #[cfg(feature = "jpeg")]
            Step::Jpeg(jpeg) => return jpeg.run(image, &mut scratch.jpeg),
            Step::Normalize(normalize) => normalize.run(image),
            Step::Effect { effect, key } => return effect.apply(P::image_mut(image.shape, image.data), *key),
            Step::Symmetry { .. }
            | Step::Warp(_)
            | Step::Elastic(_)
            | Step::Resize(_)
            | Step::Filter(_)
            | Step::Blend(_) => {
                unreachable!("not in place")
            }
        }
        Ok(())
    }

    /// A step that is not. Masks, for which the value of what comes in is given, are never interpolated.
    pub(super) fn across<P: Value>(
        &self,
        mask: Option<Colour>,
        source: Frame<'_, P>,
        target: FrameMut<'_, P>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let sampling = |fill: Fill, interpolation: Interpolation| match (mask, fill) {
            (Some(outside), Fill::Constant(_)) => (Fill::Constant(outside), Interpolation::Nearest),
            (Some(_), _) => (fill, Interpolation::Nearest),
            (None, _) => (fill, interpolation),
        };
        match self {
            Step::Symmetry { symmetry } => symmetry.run(source, target),
            Step::Warp(warp) => {
                let (fill, interpolation) = sampling(warp.fill, warp.interpolation);
                Warp { fill, interpolation, ..*warp }.run(source, target, &mut scratch.warp);
            }
            Step::Elastic(elastic) => {
                let (fill, interpolation) = sampling(elastic.fill, elastic.interpolation);
                let elastic = Elastic { fill, interpolation, ..*elastic };
                return elastic.run(source, target, &mut scratch.field, &mut scratch.warp);
            }
            Step::Resize(resize) => {
                let filter = if mask.is_some() { Filter::Nearest } else { resize.filter };
                return Resize { filter, ..*resize }.run(source, target, &mut scratch.resize);
            }
            Step::Filter(filter) => return filter.run(source, target, &mut scratch.filter),
            Step::Blend(blend) => return blend.run(source, target, &mut scratch.blend),
            _ => unreachable!("in place"),
        }
        Ok(())
    }
}
