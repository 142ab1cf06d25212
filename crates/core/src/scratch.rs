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
    /// Sorted by capacity, so that the best fit is found by bisection.
    reals: Vec<Vec<T>>,
    words: Vec<Vec<u32>>,
    bytes: Vec<Vec<u8>>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Scratch { reals: Vec::new(), words: Vec::new(), bytes: Vec::new() }
    }
}

/// A free buffer may be this many times larger than the request. Without a bound, a bias would take a feature map's buffer and the
/// next feature map would have to be allocated anew.
const SLACK: usize = 4;

fn take<X: Copy + Default>(free: &mut Vec<Vec<X>>, len: usize) -> Vec<X> {
    let at = free.partition_point(|b| b.capacity() < len);
    let fits = free.get(at).is_some_and(|b| b.capacity() <= len.saturating_mul(SLACK).max(64));
    let mut buffer = if fits { free.remove(at) } else { Vec::with_capacity(len) };
    // Shortening is free; only the part by which the last user's buffer was shorter has to be written.
    buffer.resize(len, X::default());
    buffer
}

fn give<X>(free: &mut Vec<Vec<X>>, buffer: Vec<X>) {
    if buffer.capacity() > 0 {
        let at = free.partition_point(|b| b.capacity() < buffer.capacity());
        free.insert(at, buffer);
    }
}

impl<T: Real> Scratch<T> {
    /// A buffer of `len` numbers of unspecified value.
    pub fn take(&mut self, len: usize) -> Vec<T> {
        take(&mut self.reals, len)
    }

    /// Takes a buffer back.
    pub fn give(&mut self, buffer: Vec<T>) {
        give(&mut self.reals, buffer);
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
        take(&mut self.words, len)
    }

    /// Takes a buffer of words back.
    pub fn give_words(&mut self, buffer: Vec<u32>) {
        give(&mut self.words, buffer);
    }

    /// A buffer of `len` bytes of unspecified value.
    pub fn take_bytes(&mut self, len: usize) -> Vec<u8> {
        take(&mut self.bytes, len)
    }

    /// Takes a buffer of bytes back.
    pub fn give_bytes(&mut self, buffer: Vec<u8>) {
        give(&mut self.bytes, buffer);
    }

    /// Bytes held in free buffers.
    pub fn free_bytes(&self) -> usize {
        let reals: usize = self.reals.iter().map(Vec::capacity).sum();
        let words: usize = self.words.iter().map(Vec::capacity).sum();
        let bytes: usize = self.bytes.iter().map(Vec::capacity).sum();
        reals * size_of::<T>() + words * 4 + bytes
    }

    /// Gives all free buffers back to the allocator.
    pub fn clear(&mut self) {
        self.reals.clear();
        self.words.clear();
        self.bytes.clear();
    }
}
