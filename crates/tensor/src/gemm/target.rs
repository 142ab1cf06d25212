//! Where a product goes, and what happens to it on the way.

#![allow(unsafe_code)] // Tiles of one output go to different threads.

use super::Bias;
use super::Epilogue;
use super::kernel::{Kernel, SLACK};
use super::out::{Out, Scatter, Tile};
use super::prefetch::{line_len, prefetch};
use crate::parallel::Parts;
use gradwise_core::Real;
use std::ops::Range;

/// How the columns of a product lie in memory: column `(n · height + y) · width + x` is at `n · image + y · row + x · step`.
///
/// A matrix has one row of one image. The pixels of a batch of feature maps need all three.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    width: usize,
    step: usize,
    height: usize,
    row: usize,
    image: usize,
}

/// Where the columns of one tile lie.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// One after the other from here on.
    Run(usize),
    /// Each at its own place.
    Each([usize; SLACK]),
}

impl Columns {
    /// Columns of a matrix, `step` apart.
    pub(crate) fn of_matrix(n: usize, step: usize) -> Self {
        Columns { width: n.max(1), step, height: 1, row: 0, image: 0 }
    }

    /// Pixels of images: `width` of them, `step` apart, in each of `height` rows, `row` apart, in images that are `image` apart.
    pub(crate) fn of_images([height, width]: [usize; 2], [row, step]: [usize; 2], image: usize) -> Self {
        if row == width * step {
            return Columns { width: (height * width).max(1), step, height: 1, row: 0, image };
        }
        Columns { width: width.max(1), step, height: height.max(1), row, image }
    }

    /// Where one column lies.
    #[inline(always)]
    pub(crate) fn place(&self, column: usize) -> usize {
        let line = column / self.width;
        line / self.height * self.image + line % self.height * self.row + column % self.width * self.step
    }

    #[inline(always)]
    pub(crate) fn locate(&self, first: usize, n: usize) -> Place {
        if self.step == 1 && first + n <= self.width {
            // A matrix's columns, always: divisions would take a good part of a small product's time.
            return Place::Run(first);
        }
        let (line, mut x) = (first / self.width, first % self.width);
        let (mut image, mut y) = (line / self.height, line % self.height);
        if self.step == 1 && x + n <= self.width {
            return Place::Run(image * self.image + y * self.row + x);
        }
        let mut places = [0; SLACK];
        for place in &mut places[..n] {
            *place = image * self.image + y * self.row + x * self.step;
            x += 1;
            if x == self.width {
                (x, y) = (0, y + 1);
                if y == self.height {
                    (y, image) = (0, image + 1);
                }
            }
        }
        Place::Each(places)
    }
}

/// The output of a product, shared by the tasks that fill it.
pub(crate) struct Target<'a, T> {
    pub(crate) out: &'a Parts<'a, T>,
    /// Where the first element lies.
    pub(crate) base: usize,
    pub(crate) row_stride: usize,
    pub(crate) columns: Columns,
    pub(crate) epilogue: Epilogue<'a, T>,
}

/// Which tile of a product is being computed, and which part of its sum.
pub(crate) struct Spot {
    /// Rows of the product that it covers.
    pub(crate) rows: Range<usize>,
    /// First column of the product that it covers.
    pub(crate) column: usize,
    /// How many columns it covers.
    pub(crate) n: usize,
    /// Where the product's output begins, where there are several.
    pub(crate) base: usize,
    /// Where its columns lie.
    pub(crate) place: Place,
    /// Whether these are the first terms of the sum, so that `β` applies.
    pub(crate) first: bool,
    /// Whether these are the last, so that bias and activation apply.
    pub(crate) last: bool,
}

impl<T: Real> Target<'_, T> {
    /// Has a tile computed by `kernel`, which writes rows of `width`, and applies the epilogue.
    ///
    /// # Safety
    /// While this runs, no other thread touches the tile's part of the output.
    #[inline(always)]
    pub(crate) unsafe fn fill(&self, spot: Spot, width: usize, tile: &mut Tile<T>, kernel: impl FnOnce(Out<'_, T>)) {
        let Spot { rows, column, n, base, place, first, last } = spot;
        let base = self.base + base;
        let beta = if first { self.epilogue.beta } else { T::one() };
        let plain = !last || self.epilogue.is_plain();
        if let Place::Run(start) = place {
            // The lines arrive while the kernel works.
            for row in rows.clone() {
                let start = base + row * self.row_stride + start;
                prefetch::<T, true>(self.out.as_mut_ptr().wrapping_add(start));
                prefetch::<T, true>(self.out.as_mut_ptr().wrapping_add(start + n - 1));
            }
        }
        if self.takes_strips(place, n, width, first) {
            // SAFETY: by this function's contract.
            unsafe {
                self.fill_strip(Spot { rows, column, n, base: base - self.base, place, first, last }, width, kernel);
            }
            return;
        }
        kernel(tile.out(width));
        let sums = tile.0.chunks_exact_mut(width).zip(rows.clone());
        match place {
            Place::Run(start) => {
                for (sums, row) in sums {
                    let start = base + row * self.row_stride + start;
                    // SAFETY: part of the tile, which the caller has to itself.
                    let out = unsafe { self.out.part(start..start + n) };
                    self.merge(&mut sums[..n], out, beta);
                    if !plain {
                        self.finish(out, row, column);
                    }
                }
            }
            Place::Each(places) => {
                // Gathered, merged and scattered: the same arithmetic as for a run.
                let places = &places[..n];
                let last =
                    base + rows.end.saturating_sub(1) * self.row_stride + places.iter().max().map_or(0, |&at| at);
                assert!(last < self.out.len(), "tile within the output");
                let out = self.out.as_mut_ptr();
                let mut row_out = [T::zero(); SLACK];
                for (sums, row) in sums {
                    let start = base + row * self.row_stride;
                    if beta != T::zero() {
                        for (x, place) in row_out.iter_mut().zip(places) {
                            // SAFETY: an element of the tile, which the caller has to itself; the last one was checked.
                            *x = unsafe { *out.add(start + place) };
                        }
                    }
                    self.merge(&mut sums[..n], &mut row_out[..n], beta);
                    if !plain {
                        self.finish(&mut row_out[..n], row, column);
                    }
                    for (&x, place) in row_out.iter().zip(places) {
                        // SAFETY: as above.
                        unsafe { *out.add(start + place) = x };
                    }
                }
            }
        }
    }

    /// Whether rows of the product are neighbours in the output, and columns are not.
    #[inline(always)]
    pub(crate) fn is_transposed(&self) -> bool {
        self.row_stride == 1 && self.columns.step != 1
    }

    /// Whether tiles of `width` columns at a place can be computed where they belong, many rows at once.
    #[inline(always)]
    pub(crate) fn takes_strips(&self, place: Place, n: usize, width: usize, first: bool) -> bool {
        let Epilogue { alpha, beta, .. } = self.epilogue;
        let assigns_or_adds = !first || beta == T::zero() || beta == T::one();
        matches!(place, Place::Run(_)) && alpha == T::one() && assigns_or_adds && n == width
    }

    /// Has any number of rows of `width` columns computed by `kernel`, straight to where they belong, and applies bias and activation. The spot must be one
    /// that [`takes strips`](Target::takes_strips).
    ///
    /// # Safety
    /// While this runs, no other thread touches the spot's part of the output.
    #[inline(always)]
    pub(crate) unsafe fn fill_strip(&self, spot: Spot, width: usize, kernel: impl FnOnce(Out<'_, T>)) {
        let Spot { rows, column, n, base, place, first, last } = spot;
        assert_eq!(n, width, "columns of a strip");
        let n = width; // Known to the compiler, which makes straight code of every row.
        let Place::Run(start) = place else { unreachable!("columns side by side") };
        let start = self.base + base + rows.start * self.row_stride + start;
        let end = start + rows.len().saturating_sub(1) * self.row_stride + n;
        assert!(end <= self.out.len(), "rows within the output");
        let adds = !first || self.epilogue.beta == T::one();
        // SAFETY: within the output, as asserted; the caller has this part to itself.
        kernel(unsafe { Out::new(self.out.as_mut_ptr().add(start), self.row_stride, rows.len(), adds) });
        if !last || self.epilogue.is_plain() {
            return;
        }
        // A copy of its own, so that the compiler knows that writing a row does not change the bias of the next.
        let mut bias = [T::zero(); SLACK];
        let per_column = if let Bias::PerColumn(all) = self.epilogue.bias {
            bias[..n].copy_from_slice(&all[column..column + n]);
            true
        } else {
            false
        };
        for (i, row) in rows.enumerate() {
            let start = start + i * self.row_stride;
            // SAFETY: part of the rows.
            let out = unsafe { self.out.part(start..start + n) };
            if per_column {
                self.epilogue.activation.apply_after(out, |j, x| x + bias[j]);
            } else {
                self.finish(out, row, column);
            }
        }
    }

    /// Has a tile computed by `kernel`, and writes it transposed, with bias and activation: rows of the product are neighbours in the
    /// output, and its columns lie anywhere.
    ///
    /// # Safety
    /// As for [`Target::fill`].
    #[inline(always)]
    pub(crate) unsafe fn fill_transposed<K: Kernel<T>>(
        &self,
        spot: Spot,
        kernel: K,
        tile: &mut Tile<T>,
        compute: impl FnOnce(Out<'_, T>),
    ) {
        let Spot { rows, column, n, base, place, first, last } = spot;
        let mut places = [0; SLACK];
        match place {
            Place::Each(each) => places = each,
            Place::Run(start) => places.iter_mut().enumerate().for_each(|(i, place)| *place = start + i),
        }
        let places = &places[..n];
        let start = self.base + base + rows.start;
        let end = start + rows.len() + places.iter().max().map_or(0, |&at| at);
        assert!(self.row_stride == 1 && end <= self.out.len(), "tile within the output");
        let out = self.out.as_mut_ptr().wrapping_add(start);
        for &place in places {
            prefetch::<T, true>(out.wrapping_add(place));
        }
        compute(tile.out(K::NR));
        let Epilogue { alpha, beta, .. } = self.epilogue;
        let beta = if first { beta } else { T::one() };
        if beta != T::zero() || alpha != T::one() {
            for (i, sums) in tile.0.chunks_exact_mut(K::NR).take(rows.len()).enumerate() {
                for (sum, place) in sums.iter_mut().zip(places) {
                    *sum *= alpha;
                    if beta != T::zero() {
                        // SAFETY: an element of the tile, which the caller has to itself; the last one was checked.
                        *sum += unsafe { *out.add(place + i) } * beta;
                    }
                }
            }
        }
        if last && !self.epilogue.is_plain() {
            for (sums, row) in tile.0.chunks_exact_mut(K::NR).zip(rows.clone()) {
                // A whole row has a length that the compiler knows.
                let sums = if n == K::NR { &mut sums[..K::NR] } else { &mut sums[..n] };
                self.finish(sums, row, column);
            }
        }
        // SAFETY: as above.
        kernel.put_transposed(&tile.0, unsafe { Scatter::new(out, places, rows.len()) });
    }

    /// Hints that `len` elements of the output, from `start` on, will be written.
    #[inline(always)]
    pub(crate) fn prefetch(&self, start: usize, len: usize) {
        let first = self.out.as_mut_ptr().wrapping_add(self.base + start);
        for at in (0..len).step_by(line_len::<T>()) {
            prefetch::<T, true>(first.wrapping_add(at));
        }
    }

    /// Writes sums that are neighbours in one row of a product, from element `start` of the output on, with the epilogue. The sums may be
    /// changed.
    ///
    /// # Safety
    /// While this runs, no other thread touches that part of the output.
    #[inline(always)]
    pub(crate) unsafe fn write_run(&self, sums: &mut [T], start: usize, row: usize) {
        let start = self.base + start;
        // SAFETY: by this function's contract.
        let out = unsafe { self.out.part(start..start + sums.len()) };
        let Epilogue { alpha, beta, .. } = self.epilogue;
        if alpha != T::one() {
            sums.iter_mut().for_each(|x| *x *= alpha);
        }
        if beta != T::zero() {
            sums.iter_mut().zip(&*out).for_each(|(sums, &out)| *sums += beta * out);
        }
        self.finish(sums, row, 0);
        out.copy_from_slice(sums);
    }

    /// Writes lines of `len` sums, `pitch` apart, of one row of a product: the first from a column on, the next from the column `width`
    /// behind it on. The sums may be changed.
    ///
    /// # Safety
    /// As for [`Target::write_run`].
    #[inline(always)]
    pub(crate) unsafe fn write_lines(
        &self,
        sums: &mut [T],
        len: usize,
        pitch: usize,
        column: usize,
        width: usize,
        row: usize,
    ) {
        let start = row * self.row_stride;
        let step = self.columns.step;
        if step == 1 && len == pitch && len == width && self.columns.width.is_multiple_of(sums.len().max(1)) {
            // Lines without anything between them, within one image.
            // SAFETY: by this function's contract.
            return unsafe { self.write_run(sums, start + self.columns.place(column), row) };
        }
        for (i, line) in sums.chunks_exact_mut(pitch.max(1)).enumerate() {
            let (line, start) = (&mut line[..len], start + self.columns.place(column + i * width));
            if step == 1 {
                // SAFETY: by this function's contract.
                unsafe { self.write_run(line, start, row) };
                continue;
            }
            // SAFETY: by this function's contract.
            unsafe { self.write_steps(line, start, step, row) };
        }
    }

    /// [`Target::write_run`] to every `step`-th element of the output, and none in between.
    ///
    /// # Safety
    /// As for [`Target::write_run`], of these elements.
    #[inline(always)]
    unsafe fn write_steps(&self, sums: &mut [T], start: usize, step: usize, row: usize) {
        if sums.is_empty() {
            return;
        }
        let start = self.base + start;
        assert!(start + (sums.len() - 1) * step < self.out.len(), "a line within the output");
        let out = self.out.as_mut_ptr().wrapping_add(start);
        let Epilogue { alpha, beta, .. } = self.epilogue;
        if alpha != T::one() {
            sums.iter_mut().for_each(|x| *x *= alpha);
        }
        if beta != T::zero() {
            // SAFETY: within the output; the caller has these elements to itself.
            sums.iter_mut().enumerate().for_each(|(x, sum)| *sum += beta * unsafe { *out.add(x * step) });
        }
        self.finish(sums, row, 0);
        // SAFETY: as above.
        sums.iter().enumerate().for_each(|(x, &sum)| unsafe { *out.add(x * step) = sum });
    }

    /// Whether sums are the output, and nothing has to be done to them.
    pub(crate) fn only_assigns(&self) -> bool {
        let Epilogue { alpha, beta, .. } = self.epilogue;
        alpha == T::one() && beta == T::zero() && self.epilogue.is_plain()
    }

    /// `len` elements of the output from `start` on.
    ///
    /// # Safety
    /// While the returned slice is alive, nobody else touches that part of the output.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &mut [T] {
        let start = self.base + start;
        // SAFETY: by this function's contract.
        unsafe { self.out.part(start..start + len) }
    }

    /// `out ← α sums + β out`; `out` is not read where `β = 0`.
    #[inline(always)]
    fn merge(&self, sums: &mut [T], out: &mut [T], beta: T) {
        let alpha = self.epilogue.alpha;
        if alpha != T::one() {
            sums.iter_mut().for_each(|x| *x *= alpha);
        }
        // Whole tiles are merged in pieces of a length that the compiler knows.
        let (whole, rest) = sums.as_chunks::<8>();
        let (out_whole, out_rest) = out.as_chunks_mut::<8>();
        if beta == T::zero() {
            out_whole.iter_mut().zip(whole).for_each(|(out, sums)| *out = *sums);
            out_rest.iter_mut().zip(rest).for_each(|(out, sums)| *out = *sums);
        } else if beta == T::one() {
            let add = |(out, &sums): (&mut T, &T)| *out += sums;
            out_whole.iter_mut().zip(whole).for_each(|(out, sums)| out.iter_mut().zip(sums).for_each(add));
            out_rest.iter_mut().zip(rest).for_each(add);
        } else {
            out.iter_mut().zip(sums).for_each(|(out, &mut sums)| *out = *out * beta + sums);
        }
    }

    /// Adds the bias and applies the activation.
    #[inline(always)]
    fn finish(&self, out: &mut [T], row: usize, column: usize) {
        let activation = self.epilogue.activation;
        match self.epilogue.bias {
            Bias::None => activation.apply_slice(out),
            Bias::PerRow(bias) => {
                let bias = bias[row];
                activation.apply_after(out, |_, x| x + bias);
            }
            Bias::PerColumn(bias) => {
                let bias = &bias[column..column + out.len()];
                activation.apply_after(out, |i, x| x + bias[i]);
            }
        }
    }
}
