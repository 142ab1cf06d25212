//! Single pixels that are lost.

use super::erase::Content;
use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::random::{Noise, WIDTH};
use crate::simd::vectorize;
use crate::{Error, Key, Result};

/// Pixels, or single values, that are lost: each with the same probability and by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dropout {
    /// The probability of each, from 0 to 1.
    pub rate: f32,
    /// Whether each value is lost by itself; otherwise pixels are, with all their channels.
    pub each_channel: bool,
    /// What takes their place.
    pub content: Content,
    /// The key of the draws that say which are lost.
    pub key: Key,
}

impl Dropout {
    /// Whether it can be run: a saved plan may say anything.
    pub(crate) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(Error::parameter("pixel dropout", "rate", "within [0, 1]", self.rate));
        }
        self.content.check("pixel dropout")
    }

    /// Pixel number `i` is lost if number `i` is below the rate, in either layout; with single values, each plane has its own numbers.
    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        let step = image.shape.step();
        vectorize(
            #[inline(always)]
            || {
                for (plane, data) in image.planes_mut().enumerate() {
                    let first = plane * step;
                    let mut content = Replacements { content: self.content, step, first, group: None };
                    let (noise, size) = if self.each_channel {
                        (Noise::new(self.key.with(first as u64)), 1)
                    } else {
                        (Noise::new(self.key), step)
                    };
                    for (i, part) in data.chunks_mut(WIDTH * size).enumerate() {
                        let numbers = noise.uniforms(i as u64);
                        // Most groups lose nothing where few pixels are lost, which a vector finds out at once.
                        let least = numbers.iter().fold(1.0_f32, |least, &x| if x < least { x } else { least });
                        if least >= self.rate {
                            continue;
                        }
                        for (j, values) in
                            part.chunks_exact_mut(size).enumerate().filter(|(j, _)| numbers[*j] < self.rate)
                        {
                            let place = (i * WIDTH + j) * size;
                            values
                                .iter_mut()
                                .enumerate()
                                .for_each(|(channel, x)| *x = P::from_f32(content.at(place + channel) * P::WHITE));
                        }
                    }
                }
            },
        );
    }
}

/// What takes the place of values of a plane, in shares of white.
struct Replacements {
    content: Content,
    step: usize,
    /// The plane's first channel.
    first: usize,
    /// The last random numbers, and which they are: values are asked for in order, so that each group is drawn once.
    group: Option<(u64, [f32; WIDTH])>,
}

impl Replacements {
    /// Of the value at a place in the plane.
    #[inline(always)]
    fn at(&mut self, place: usize) -> f32 {
        let (key, normal) = match self.content {
            Content::Colour(colour) => return colour.channel(self.first + place % self.step),
            Content::Uniform(key) => (key, false),
            Content::Normal(key) => (key, true),
        };
        let wanted = (place / WIDTH) as u64;
        let numbers = match self.group {
            Some((group, numbers)) if group == wanted => numbers,
            _ => {
                let noise = Noise::new(key.with(self.first as u64));
                let numbers = if normal { noise.normals(wanted) } else { noise.uniforms(wanted) };
                self.group = Some((wanted, numbers));
                numbers
            }
        };
        numbers[place % WIDTH]
    }
}
