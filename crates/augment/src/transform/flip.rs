//! Flips and quarter turns.

use super::range::probability;
use crate::geometry::Symmetry;
use crate::plan::Step;
use crate::{Augment, Draw, Result};

/// Flips each sample, or not, with a probability: exact, whatever the type.
///
/// Use it where the mirrored picture is as likely as the picture: photographs of most things from left to right; aerial and microscopic images
/// in all eight ways. Not for digits, text, or anything with a right and a left hand.
///
/// ```
/// use gradwise_augment::{Augment, Flip, ImageRef, Key, Shape, Symmetry};
///
/// let image = ImageRef::new(Shape::interleaved(1, 3, 1), &[1_u8, 2, 3])?;
/// assert_eq!(Flip::horizontal(1.0)?.apply(image, Key::new(0))?.as_u8(), Some(&[3, 2, 1][..]));
/// let quarter_turns = Flip::of(&[Symmetry::Clockwise, Symmetry::Counterclockwise], 0.5)?;
/// # let _ = quarter_turns;
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Flip {
    symmetries: Vec<Symmetry>,
    probability: f64,
}

impl Flip {
    /// One of some symmetries, all equally likely, with a probability; otherwise none.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`, or if there is no symmetry.
    pub fn of(symmetries: &[Symmetry], p: f64) -> Result<Self> {
        if symmetries.is_empty() {
            return Err(crate::Error::parameter("flip", "symmetries", "at least one", "none"));
        }
        Ok(Flip { symmetries: symmetries.to_vec(), probability: probability(p, "flip")? })
    }

    /// Left and right.
    ///
    /// # Errors
    /// As [`Flip::of`].
    pub fn horizontal(p: f64) -> Result<Self> {
        Flip::of(&[Symmetry::Horizontal], p)
    }

    /// Top and bottom.
    ///
    /// # Errors
    /// As [`Flip::of`].
    pub fn vertical(p: f64) -> Result<Self> {
        Flip::of(&[Symmetry::Vertical], p)
    }

    /// One of the eight symmetries, doing nothing among them. Height and width of the result differ where the image is not square.
    pub fn any() -> Self {
        Flip { symmetries: Symmetry::ALL.to_vec(), probability: 1.0 }
    }
}

impl Augment for Flip {
    fn name(&self) -> &str {
        "flip"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let happens = draw.random().chance(self.probability);
        let which = draw.random().below(self.symmetries.len() as u32) as usize;
        let symmetry = self.symmetries[which];
        if !happens || symmetry == Symmetry::Identity {
            return Ok(());
        }
        draw.note(name(symmetry), &[]);
        draw.push(Step::Symmetry { symmetry })
    }
}

fn name(symmetry: Symmetry) -> &'static str {
    match symmetry {
        Symmetry::Identity => "identity",
        Symmetry::Horizontal => "horizontal flip",
        Symmetry::Vertical => "vertical flip",
        Symmetry::HalfTurn => "half turn",
        Symmetry::Transpose => "transpose",
        Symmetry::Clockwise => "quarter turn clockwise",
        Symmetry::Counterclockwise => "quarter turn counterclockwise",
        Symmetry::Antitranspose => "antitranspose",
    }
}
