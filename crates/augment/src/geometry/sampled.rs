//! Values between pixels, by their type: bytes by integers, floating-point numbers as they are.

use super::block::{Block, fraction};
use super::stage::Staged;
#[cfg(target_arch = "x86_64")]
use super::{rows, vectors};
use std::fmt::Debug;

/// Memory that warps work in.
#[derive(Debug, Default)]
pub struct WarpMemory {
    bytes: Lines<u8>,
    floats: Lines<f32>,
}

/// Memory for values of a type.
#[derive(Debug)]
pub struct Lines<P: Sampled> {
    /// A copy of a plane, or a row of a constant fill.
    pub(super) values: Vec<P>,
    /// A row between two others.
    pub(super) between: Vec<P::Fine>,
}

impl<P: Sampled> Default for Lines<P> {
    fn default() -> Self {
        Lines { values: Vec::new(), between: Vec::new() }
    }
}

/// What warps do with a type of values.
pub trait Sampled: Copy + Default {
    /// A part of the way from one pixel to the next, as a weight.
    type Weight: Copy;

    /// A value on the way to another, not rounded yet.
    type Fine: Copy + Default + Debug + Send;

    /// A weight of moving whole rows.
    type Share: Copy;

    /// Memory for this type.
    fn lines(memory: &mut WarpMemory) -> &mut Lines<Self>;

    /// Of a part in units of 2⁻³².
    fn weight(part: u32) -> Self::Weight;

    /// Between four pixels: two of a row, and the two below.
    fn mix(upper: [Self; 2], lower: [Self; 2], right: Self::Weight, below: Self::Weight) -> Self;

    /// The first `n` pixels of a block, each between four of the copy. Vectors may write some pixels more, where there is room for them.
    fn pixels<const STEP: usize>(staged: Staged<'_, Self>, block: &Block, n: usize, out: &mut [Self]);

    /// Of a fraction in `[0, 1)`.
    fn share(fraction: f32) -> Self::Share;

    /// Exactly this value.
    fn fine(self) -> Self::Fine;

    /// Between this value and another.
    fn toward(self, other: Self, share: Self::Share) -> Self::Fine;

    /// Between two values that are between others.
    fn between(first: Self::Fine, second: Self::Fine, share: Self::Share) -> Self;

    /// [`Sampled::toward`] for values side by side.
    #[inline(always)]
    fn all_toward(first: &[Self], second: &[Self], share: Self::Share, out: &mut [Self::Fine]) {
        each(first, second, out, |a, b| a.toward(b, share));
    }

    /// [`Sampled::between`] for values side by side.
    #[inline(always)]
    fn all_between(first: &[Self::Fine], second: &[Self::Fine], share: Self::Share, out: &mut [Self]) {
        each(first, second, out, |a, b| Self::between(a, b, share));
    }
}

impl Sampled for u8 {
    type Weight = i32;
    type Fine = i16;
    type Share = i16;

    fn lines(memory: &mut WarpMemory) -> &mut Lines<u8> {
        &mut memory.bytes
    }

    /// In 128ths.
    #[inline(always)]
    fn weight(part: u32) -> i32 {
        (((part >> 1) + (1 << 23)) >> 24).cast_signed()
    }

    /// Without rounding before the end.
    #[inline(always)]
    fn mix(upper: [u8; 2], lower: [u8; 2], right: i32, below: i32) -> u8 {
        let across = |row: [u8; 2]| i32::from(row[0]) * (128 - right) + i32::from(row[1]) * right;
        ((across(upper) * (128 - below) + across(lower) * below + (1 << 13)) >> 14) as u8
    }

    #[inline(always)]
    fn pixels<const STEP: usize>(staged: Staged<'_, u8>, block: &Block, n: usize, out: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if vectors::bytes::<STEP>(staged, block, n, out) {
            return;
        }
        one_by_one::<u8, STEP>(staged, block, n, out);
    }

    /// In 2⁻¹⁵.
    #[inline(always)]
    fn share(fraction: f32) -> i16 {
        (fraction * 32768.0 + 0.5).min(32767.0) as i16
    }

    /// In 64ths.
    #[inline(always)]
    fn fine(self) -> i16 {
        i16::from(self) << 6
    }

    /// Rounded down to a 64th: the difference is multiplied by 128 and halved again by the product's upper half.
    #[inline(always)]
    fn toward(self, other: u8, share: i16) -> i16 {
        self.fine() + upper_half((i16::from(other) - i16::from(self)) << 7, share)
    }

    /// Two values have been rounded down by half a 64th each, on average: one more than a half makes up for it.
    #[inline(always)]
    fn between(first: i16, second: i16, share: i16) -> u8 {
        ((first + upper_half((second - first) << 1, share) + 33) >> 6) as u8
    }

    #[inline(always)]
    fn all_toward(first: &[u8], second: &[u8], share: i16, out: &mut [i16]) {
        #[cfg(target_arch = "x86_64")]
        if rows::toward(first, second, share, out) {
            return;
        }
        each(first, second, out, |a, b| a.toward(b, share));
    }

    #[inline(always)]
    fn all_between(first: &[i16], second: &[i16], share: i16, out: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if rows::between(first, second, share, out) {
            return;
        }
        each(first, second, out, |a, b| u8::between(a, b, share));
    }
}

/// The upper half of a product, which is an instruction.
#[inline(always)]
fn upper_half(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

impl Sampled for f32 {
    type Weight = f32;
    type Fine = f32;
    type Share = f32;

    fn lines(memory: &mut WarpMemory) -> &mut Lines<f32> {
        &mut memory.floats
    }

    #[inline(always)]
    fn weight(part: u32) -> f32 {
        fraction(part)
    }

    #[inline(always)]
    fn mix(upper: [f32; 2], lower: [f32; 2], right: f32, below: f32) -> f32 {
        let across = |row: [f32; 2]| row[0].toward(row[1], right);
        across(upper).toward(across(lower), below)
    }

    #[inline(always)]
    fn pixels<const STEP: usize>(staged: Staged<'_, f32>, block: &Block, n: usize, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if vectors::floats::<STEP>(staged, block, n, out) {
            return;
        }
        one_by_one::<f32, STEP>(staged, block, n, out);
    }

    #[inline(always)]
    fn share(fraction: f32) -> f32 {
        fraction
    }

    #[inline(always)]
    fn fine(self) -> f32 {
        self
    }

    /// By two products, so that a share of 0 leaves the value as it is and a difference cannot overflow.
    #[inline(always)]
    fn toward(self, other: f32, share: f32) -> f32 {
        self * (1.0 - share) + other * share
    }

    #[inline(always)]
    fn between(first: f32, second: f32, share: f32) -> f32 {
        first.toward(second, share)
    }
}

/// A function of each pair of values, by pieces that are vectors; the last two may overlap.
#[inline(always)]
fn each<A: Copy, B>(first: &[A], second: &[A], out: &mut [B], f: impl Fn(A, A) -> B) {
    const PIECE: usize = 16;
    let n = out.len();
    let (first, second) = (&first[..n], &second[..n]);
    if n < PIECE {
        return piece(first, second, out, &f);
    }
    for start in (0..n - PIECE).step_by(PIECE).chain([n - PIECE]) {
        let end = start + PIECE;
        piece(&first[start..end], &second[start..end], &mut out[start..end], &f);
    }
}

#[inline(always)]
fn piece<A: Copy, B>(first: &[A], second: &[A], out: &mut [B], f: &impl Fn(A, A) -> B) {
    for ((out, a), b) in out.iter_mut().zip(first).zip(second) {
        *out = f(*a, *b);
    }
}

/// [`Sampled::pixels`] in plain code, which writes no more than it should.
fn one_by_one<P: Sampled, const STEP: usize>(staged: Staged<'_, P>, block: &Block, n: usize, out: &mut [P]) {
    for (i, out) in out.as_chunks_mut::<STEP>().0.iter_mut().take(n).enumerate() {
        let at = staged.place::<STEP>(block.x[i], block.y[i]);
        let (right, below) = (P::weight(block.fx[i]), P::weight(block.fy[i]));
        let upper = &staged.values()[at..][..2 * STEP];
        let lower = &staged.values()[at + staged.stride()..][..2 * STEP];
        for (c, out) in out.iter_mut().enumerate() {
            *out = P::mix([upper[c], upper[c + STEP]], [lower[c], lower[c + STEP]], right, below);
        }
    }
}

/// The first `n` pixels of a block whose points are pixels, as they are.
pub(super) fn whole<P: Sampled, const STEP: usize>(staged: Staged<'_, P>, block: &Block, n: usize, out: &mut [P]) {
    for (i, out) in out.as_chunks_mut::<STEP>().0.iter_mut().take(n).enumerate() {
        let at = staged.place::<STEP>(block.x[i], block.y[i]);
        out.copy_from_slice(&staged.values()[at..][..STEP]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fill::Fill;
    use crate::geometry::Map;
    use crate::geometry::block::{BLOCK, Sources};
    use crate::geometry::stage::Region;
    use crate::pixel::Pixel;
    use crate::shape::Shape;

    /// Any number of pixels of any block, with and without room after them: by vectors as one by one.
    fn vectors_agree<P: Pixel, const STEP: usize>(value: fn(usize) -> P) {
        let map = Map::rotation(31.0).then(Map::scaling(0.7, 1.3)).about(2.0, 9.0);
        let mut memory = Vec::new();
        for (height, width) in [(1, 1), (2, 3), (9, 40), (40, 7)] {
            let shape = Shape::interleaved(height, width, STEP);
            let plane: Vec<P> = (0..height * width * STEP).map(value).collect();
            let region = Region::new(&map, shape, shape.sized(40, 40), &Fill::Edge).unwrap();
            let staged = region.copy::<P, STEP>(&plane, shape, 0, &Fill::Edge, &mut memory).unwrap();
            let mut block = Block::new();
            for n in 1..=BLOCK {
                map.block(n / 2, 0, n, &mut block);
                block.fx[0] = if n % 2 == 0 { 0 } else { u32::MAX };
                block.x[n / 2] = [i32::MIN, i32::MAX][n % 2];
                let mut expected = vec![P::default(); n * STEP];
                one_by_one::<P, STEP>(staged, &block, n, &mut expected);
                for room in [0, 1, 5, 100] {
                    let mut got = vec![P::default(); n * STEP + room];
                    P::pixels::<STEP>(staged, &block, n, &mut got);
                    assert!(got[..n * STEP] == expected, "{n} pixels of {STEP} values, {room} more");
                }
            }
        }
    }

    #[test]
    fn vectors_are_what_plain_code_is() {
        let byte = |i: usize| (i * 151 % 251 + i * i % 5) as u8;
        vectors_agree::<u8, 1>(byte);
        vectors_agree::<u8, 2>(byte);
        vectors_agree::<u8, 3>(byte);
        vectors_agree::<u8, 4>(byte);
        let number = |i: usize| ((i * 151 % 251) as f32 - 100.0) / 77.0;
        vectors_agree::<f32, 1>(number);
        vectors_agree::<f32, 2>(number);
        vectors_agree::<f32, 3>(number);
        vectors_agree::<f32, 4>(number);
    }

    #[test]
    fn rows_of_bytes_are_what_single_bytes_are() {
        let byte = |i: usize| (i * 151 % 251 + i * i % 5) as u8;
        for n in 0..=70 {
            let (first, second): (Vec<u8>, Vec<u8>) = (0..n).map(|i| (byte(i), byte(i + 99))).unzip();
            for share in [0, 1, 9999, i16::MAX] {
                let mut fine = vec![0; n];
                u8::all_toward(&first, &second, share, &mut fine);
                let expected: Vec<i16> = first.iter().zip(&second).map(|(a, b)| a.toward(*b, share)).collect();
                assert_eq!(fine, expected);
                let mut bytes = vec![0; n.saturating_sub(3)];
                u8::all_between(&fine[..bytes.len()], &fine[n - bytes.len()..], share, &mut bytes);
                let pairs = fine.iter().zip(&fine[n - bytes.len()..]);
                let expected: Vec<u8> = pairs.map(|(a, b)| u8::between(*a, *b, share)).collect();
                assert_eq!(bytes, expected);
            }
        }
    }

    /// Moving rows rounds at the end: within half a step and what 64ths leave.
    #[test]
    fn bytes_between_rows_and_columns() {
        for [a, b, c, d] in
            [[0, 255, 255, 0], [255, 0, 0, 255], [7, 7, 7, 7], [255; 4], [0, 1, 254, 255], [13, 200, 90, 31]]
        {
            for i in 0..=40 {
                for j in 0..=40 {
                    let (x, y) = (i as f32 / 40.01, j as f32 / 40.01);
                    let down = |a: u8, c: u8| a.toward(c, u8::share(y));
                    let got = u8::between(down(a, c), down(b, d), u8::share(x));
                    let mix = |a: f32, b: f32, t: f32| a + t * (b - a);
                    let expected = mix(mix(a.into(), c.into(), y), mix(b.into(), d.into(), y), x);
                    assert!((f32::from(got) - expected).abs() < 0.5 + 0.035, "{a} {b} {c} {d}, {x} {y}: {got}");
                }
            }
        }
    }
}
