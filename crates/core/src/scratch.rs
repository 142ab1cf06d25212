//! Memory that outlives a step.

mod free;
mod plan;

use crate::Real;
use free::Free;
use ndarray::{ArrayD, Dimension, IxDyn};

/// A store of buffers that are handed out and taken back, so that a step allocates nothing once it has run before.
///
/// Sizes are rounded up to one of eight classes an octave. A request is served by a free buffer of its class; if it is a large one, else by
/// one up to four times as large, so that what the wide layers of a net have left over serves the narrow ones; else by a new one, in whose
/// place as many bytes of smaller large ones are let go if they are free.
///
/// A step that takes and gives back as the step before it did finds every buffer it needs: where a sequence of requests begins
/// ([`Scratch::begin`]) and ends ([`Scratch::settle`]) is told, and each request is served with the buffer of the last time, or with the
/// one that was chosen for it when the first sequence was over. Large requests that are not held at the same time then share a buffer,
/// the smaller ones those of the larger ones.
///
/// What a buffer holds when it is handed out is unspecified but initialized: whoever takes one writes before reading.
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
    sums: Free<f64>,
    words: Free<u32>,
    bytes: Free<u8>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Scratch { reals: Free::new(None), sums: Free::new(None), words: Free::new(None), bytes: Free::new(None) }
    }
}

impl<T: Real> Scratch<T> {
    /// Memory that shows who reads before writing: every buffer is handed out full of `value`, words and bytes with all their bits set.
    ///
    /// ```
    /// use gradwise_core::Scratch;
    ///
    /// let mut scratch = Scratch::poisoned(f32::NAN);
    /// assert!(scratch.take(100).iter().all(|x| x.is_nan()));
    /// assert_eq!(scratch.take_bytes(2), [255, 255]);
    /// ```
    pub fn poisoned(value: T) -> Self {
        Scratch {
            reals: Free::new(Some(value)),
            sums: Free::new(Some(value.as_f64())),
            words: Free::new(Some(!0)),
            bytes: Free::new(Some(!0)),
        }
    }

    /// Says that a sequence of requests begins that is like the last one of the same number: a training step, an evaluation. Numbers are
    /// taken modulo 4.
    pub fn begin(&mut self, sequence: usize) {
        self.reals.begin(sequence);
        self.sums.begin(sequence);
        self.words.begin(sequence);
        self.bytes.begin(sequence);
    }

    /// Says that the sequence which began is over, and that what is still out is given back before the next one of its number begins. If
    /// buffers had to be made, the large requests of the next one like it are now distributed over as few bytes as possible, since all of
    /// them are known.
    pub fn settle(&mut self) {
        self.reals.settle();
        self.sums.settle();
        self.words.settle();
        self.bytes.settle();
    }

    /// A buffer of `len` numbers of unspecified value.
    pub fn take(&mut self, len: usize) -> Vec<T> {
        self.reals.take(len)
    }

    /// A buffer of `len` numbers of unspecified value, or of some more: for whoever needs room, and not a length.
    ///
    /// A buffer that was cut to the length of another user must be filled before it has its own again, which safe code cannot avoid. Here it
    /// is not cut.
    pub fn take_at_least(&mut self, len: usize) -> Vec<T> {
        self.reals.take_at_least(len)
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

    /// A buffer of `len` numbers of unspecified value, wide enough for sums whatever the numbers are.
    pub fn take_sums(&mut self, len: usize) -> Vec<f64> {
        self.sums.take(len)
    }

    /// Takes a buffer of sums back.
    pub fn give_sums(&mut self, buffer: Vec<f64>) {
        self.sums.give(buffer);
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
        let others = self.sums.capacity_bytes() + self.words.capacity_bytes() + self.bytes.capacity_bytes();
        self.reals.capacity_bytes() + others
    }

    /// Gives all free buffers back to the allocator.
    pub fn clear(&mut self) {
        self.reals = Free::new(self.reals.poison);
        self.sums = Free::new(self.sums.poison);
        self.words = Free::new(self.words.poison);
        self.bytes = Free::new(self.bytes.poison);
    }
}

#[cfg(test)]
mod tests {
    use super::free::class;
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
    fn room_is_not_cut_to_length() {
        let mut scratch = Scratch::<f32>::default();
        let long = scratch.take(1000);
        scratch.give(long);
        let room = scratch.take_at_least(990);
        assert_eq!(room.len(), 1000);
        scratch.give(room);
        let short = scratch.take(980);
        assert_eq!(short.len(), 980);
        scratch.give(short);
        assert_eq!(scratch.take_at_least(990).len(), 990);
        let mut poisoned = Scratch::poisoned(f32::NAN);
        let mut room = poisoned.take(1000);
        room.fill(0.0);
        poisoned.give(room);
        assert!(poisoned.take_at_least(990).iter().all(|x| x.is_nan()));
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
    fn narrow_layers_get_what_wide_ones_left_and_the_next_step_repeats_it() {
        const WIDE: usize = 1 << 18;
        let mut scratch = Scratch::<f32>::default();
        // Four wide arrays at once, of which two are kept while five narrow ones come and go in an order of their own; and a fifth wide one
        // that comes when all are gone.
        let step = |scratch: &mut Scratch<f32>| {
            scratch.begin(0);
            let [a, b, c, d] = [(); 4].map(|()| scratch.take(WIDE));
            [b, d].into_iter().for_each(|x| scratch.give(x));
            let mut narrow = Vec::from([(); 5].map(|()| scratch.take(WIDE / 2)));
            scratch.give(narrow.remove(1));
            scratch.give(narrow.remove(2));
            narrow.extend([(); 2].map(|()| scratch.take(WIDE / 4)));
            narrow.into_iter().for_each(|x| scratch.give(x));
            let e = scratch.take(WIDE);
            [a, c, e].into_iter().for_each(|x| scratch.give(x));
            scratch.reals.made
        };
        assert_eq!(step(&mut scratch), 7);
        assert!((0..10).all(|_| step(&mut scratch) == 7));
        // Another kind of sequence in between does not disturb it.
        scratch.begin(1);
        let other = [WIDE / 4, WIDE / 2, WIDE, WIDE / 2].map(|len| scratch.take(len));
        other.into_iter().for_each(|x| scratch.give(x));
        assert_eq!(step(&mut scratch), 7);
    }

    /// Forward, arrays are kept that grow narrower; backward, each takes three more of its width.
    fn narrowing(scratch: &mut Scratch<f32>, sequence: usize, wide: usize) {
        scratch.begin(sequence);
        let mut kept: Vec<_> =
            [wide, wide / 2, wide / 4].iter().flat_map(|&n| [n; 4]).map(|n| scratch.take(n)).collect();
        while let Some(last) = kept.pop() {
            let more = [(); 3].map(|()| scratch.take(last.len()));
            scratch.give(last);
            more.into_iter().for_each(|x| scratch.give(x));
        }
        scratch.settle();
    }

    #[test]
    fn a_plan_puts_small_requests_into_large_buffers_and_holds() {
        const WIDE: usize = 1 << 20;
        let mut scratch = Scratch::<f32>::default();
        narrowing(&mut scratch, 0, WIDE);
        let (bytes, made) = (scratch.free_bytes(), scratch.reals.made);
        // Seven wide ones; of seven that are half or a quarter as wide, three go into those that are taken in the end alone.
        assert_eq!((bytes, made), (4 * (7 * WIDE + 4 * WIDE / 2 + 4 * WIDE / 4), 15));
        for _ in 0..3 {
            narrowing(&mut scratch, 0, WIDE);
            assert_eq!((scratch.free_bytes(), scratch.reals.made), (bytes, made));
            // A smaller batch, and an evaluation, find what they need.
            narrowing(&mut scratch, 0, WIDE * 3 / 4);
            narrowing(&mut scratch, 1, WIDE / 2);
            assert_eq!((scratch.free_bytes(), scratch.reals.made), (bytes, made));
        }
    }

    #[test]
    fn sequences_that_take_turns_end_up_with_what_both_need() {
        const WIDE: usize = 1 << 18;
        let mut scratch = Scratch::<f32>::default();
        let turns = |scratch: &mut Scratch<f32>| {
            narrowing(scratch, 0, WIDE);
            scratch.begin(0);
            let other = [3 * WIDE / 2, WIDE / 3, WIDE / 3, 3 * WIDE / 2].map(|n| scratch.take(n));
            other.into_iter().for_each(|x| scratch.give(x));
            scratch.settle();
            (scratch.free_bytes(), scratch.reals.buffers())
        };
        (0..8).for_each(|_| drop(turns(&mut scratch)));
        let settled = turns(&mut scratch);
        assert!((0..8).all(|_| turns(&mut scratch) == settled));
    }

    #[test]
    fn poison_covers_what_others_wrote_and_what_is_new() {
        const LARGE: usize = 1 << 18;
        let mut scratch = Scratch::poisoned(f32::NAN);
        for len in [LARGE, 1, 1000, LARGE / 2, 1000, LARGE] {
            let mut buffer = scratch.take(len);
            assert!(buffer.iter().all(|x| x.is_nan()), "{len}");
            buffer.fill(1.0);
            scratch.give(buffer);
        }
        scratch.clear();
        assert!(scratch.take(1)[0].is_nan() && scratch.take_words(1) == [!0]);
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
