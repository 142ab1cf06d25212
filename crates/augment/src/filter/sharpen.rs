//! Differences from a smoothed image, made larger or smaller.

use crate::frame::{Frame, FrameMut, Typed, typed};
use crate::image::Value;
use crate::pixel::Pixel;

/// Between black and white, on the type's own scale.
#[inline(always)]
fn kept<P: Pixel>(x: f32) -> P {
    let x = if x > 0.0 { x } else { 0.0 };
    P::from_f32(if x < P::WHITE { x } else { P::WHITE })
}

/// `x + amount · (x - g)`, where the target holds `g`.
#[inline(always)]
pub(super) fn away<P: Pixel>(amount: f32, source: Frame<'_, P>, target: FrameMut<'_, P>) {
    for (out, x) in target.data.iter_mut().zip(source.data) {
        let (x, smooth) = (x.to_f32(), out.to_f32());
        *out = kept(x + amount * (x - smooth));
    }
}

/// `s + factor · (x - s)`, where `s` is a weighted mean of nine values, of bytes rounded to a byte.
#[inline(always)]
pub(super) fn sharpness<P: Value>(factor: f32, source: Frame<'_, P>, target: FrameMut<'_, P>) {
    match typed(source, target) {
        Typed::U8((source, target)) => nine(
            factor,
            source,
            target,
            #[inline(always)]
            |x, around| {
                let sum = around.iter().fold(5 * u16::from(x), |sum, &x| sum + u16::from(x));
                f32::from((sum + 6) / 13)
            },
        ),
        Typed::F32((source, target)) => nine(
            factor,
            source,
            target,
            #[inline(always)]
            |x, [a, b, c, d, e, f, g, h]| {
                let sides = ((a + c) + (f + h)) + ((b + g) + (d + e));
                (sides + 5.0 * x) * (1.0 / 13.0)
            },
        ),
    }
}

/// For a mean of a value and the eight around it, in reading order.
#[inline(always)]
fn nine<P: Pixel>(factor: f32, source: Frame<'_, P>, target: FrameMut<'_, P>, mean: impl Fn(P, [P; 8]) -> f32) {
    let shape = source.shape;
    let (step, len) = (shape.step(), shape.row());
    for (from, to) in source.planes().zip(target.planes_mut()) {
        to.copy_from_slice(from);
        if shape.width < 3 {
            continue;
        }
        for y in 1..shape.height.saturating_sub(1) {
            let n = len - 2 * step;
            let line = |dy: usize, dx: usize| &from[(y + dy - 1) * len + dx * step..][..n];
            let [a, b, c] = [line(0, 0), line(0, 1), line(0, 2)];
            let [d, x, e] = [line(1, 0), line(1, 1), line(1, 2)];
            let [f, g, h] = [line(2, 0), line(2, 1), line(2, 2)];
            let out = &mut to[y * len + step..][..n];
            for i in 0..n {
                let smooth = mean(x[i], [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]]);
                out[i] = kept(smooth + factor * (x[i].to_f32() - smooth));
            }
        }
    }
}
