//! Parts of images, and images with a margin.

use super::Range;
use crate::fill::Fill;
use crate::geometry::{Filter, Interpolation, Map, Resize, Warp};
use crate::plan::Step;
use crate::{Augment, Draw, Error, Result, Shape};

/// A piece of the plane, whole pixels from its place: beyond the image's edge lies the fill.
fn piece(left: f64, top: f64, height: usize, width: usize, fill: Fill) -> Step {
    let map = Map::translation(-left, -top);
    Step::Warp(Warp { map, height, width, interpolation: Interpolation::Nearest, fill })
}

fn check_size(height: usize, width: usize, transform: &str) -> Result<()> {
    if height == 0 || width == 0 {
        return Err(Error::parameter(transform, "size", "at least 1 x 1", format!("{height} x {width}")));
    }
    Ok(())
}

fn check_fits(shape: Shape, height: usize, width: usize, transform: &str) -> Result<()> {
    if height > shape.height || width > shape.width {
        return Err(Error::image(transform, format!("an image of at least {height} x {width}"), shape));
    }
    Ok(())
}

/// A piece of a fixed size, at a random place, of the image with a margin perhaps.
///
/// Use it to show a net, of large images, a part at a time; with a margin (4 pixels on 32 x 32, reflected) it is the classic augmentation for
/// CIFAR, a translation by whole pixels.
///
/// What any crop here cuts off is gone: a [`Pad`] or a turn after it shows its fill there.
///
/// ```
/// use gradwise_augment::{Augment, Fill, Image, Key, Kind, RandomCrop, Shape};
///
/// let crop = RandomCrop::new(32, 32)?.margin(4, Fill::Reflect);
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// assert_eq!(crop.apply(image.as_ref(), Key::new(0))?.shape(), image.shape());
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct RandomCrop {
    height: usize,
    width: usize,
    margin: usize,
    fill: Fill,
}

impl RandomCrop {
    /// Of that size, which the image must have.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size without pixels.
    pub fn new(height: usize, width: usize) -> Result<Self> {
        check_size(height, width, "random crop")?;
        Ok(RandomCrop { height, width, margin: 0, fill: Fill::BLACK })
    }

    /// With so many pixels added to each side of the image before.
    #[must_use]
    pub fn margin(self, margin: usize, fill: Fill) -> Self {
        RandomCrop { margin, fill, ..self }
    }
}

impl Augment for RandomCrop {
    fn name(&self) -> &str {
        "random crop"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let larger = |len: usize| len.saturating_add(self.margin.saturating_mul(2)).min(1 << 30);
        let (height, width) = (larger(shape.height), larger(shape.width));
        check_fits(shape.sized(height, width), self.height, self.width, "random crop")?;
        let top = f64::from(draw.random().below((height - self.height) as u32 + 1)) - self.margin as f64;
        let left = f64::from(draw.random().below((width - self.width) as u32 + 1)) - self.margin as f64;
        draw.note("random crop", &[("left", left), ("top", top)]);
        draw.push_cut(piece(left, top, self.height, self.width, self.fill))
    }
}

/// The middle of the image. Where what is left over is odd, the larger part is to the right and below.
#[derive(Clone, PartialEq, Debug)]
pub struct CenterCrop {
    height: usize,
    width: usize,
}

impl CenterCrop {
    /// Of that size, which the image must have.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size without pixels.
    pub fn new(height: usize, width: usize) -> Result<Self> {
        check_size(height, width, "center crop")?;
        Ok(CenterCrop { height, width })
    }
}

impl Augment for CenterCrop {
    fn name(&self) -> &str {
        "center crop"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        check_fits(shape, self.height, self.width, "center crop")?;
        let (left, top) = ((shape.width - self.width) / 2, (shape.height - self.height) / 2);
        draw.note("center crop", &[]);
        draw.push_cut(piece(left as f64, top as f64, self.height, self.width, Fill::BLACK))
    }
}

/// A margin around the image.
#[derive(Clone, PartialEq, Debug)]
pub struct Pad {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    fill: Fill,
}

impl Pad {
    /// So many pixels on each side.
    pub fn all(margin: usize, fill: Fill) -> Self {
        Pad::new(margin, margin, margin, margin, fill)
    }

    /// Each side by itself.
    pub fn new(left: usize, top: usize, right: usize, bottom: usize, fill: Fill) -> Self {
        Pad { left, top, right, bottom, fill }
    }
}

impl Augment for Pad {
    fn name(&self) -> &str {
        "pad"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let size = |len: usize, before: usize, after: usize| len.checked_add(before)?.checked_add(after);
        let height = size(shape.height, self.top, self.bottom);
        let width = size(shape.width, self.left, self.right);
        let (Some(height), Some(width)) = (height, width) else {
            return Err(Error::image("pad", "a margin that can be counted", shape));
        };
        shape.sized(height, width).checked_len("pad")?;
        draw.note("pad", &[]);
        draw.push(piece(-(self.left as f64), -(self.top as f64), height, width, self.fill))
    }
}

/// A random part of the image, of random proportions, brought to a fixed size: the standard augmentation for photographs (Szegedy et al.,
/// *Going deeper with convolutions*, CVPR 2015).
///
/// The area is uniform within a range of parts of the image's, the logarithm of width over height uniform within its range; ten tries are
/// made to find a part that fits, then the largest centred one of allowed proportions is taken. These are torchvision's rules and defaults,
/// except for its antialiasing: values are [bilinear](RandomResizedCrop::interpolation) between the four nearest pixels, as albumentations
/// has it. Of images that are several times as large as the result, this leaves every other pixel out:
/// [antialias](RandomResizedCrop::antialias) them.
///
/// ```
/// use gradwise_augment::{Augment, Image, Key, Kind, RandomResizedCrop, Shape};
///
/// let crop = RandomResizedCrop::new(224, 224)?.antialias(true);
/// let photo = Image::black(Shape::interleaved(600, 800, 3), Kind::U8)?;
/// assert_eq!(crop.apply(photo.as_ref(), Key::new(0))?.shape(), Shape::interleaved(224, 224, 3));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct RandomResizedCrop {
    height: usize,
    width: usize,
    area: Range,
    ratio: Range,
    interpolation: Interpolation,
    antialias: bool,
}

impl RandomResizedCrop {
    /// To that size, of 8 to 100 % of the area, between 3:4 and 4:3.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size without pixels.
    pub fn new(height: usize, width: usize) -> Result<Self> {
        check_size(height, width, "random resized crop")?;
        Ok(RandomResizedCrop {
            height,
            width,
            area: (0.08, 1.0).into(),
            ratio: (3.0 / 4.0, 4.0 / 3.0).into(),
            interpolation: Interpolation::Bilinear,
            antialias: false,
        })
    }

    /// With other parts of the area.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `(0, 1]`.
    pub fn area(self, area: impl Into<Range>) -> Result<Self> {
        Ok(RandomResizedCrop { area: area.into().within(1e-6, 1.0, "random resized crop", "area")?, ..self })
    }

    /// With other proportions, as width over height.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0.001, 1000]`.
    pub fn ratio(self, ratio: impl Into<Range>) -> Result<Self> {
        Ok(RandomResizedCrop { ratio: ratio.into().within(1e-3, 1e3, "random resized crop", "ratio")?, ..self })
    }

    /// With another interpolation.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Self {
        RandomResizedCrop { interpolation, ..self }
    }

    /// With or without antialiasing: each pixel of the part has its share in the result, as in [`ResizeTo`](crate::ResizeTo), where a part
    /// is larger than that. It costs time in proportion to the part.
    #[must_use]
    pub fn antialias(self, antialias: bool) -> Self {
        RandomResizedCrop { antialias, ..self }
    }
}

impl Augment for RandomResizedCrop {
    fn name(&self) -> &str {
        "random resized crop"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let (full_height, full_width) = (shape.height as f64, shape.width as f64);
        let random = draw.random();
        let mut part = None;
        for _ in 0..10 {
            let area = full_height * full_width * self.area.draw(random);
            let ratio = random.between(self.ratio.low.ln(), self.ratio.high.ln()).exp();
            let (width, height) = ((area * ratio).sqrt().round(), (area / ratio).sqrt().round());
            // Drawn in any case, so that each try takes as many numbers.
            let (u, v) = (random.uniform(), random.uniform());
            if part.is_none() && (1.0..=full_width).contains(&width) && (1.0..=full_height).contains(&height) {
                let place = |u: f64, free: f64| (u * (free + 1.0)).floor().min(free);
                part = Some((place(u, full_width - width), place(v, full_height - height), width, height));
            }
        }
        let (left, top, width, height) = part.unwrap_or_else(|| {
            let ratio = (full_width / full_height).clamp(self.ratio.low, self.ratio.high);
            let width = full_width.min((full_height * ratio).round()).max(1.0);
            let height = full_height.min((full_width / ratio).round()).max(1.0);
            (((full_width - width) / 2.0).floor(), ((full_height - height) / 2.0).floor(), width, height)
        });
        shape.sized(self.height, self.width).checked_len("random resized crop")?;
        draw.note("random resized crop", &[("left", left), ("top", top), ("width", width), ("height", height)]);
        if self.antialias {
            draw.push_cut(piece(left, top, height as usize, width as usize, Fill::Edge))?;
            let filter = match self.interpolation {
                Interpolation::Nearest => Filter::Nearest,
                Interpolation::Bilinear => Filter::Bilinear,
                Interpolation::Bicubic => Filter::Bicubic,
            };
            return draw.push(Step::Resize(Resize { height: self.height, width: self.width, filter, antialias: true }));
        }
        let map =
            Map::translation(-left, -top).then(Map::scaling(self.width as f64 / width, self.height as f64 / height));
        draw.push_cut(Step::Warp(Warp {
            map,
            height: self.height,
            width: self.width,
            interpolation: self.interpolation,
            // A part of the image needs no fill but at its edge.
            fill: Fill::Edge,
        }))
    }
}
