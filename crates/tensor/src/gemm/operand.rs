//! A factor of a product, read where it lies.

#![allow(unsafe_code)] // Runs of a strided view as slices.

use ndarray::{ArrayView2, ArrayViewD};
use std::marker::PhantomData;

/// One factor, seen as *lines* that run along the summed axis: the rows of the left factor, the columns of the right.
///
/// Both factors are then alike, whatever way they are stored: a transposed matrix is one whose strides are exchanged.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a, T> {
    start: *const T,
    lines: usize,
    depth: usize,
    /// From an element to the same place in the next line.
    line_stride: isize,
    /// From an element to the next in its line.
    depth_stride: isize,
    view: PhantomData<&'a [T]>,
}

// SAFETY: an operand is a shared view of `T`s.
unsafe impl<T: Sync> Send for Operand<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Operand<'_, T> {}

impl<'a, T: Copy> Operand<'a, T> {
    /// The rows of a matrix as lines.
    pub(crate) fn rows(view: ArrayView2<'a, T>) -> Self {
        let (lines, depth) = view.dim();
        let strides = view.strides();
        // An axis of one element has no meaningful stride; taken as 1 it opens the fast ways.
        let stride = |axis: usize, len: usize| if len == 1 { 1 } else { strides[axis] };
        Operand {
            start: view.as_ptr(),
            lines,
            depth,
            line_stride: stride(0, lines),
            depth_stride: stride(1, depth),
            view: PhantomData,
        }
    }

    /// The columns of a matrix as lines.
    pub(crate) fn columns(view: ArrayView2<'a, T>) -> Self {
        Self::rows(view).turned()
    }

    /// Lines of `depth` elements, `stride` from one to the next, from the beginning of a slice on.
    #[inline(always)]
    pub(crate) fn within(slice: &'a [T], stride: usize, lines: usize, depth: usize) -> Self {
        let needed = lines.checked_sub(1).map_or(0, |last| last * stride + depth);
        assert!(slice.len() >= needed, "lines within the slice");
        let (start, line_stride) = (slice.as_ptr(), stride as isize);
        Operand { start, lines, depth, line_stride, depth_stride: 1, view: PhantomData }
    }

    /// Lines across the lines.
    pub(crate) fn turned(self) -> Self {
        Operand {
            lines: self.depth,
            depth: self.lines,
            line_stride: self.depth_stride,
            depth_stride: self.line_stride,
            ..self
        }
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// From an element to the same place in the next line.
    pub(crate) fn line_stride(&self) -> isize {
        self.line_stride
    }

    /// Whether lines lie in one piece.
    pub(crate) fn has_whole_lines(&self) -> bool {
        self.depth_stride == 1
    }

    /// Whether the elements at one place of all lines lie in one piece.
    pub(crate) fn has_whole_cuts(&self) -> bool {
        self.line_stride == 1
    }

    /// One element.
    #[inline(always)]
    pub(crate) fn get(&self, line: usize, k: usize) -> T {
        assert!(line < self.lines && k < self.depth, "element ({line}, {k}) of {} x {}", self.lines, self.depth);
        // SAFETY: the element is one of the view's, which is borrowed for `'a`.
        unsafe { *self.start.offset(line as isize * self.line_stride + k as isize * self.depth_stride) }
    }

    /// `len` elements of a line, from `k` on. Lines must be whole.
    #[inline(always)]
    pub(crate) fn line(&self, line: usize, k: usize, len: usize) -> &'a [T] {
        assert!(self.depth_stride == 1 && line < self.lines && k + len <= self.depth, "part of a line");
        if len == 0 {
            return &[];
        }
        // SAFETY: the elements `(line, k..k + len)` are the view's own and adjacent, as their stride is 1.
        unsafe { std::slice::from_raw_parts(self.start.offset(line as isize * self.line_stride + k as isize), len) }
    }

    /// Where `n` lines begin at `k`, and how far apart they are. Lines must be whole, and each have `len` elements from `k` on.
    #[inline(always)]
    pub(crate) fn line_starts(&self, line: usize, n: usize, k: usize, len: usize) -> (*const T, isize) {
        assert!(self.depth_stride == 1 && line + n <= self.lines && k + len <= self.depth, "parts of lines");
        (self.start.wrapping_offset(line as isize * self.line_stride + k as isize), self.line_stride)
    }

    /// The elements at `k` of `len` lines. Cuts must be whole.
    #[inline(always)]
    pub(crate) fn cut(&self, line: usize, k: usize, len: usize) -> &'a [T] {
        assert!(self.line_stride == 1 && line + len <= self.lines && k < self.depth, "cut through lines");
        // SAFETY: the elements `(line..line + len, k)` are the view's own and adjacent, as their stride is 1.
        unsafe { std::slice::from_raw_parts(self.start.offset(line as isize + k as isize * self.depth_stride), len) }
    }

    /// Whether cuts are whole and follow each other without anything in between.
    #[inline(always)]
    pub(crate) fn is_panel(&self) -> bool {
        // A slice over several cuts also covers what lies between them; only where that is the view's own may it be formed.
        self.line_stride == 1 && self.depth_stride >= 0 && self.depth_stride as usize == self.lines
    }

    /// Everything at `k..` of `width` lines, with cuts `stride` apart, if they are whole and lie in ascending order: a panel that needs
    /// no packing.
    #[inline(always)]
    pub(crate) fn panel(&self, line: usize, k: usize, depth: usize, width: usize) -> Option<(&'a [T], usize)> {
        if !self.is_panel() || depth == 0 || line + width > self.lines || k + depth > self.depth {
            return None;
        }
        let len = (depth - 1) * self.lines + width;
        // SAFETY: the view is one piece of memory, `depth` cuts of `lines` elements; the range lies within it.
        Some((unsafe { std::slice::from_raw_parts(self.start.add(line + k * self.lines), len) }, self.lines))
    }
}

/// A stack of matrices: an array whose last two axes are taken as rows and columns.
#[derive(Clone, Copy)]
pub(crate) struct Stack<'a, T> {
    /// The rows of the first matrix.
    first: Operand<'a, T>,
    lens: &'a [usize],
    strides: &'a [isize],
}

impl<'a, T: Copy> Stack<'a, T> {
    /// The stack of an array with at least two axes.
    pub(crate) fn new(array: &'a ArrayViewD<'_, T>) -> Self {
        let leading = array.ndim() - 2;
        let (shape, strides) = (array.shape(), array.strides());
        let stride = |axis: usize| if shape[axis] == 1 { 1 } else { strides[axis] };
        let first = Operand {
            start: array.as_ptr(),
            lines: shape[leading],
            depth: shape[leading + 1],
            line_stride: stride(leading),
            depth_stride: stride(leading + 1),
            view: PhantomData,
        };
        Stack { first, lens: &shape[..leading], strides: &strides[..leading] }
    }

    /// The stack of the transposed matrices.
    pub(crate) fn transposed(self) -> Self {
        Stack { first: self.first.turned(), ..self }
    }

    /// The rows of the matrix that stands at `index`, counted in standard order, of leading axes that this stack is broadcast to.
    pub(crate) fn matrix(&self, mut index: usize, axes: &[usize]) -> Operand<'a, T> {
        let mut offset = 0;
        for (i, &len) in axes.iter().rev().enumerate() {
            let at = index % len;
            index /= len;
            if i < self.lens.len() {
                let own = self.lens.len() - 1 - i;
                assert!(self.lens[own] == len || self.lens[own] == 1, "stack {:?} broadcast to {axes:?}", self.lens);
                offset += if self.lens[own] == 1 { 0 } else { at as isize * self.strides[own] };
            }
        }
        assert_eq!(index, 0, "matrix of a stack {axes:?}");
        // SAFETY: every index is below its axis's length, so the offset leads to an element of the view.
        Operand { start: unsafe { self.first.start.offset(offset) }, ..self.first }
    }
}
