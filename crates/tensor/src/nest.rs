//! Loop nests over strided memory, with as few loops as the strides allow.

use std::ops::Range;

/// More loops than an array of ndarray can have axes in practice; [`AxisSet`](crate::reduce::AxisSet) holds as many.
pub(crate) const MAX_AXES: usize = 64;

/// A loop nest that steps through `N` operands at once.
#[derive(Debug, Clone)]
pub(crate) struct Nest<const N: usize> {
    /// Length of each loop, outermost first, and each operand's stride in it.
    loops: Vec<(usize, [usize; N])>,
}

impl<const N: usize> Nest<N> {
    /// The nest of no loops, which has one iteration at offset 0.
    pub(crate) fn new() -> Self {
        Nest { loops: Vec::new() }
    }

    /// Adds a loop inside the others, merged with the innermost one if no operand can tell the difference.
    pub(crate) fn push(&mut self, len: usize, strides: [usize; N]) {
        if len == 1 {
            return;
        }
        if let Some((outer, steps)) = self.loops.last_mut()
            && (0..N).all(|k| steps[k] == strides[k] * len)
        {
            *outer *= len;
            *steps = strides;
            return;
        }
        self.loops.push((len, strides));
    }

    /// Takes the innermost loop out: a single iteration if there is none.
    pub(crate) fn pop(&mut self) -> (usize, [usize; N]) {
        self.loops.pop().unwrap_or((1, [0; N]))
    }

    /// The number of iterations.
    pub(crate) fn len(&self) -> usize {
        self.loops.iter().map(|l| l.0).product()
    }

    /// Calls `f(i, offsets)` for the iterations `i` of a range, in order.
    #[inline(always)]
    pub(crate) fn each(&self, range: Range<usize>, mut f: impl FnMut(usize, [usize; N])) {
        // Loops, not `for_each`, which would be left as a call.
        match self.loops[..] {
            [] => {
                for i in range {
                    f(i, [0; N]);
                }
            }
            [(_, strides)] => {
                for i in range {
                    f(i, strides.map(|s| s * i));
                }
            }
            _ => self.each_of_many(range, f),
        }
    }

    #[inline(always)]
    fn each_of_many(&self, range: Range<usize>, mut f: impl FnMut(usize, [usize; N])) {
        let mut counters = [0; MAX_AXES];
        let mut offsets = [0; N];
        let mut rest = range.start;
        for (counter, &(len, strides)) in counters.iter_mut().zip(&self.loops).rev() {
            *counter = rest % len.max(1);
            rest /= len.max(1);
            (0..N).for_each(|k| offsets[k] += *counter * strides[k]);
        }
        for i in range {
            f(i, offsets);
            for (counter, &(len, strides)) in counters[..self.loops.len()].iter_mut().zip(&self.loops).rev() {
                *counter += 1;
                (0..N).for_each(|k| offsets[k] += strides[k]);
                if *counter < len {
                    break;
                }
                (0..N).for_each(|k| offsets[k] -= strides[k] * len);
                *counter = 0;
            }
        }
    }
}

/// A nest over an output in standard order and `N` dense operands that are broadcast to its shape; the innermost loop is left to the
/// caller, as runs.
#[derive(Debug, Clone)]
pub(crate) struct Walk<const N: usize> {
    outer: Nest<N>,
    /// Length of a run.
    inner: usize,
    /// Each operand's step within a run: 1, or 0 where one element serves the whole run.
    pub(crate) steps: [usize; N],
}

impl<const N: usize> Walk<N> {
    /// `operands` are shapes that broadcast to `out`.
    pub(crate) fn new(out: &[usize], operands: [&[usize]; N]) -> Self {
        let mut outer = Nest::new();
        // What is left of each operand's size inside the axis.
        let mut rest = operands.map(|shape| shape.iter().product::<usize>());
        for (axis, &len) in out.iter().enumerate() {
            let mut strides = [0; N];
            for k in 0..N {
                // Shapes are aligned at their last axes.
                let own = (axis + operands[k].len()).checked_sub(out.len()).map_or(1, |a| operands[k][a]);
                if own > 1 {
                    rest[k] /= own;
                    strides[k] = rest[k];
                }
            }
            outer.push(len, strides);
        }
        let (inner, steps) = outer.pop();
        Walk { outer, inner, steps }
    }

    /// Calls `f(range, offsets)` for consecutive parts of a range of the output's elements, each within one run; the ranges are
    /// relative to the start of the whole.
    #[inline(always)]
    pub(crate) fn runs(&self, range: Range<usize>, mut f: impl FnMut(Range<usize>, [usize; N])) {
        if range.is_empty() {
            return;
        }
        let (first, end) = (range.start / self.inner, range.end.div_ceil(self.inner));
        self.outer.each(
            first..end,
            #[inline(always)]
            |i, offsets| {
                let start = (i * self.inner).max(range.start);
                let stop = ((i + 1) * self.inner).min(range.end);
                let within = start - i * self.inner;
                let mut at = offsets;
                (0..N).for_each(|k| at[k] += within * self.steps[k]);
                f(start - range.start..stop - range.start, at);
            },
        );
    }
}
