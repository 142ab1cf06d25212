//! Blocks of pixels, taken apart into planes so that colours are computed by the vector.

use crate::pixel::Pixel;
use crate::shape::Shape;

/// Pixels that go through all steps before the next ones do.
pub(super) const BLOCK: usize = 64;

/// The first three channels of a block's pixels, on the scale of their type.
pub(super) type Planes = [[f32; BLOCK]; 3];

/// Some pixels of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) shape: Shape,
    pub(super) start: usize,
    pub(super) n: usize,
}

impl Place {
    #[inline(always)]
    pub(super) fn read<P: Pixel>(self, data: &[P], used: usize, planes: &mut Planes) {
        let Place { start, n, .. } = self;
        let (step, plane) = (self.shape.step(), self.shape.plane());
        match step {
            1 => {
                for (c, values) in planes.iter_mut().enumerate().take(used) {
                    let data = &data[c * plane + start..][..n];
                    values.iter_mut().zip(data).for_each(|(out, x)| *out = x.to_f32());
                }
            }
            3 => {
                let data = &data[3 * start..][..3 * n];
                #[cfg(target_arch = "x86_64")]
                let done = super::avx2::apart(P::bytes(data), P::floats(data), planes);
                #[cfg(not(target_arch = "x86_64"))]
                let done = 0;
                for (i, pixel) in data.as_chunks::<3>().0.iter().enumerate().skip(done) {
                    (0..3).for_each(|c| planes[c][i] = pixel[c].to_f32());
                }
            }
            _ => {
                for (i, pixel) in data[step * start..].chunks_exact(step).take(n).enumerate() {
                    (0..used).for_each(|c| planes[c][i] = pixel[c].to_f32());
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn write<P: Pixel>(self, planes: &Planes, used: usize, data: &mut [P]) {
        let Place { start, n, .. } = self;
        let (step, plane) = (self.shape.step(), self.shape.plane());
        match step {
            1 => {
                for (c, values) in planes.iter().enumerate().take(used) {
                    let data = &mut data[c * plane + start..][..n];
                    data.iter_mut().zip(values).for_each(|(out, x)| *out = P::from_f32(*x));
                }
            }
            3 => {
                let data = &mut data[3 * start..][..3 * n];
                #[cfg(target_arch = "x86_64")]
                let done = super::avx2::together(planes, P::concrete(data));
                #[cfg(not(target_arch = "x86_64"))]
                let done = 0;
                for (i, pixel) in data.as_chunks_mut::<3>().0.iter_mut().enumerate().skip(done) {
                    (0..3).for_each(|c| pixel[c] = P::from_f32(planes[c][i]));
                }
            }
            _ => {
                for (i, pixel) in data[step * start..].chunks_exact_mut(step).take(n).enumerate() {
                    (0..used).for_each(|c| pixel[c] = P::from_f32(planes[c][i]));
                }
            }
        }
    }
}

/// Sums of three channels: in single precision for some thousand values, several side by side, so that none waits for another; those in
/// double.
#[derive(Debug, Default)]
pub(super) struct Sums {
    lanes: [[f32; Sums::LANES]; 3],
    blocks: usize,
    total: [f64; 3],
}

impl Sums {
    const LANES: usize = 16;

    /// Adds the first `n` pixels of a block.
    #[inline(always)]
    pub(super) fn add(&mut self, planes: &Planes, n: usize) {
        for (lanes, plane) in self.lanes.iter_mut().zip(planes) {
            if n == BLOCK {
                for values in plane.as_chunks::<{ Sums::LANES }>().0 {
                    for i in 0..Sums::LANES {
                        lanes[i] += values[i];
                    }
                }
            } else {
                plane[..n].iter().enumerate().for_each(|(i, x)| lanes[i % Sums::LANES] += x);
            }
        }
        self.blocks += 1;
        if self.blocks.is_multiple_of(32) {
            self.collect();
        }
    }

    #[inline(always)]
    fn collect(&mut self) {
        for (total, lanes) in self.total.iter_mut().zip(&mut self.lanes) {
            *total += lanes.iter().map(|&x| f64::from(x)).sum::<f64>();
            *lanes = [0.0; Sums::LANES];
        }
    }

    #[inline(always)]
    pub(super) fn total(mut self) -> [f64; 3] {
        self.collect();
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels of three values go into planes and back, whether vectors move them or not.
    #[test]
    fn blocks_are_taken_apart_and_put_together() {
        for n in [1, 7, 8, 9, 40, 63, 64] {
            let bytes: Vec<u8> = (0..3 * (n + 5)).map(|i| (i * 37) as u8).collect();
            apart_and_together(&bytes, n);
            let floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 100.0 - 0.5).collect();
            apart_and_together(&floats, n);
        }
    }

    fn apart_and_together<P: Pixel>(data: &[P], n: usize) {
        let place = Place { shape: Shape::interleaved(1, n + 5, 3), start: 5, n };
        let mut planes = [[-1.0; BLOCK]; 3];
        place.read(data, 3, &mut planes);
        for (c, plane) in planes.iter().enumerate() {
            for (i, x) in plane.iter().enumerate() {
                let expected = if i < n { data[3 * (5 + i) + c].to_f32() } else { -1.0 };
                assert_eq!(*x, expected, "channel {c} of pixel {i} of {n}");
            }
        }
        let mut out = vec![P::default(); data.len()];
        place.write(&planes, 3, &mut out);
        assert!(out[..15].iter().all(|x| *x == P::default()) && out[15..] == data[15..]);
    }

    /// A mean is that of the luma, with double's digits.
    #[test]
    fn sums_lose_nothing() {
        let mut sums = Sums::default();
        let (mut expected, mut planes) = ([0.0; 3], [[0.0; BLOCK]; 3]);
        for block in 0..1000 {
            for (c, plane) in planes.iter_mut().enumerate() {
                for (i, x) in plane.iter_mut().enumerate() {
                    *x = ((block * 7 + i * 13 + c * 5) % 256) as f32;
                }
            }
            let n = if block == 999 { 11 } else { BLOCK };
            sums.add(&planes, n);
            for (sum, plane) in expected.iter_mut().zip(&planes) {
                *sum += plane[..n].iter().map(|&x| f64::from(x)).sum::<f64>();
            }
        }
        assert_eq!(sums.total(), expected);
    }
}
