//! DropBlock.

use super::drop::check_rate;
use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Key, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

const NAME: &str = "block_dropout";

/// DropBlock: in training squares of a feature map, `[samples, channels, height, width]`, are 0, and what is left of it is multiplied by the number of its
/// elements over the number of those kept; in evaluation `y = x`. For convolutions: what is dropped cannot be guessed from what is next to it.
///
/// Each place where a whole square fits begins one with probability `p / size² · (height · width) / (places)`, so that about the share `p` of
/// the elements is dropped. Where the square is larger than the map, it is cut to the map's size. A map that is dropped as a whole is 0.
///
/// Source: Ghiasi, Lin and Le, *DropBlock*, NeurIPS 2018; torchvision's `drop_block2d`, which counts over all maps of a batch, where this counts over
/// each: a sample's result does not depend on the others.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_tensor::{eager::Eager, noise::BlockDropout};
/// use ndarray::ArrayD;
///
/// let x: ArrayD<f64> = ArrayD::ones(vec![1, 1, 20, 20]);
/// let (y, _) = Eager::default().training(true).key(Key::new(3)).forward(&BlockDropout::new(0.2, 5)?, &[x.view()])?;
/// assert!((y.sum() - 400.0).abs() < 1e-9 && y.iter().any(|y| *y == 0.0));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BlockDropout {
    rate: f64,
    size: usize,
}

impl BlockDropout {
    /// With about this share of elements dropped, in squares of `size` by `size`; the paper takes 7.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`, or the size is 0.
    pub fn new(rate: f64, size: usize) -> Result<Self> {
        if size == 0 {
            return Err(Error::value("block_dropout: size", "at least 1", size));
        }
        Ok(BlockDropout { rate: check_rate("block_dropout: rate", rate)?, size })
    }

    /// About the share of elements that is dropped.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Sets a map's mask to 1 where it is kept and to 0 where not.
    fn draw(&self, key: Key, [height, width]: [usize; 2], mask: &mut [u8]) {
        mask.fill(1);
        let (rows, columns) = (self.size.min(height), self.size.min(width));
        let places = (height - rows + 1) * (width - columns + 1);
        let probability = self.rate / (rows * columns) as f64 * (height * width) as f64 / places as f64;
        for place in (0..places).filter(|&place| key.uniform(place as u64) < probability) {
            let (top, left) = (place / (width - columns + 1), place % (width - columns + 1));
            for row in top..top + rows {
                mask[row * width + left..][..columns].fill(0);
            }
        }
    }
}

/// Height and width of a map.
fn sizes(shape: &[usize]) -> [usize; 2] {
    [shape[2], shape[3]]
}

/// What the kept elements of a map are multiplied by.
fn factor<T: Real>(mask: &[u8]) -> T {
    let kept: usize = mask.iter().map(|&kept| usize::from(kept)).sum();
    if kept == 0 { T::zero() } else { T::of(mask.len() as f64 / kept as f64) }
}

crate::once::compiled_once!(BlockDropout);

impl<T: Real> crate::once::OpKernel<T> for BlockDropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity(NAME, inputs)?;
        if x.len() != 4 {
            return Err(Error::shape(NAME, "[samples, channels, height, width]", x));
        }
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        if !cx.training || self.rate == 0.0 || out.is_empty() {
            out.assign(&inputs[0]);
            return Ok(());
        }
        let shape = inputs[0].shape();
        let (channels, size) = (shape[1], sizes(shape));
        let len = size[0] * size[1];
        let x = Dense::of(&inputs[0], cx.scratch);
        let (key, first) = (cx.key, cx.first_sample);
        saved.bytes = cx.scratch.take_bytes(x.len());
        parallel::rows(cx.pool, &mut saved.bytes, len, 1, 4 * x.len(), &|maps, masks| {
            for (map, mask) in maps.zip(masks.chunks_exact_mut(len)) {
                let key = key.with((first + map / channels) as u64).with((map % channels) as u64);
                self.draw(key, size, mask);
            }
        });
        let masks = &saved.bytes;
        parallel::rows(cx.pool, slice_mut(out), len, 1, 3 * x.len(), &|maps, out| {
            vectorize!(|| {
                for (map, out) in maps.zip(out.chunks_exact_mut(len)) {
                    let (x, mask) = (&x[map * len..][..len], &masks[map * len..][..len]);
                    let factor = factor::<T>(mask);
                    for ((out, &x), &kept) in out.iter_mut().zip(x).zip(mask) {
                        let product = factor * x;
                        *out = if kept == 0 { T::zero() } else { product };
                    }
                }
            });
        });
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let Some(slot) = &mut grads[0] else { return Ok(()) };
        if !cx.training || self.rate == 0.0 || at.grad.is_empty() {
            slot.add(at.grad);
            return Ok(());
        }
        let [height, width] = sizes(at.grad.shape());
        let (len, masks, grad) = (height * width, &at.saved.bytes, slice(at.grad));
        let (to_x, first) = target(&mut grads[0]);
        parallel::rows(cx.pool, to_x, len, 1, 3 * grad.len(), &|maps, to_x| {
            vectorize!(|| {
                for (map, to_x) in maps.zip(to_x.chunks_exact_mut(len)) {
                    let (grad, mask) = (&grad[map * len..][..len], &masks[map * len..][..len]);
                    let factor = factor::<T>(mask);
                    for ((to_x, &grad), &kept) in to_x.iter_mut().zip(grad).zip(mask) {
                        let value = if kept == 0 { T::zero() } else { factor * grad };
                        *to_x = if first { value } else { *to_x + value };
                    }
                }
            });
        });
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
