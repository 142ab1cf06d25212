//! Where a micro-kernel writes.

#![allow(unsafe_code)] // Rows of an output that is shared between threads.

use super::kernel::{MAX_ROWS, SLACK};
use gradwise_core::Real;
use std::marker::PhantomData;

/// How many tiles of any kernel there is room for in a [`Tile`].
pub(crate) const TILES: usize = 4;
const TILE: usize = TILES * MAX_ROWS * SLACK;

/// A few tiles apart from the output, for those at its edges and for what needs more than an assignment or an addition. They stay in
/// the first-level cache.
#[repr(align(32))]
pub(crate) struct Tile<T>(pub(crate) [T; TILE]);

impl<T: Real> Tile<T> {
    pub(crate) fn new() -> Self {
        Tile([T::zero(); TILE])
    }

    /// The tile as rows of `width`.
    #[inline(always)]
    pub(crate) fn out(&mut self, width: usize) -> Out<'_, T> {
        Out {
            start: self.0.as_mut_ptr(),
            stride: width,
            rows: TILE / width,
            adds: false,
            is_far: false,
            tile: PhantomData,
        }
    }
}

/// Rows of `NR` numbers that a micro-kernel assigns to, or adds to.
pub(crate) struct Out<'a, T> {
    start: *mut T,
    stride: usize,
    rows: usize,
    adds: bool,
    is_far: bool,
    tile: PhantomData<&'a mut T>,
}

impl<'a, T: Real> Out<'a, T> {
    /// Rows of a slice, `stride` apart, to be assigned to.
    #[inline(always)]
    pub(crate) fn within(slice: &'a mut [T], stride: usize, rows: usize, width: usize) -> Self {
        assert!(rows == 0 || slice.len() >= (rows - 1) * stride + width, "rows within the slice");
        Out { start: slice.as_mut_ptr(), stride, rows, adds: false, is_far: false, tile: PhantomData }
    }

    /// The same, to be added to.
    #[inline(always)]
    pub(crate) fn adding(self) -> Self {
        Out { adds: true, ..self }
    }

    /// Rows of an output, `stride` apart.
    ///
    /// # Safety
    /// For the lifetime, `NR` elements from `start + i · stride` on, for each of `rows` rows, are valid, and nobody else touches them.
    #[inline(always)]
    pub(crate) unsafe fn new(start: *mut T, stride: usize, rows: usize, adds: bool) -> Self {
        Out { start, stride, rows, adds, is_far: true, tile: PhantomData }
    }

    /// The first `n` rows.
    #[inline(always)]
    pub(crate) fn first_rows(self, n: usize) -> Self {
        assert!(n <= self.rows, "{n} rows of {}", self.rows);
        Out { rows: n, ..self }
    }

    /// `n` of the rows, from `first` on.
    #[inline(always)]
    pub(crate) fn tile(&mut self, first: usize, n: usize) -> Out<'_, T> {
        assert!(first + n <= self.rows, "rows {first}..{} of {}", first + n, self.rows);
        Out { start: self.start.wrapping_add(first * self.stride), rows: n, tile: PhantomData, ..*self }
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.start
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn adds(&self) -> bool {
        self.adds
    }

    /// Whether the rows are an output, which may come from afar, and not something that is in a cache already.
    pub(crate) fn is_far(&self) -> bool {
        self.is_far
    }

    /// Writes a row of `NR` numbers; rows that the output lacks are dropped.
    #[inline(always)]
    pub(crate) fn put<const NR: usize>(&mut self, row: usize, sums: &[T; NR]) {
        if row >= self.rows {
            return;
        }
        // SAFETY: the row is one of those that are valid and ours, by the promise made when this was made.
        let out = unsafe { &mut *self.start.add(row * self.stride).cast::<[T; NR]>() };
        if self.adds {
            out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum);
        } else {
            *out = *sums;
        }
    }
}

/// Columns of `rows` numbers, each beginning at a place of its own: where a tile goes that is written transposed.
pub(crate) struct Scatter<'a, T> {
    start: *mut T,
    places: &'a [usize],
    rows: usize,
    columns: PhantomData<&'a mut T>,
}

impl<'a, T: Real> Scatter<'a, T> {
    /// Columns that begin at `start + place`.
    ///
    /// # Safety
    /// For the lifetime, `rows` elements from each of these on are valid, and nobody else touches them.
    #[inline(always)]
    pub(crate) unsafe fn new(start: *mut T, places: &'a [usize], rows: usize) -> Self {
        Scatter { start, places, rows, columns: PhantomData }
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.start
    }

    pub(crate) fn places(&self) -> &'a [usize] {
        self.places
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The `row`-th number of a column.
    #[inline(always)]
    pub(crate) fn element(&mut self, column: usize, row: usize) -> &mut T {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        // SAFETY: one of the numbers that are valid and ours, by the promise made when this was made.
        unsafe { &mut *self.start.add(self.places[column] + row) }
    }
}
