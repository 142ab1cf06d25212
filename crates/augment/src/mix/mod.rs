//! Samples of a batch mixed with one another, and their labels with them.

mod choice;
mod cut_mix;
mod labels;
mod mix_up;
mod mixing;
mod partner;
mod sometimes;

pub use choice::MixChoice;
pub use cut_mix::CutMix;
pub use labels::{Share, soft_labels};
pub use mix_up::MixUp;
pub use mixing::{Mixed, Mixing, Rectangle};
pub use partner::Partner;

use crate::{Key, Random, Result, Shape};
use rand_distr::{Beta, Distribution};
use std::fmt::Debug;
use std::sync::Arc;

/// A random way to mix the samples of a batch.
///
/// Like [`Augment`](crate::Augment), it only draws; the [`Mixing`] that comes of it is data, which is run on images and labels, and again
/// on others. Its keys are those of [batches](Key::batch), as [`MixUp`]'s example has them.
pub trait Mix: Send + Sync + Debug {
    /// Its name, for errors.
    fn name(&self) -> &str;

    /// Draws for a batch of `n` images of a shape, into a mixing that was used before, whose memory is used again.
    ///
    /// # Errors
    /// For images that it cannot work on.
    fn draw_into(&self, n: usize, shape: Shape, key: Key, mixing: &mut Mixing) -> Result<()>;

    /// Draws for a batch of `n` images of a shape.
    ///
    /// # Errors
    /// As [`Mix::draw_into`].
    fn draw(&self, n: usize, shape: Shape, key: Key) -> Result<Mixing> {
        let mut mixing = Mixing::default();
        self.draw_into(n, shape, key, &mut mixing)?;
        Ok(mixing)
    }
}

macro_rules! forward {
    ($($t:ty),*) => {$(
        impl<M: Mix + ?Sized> Mix for $t {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn draw_into(&self, n: usize, shape: Shape, key: Key, mixing: &mut Mixing) -> Result<()> {
                (**self).draw_into(n, shape, key, mixing)
            }
        }
    )*};
}
forward!(&M, Box<M>, Arc<M>);

/// The places in a key of a mix that different things are drawn from.
const SHARE: u64 = 0;
const PLACE: u64 = 1;
const PARTNERS: u64 = 2;
const CHOICE: u64 = 3;
const FIRST: u64 = 4;
const SECOND: u64 = 5;

/// A checked `alpha` of Beta's distribution.
fn check_alpha(alpha: f64, transform: &str) -> Result<f64> {
    Ok(crate::Range::from(alpha).within(1e-3, 1e3, transform, "alpha")?.low)
}

/// What is drawn from `Beta(alpha, alpha)` for a checked `alpha`.
fn share(alpha: f64, random: &mut Random) -> f64 {
    let drawn = Beta::new(alpha, alpha).map_or(f64::NAN, |beta| beta.sample(random));
    // With a small `alpha` nearly all draws are 0 or 1, and the method of sampling may come to 0 / 0 there.
    if drawn.is_finite() { drawn.clamp(0.0, 1.0) } else { f64::from(u8::from(random.chance(0.5))) }
}
