//! One of two mixes for each batch.

use super::mixing::Mixing;
use super::{CHOICE, CutMix, FIRST, Mix, MixUp, SECOND};
use crate::transform::probability;
use crate::{Key, Random, Result, Shape};

/// For each batch mixup or cutmix, or neither.
///
/// Use it as timm's recipes do: both help, and half of the batches each is better than one alone.
///
/// ```
/// use gradwise_augment::{CutMix, Key, Mix, MixChoice, MixUp, Shape};
///
/// let choice = MixChoice::new(MixUp::new(0.8)?, CutMix::new(1.0)?, 0.5)?;
/// let shape = Shape::interleaved(32, 32, 3);
/// let n_cut = (0..100).filter(|&step| {
///     let mixing = choice.draw(64, shape, Key::new(1).epoch(0).batch(step)).unwrap();
///     mixing.samples()[0].pasted.is_some()
/// });
/// assert!((30..70).contains(&n_cut.count()));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct MixChoice {
    mix_up: MixUp,
    cut_mix: CutMix,
    cut: f64,
    p: f64,
}

impl MixChoice {
    /// Cutmix with probability `cut`, otherwise mixup.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn new(mix_up: MixUp, cut_mix: CutMix, cut: f64) -> Result<Self> {
        Ok(MixChoice { mix_up, cut_mix, cut: share_of_cuts(cut)?, p: 1.0 })
    }

    /// With the probability that a batch is mixed at all.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn with_probability(self, p: f64) -> Result<Self> {
        Ok(MixChoice { p: probability(p, "mix choice")?, ..self })
    }
}

/// A probability that is told by its name, as there are two of them.
fn share_of_cuts(cut: f64) -> Result<f64> {
    Ok(crate::Range::from(cut).within(0.0, 1.0, "mix choice", "cut")?.low)
}

impl Mix for MixChoice {
    fn name(&self) -> &str {
        "mix choice"
    }

    fn draw_into(&self, n: usize, shape: Shape, key: Key, mixing: &mut Mixing) -> Result<()> {
        let mut random: Random = key.with(CHOICE).random();
        let (happens, cuts) = (random.chance(self.p), random.chance(self.cut));
        if !happens {
            shape.checked_len(self.name())?;
            mixing.leave(n, shape)
        } else if cuts {
            self.cut_mix.draw_into(n, shape, key.with(SECOND), mixing)
        } else {
            self.mix_up.draw_into(n, shape, key.with(FIRST), mixing)
        }
    }
}
