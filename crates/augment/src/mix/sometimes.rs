//! Batches that are mixed with a probability.

use super::mixing::Mixing;
use super::{CHOICE, FIRST, Mix};
use crate::{Key, Result, Shape, Sometimes};

/// ```
/// use gradwise_augment::{Key, Mix, MixUp, Shape, Sometimes};
///
/// let half = Sometimes::mix(0.5, MixUp::new(0.2)?)?;
/// let left = |step: &u64| {
///     let mixing = half.draw(8, Shape::planar(3, 32, 32), Key::new(1).with(*step)).unwrap();
///     mixing.samples().iter().all(|sample| sample.share == 1.0)
/// };
/// assert!((30..70).contains(&(0..100).filter(left).count()), "batches that are left as they are");
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
impl<M: Mix> Mix for Sometimes<M> {
    fn name(&self) -> &str {
        self.part().name()
    }

    fn draw_into(&self, n: usize, shape: Shape, key: Key, mixing: &mut Mixing) -> Result<()> {
        if key.with(CHOICE).random().chance(self.probability()) {
            self.part().draw_into(n, shape, key.with(FIRST), mixing)
        } else {
            shape.checked_len(self.part().name())?;
            mixing.leave(n, shape)
        }
    }
}
