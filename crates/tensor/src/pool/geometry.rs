//! Where the windows of a pooling lie.

use gradwise_core::{Error, Real, Result, Scratch};
use std::ops::Range;

/// Size, distance and borders of pooling windows, for height and width; shared by forward and backward.
///
/// Along an axis of length `n`, with kernel `k`, stride `s`, padding `p` and dilation `d`, window `o` takes the elements
/// `o s - p + i d` for `0 ≤ i < k`, as far as they exist, and there are `⌊(n + 2p - d (k - 1) - 1) / s⌋ + 1` windows. In ceiling mode
/// the division rounds up, but a window that would start beyond the axis and its left padding is left out.
///
/// ```
/// use gradwise_tensor::pool::Pool2dGeometry;
///
/// let geometry = Pool2dGeometry::square(3)?.stride([2, 2])?.padding([1, 1])?;
/// assert_eq!(geometry.out_size([7, 8])?, [4, 4]);
/// assert!(geometry.padding([2, 2]).is_err(), "more than half of the window");
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pool2dGeometry {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    ceil: bool,
}

/// Refuses a size of 0.
fn positive(what: &'static str, value: [usize; 2]) -> Result<()> {
    if value.contains(&0) { Err(Error::value(what, "at least 1", format!("{value:?}"))) } else { Ok(()) }
}

impl Pool2dGeometry {
    /// Windows of this height and width side by side: the stride is the kernel, without padding and dilation.
    ///
    /// # Errors
    /// If a size is 0, or the window has more elements than 32 bits can count.
    pub fn new(kernel: [usize; 2]) -> Result<Self> {
        positive("pool: kernel", kernel)?;
        if kernel[0].checked_mul(kernel[1]).is_none_or(|len| u32::try_from(len).is_err()) {
            return Err(Error::value("pool: kernel", "at most 2³² - 1 elements", format!("{kernel:?}")));
        }
        Ok(Pool2dGeometry { kernel, stride: kernel, padding: [0, 0], dilation: [1, 1], ceil: false })
    }

    /// Square windows side by side.
    ///
    /// # Errors
    /// If the size is 0.
    pub fn square(kernel: usize) -> Result<Self> {
        Pool2dGeometry::new([kernel, kernel])
    }

    /// With this distance from a window to the next.
    ///
    /// # Errors
    /// If it is 0.
    pub fn stride(self, stride: [usize; 2]) -> Result<Self> {
        positive("pool: stride", stride)?;
        Ok(Pool2dGeometry { stride, ..self })
    }

    /// With this many elements of padding at both ends of each axis.
    ///
    /// # Errors
    /// If it is more than half of the kernel.
    pub fn padding(self, padding: [usize; 2]) -> Result<Self> {
        if (0..2).any(|axis| padding[axis] > self.kernel[axis] / 2) {
            let expected = format!("at most half of the kernel {:?}", self.kernel);
            return Err(Error::value("pool: padding", expected, format!("{padding:?}")));
        }
        Ok(Pool2dGeometry { padding, ..self })
    }

    /// With this distance from an element of a window to the next.
    ///
    /// # Errors
    /// If it is 0.
    pub fn dilation(self, dilation: [usize; 2]) -> Result<Self> {
        positive("pool: dilation", dilation)?;
        Ok(Pool2dGeometry { dilation, ..self })
    }

    /// Whether the number of windows is rounded up, so that the last ones may reach over the end.
    #[must_use]
    pub fn ceil_mode(self, ceil: bool) -> Self {
        Pool2dGeometry { ceil, ..self }
    }

    /// Height and width of the windows.
    pub fn kernel_size(&self) -> [usize; 2] {
        self.kernel
    }

    /// Distance from an element of a window to the next.
    pub(super) fn dilations(&self) -> [usize; 2] {
        self.dilation
    }

    /// Elements of a window.
    pub(super) fn window_len(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The number of windows over an image of this height and width.
    ///
    /// # Errors
    /// If a window does not fit, or would lie in the padding alone.
    pub fn out_size(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        Ok([self.windows(0, size)?, self.windows(1, size)?])
    }

    fn windows(&self, axis: usize, size: [usize; 2]) -> Result<usize> {
        let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
        let reach = (kernel - 1).saturating_mul(self.dilation[axis]).saturating_add(1);
        let length = size[axis].saturating_add(2 * padding);
        if size[axis] == 0 || reach > length {
            return Err(Error::shape("pool", format!("an image that the window {:?} fits into", self.kernel), &size));
        }
        if u32::try_from(size[axis]).is_err() {
            return Err(Error::shape("pool", "an image of at most 2³² - 1 rows and columns", &size));
        }
        let mut windows = (length - reach) / stride + 1;
        if self.ceil
            && !(length - reach).is_multiple_of(stride)
            && windows.saturating_mul(stride) < size[axis].saturating_add(padding)
        {
            windows += 1;
        }
        if (0..windows).any(|window| self.taps(axis, window, size[axis]).is_empty()) {
            return Err(Error::shape("pool", "an image with an element in every window", &size));
        }
        Ok(windows)
    }

    /// Which elements of a window lie within an axis of length `n`.
    pub(super) fn taps(&self, axis: usize, window: usize, n: usize) -> Range<usize> {
        let (start, padding, dilation) = (window * self.stride[axis], self.padding[axis], self.dilation[axis]);
        let low = padding.saturating_sub(start).div_ceil(dilation);
        let high = (n + padding).saturating_sub(start).div_ceil(dilation).min(self.kernel[axis]);
        low.min(high)..high
    }

    /// The windows, of `n_windows`, in which the element `tap` lies within an axis of length `n`.
    pub(super) fn windows_with(&self, axis: usize, tap: usize, n: usize, n_windows: usize) -> Range<usize> {
        let (stride, padding, offset) = (self.stride[axis], self.padding[axis], tap * self.dilation[axis]);
        let low = padding.saturating_sub(offset).div_ceil(stride);
        let high = (n + padding).saturating_sub(offset).div_ceil(stride).min(n_windows);
        low.min(high)..high
    }

    /// The position of an element of a window, which must lie within the axis.
    pub(super) fn position(&self, axis: usize, window: usize, tap: usize) -> usize {
        window * self.stride[axis] + tap * self.dilation[axis] - self.padding[axis]
    }

    /// Distance from a window to the next.
    pub(super) fn strides(&self) -> [usize; 2] {
        self.stride
    }

    /// Elements of padding.
    pub(super) fn paddings(&self) -> [usize; 2] {
        self.padding
    }

    /// The number of elements a window has with its padding, but not beyond: what a mean divides by if it counts the padding.
    pub(super) fn padded_taps(&self, axis: usize, window: usize, n: usize) -> usize {
        let start = window * self.stride[axis];
        (n + 2 * self.padding[axis]).saturating_sub(start).div_ceil(self.dilation[axis]).min(self.kernel[axis])
    }

    /// Whether windows are 2 × 2, side by side and complete: by far the commonest geometry, which has kernels of its own.
    pub(super) fn is_halving(&self, [height, width]: [usize; 2]) -> bool {
        let plain = Pool2dGeometry { ceil: false, ..*self };
        let complete = !self.ceil || (height % 2 == 0 && width % 2 == 0);
        complete && Pool2dGeometry::square(2).is_ok_and(|halving| halving == plain)
    }

    /// The geometry of a one-dimensional pooling over `[1, length]`.
    pub(super) fn line(kernel: usize, stride: usize, padding: usize) -> Result<Self> {
        Pool2dGeometry::new([1, kernel])?.stride([1, stride])?.padding([0, padding])
    }
}

/// What the windows of a row have in common, worked out once a call: the divisions would cost more than the pooling.
pub(super) struct Columns {
    /// For each element of a window's row, the first window that has it, the one after the last, and where the first one's lies; then
    /// for each window, the first element it has.
    table: Vec<u32>,
    kernel_width: usize,
}

impl Columns {
    /// Of a width that `out_size` took. What is returned is to be [given back](Columns::give).
    pub(super) fn of<T: Real>(
        geometry: &Pool2dGeometry,
        width: usize,
        out_width: usize,
        scratch: &mut Scratch<T>,
    ) -> Self {
        let kernel_width = geometry.kernel[1];
        let mut table = scratch.take_words(3 * kernel_width + out_width);
        let (taps, firsts) = table.split_at_mut(3 * kernel_width);
        // `windows` above saw to it that all of these fit into 32 bits.
        for (tap, entry) in taps.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let windows = geometry.windows_with(1, tap, width, out_width);
            let position = if windows.is_empty() { 0 } else { geometry.position(1, windows.start, tap) };
            *entry = [windows.start as u32, windows.end as u32, position as u32];
        }
        for (window, first) in firsts.iter_mut().enumerate() {
            *first = geometry.taps(1, window, width).start as u32;
        }
        Columns { table, kernel_width }
    }

    /// The windows that have an element, and where that of the first of them lies in a row of the image.
    #[inline(always)]
    pub(super) fn windows_with(&self, tap: usize) -> (Range<usize>, usize) {
        let entry = &self.table[3 * tap..][..3];
        (entry[0] as usize..entry[1] as usize, entry[2] as usize)
    }

    /// The first element of each window.
    #[inline(always)]
    pub(super) fn first_taps(&self) -> &[u32] {
        &self.table[3 * self.kernel_width..]
    }

    /// Gives the memory back.
    pub(super) fn give<T: Real>(self, scratch: &mut Scratch<T>) {
        scratch.give_words(self.table);
    }
}

/// Calls `f(out, x)` on each element of `out` and every `stride`-th of `x`.
#[inline(always)]
pub(super) fn each_strided<T: Copy, U>(x: &[T], stride: usize, out: &mut [U], f: impl Fn(&mut U, T)) {
    match stride {
        1 => out.iter_mut().zip(x).for_each(|(out, &x)| f(out, x)),
        2 => {
            // Pairs, not steps of two, are what compiles to vector instructions. A last element may have no partner.
            let (pairs, rest) = x.as_chunks::<2>();
            out.iter_mut().zip(pairs).for_each(|(out, pair)| f(out, pair[0]));
            if let (Some(out), Some(&x)) = (out.get_mut(pairs.len()), rest.first()) {
                f(out, x);
            }
        }
        _ => out.iter_mut().zip(x.iter().step_by(stride)).for_each(|(out, &x)| f(out, x)),
    }
}

/// The shape `[samples, channels, height, width]`, with height 1 for a sequence, or the reason why it is not one.
pub(super) fn image(op: &'static str, shape: &[usize], axes: usize) -> Result<[usize; 4]> {
    match (shape, axes) {
        (&[n, c, h, w], 2) => Ok([n, c, h, w]),
        (&[n, c, w], 1) => Ok([n, c, 1, w]),
        (_, 2) => Err(Error::shape(op, "[samples, channels, height, width]", shape)),
        _ => Err(Error::shape(op, "[samples, channels, length]", shape)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_and_windows_agree_with_the_formula() -> Result<()> {
        for (kernel, stride, padding, dilation, n) in
            [(1, 1, 0, 1, 1), (2, 1, 1, 1, 3), (3, 2, 1, 1, 6), (3, 1, 1, 2, 5), (4, 3, 2, 1, 9), (2, 5, 0, 1, 4)]
        {
            for ceil in [false, true] {
                let geometry = Pool2dGeometry::line(kernel, stride, padding)?.dilation([1, dilation])?.ceil_mode(ceil);
                let windows = geometry.out_size([1, n])?[1];
                for window in 0..windows {
                    for tap in 0..kernel {
                        let position = (window * stride + tap * dilation) as isize - padding as isize;
                        let inside = (0..n as isize).contains(&position);
                        assert_eq!(geometry.taps(1, window, n).contains(&tap), inside);
                        assert_eq!(geometry.windows_with(1, tap, n, windows).contains(&window), inside);
                        assert!(!inside || geometry.position(1, window, tap) as isize == position);
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn ceiling_mode_adds_the_last_window_only_if_it_starts_inside() -> Result<()> {
        let geometry = Pool2dGeometry::square(2)?;
        assert_eq!(geometry.out_size([5, 6])?, [2, 3]);
        assert_eq!(geometry.ceil_mode(true).out_size([5, 6])?, [3, 3]);
        // A fifth window would start at 8, in the right padding of an axis that ends at 7.
        let sparse = Pool2dGeometry::square(3)?.stride([3, 3])?.padding([1, 1])?.ceil_mode(true);
        assert_eq!(sparse.out_size([7, 8])?, [3, 3]);
        Ok(())
    }

    #[test]
    fn windows_without_an_element_are_refused() -> Result<()> {
        let geometry = Pool2dGeometry::square(2)?.padding([1, 1])?.dilation([2, 2])?.stride([1, 1])?;
        assert!(geometry.out_size([1, 1]).is_err());
        assert!(Pool2dGeometry::square(3)?.out_size([2, 5]).is_err());
        Ok(())
    }
}
