//! Weighted sums over kernels that are symmetric about their centre.

use super::kernel::Half;
use super::rows::{Ring, Wide, pad};
use super::step::{LocalFilter, Memory};
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut, Typed, typed};
use crate::image::Value;
use crate::simd::vectorize;
use crate::{Kind, Result};

/// Values side by side: a vector of 16 bits each.
pub(super) const LANES: usize = 16;

/// Groups of lanes whose sums are formed together, in registers.
const GROUPS: usize = 4;

/// Pairs up to which bytes are summed in 16 bits. Each product of a pair with its weight loses less than a 128th of a level, and half of that on
/// average, which is made up for; so this many leave a constant image as it is.
const NARROW: usize = 48;

/// A type that weighted sums of `P` are formed in.
pub(super) trait Sum: Copy + Default {
    /// A number that no sum begins below, for `n` pairs.
    fn start(n: usize) -> Self;
    /// Adds the two values of a pair, weighted.
    fn add(self, a: Self, b: Self, weight: Self) -> Self;
}

/// In 128ths; weights in 65536ths.
impl Sum for u16 {
    #[inline(always)]
    fn start(n: usize) -> u16 {
        (n / 2) as u16
    }

    #[inline(always)]
    fn add(self, a: u16, b: u16, weight: u16) -> u16 {
        // Both are at most 255 · 128 and a few, of rounding up: nothing overflows.
        let sum = a.wrapping_add(b);
        self.wrapping_add(((u32::from(sum) * u32::from(weight)) >> 16) as u16)
    }
}

impl Sum for f32 {
    #[inline(always)]
    fn start(_: usize) -> f32 {
        0.0
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32, weight: f32) -> f32 {
        self + (a + b) * weight
    }
}

/// How a sum becomes a value.
trait Narrow<P> {
    fn narrowed(self) -> P;
}

impl Narrow<u8> for u16 {
    #[inline(always)]
    fn narrowed(self) -> u8 {
        (self.wrapping_add(64) >> 7) as u8
    }
}

impl<P: crate::Pixel> Narrow<P> for f32 {
    #[inline(always)]
    fn narrowed(self) -> P {
        P::from_f32(self)
    }
}

/// A pair of values, opposite each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap<W> {
    /// Columns and rows away from the centre: the other is as far to the other side.
    pub(super) place: (i32, i32),
    pub(super) weight: W,
}

/// A kernel of two directions, as half of its values; weights sum to ½.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taps<W> {
    taps: Vec<Tap<W>>,
    radius: usize,
}

impl<W: Copy> Taps<W> {
    pub(super) fn clear(&mut self, radius: usize) {
        self.taps.clear();
        self.radius = radius;
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Tap<W>> {
        self.taps.iter()
    }
}

impl Taps<f32> {
    /// Adds a weight to a value and the one opposite.
    pub(super) fn add(&mut self, x: i32, y: i32, weight: f32) {
        // The one of the two that comes first in reading order.
        let place = if (y, x) <= (0, 0) { (x, y) } else { (-x, -y) };
        if weight == 0.0 {
            return;
        }
        match self.taps.iter_mut().find(|tap| tap.place == place) {
            Some(tap) => tap.weight += weight,
            None => self.taps.push(Tap { place, weight }),
        }
    }
}

/// Weights that sum to ½ as 65536ths, which sum to 32768: what rounding leaves goes to the largest.
fn quantized(weights: impl Iterator<Item = f32> + Clone, mut set: impl FnMut(usize, u16)) {
    let rounded = weights.map(|weight| (weight * 65536.0 + 0.5) as i32);
    let largest = rounded.clone().enumerate().max_by_key(|&(i, weight)| (weight, usize::MAX - i)).map_or(0, |(i, _)| i);
    let rest = 32768 - rounded.clone().sum::<i32>();
    rounded
        .enumerate()
        .for_each(|(i, weight)| set(i, (weight + if i == largest { rest } else { 0 }).clamp(0, 32768) as u16));
}

/// The same half kernel along rows and along columns.
pub(super) fn separable<P: Value>(
    half: &Half,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    fill: Fill,
    memory: &mut Memory,
) -> Result<()> {
    let weights = half.weights();
    // Nothing but the centre, as far as the type can tell.
    let least = if P::KIND == Kind::U8 { 0.5 / 65536.0 } else { 1e-9 };
    if weights[1..].iter().all(|&weight| weight < least) {
        target.data.copy_from_slice(source.data);
        return Ok(());
    }
    match typed(source, target) {
        Typed::U8((source, target)) if weights.len() <= NARROW => {
            let mut narrow = [0_u16; LocalFilter::MAX_RADIUS + 1];
            quantized(weights.iter().copied(), |i, weight| narrow[i] = weight);
            passes(&narrow[..weights.len()], source, target, fill, &mut memory.u16)
        }
        Typed::U8((source, target)) => passes(weights, source, target, fill, &mut memory.f32),
        Typed::F32((source, target)) => passes(weights, source, target, fill, &mut memory.f32),
    }
}

/// Along rows into a ring of rows, and along its columns into the target.
fn passes<P: Value, W: Wide<P> + Sum + Narrow<P>>(
    weights: &[W],
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    fill: Fill,
    ring: &mut Ring<W>,
) -> Result<()> {
    let shape = source.shape;
    let (radius, step, len) = (weights.len() - 1, shape.step(), shape.row());
    // Room for whole groups of lanes.
    let room = len.next_multiple_of(LANES);
    ring.size(2 * radius + 1, room, room + 2 * radius * step)?;
    ring.spread(weights.iter().copied());
    for (i, (from, to)) in source.planes().zip(target.planes_mut()).enumerate() {
        // Row `y` of the plane is row `y + radius` of the ring.
        let mut filtered = 0;
        for (y, out) in to.chunks_exact_mut(len).enumerate() {
            vectorize(
                #[inline(always)]
                || {
                    while filtered <= y + 2 * radius {
                        let (row, weights, out) = ring.work(filtered);
                        let place = (filtered as i64 - radius as i64, radius);
                        pad(source, (from, i * step), place, fill, &mut row[..len + 2 * radius * step]);
                        sums(
                            weights,
                            #[inline(always)]
                            |tap, start| (&row[(radius - tap) * step + start..], &row[(radius + tap) * step + start..]),
                            #[inline(always)]
                            |start, sums| out[start..start + LANES].copy_from_slice(sums),
                            len,
                        );
                        filtered += 1;
                    }
                    sums(
                        ring.weights(),
                        #[inline(always)]
                        |tap, start| (&ring.row(y + radius - tap)[start..], &ring.row(y + radius + tap)[start..]),
                        #[inline(always)]
                        |start, sums| narrow(sums, &mut out[start..]),
                        len,
                    );
                },
            );
        }
    }
    Ok(())
}

/// Writes sums as values, as many as there is room for.
#[inline(always)]
fn narrow<P, W: Narrow<P> + Copy>(sums: &[W; LANES], out: &mut [P]) {
    match out.first_chunk_mut::<LANES>() {
        Some(out) => (0..LANES).for_each(|i| out[i] = sums[i].narrowed()),
        None => out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum.narrowed()),
    }
}

/// Weighted sums of pairs of lines, some groups of lanes at a time. `lines` says where the two values of a pair begin, for a sum that begins at
/// a place; a sum may go on beyond the end, up to a whole group.
#[inline(always)]
fn sums<'a, W: Sum + 'a>(
    weights: &[[W; LANES]],
    lines: impl Fn(usize, usize) -> (&'a [W], &'a [W]),
    mut write: impl FnMut(usize, &[W; LANES]),
    len: usize,
) {
    let n = len.div_ceil(LANES);
    let mut group = 0;
    while group + GROUPS <= n {
        let sums = group_sums::<W, GROUPS>(weights, &lines, group * LANES);
        for (i, sums) in sums.iter().enumerate() {
            write((group + i) * LANES, sums);
        }
        group += GROUPS;
    }
    while group < n {
        write(group * LANES, &group_sums::<W, 1>(weights, &lines, group * LANES)[0]);
        group += 1;
    }
}

#[inline(always)]
fn group_sums<'a, W: Sum + 'a, const N: usize>(
    weights: &[[W; LANES]],
    lines: &impl Fn(usize, usize) -> (&'a [W], &'a [W]),
    start: usize,
) -> [[W; LANES]; N] {
    let mut sums = [[W::start(weights.len()); LANES]; N];
    for (tap, weights) in weights.iter().enumerate() {
        let (a, b) = lines(tap, start);
        let (a, b) = (a[..N * LANES].as_chunks::<LANES>().0, b[..N * LANES].as_chunks::<LANES>().0);
        for i in 0..N {
            // The weight is read for each lane: as one number, it would be widened first, and the product with it.
            for lane in 0..LANES {
                sums[i][lane] = sums[i][lane].add(a[i][lane], b[i][lane], weights[lane]);
            }
        }
    }
    sums
}

/// A kernel of two directions, which stands in `memory.taps_f32`.
pub(super) fn plane<P: Value>(
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    fill: Fill,
    memory: &mut Memory,
) -> Result<()> {
    let Memory { taps_f32, taps_u16, .. } = memory;
    match typed(source, target) {
        Typed::U8((source, target)) if taps_f32.taps.len() <= NARROW => {
            taps_u16.clear(taps_f32.radius);
            taps_u16.taps.extend(taps_f32.taps.iter().map(|tap| Tap { place: tap.place, weight: 0 }));
            let taps = &mut taps_u16.taps;
            quantized(taps_f32.taps.iter().map(|tap| tap.weight), |i, weight| taps[i].weight = weight);
            pairs(taps_u16, source, target, fill, &mut memory.u16)
        }
        Typed::U8((source, target)) => pairs(taps_f32, source, target, fill, &mut memory.f32),
        Typed::F32((source, target)) => pairs(taps_f32, source, target, fill, &mut memory.f32),
    }
}

/// Sums over padded rows in a ring.
fn pairs<P: Value, W: Wide<P> + Sum + Narrow<P>>(
    taps: &Taps<W>,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    fill: Fill,
    ring: &mut Ring<W>,
) -> Result<()> {
    let shape = source.shape;
    let (radius, step, len) = (taps.radius, shape.step(), shape.row());
    ring.size(2 * radius + 1, len.next_multiple_of(LANES) + 2 * radius * step, 0)?;
    ring.spread(taps.taps.iter().map(|tap| tap.weight));
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
                    let line = |x: i32, dy: i32, start: usize| {
                        let (row, column) = ((y + radius) as i32 + dy, radius as i32 + x);
                        &ring.row(row as usize)[column as usize * step + start..]
                    };
                    sums(
                        ring.weights(),
                        #[inline(always)]
                        |tap, start| {
                            let (x, dy) = taps.taps[tap].place;
                            (line(x, dy, start), line(-x, -dy, start))
                        },
                        #[inline(always)]
                        |start, sums| narrow(sums, &mut out[start..]),
                        len,
                    );
                },
            );
        }
    }
    Ok(())
}
