//! Dropout.

use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Key, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

/// Elements are decided in blocks of twice as many, the first half of a block by the low 16 bits of as many 32-bit words, the second
/// half by their high bits.
const HALF: usize = 32;

/// Inverted dropout: in training `y = x / (1 - p)` with probability `1 - p`, else 0, independently for each element; in evaluation
/// `y = x`.
///
/// - Input and output: any shape; the first axis is that of the samples.
/// - Whether an element is dropped depends on the context's key, the index of its sample in the whole batch and its position in the
///   sample alone: not on threads, on how a batch is split, nor on other samples.
/// - Elements are decided by 16 random bits, so the rate is rounded to a multiple of 2⁻¹⁶ (about 0.000015), away from 0 and 1; what is
///   kept is divided by the probability that it really has, so the expectation of `y` is exactly `x`.
/// - No mask is kept: backward draws the same bits again, which is about as fast as reading them would be.
/// - The bits are those of a counter, mixed with either half of the key in turn by a function of 32-bit words: processors multiply
///   those eight at a time, but 64-bit words only one by one.
///
/// Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 15, 2014.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_tensor::{dropout::Dropout, eager::Eager};
/// use ndarray::ArrayD;
///
/// let dropout = Dropout::new(0.25)?;
/// let x: ArrayD<f32> = ArrayD::ones(vec![8, 1000]);
/// let (y, _) = Eager::default().training(true).key(Key::new(1)).forward(&dropout, &[x.view()])?;
/// let dropped = y.iter().filter(|&&y| y == 0.0).count() as f32 / 8000.0;
/// assert!((dropped - 0.25).abs() < 0.03);
///
/// let (y, _) = Eager::default().forward(&dropout, &[x.view()])?; // evaluation
/// assert_eq!(y, x);
/// assert!(Dropout::new(1.5).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dropout {
    /// An element is dropped if its 16 bits are below this: the rate times 2¹⁶.
    threshold: u16,
}

impl Dropout {
    /// Dropout of this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    pub fn new(rate: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::value("dropout: rate", "a number in [0, 1)", rate));
        }
        let steps = (rate * 65_536.0).round();
        // A rate that is not 0 drops something, and no rate drops everything.
        let threshold = if rate == 0.0 { 0 } else { steps.clamp(1.0, 65_535.0) as u16 };
        Ok(Dropout { threshold })
    }

    /// The rate, as rounded to the resolution.
    pub fn rate(&self) -> f64 {
        f64::from(self.threshold) / 65_536.0
    }

    /// Sets `out` to `x` where it is kept, divided by the probability of that, and to 0 elsewhere; or adds that to `out`.
    fn apply<T: Real>(&self, x: &[T], out: &mut [T], add: bool, sample_len: usize, cx: &Cx<'_, T>) {
        let (key, first, work) = (cx.key, cx.first_sample, 2 * x.len());
        let (scale, threshold) = (T::of(1.0 / (1.0 - self.rate())), i32::from(self.threshold));
        parallel::rows(cx.pool, out, sample_len, 1, work, &|samples, out| {
            vectorize!(|| {
                let rows = x[samples.start * sample_len..].chunks_exact(sample_len);
                for ((sample, x), out) in samples.zip(rows).zip(out.chunks_exact_mut(sample_len)) {
                    let key = key.with((first + sample) as u64);
                    for (block, (x, out)) in x.chunks(2 * HALF).zip(out.chunks_mut(2 * HALF)).enumerate() {
                        let factors = factors(key, block, threshold, scale);
                        if add {
                            keep(x, &factors, out, |value, out| out + value);
                        } else {
                            keep(x, &factors, out, |value, _| value);
                        }
                    }
                }
            },);
        });
    }
}

/// For the elements of a block, `scale` where they are kept, else 0.
#[inline(always)]
fn factors<T: Real>(key: Key, block: usize, threshold: i32, scale: T) -> [T; 2 * HALF] {
    let (low, high) = (key.seed() as u32, (key.seed() >> 32) as u32);
    let first = (block * HALF) as u32;
    let mut words = [0; HALF];
    for (i, word) in words.iter_mut().enumerate() {
        *word = mix(mix(low.wrapping_add(first + i as u32)) ^ high);
    }
    let mut factors = [T::zero(); 2 * HALF];
    // Signed comparisons of 16-bit numbers, since there are vector instructions for no others.
    for (factor, word) in factors[..HALF].iter_mut().zip(&words) {
        *factor = if (word & 0xffff) as i32 >= threshold { scale } else { T::zero() };
    }
    for (factor, word) in factors[HALF..].iter_mut().zip(&words) {
        *factor = if (word >> 16) as i32 >= threshold { scale } else { T::zero() };
    }
    factors
}

/// A bijection of 32-bit words whose every output bit depends on every input bit: shifts and multiplications as in the finalizers of
/// MurmurHash3, with constants that Wellons found by search to leave the least bias (*Prospecting for hash functions*, 2018).
#[inline(always)]
const fn mix(mut z: u32) -> u32 {
    z = (z ^ (z >> 16)).wrapping_mul(0x21f0_aaad);
    z = (z ^ (z >> 15)).wrapping_mul(0x735a_2d97);
    z ^ (z >> 15)
}

/// Sets each `out` by `f(x times its factor, out)`. A factor of 0 is a choice, not a product: what is dropped is 0 even if it was
/// infinite or NaN.
#[inline(always)]
fn keep<T: Real>(x: &[T], factors: &[T; 2 * HALF], out: &mut [T], f: impl Fn(T, T) -> T) {
    for ((out, &x), &factor) in out.iter_mut().zip(x).zip(factors) {
        let product = x * factor;
        *out = f(if factor == T::zero() { T::zero() } else { product }, *out);
    }
}

/// Elements of a sample: all but the first axis, which a scalar has not.
fn sample_len(shape: &[usize]) -> usize {
    shape.iter().skip(1).product()
}

crate::once::compiled_once!(Dropout);

impl<T: Real> crate::once::OpKernel<T> for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let [x] = arity("dropout", inputs)?;
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        if !cx.training || self.threshold == 0 || out.is_empty() {
            out.assign(&inputs[0]);
            return Ok(());
        }
        let x = Dense::of(&inputs[0], cx.scratch);
        self.apply(&x, slice_mut(out), false, sample_len(inputs[0].shape()), cx);
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let Some(slot) = &mut grads[0] else { return Ok(()) };
        if !cx.training || self.threshold == 0 || at.grad.is_empty() {
            slot.add(at.grad);
            return Ok(());
        }
        let (to_x, first) = target(&mut grads[0]);
        self.apply(slice(at.grad), to_x, !first, sample_len(at.grad.shape()), cx);
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
