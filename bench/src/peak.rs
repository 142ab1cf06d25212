//! What the processor can do, measured in the same run as what is compared with it.

use gradwise_core::Pool;
use gradwise_tensor::simd::{self, Level};
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

/// Lanes of a sum, and sums: as many independent chains of additions as it takes to hide the latency of one, and no more than there are
/// registers for.
const LANES: usize = 8;
const SUMS: usize = 12;

/// Rounds of the loop: about a tenth of a millisecond.
const ROUNDS: usize = 50_000;

/// Independent fused multiply-adds on registers, on every thread of a pool; returns how many floating-point operations they were.
///
/// Without vector extensions it multiplies and adds, since the fused form would be a call into a library.
pub fn multiply_adds(pool: &dyn Pool) -> f64 {
    let threads = pool.threads();
    pool.run(threads, &|_| {
        let (a, b) = (black_box(0.999_f32), black_box(0.001_f32));
        let sum = match simd::level() {
            Level::Portable => chains(|sum| sum * a + b),
            _ => simd::vectorize(
                #[inline(always)]
                || chains(|sum| sum.mul_add(a, b)),
            ),
        };
        black_box(sum);
    });
    (2 * LANES * SUMS * ROUNDS * threads) as f64
}

#[inline(always)]
fn chains(step: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [[black_box(1.0_f32); LANES]; SUMS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            for lane in sum {
                *lane = step(*lane);
            }
        }
    }
    sums.as_flattened().iter().sum()
}

/// Memory that an operation has to move at least, in numbers: what it reads, what it writes, and what it changes in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Numbers read.
    pub read: usize,
    /// Numbers written.
    pub written: usize,
    /// Numbers read and written in place.
    pub changed: usize,
}

impl Traffic {
    /// Bytes moved; that a processor reads what it is about to write is not counted.
    pub fn bytes(&self) -> f64 {
        ((self.read + self.written + 2 * self.changed) * size_of::<f32>()) as f64
    }
}

/// The same traffic with next to no arithmetic: the time that no operation with it can beat by much.
#[derive(Debug)]
pub struct Stream {
    parts: Vec<Mutex<Part>>,
}

#[derive(Debug)]
struct Part {
    read: Vec<f32>,
    written: Vec<f32>,
    changed: Vec<f32>,
}

/// Numbers moved before the stream turns to its next array: a page of memory.
const BLOCK: usize = 1024;

impl Stream {
    /// A stream of this traffic, in a part for each thread.
    pub fn new(traffic: Traffic, threads: usize) -> Self {
        let part = || {
            let [read, written, changed] =
                [traffic.read, traffic.written, traffic.changed].map(|n| vec![1.0; n / threads]);
            Mutex::new(Part { read, written, changed })
        };
        Stream { parts: (0..threads).map(|_| part()).collect() }
    }

    /// Moves it once.
    pub fn run(&self, pool: &dyn Pool) {
        pool.run(self.parts.len(), &|i| {
            let mut part = self.parts[i].lock().unwrap_or_else(PoisonError::into_inner);
            simd::vectorize(
                #[inline(always)]
                || part.run(),
            );
        });
    }
}

impl Part {
    #[inline(always)]
    fn run(&mut self) {
        // As an optimizer goes through its arrays, which takes a fifth less time than one after the other page by page.
        let (n, many) = (self.read.len().max(1), self.changed.len() / self.read.len().max(1));
        if self.written.is_empty() && self.changed.len() == n * many && (1..=3).contains(&many) {
            let mut arrays = self.changed.chunks_exact_mut(n);
            side_by_side(&self.read, [(); 3].map(|()| arrays.next().unwrap_or_default()));
            return;
        }
        self.by_blocks();
    }

    #[inline(always)]
    fn by_blocks(&mut self) {
        let n = self.read.len().max(self.written.len()).max(self.changed.len());
        let blocks = n.div_ceil(BLOCK).max(1);
        let size = |len: usize| len.div_ceil(blocks).max(1);
        let sizes = [&self.read, &self.written, &self.changed].map(|array| size(array.len()));
        let mut read = self.read.chunks(sizes[0]);
        let mut written = self.written.chunks_mut(sizes[1]);
        let mut changed = self.changed.chunks_mut(sizes[2]);
        let mut sums = [0.0; 32];
        for _ in 0..blocks {
            for chunk in read.next().unwrap_or_default().chunks_exact(32) {
                for (sum, &x) in sums.iter_mut().zip(chunk) {
                    *sum += x;
                }
            }
            let one = black_box(1.0);
            written.next().unwrap_or_default().iter_mut().for_each(|x| *x = one);
            changed.next().unwrap_or_default().iter_mut().for_each(|x| *x *= one);
        }
        black_box(sums);
    }
}

/// Reads an array and changes others of its length or none, all at the same place at a time.
#[inline(always)]
fn side_by_side<const N: usize>(read: &[f32], changed: [&mut [f32]; N]) {
    const GO: usize = 16;
    let one = black_box(1.0);
    let mut sums = [0.0; GO];
    let (whole, rest) = read.as_chunks::<GO>();
    let mut rests = [const { None }; N];
    let (mut k, scale) = (0, |x: &mut f32| *x *= one);
    let mut parts = changed.map(|array| {
        let (whole, rest) = array.as_chunks_mut::<GO>();
        rests[k] = Some(rest);
        k += 1;
        whole.iter_mut()
    });
    for read in whole {
        for part in parts.iter_mut().filter_map(Iterator::next) {
            part.iter_mut().for_each(scale);
        }
        sums.iter_mut().zip(read).for_each(|(sum, &x)| *sum += x);
    }
    rests.into_iter().flatten().flatten().for_each(scale);
    black_box((sums, rest));
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::Serial;

    #[test]
    fn the_loop_counts_what_it_does() {
        assert_eq!(multiply_adds(&Serial), 9.6e6);
    }

    #[test]
    fn traffic_is_counted_in_bytes() {
        assert_eq!(Traffic { read: 3, written: 2, changed: 1 }.bytes(), 28.0);
    }

    #[test]
    fn a_stream_moves_arrays_of_any_sizes() {
        for traffic in [
            Traffic::default(),
            Traffic { read: 10_000, written: 1, ..Traffic::default() },
            Traffic { read: 1, written: 5_000, changed: 7_001 },
            Traffic { read: 1_000, written: 0, changed: 3_000 },
        ] {
            let stream = Stream::new(traffic, 2);
            stream.run(&Serial);
            let part = stream.parts[0].lock().unwrap();
            assert!(part.changed.iter().all(|&x| x == 1.0), "{traffic:?}");
        }
    }
}
