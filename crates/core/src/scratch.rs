//! Memory that outlives a step.

use crate::Real;
use ndarray::{ArrayD, Dimension, IxDyn};

/// A store of buffers that are handed out and taken back, so that a step allocates nothing once it has run before.
///
/// Buffers are matched by size: a request is served by the smallest free buffer that is large enough and not more than
/// four times too large. What a buffer holds when it is handed out is unspecified but initialized: whoever takes one writes
/// before reading.
///
/// ```
/// use gradwise_core::Scratch;
///
/// let mut scratch = Scratch::<f32>::default();
/// let buffer = scratch.take(100);
/// assert_eq!(buffer.len(), 100);
/// scratch.give(buffer);
/// assert_eq!(scratch.free_bytes(), 400);
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

/// A free buffer may be this many times larger than the request. Without a bound, a bias would take a feature map's buffer and the
/// next feature map would have to be allocated anew.
const SLACK: usize = 4;

impl<X> Free<X> {
    const fn new() -> Self {
        Free { buffers: Vec::new(), made: 0 }
    }

    fn take(&mut self, len: usize) -> Vec<X>
    where
        X: Copy + Default,
    {
        let at = self.buffers.partition_point(|b| b.capacity() < len);
        let fits = self.buffers.get(at).is_some_and(|b| b.capacity() <= len.saturating_mul(SLACK).max(64));
        let mut buffer = if fits {
            self.buffers.remove(at)
        } else {
            // The list grows when a buffer is made, so that it need not when all come back.
            self.made += 1;
            self.buffers.reserve(self.made - self.buffers.len().min(self.made));
            Vec::with_capacity(len)
        };
        // Shortening is free; only the part by which the last user's buffer was shorter has to be written.
        buffer.resize(len, X::default());
        buffer
    }

    fn give(&mut self, buffer: Vec<X>) {
        if buffer.capacity() > 0 {
            let at = self.buffers.partition_point(|b| b.capacity() < buffer.capacity());
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
