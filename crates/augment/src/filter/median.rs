//! The median of the values around a value.

use super::rows::{Ring, Wide, pad};
use super::step::Memory;
use crate::Result;
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut, Typed, typed};
use crate::image::Value;
use crate::simd::vectorize;

/// Values whose medians are found together.
const LANES: usize = 64;

/// The largest square whose values of many bits are forgotten one by one.
const FORGOTTEN: usize = 25;

/// The median of a square of `2 · radius + 1` values a side: of nine by a network of comparisons, of more bit by bit, or by forgetting what it cannot
/// be where there are many bits and few values.
pub(super) fn median<P: Value>(
    radius: usize,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    fill: Fill,
    memory: &mut Memory,
) -> Result<()> {
    if radius == 0 {
        target.data.copy_from_slice(source.data);
        return Ok(());
    }
    match typed(source, target) {
        // A byte counts up to 15 x 15 values.
        Typed::U8((source, target)) if radius <= 7 => squares(radius, source, target, fill, &mut memory.u8),
        Typed::U8((source, target)) => squares(radius, source, target, fill, &mut memory.i32),
        Typed::F32((source, target)) => squares(radius, source, target, fill, &mut memory.i32),
    }
}

/// An integer whose order is that of values, and that can count the values of a square.
trait Order<P>: Wide<P> + Ord {
    /// How many bits it has.
    const BITS: u32;
    /// The least one.
    const LEAST: Self;
    /// With a bit more.
    fn plus(self, bit: u32) -> Self;
    /// The value whose order it is.
    fn value(self) -> P;
    /// A number of values.
    fn count(n: usize) -> Self;
    /// One more, or not.
    fn counted(self, yes: bool) -> Self;
}

impl Order<u8> for u8 {
    const BITS: u32 = 8;
    const LEAST: u8 = 0;

    #[inline(always)]
    fn plus(self, bit: u32) -> u8 {
        self | 1 << bit
    }

    #[inline(always)]
    fn value(self) -> u8 {
        self
    }

    #[inline(always)]
    fn count(n: usize) -> u8 {
        n as u8
    }

    #[inline(always)]
    fn counted(self, yes: bool) -> u8 {
        self.wrapping_add(u8::from(yes))
    }
}

impl Order<u8> for i32 {
    const BITS: u32 = 8;
    const LEAST: i32 = 0;

    #[inline(always)]
    fn plus(self, bit: u32) -> i32 {
        self | 1 << bit
    }

    #[inline(always)]
    fn value(self) -> u8 {
        self as u8
    }

    #[inline(always)]
    fn count(n: usize) -> i32 {
        n as i32
    }

    #[inline(always)]
    fn counted(self, yes: bool) -> i32 {
        self.wrapping_add(i32::from(yes))
    }
}

impl Order<f32> for i32 {
    const BITS: u32 = 32;
    const LEAST: i32 = i32::MIN;

    #[inline(always)]
    fn plus(self, bit: u32) -> i32 {
        // The highest bit takes the least number to 0: it is added, modulo 2³².
        self.wrapping_add((1_u32 << bit) as i32)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        f32::from_bits((self ^ ((self >> 31) as u32 >> 1) as i32) as u32)
    }

    #[inline(always)]
    fn count(n: usize) -> i32 {
        n as i32
    }

    #[inline(always)]
    fn counted(self, yes: bool) -> i32 {
        self.wrapping_add(i32::from(yes))
    }
}

fn squares<P: Value, W: Order<P>>(
    radius: usize,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    fill: Fill,
    ring: &mut Ring<W>,
) -> Result<()> {
    let shape = source.shape;
    let (step, len, side) = (shape.step(), shape.row(), 2 * radius + 1);
    // Room for whole groups of lanes.
    ring.size(side, len.next_multiple_of(LANES) + 2 * radius * step, 0)?;
    let mut kept = [[W::LEAST; LANES]; FORGOTTEN / 2 + 2];
    for (i, (from, to)) in source.planes().zip(target.planes_mut()).enumerate() {
        let mut padded = 0;
        for (y, out) in to.chunks_exact_mut(len).enumerate() {
            vectorize(
                #[inline(always)]
                || {
                    while padded <= y + 2 * radius {
                        let place = (padded as i64 - radius as i64, radius);
                        let row = &mut ring.row_mut(padded)[..len + 2 * radius * step];
                        pad(source, (from, i * step), place, fill, row);
                        padded += 1;
                    }
                    for (group, out) in out.chunks_mut(LANES).enumerate() {
                        // The order of rows does not matter, so that their places in the ring do not.
                        let start = group * LANES;
                        let medians = if radius == 1 {
                            of_nine(
                                #[inline(always)]
                                |y, x| lanes(ring.row(y), start + x * step),
                            )
                        } else if W::BITS == 32 && side * side <= FORGOTTEN {
                            by_forgetting(
                                side,
                                &mut kept,
                                #[inline(always)]
                                |y, x| lanes(ring.row(y), start + x * step),
                            )
                        } else {
                            by_bits(
                                side,
                                #[inline(always)]
                                |y, x| lanes(ring.row(y), start + x * step),
                            )
                        };
                        out.iter_mut().zip(medians).for_each(|(out, median)| *out = median.value());
                    }
                },
            );
        }
    }
    Ok(())
}

#[inline(always)]
fn lanes<W>(row: &[W], start: usize) -> &[W; LANES] {
    row[start..].first_chunk().expect("rows have room for whole groups")
}

#[inline(always)]
fn min<W: Copy + Ord>(a: &[W; LANES], b: &[W; LANES]) -> [W; LANES] {
    let mut out = *a;
    for i in 0..LANES {
        out[i] = if b[i] < out[i] { b[i] } else { out[i] };
    }
    out
}

#[inline(always)]
fn max<W: Copy + Ord>(a: &[W; LANES], b: &[W; LANES]) -> [W; LANES] {
    let mut out = *a;
    for i in 0..LANES {
        out[i] = if b[i] > out[i] { b[i] } else { out[i] };
    }
    out
}

/// Of nine values: each column is sorted, and the median is that of the largest of the least ones, the middle one of the middle ones, and the
/// least of the largest ones (Smith, *Implementing median filters in XC4000E FPGAs*, 1996).
#[inline(always)]
fn of_nine<'a, W: Copy + Ord + 'a>(at: impl Fn(usize, usize) -> &'a [W; LANES]) -> [W; LANES] {
    let a = sorted(at(0, 0), at(1, 0), at(2, 0));
    let b = sorted(at(0, 1), at(1, 1), at(2, 1));
    let c = sorted(at(0, 2), at(1, 2), at(2, 2));
    let low = max(&max(&a[0], &b[0]), &c[0]);
    let middle = max(&min(&a[1], &b[1]), &min(&max(&a[1], &b[1]), &c[1]));
    let high = min(&min(&a[2], &b[2]), &c[2]);
    max(&min(&low, &middle), &min(&max(&low, &middle), &high))
}

/// Three values in ascending order.
#[inline(always)]
fn sorted<W: Copy + Ord>(a: &[W; LANES], b: &[W; LANES], c: &[W; LANES]) -> [[W; LANES]; 3] {
    let (low, high) = (min(a, b), max(a, b));
    let (middle, high) = (min(&high, c), max(&high, c));
    [min(&low, &middle), max(&low, &middle), high]
}

/// Of any odd number of values: the largest number that at most half of them lie below, found bit by bit from the highest. No value is moved, and
/// many medians are found side by side.
#[inline(always)]
fn by_bits<'a, P, W: Order<P> + 'a>(side: usize, at: impl Fn(usize, usize) -> &'a [W; LANES]) -> [W; LANES] {
    let half = W::count(side * side / 2);
    let mut medians = [W::LEAST; LANES];
    for bit in (0..W::BITS).rev() {
        let mut candidates = medians;
        for candidate in &mut candidates {
            *candidate = candidate.plus(bit);
        }
        let mut below = [W::count(0); LANES];
        for y in 0..side {
            for x in 0..side {
                let values = at(y, x);
                for i in 0..LANES {
                    below[i] = below[i].counted(values[i] < candidates[i]);
                }
            }
        }
        for i in 0..LANES {
            // Both are read before one is chosen, so that vectors choose.
            let (candidate, median) = (candidates[i], medians[i]);
            medians[i] = if below[i] <= half { candidate } else { median };
        }
    }
    medians
}

/// Of an odd number of values: among one more than half of them and another, the least and the largest are not the median. They are forgotten, and
/// another value joins those that are left, until there are three.
#[inline(always)]
fn by_forgetting<'a, W: Copy + Ord + 'a>(
    side: usize,
    kept: &mut [[W; LANES]; FORGOTTEN / 2 + 2],
    at: impl Fn(usize, usize) -> &'a [W; LANES],
) -> [W; LANES] {
    let mut values = (0..side * side).map(|i| at(i / side, i % side));
    let mut n = side * side / 2 + 2;
    kept[..n].iter_mut().zip(&mut values).for_each(|(kept, value)| *kept = *value);
    loop {
        // The lesser of each pair to the front, the larger to the back; an odd one in the middle is compared with both.
        let half = n / 2;
        for i in 0..half {
            exchange(kept, i, n - 1 - i);
        }
        for i in 1..n - half {
            exchange(kept, 0, i);
        }
        for i in half..n - 1 {
            exchange(kept, i, n - 1);
        }
        match values.next() {
            Some(value) => kept[0] = *value,
            None => return kept[1],
        }
        n -= 1;
    }
}

/// Puts two values in order.
#[inline(always)]
fn exchange<W: Copy + Ord>(values: &mut [[W; LANES]], first: usize, second: usize) {
    // Copied, so that it is known that they are two.
    let (a, b) = (values[first], values[second]);
    values[first] = min(&a, &b);
    values[second] = max(&a, &b);
}
