//! Free buffers of one type, and how they are handed out.

use super::plan::{Held, Place, assign};

/// Free buffers of one type.
#[derive(Debug)]
pub(super) struct Free<X> {
    /// Sorted by capacity, so that the best fit is found by bisection.
    buffers: Vec<Vec<X>>,
    /// How many buffers there are, free or out: so many may have to be held at once.
    pub(super) made: usize,
    /// By kind of sequence, which buffer served each request the last time: its capacity and address.
    plans: [Vec<(usize, usize)>; SEQUENCES],
    sequence: usize,
    /// Requests of the sequence so far.
    served: usize,
    /// Whether a buffer was made since the sequence began.
    grew: bool,
    /// How often the buffers of each kind of sequence were chosen by looking at the whole of it.
    planned: [u8; SEQUENCES],
    /// Large requests of the sequence, and when each came back; only while there is a plan to be made.
    held: Vec<Held>,
    recording: bool,
    /// Takes and gives that were recorded.
    clock: u32,
    /// What each buffer is filled with before it is handed out.
    pub(super) poison: Option<X>,
}

/// How many kinds of sequences are told apart.
const SEQUENCES: usize = 4;

/// Requests of a sequence that are remembered, so that whoever never begins one does not fill the memory.
const LONGEST: usize = 1 << 16;

/// Bytes from which on a request may take a buffer of another class; there is little to be saved below.
const LARGE: usize = 1 << 18;

/// Plans made for each kind of sequence. Steps that are unlike the first come to be served by exchanging buffers; to plan for each of two
/// nets that take turns would make all buffers anew at every step.
const PLANS: u8 = 3;

/// The capacity of a buffer for `len` elements: at most an eighth more.
pub(super) fn class(len: usize) -> usize {
    let step = len.max(64).next_power_of_two() / 16;
    len.max(1).next_multiple_of(step)
}

/// What tells a buffer from others: its capacity and address.
fn name<X>(buffer: &Vec<X>) -> (usize, usize) {
    (buffer.capacity(), buffer.as_ptr().addr())
}

impl<X> Free<X> {
    pub(super) const fn new(poison: Option<X>) -> Self {
        Free {
            buffers: Vec::new(),
            made: 0,
            plans: [const { Vec::new() }; SEQUENCES],
            sequence: 0,
            served: 0,
            grew: false,
            planned: [0; SEQUENCES],
            held: Vec::new(),
            recording: false,
            clock: 0,
            poison,
        }
    }

    pub(super) fn begin(&mut self, sequence: usize) {
        (self.sequence, self.served) = (sequence % SEQUENCES, 0);
        (self.grew, self.clock) = (false, 0);
        self.recording = self.planned[self.sequence] < PLANS;
        self.held.clear();
    }

    /// Says that the sequence is over. If buffers had to be made in it, now that all its requests are known, they are given fewer bytes.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.recording) && self.grew {
            self.planned[self.sequence] += 1;
            self.plan();
        }
        self.held.clear();
    }

    fn plan(&mut self) {
        // What other sequences count on is there anyway.
        let others = |b: &&Vec<X>| self.is_planned_elsewhere(b);
        let mut places: Vec<Place> = self.buffers.iter().filter(others).map(|b| Place::of(name(b))).collect();
        let chosen = assign(&self.held, &mut places);
        // Small ones stay, and those that have a place or are given one.
        let keep = |buffer: &Vec<X>| {
            let (capacity, address) = name(buffer);
            let large = capacity * size_of::<X>() >= LARGE;
            let new = |place: &&mut Place| place.address.is_none() && place.capacity == capacity;
            if !large || places.iter().any(|place| place.address == Some(address)) {
                return true;
            }
            places.iter_mut().find(new).map(|place| place.address = Some(address)).is_some()
        };
        let before = self.buffers.len();
        self.buffers.retain(keep);
        self.made -= before - self.buffers.len();
        for place in places.iter_mut().filter(|place| place.address.is_none()) {
            let buffer = self.make(place.capacity);
            (place.capacity, place.address) = (buffer.capacity(), Some(buffer.as_ptr().addr()));
            self.insert(buffer);
        }
        for (held, at) in self.held.iter().zip(chosen) {
            if let (Some(request), Some(address)) = (held.request, places[at].address)
                && let Some(served) = self.plans[self.sequence].get_mut(request)
            {
                *served = (places[at].capacity, address);
            }
        }
    }

    fn is_planned_elsewhere(&self, buffer: &Vec<X>) -> bool {
        let others = self.plans.iter().enumerate().filter(|(i, _)| *i != self.sequence);
        others.flat_map(|(_, plan)| plan).any(|served| *served == name(buffer))
    }

    pub(super) fn take(&mut self, len: usize) -> Vec<X>
    where
        X: Copy + Default,
    {
        let mut buffer = self.take_at_least(len);
        // Shortening is free; only the part by which the last user's buffer was shorter has to be written.
        buffer.truncate(len);
        buffer
    }

    /// A buffer of `len` elements, or of as many more as its last user left it.
    pub(super) fn take_at_least(&mut self, len: usize) -> Vec<X>
    where
        X: Copy + Default,
    {
        let capacity = class(len);
        let mut buffer = match self.planned(capacity).or_else(|| self.fitting(capacity)) {
            Some(at) => self.buffers.remove(at),
            None => {
                self.exchange(capacity);
                self.make(capacity)
            }
        };
        let (request, served) = (self.served, name(&buffer));
        let plan = &mut self.plans[self.sequence];
        match plan.get_mut(request) {
            Some(known) => *known = served,
            None if request < LONGEST => plan.push(served),
            None => {}
        }
        self.served += 1;
        if self.recording && request < LONGEST && capacity * size_of::<X>() >= LARGE {
            self.clock += 1;
            let (start, end) = (self.clock, Held::OUT);
            self.held.push(Held { capacity, buffer: served, request: Some(request), start, end });
        }
        if buffer.len() < len {
            buffer.resize(len, X::default());
        }
        if let Some(poison) = self.poison {
            buffer.fill(poison);
        }
        buffer
    }

    fn make(&mut self, capacity: usize) -> Vec<X> {
        self.made += 1;
        self.grew = true;
        // The list grows when a buffer is made, so that it need not when all come back.
        self.buffers.reserve(self.made - self.buffers.len().min(self.made));
        Vec::with_capacity(capacity)
    }

    /// Before a large buffer is made: lets go of smaller ones that are free, so that there is no more memory than before. What they were for
    /// will find the larger one when it comes again. Since only larger ones replace smaller ones, this comes to an end.
    fn exchange(&mut self, capacity: usize) {
        let start = self.buffers.partition_point(|b| b.capacity() * size_of::<X>() < LARGE);
        let end = self.buffers.partition_point(|b| b.capacity() < capacity);
        let mut missing = capacity;
        for at in (start..end).rev() {
            if missing > 0 && !self.is_planned_elsewhere(&self.buffers[at]) {
                missing = missing.saturating_sub(self.buffers.remove(at).capacity());
                self.made -= 1;
            }
        }
    }

    /// Where the buffer is that served this request the last time, if it is free and fits.
    fn planned(&self, capacity: usize) -> Option<usize> {
        let &(last, address) = self.plans[self.sequence].get(self.served)?;
        // A plan may have put a large request into a still larger buffer, if that is not in use.
        let fits = last == capacity || (last > capacity && capacity * size_of::<X>() >= LARGE);
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

    pub(super) fn give(&mut self, buffer: Vec<X>) {
        // What was not made here is let go where it fits no class, or where there would be more than ever were asked for: a loop that
        // hands in an array of its own at each step would else fill the memory.
        let capacity = buffer.capacity();
        if capacity > 0 && capacity == class(capacity) && self.buffers.len() < self.made {
            self.record(name(&buffer));
            self.insert(buffer);
        }
    }

    fn insert(&mut self, buffer: Vec<X>) {
        let at = self.buffers.partition_point(|b| b.capacity() <= buffer.capacity());
        self.buffers.insert(at, buffer);
    }

    /// Notes that a buffer came back.
    fn record(&mut self, buffer: (usize, usize)) {
        if !self.recording || buffer.0 * size_of::<X>() < LARGE || self.held.len() >= LONGEST {
            return;
        }
        self.clock += 1;
        match self.held.iter_mut().rev().find(|held| held.buffer.1 == buffer.1 && held.end == Held::OUT) {
            Some(held) => held.end = self.clock,
            // It was taken before the sequence began.
            None => self.held.push(Held { capacity: buffer.0, buffer, request: None, start: 0, end: self.clock }),
        }
    }

    /// The free buffers, by address.
    #[cfg(test)]
    pub(super) fn buffers(&self) -> std::collections::BTreeSet<usize> {
        self.buffers.iter().map(|b| b.as_ptr().addr()).collect()
    }

    pub(super) fn capacity_bytes(&self) -> usize {
        self.buffers.iter().map(Vec::capacity).sum::<usize>() * size_of::<X>()
    }
}
