//! Memory that outlives a step.

use crate::Real;
use ndarray::{ArrayD, Dimension, IxDyn};

/// A store of buffers that are handed out and taken back, so that a step allocates nothing once it has run before.
///
/// Sizes are rounded up to one of eight classes an octave, and a request is served by a free buffer of its class or by a new one. So a
/// step that takes and gives back as the step before it did finds every buffer it needs: classes do not compete, as they would if a
/// small request could take a large buffer. What a buffer holds when it is handed out is unspecified but initialized: whoever takes one
/// writes before reading.
///
/// ```
/// use gradwise_core::Scratch;
///
/// let mut scratch = Scratch::<f32>::default();
/// let buffer = scratch.take(100);
/// assert_eq!(buffer.len(), 100);
/// scratch.give(buffer);
/// assert!((400..=450).contains(&scratch.free_bytes()));
/// ```
#[derive(Debug)]
pub struct Scratch<T> {
    reals: Free<T>,
    words: Free<u32>,
    bytes: Free<u8>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Scratch { reals: Free::new(), words: Free::new(), bytes: Free::new() }
    }
}

/// Free buffers of one type.
#[derive(Debug)]
struct Free<X> {
    /// Sorted by capacity, so that the best fit is found by bisection.
    buffers: Vec<Vec<X>>,
    /// How many buffers were made: so many may have to be held at once.
    made: usize,
}

/// The capacity of a buffer for `len` elements: at most an eighth more.
fn class(len: usize) -> usize {
    let step = len.max(64).next_power_of_two() / 16;
    len.max(1).next_multiple_of(step)
}

impl<X> Free<X> {
    const fn new() -> Self {
        Free { buffers: Vec::new(), made: 0 }
    }

    fn take(&mut self, len: usize) -> Vec<X>
    where
        X: Copy + Default,
    {
        let capacity = class(len);
        // The last one of its class: it was given back most recently of all, so it is the likeliest to be in a cache.
        let end = self.buffers.partition_point(|b| b.capacity() <= capacity);
        let mut buffer = if end > 0 && self.buffers[end - 1].capacity() == capacity {
            self.buffers.remove(end - 1)
        } else {
            // The list grows when a buffer is made, so that it need not when all come back.
            self.made += 1;
            self.buffers.reserve(self.made - self.buffers.len().min(self.made));
            Vec::with_capacity(capacity)
        };
        // Shortening is free; only the part by which the last user's buffer was shorter has to be written.
        buffer.resize(len, X::default());
        buffer
    }

    fn give(&mut self, buffer: Vec<X>) {
        // What was not made here is let go where it fits no class, or where there would be more than ever were asked for: a loop that
        // hands in an array of its own at each step would else fill the memory.
        let capacity = buffer.capacity();
        if capacity > 0 && capacity == class(capacity) && self.buffers.len() < self.made {
            let at = self.buffers.partition_point(|b| b.capacity() <= capacity);
            self.buffers.insert(at, buffer);
        }
    }

    fn capacity_bytes(&self) -> usize {
        self.buffers.iter().map(Vec::capacity).sum::<usize>() * size_of::<X>()
    }
}

impl<T: Real> Scratch<T> {
    /// A buffer of `len` numbers of unspecified value.
    pub fn take(&mut self, len: usize) -> Vec<T> {
        self.reals.take(len)
    }

    /// Takes a buffer back.
    pub fn give(&mut self, buffer: Vec<T>) {
        self.reals.give(buffer);
    }

    /// An array of unspecified values in standard layout.
    pub fn array(&mut self, shape: IxDyn) -> ArrayD<T> {
        let buffer = self.take(shape.size());
        // The buffer was made for this very shape.
        ArrayD::from_shape_vec(shape, buffer).unwrap_or_else(|_| unreachable!("buffer of the shape's size"))
    }

    /// Takes an array's memory back.
    pub fn give_array(&mut self, array: ArrayD<T>) {
        self.give(array.into_raw_vec_and_offset().0);
    }

    /// A buffer of `len` 32-bit words of unspecified value.
    pub fn take_words(&mut self, len: usize) -> Vec<u32> {
        self.words.take(len)
    }

    /// Takes a buffer of words back.
    pub fn give_words(&mut self, buffer: Vec<u32>) {
        self.words.give(buffer);
    }

    /// A buffer of `len` bytes of unspecified value.
    pub fn take_bytes(&mut self, len: usize) -> Vec<u8> {
        self.bytes.take(len)
    }

    /// Takes a buffer of bytes back.
    pub fn give_bytes(&mut self, buffer: Vec<u8>) {
        self.bytes.give(buffer);
    }

    /// Bytes held in free buffers.
    pub fn free_bytes(&self) -> usize {
        self.reals.capacity_bytes() + self.words.capacity_bytes() + self.bytes.capacity_bytes()
    }

    /// Gives all free buffers back to the allocator.
    pub fn clear(&mut self) {
        self.reals = Free::new();
        self.words = Free::new();
        self.bytes = Free::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_are_for_and_little_more() {
        for len in (1..5000).chain([1 << 20, (1 << 20) + 1, 12_345_678]) {
            let capacity = class(len);
            assert!(capacity >= len && capacity == class(capacity), "{len}: {capacity}");
            assert!(len < 64 || capacity <= len + len / 8 + 1, "{len}: {capacity}");
        }
    }

    #[test]
    fn a_step_like_the_last_one_makes_no_buffer() {
        let mut scratch = Scratch::<f32>::default();
        let step = |scratch: &mut Scratch<f32>| {
            let (a, b) = (scratch.take(1000), scratch.take(300));
            scratch.give(a);
            let c = scratch.take(900);
            let d = scratch.take(1000);
            [b, c, d].into_iter().for_each(|x| scratch.give(x));
            scratch.reals.made
        };
        let first = step(&mut scratch);
        assert!((0..10).all(|_| step(&mut scratch) == first));
    }

    #[test]
    fn foreign_buffers_do_not_pile_up() {
        let mut scratch = Scratch::<f32>::default();
        let own = scratch.take(64);
        scratch.give(own);
        for _ in 0..100 {
            scratch.give(Vec::with_capacity(64));
            scratch.give(Vec::with_capacity(1001));
        }
        assert_eq!(scratch.free_bytes(), 256);
    }
}
