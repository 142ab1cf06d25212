//! Memory that outlives a step.

use crate::Real;
use ndarray::{ArrayD, Dimension, IxDyn};

/// A store of buffers that are handed out and taken back, so that a step allocates nothing once it has run before.
///
/// Sizes are rounded up to one of eight classes an octave. A request is served by a free buffer of its class; if it is a large one, else by
/// one up to four times as large, so that what the wide layers of a net have left over serves the narrow ones; else by a new one.
///
/// A step that takes and gives back as the step before it did finds every buffer it needs. Classes that compete could spoil that, since a
/// step begins with other buffers free than the first one did; so each request is served with the very buffer that served it the last time
/// ([`Scratch::begin`] says where a sequence of requests begins), if that is free.
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

/// Free buffers of one type.
#[derive(Debug)]
struct Free<X> {
    /// Sorted by capacity, so that the best fit is found by bisection.
    buffers: Vec<Vec<X>>,
    /// How many buffers were made: so many may have to be held at once.
    made: usize,
    /// By kind of sequence, which buffer served each request the last time: its capacity and address.
    plans: [Vec<(usize, usize)>; SEQUENCES],
    sequence: usize,
    /// Requests of the sequence so far.
    served: usize,
    /// What each buffer is filled with before it is handed out.
    poison: Option<X>,
}

/// How many kinds of sequences are told apart.
const SEQUENCES: usize = 4;

/// Requests of a sequence that are remembered, so that whoever never begins one does not fill the memory.
const LONGEST: usize = 1 << 16;

/// Bytes from which on a request may take a buffer of another class; there is little to be saved below.
const LARGE: usize = 1 << 18;

/// The capacity of a buffer for `len` elements: at most an eighth more.
fn class(len: usize) -> usize {
    let step = len.max(64).next_power_of_two() / 16;
    len.max(1).next_multiple_of(step)
}

impl<X> Free<X> {
    const fn new(poison: Option<X>) -> Self {
        Free { buffers: Vec::new(), made: 0, plans: [const { Vec::new() }; SEQUENCES], sequence: 0, served: 0, poison }
    }

    fn begin(&mut self, sequence: usize) {
        (self.sequence, self.served) = (sequence % SEQUENCES, 0);
    }

    fn take(&mut self, len: usize) -> Vec<X>
    where
        X: Copy + Default,
    {
        let capacity = class(len);
        let mut buffer = match self.planned(capacity).or_else(|| self.fitting(capacity)) {
            Some(at) => self.buffers.remove(at),
            None => {
                // The list grows when a buffer is made, so that it need not when all come back.
                self.made += 1;
                self.buffers.reserve(self.made - self.buffers.len().min(self.made));
                Vec::with_capacity(capacity)
            }
        };
        let (plan, served) = (&mut self.plans[self.sequence], (buffer.capacity(), buffer.as_ptr().addr()));
        match plan.get_mut(self.served) {
            Some(known) => *known = served,
            None if self.served < LONGEST => plan.push(served),
            None => {}
        }
        self.served += 1;
        // Shortening is free; only the part by which the last user's buffer was shorter has to be written.
        buffer.resize(len, X::default());
        if let Some(poison) = self.poison {
            buffer.fill(poison);
        }
        buffer
    }

    /// Where the buffer is that served this request the last time, if it is free and fits.
    fn planned(&self, capacity: usize) -> Option<usize> {
        let &(last, address) = self.plans[self.sequence].get(self.served)?;
        let fits = last == capacity || (last > capacity && last <= self.largest(capacity));
        let start = self.buffers.partition_point(|b| b.capacity() < last);
        let class = self.buffers[start..].iter().take_while(|b| b.capacity() == last);
        let at = fits.then(|| class.clone().position(|b| b.as_ptr().addr() == address))?;
        at.map(|at| start + at)
    }

    /// Where the smallest buffer is that may serve a request.
    fn fitting(&self, capacity: usize) -> Option<usize> {
        let start = self.buffers.partition_point(|b| b.capacity() < capacity);
        let found = self.buffers.get(start)?.capacity();
        // The last one of its class: it was given back most recently of all, so it is the likeliest to be in a cache.
        let end = self.buffers.partition_point(|b| b.capacity() <= found);
        (found <= self.largest(capacity)).then(|| end - 1)
    }

    /// The capacity up to which a buffer may serve a request.
    fn largest(&self, capacity: usize) -> usize {
        if capacity * size_of::<X>() < LARGE { capacity } else { 4 * capacity }
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
