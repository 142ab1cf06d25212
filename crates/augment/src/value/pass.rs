//! Steps that change each pixel by itself, several in one pass over the image.
//!
//! What memory costs is paid once: a block of pixels is taken apart into planes of floating-point numbers, goes through all steps, and is put
//! together again. Bytes are rounded after every step, as they are where steps run one by one, so that results do not depend on how
//! steps are put together. A contrast needs the mean of all that the steps before it make: there a pass ends, which sums while it goes.

use super::block::{BLOCK, Place, Planes, Sums};
use super::colour::{ColourStep, LUMA};
use super::tone::linear;
use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::simd::vectorize;

/// What one pass can do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// `x ← factor · x + offset` for every channel, the offset being a share of white, kept between black and white.
    Linear {
        /// The factor.
        factor: f32,
        /// The offset.
        offset: f32,
    },
    /// A function of the first three channels.
    Colour(ColourStep),
}

impl Change {
    fn is_contrast(&self) -> bool {
        matches!(self, Change::Colour(ColourStep::Contrast { .. }))
    }

    /// Changes the first `used` planes of a block. `mean` is that of the luma, for a contrast.
    #[inline(always)]
    fn run<P: Pixel>(&self, mean: f32, used: usize, planes: &mut Planes) {
        let values = &mut planes.as_flattened_mut()[..used * BLOCK];
        match *self {
            Change::Linear { factor, offset } => values.iter_mut().for_each(|x| *x = linear::<P>(factor, offset, *x)),
            Change::Colour(ColourStep::Contrast { factor }) => {
                values.iter_mut().for_each(|x| *x = P::within(mean + factor * (*x - mean)));
            }
            Change::Colour(_) if used < 3 => (),
            Change::Colour(ColourStep::Matrix { weights, offset }) => {
                let offset = offset.map(|x| x * P::WHITE);
                each_pixel(
                    planes,
                    #[inline(always)]
                    |[r, g, b]| {
                        let of = |c: usize| {
                            let [red, green, blue] = weights[c];
                            P::within(red * r + green * g + blue * b + offset[c])
                        };
                        [of(0), of(1), of(2)]
                    },
                );
            }
            Change::Colour(ColourStep::Hue { turn }) => {
                let shift = 6.0 * (turn - turn.floor());
                let ends = [shift, shift + 2.0, shift + 4.0];
                each_pixel(
                    planes,
                    #[inline(always)]
                    |[r, g, b]| {
                        // Bytes are in range.
                        let kept = |x: f32| if P::WHITE > 1.0 { x } else { P::within(x) };
                        let [r, g, b] = hue([kept(r), kept(g), kept(b)], ends);
                        [P::within(r), P::within(g), P::within(b)]
                    },
                );
            }
        }
    }
}

/// Replaces the three values of each pixel by a function of them.
#[inline(always)]
fn each_pixel(planes: &mut Planes, f: impl Fn([f32; 3]) -> [f32; 3]) {
    let [red, green, blue] = planes;
    for i in 0..BLOCK {
        [red[i], green[i], blue[i]] = f([red[i], green[i], blue[i]]);
    }
}

/// A hue moved around, without branches: the hue in sixths of a turn from red, then each channel as a piecewise linear function of it. `ends` are
/// the places where pure red, green and blue go, the first from 0 to 6.
#[inline(always)]
fn hue([r, g, b]: [f32; 3], ends: [f32; 3]) -> [f32; 3] {
    let max = |a: f32, b: f32| if a > b { a } else { b };
    let min = |a: f32, b: f32| if a < b { a } else { b };
    let (value, least) = (max(r, max(g, b)), min(r, min(g, b)));
    let chroma = value - least;
    // A chroma that is not normal has no reciprocal, and no hue.
    let scale = if chroma > f32::MIN_POSITIVE { 1.0 / chroma } else { 0.0 };
    let (is_red, is_green) = (value == r, value == g);
    let difference = if is_green { b - r } else { r - g };
    let difference = if is_red { g - b } else { difference };
    let from = if is_green { ends[1] } else { ends[2] };
    let from = if is_red { ends[0] } else { from };
    // From -1 to 11, and then once around at most.
    let sixths = difference * scale + from;
    let sixths = if sixths < 0.0 { sixths + 6.0 } else { sixths };
    let sixths = if sixths < 6.0 { sixths } else { sixths - 6.0 };
    let unit = |x: f32| if x > 0.0 { if x < 1.0 { x } else { 1.0 } } else { 0.0 };
    [
        value - chroma * unit(2.0 - (sixths - 3.0).abs()),
        value - chroma * unit((sixths - 2.0).abs() - 1.0),
        value - chroma * unit((sixths - 4.0).abs() - 1.0),
    ]
}

/// Runs changes one after the other on an image, or on what is read of `from` into it.
pub(crate) fn run<P: Pixel>(changes: &[Change], from: Option<&[P]>, mut image: FrameMut<'_, P>) {
    vectorize(
        #[inline(always)]
        || {
            let shape = image.shape;
            let used = if shape.channels < 3 { 1 } else { 3 };
            let mut from = from;
            if used != shape.channels {
                if let Some(from) = from.take() {
                    image.data.copy_from_slice(from);
                }
                others(changes, used, image.reborrow());
            }
            let (mut start, mut mean) = (0, None);
            loop {
                // From the contrast whose mean is known to before the next one.
                let next = start + usize::from(mean.is_some());
                let end = changes[next..].iter().position(Change::is_contrast).map_or(changes.len(), |n| next + n);
                let part = &changes[start..end];
                let measures = end < changes.len();
                let sums = pass(part, mean.unwrap_or(0.0), measures, used, from, image.reborrow());
                if !part.is_empty() {
                    from = None;
                }
                if !measures {
                    break;
                }
                let weights = if used == 3 { LUMA } else { [1.0, 0.0, 0.0] };
                let sum: f64 = sums.iter().zip(weights).map(|(sum, weight)| sum * f64::from(weight)).sum();
                (start, mean) = (end, Some((sum / (shape.height * shape.width) as f64) as f32));
            }
        },
    );
}

/// The channels that colours are none of: alpha, say.
#[inline(always)]
fn others<P: Pixel>(changes: &[Change], used: usize, image: FrameMut<'_, P>) {
    let of = |value: &mut P| {
        for change in changes {
            if let Change::Linear { factor, offset } = *change {
                *value = P::from_f32(linear::<P>(factor, offset, value.to_f32()));
            }
        }
    };
    let (step, plane) = (image.shape.step(), image.shape.plane());
    if step == 1 {
        image.data[used * plane..].iter_mut().for_each(of);
    } else {
        image.data.chunks_exact_mut(step).flat_map(|pixel| &mut pixel[used..]).for_each(of);
    }
}

/// Changes without a mean to find between them, and the sums of what they leave, if it is measured. Without any change, nothing is written.
#[inline(always)]
fn pass<P: Pixel>(
    changes: &[Change],
    mean: f32,
    measures: bool,
    used: usize,
    from: Option<&[P]>,
    image: FrameMut<'_, P>,
) -> [f64; 3] {
    let shape = image.shape;
    let pixels = shape.height * shape.width;
    let mut planes: Planes = [[0.0; BLOCK]; 3];
    let mut sums = Sums::default();
    for start in (0..pixels).step_by(BLOCK) {
        let block = Place { shape, start, n: BLOCK.min(pixels - start) };
        block.read(from.unwrap_or(image.data), used, &mut planes);
        for change in changes {
            change.run::<P>(mean, used, &mut planes);
        }
        if measures {
            sums.add(&planes, block.n);
        }
        if !changes.is_empty() {
            block.write(&planes, used, image.data);
        }
    }
    sums.total()
}

#[cfg(test)]
mod tests {
    #[test]
    fn hues_go_around() {
        let hue = |rgb, turn: f32| {
            let shift = 6.0 * (turn - turn.floor());
            super::hue(rgb, [shift, shift + 2.0, shift + 4.0])
        };
        let close = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        let orange = [1.0, 0.5, 0.25];
        assert!(close(hue(orange, 0.0), orange));
        assert!(close(hue([1.0, 0.0, 0.0], 0.5), [0.0, 1.0, 1.0]));
        assert!(close(hue(orange, 1.0 / 3.0), [0.25, 1.0, 0.5]));
        assert!(close(hue(hue(orange, 0.3), -0.3), orange));
        assert_eq!(hue([0.4; 3], 0.3), [0.4; 3]);
        assert!(
            hue([1e-40, 0.0, 5e-41], 0.3).iter().all(|x| (0.0..=1e-40).contains(x)),
            "a chroma without a reciprocal"
        );
        // Once around in twelfths, the six pure colours and those between.
        let wheel = |i: i32| {
            let near = |place: f32| (i.rem_euclid(12) as f32 / 2.0 - place).abs();
            [near(3.0) - 1.0, 2.0 - near(2.0), 2.0 - near(4.0)].map(|x| x.clamp(0.0, 1.0))
        };
        for from in 0..12 {
            for by in -12..=12 {
                let got = hue(wheel(from), by as f32 / 12.0);
                assert!(close(got, wheel(from + by)), "{from} by {by}: {got:?}");
            }
        }
    }
}
