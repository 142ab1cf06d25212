//! Pixels that become black or white.

use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::{Key, Random, Result, memory};

/// A number of pixels, all channels of each, set to white or black.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SaltAndPepper {
    /// How many become white.
    pub salt: usize,
    /// How many become black.
    pub pepper: usize,
    /// The key of their places.
    pub key: Key,
}

impl SaltAndPepper {
    /// Exactly as many as was said, at different places, each choice with the same probability: places are drawn until enough different
    /// ones are found, those that are left out if they are fewer.
    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>, bits: &mut Vec<u64>) -> Result<()> {
        let shape = image.shape;
        let pixels = shape.height * shape.width;
        let chosen = self.salt.saturating_add(self.pepper).min(pixels);
        let salt = self.salt.min(chosen);
        let mut random = self.key.random();
        // More pixels than 32 bits can count take more bits.
        let below = |random: &mut Random, n: usize| match u32::try_from(n) {
            Ok(n) => random.below(n) as usize,
            Err(_) => ((random.uniform() * n as f64) as usize).min(n - 1),
        };
        let (step, plane) = (shape.step(), shape.plane());
        let mut set = |place: usize, value: P| {
            for start in (0..image.data.len()).step_by(plane) {
                image.data[start + place * step..][..step].fill(value);
            }
        };
        let (white, black) = (P::from_f32(P::WHITE), P::from_f32(0.0));
        bits.clear();
        memory::resize(bits, pixels.div_ceil(64), "salt and pepper")?;
        let take = |bits: &mut Vec<u64>, place: usize| {
            let (word, bit) = (place / 64, 1 << (place % 64));
            let free = bits[word] & bit == 0;
            bits[word] |= bit;
            free
        };
        if chosen <= pixels / 2 {
            let mut n = 0;
            while n < chosen {
                let place = below(&mut random, pixels);
                if take(bits, place) {
                    set(place, if n < salt { white } else { black });
                    n += 1;
                }
            }
        } else {
            let mut left_out = pixels - chosen;
            while left_out > 0 {
                left_out -= usize::from(take(bits, below(&mut random, pixels)));
            }
            // Of the places that are chosen, which are salt: each with the probability that is left (Knuth, algorithm S).
            let (mut salt, mut rest) = (salt, chosen);
            for place in 0..pixels {
                if bits[place / 64] >> (place % 64) & 1 == 0 {
                    let is_salt = below(&mut random, rest) < salt;
                    set(place, if is_salt { white } else { black });
                    salt -= usize::from(is_salt);
                    rest -= 1;
                }
            }
        }
        Ok(())
    }
}
