//! Images of floating-point values for a network.

use crate::plan::Step;
use crate::{Augment, Draw, Normalize, Result};

/// The last transform of a pipeline, as a rule: it draws nothing, and changes the type of bytes.
///
/// Noise that was asked for in shares of white belongs before it.
///
/// ```
/// use gradwise_augment::{Augment, ImageRef, Key, Normalize, Shape};
///
/// let normalize = Normalize::new(&[0.5], &[0.25])?;
/// let image = ImageRef::new(Shape::interleaved(1, 3, 1), &[0_u8, 51, 255])?;
/// let normalized = normalize.apply(image, Key::new(0))?;
/// let expected = [-2.0, -1.2, 2.0];
/// assert!(normalized.as_f32().is_some_and(|x| x.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6)));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
impl Augment for Normalize {
    fn name(&self) -> &str {
        "normalize"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        draw.note("normalize", &[]);
        draw.push(Step::Normalize(self.clone()))
    }
}
