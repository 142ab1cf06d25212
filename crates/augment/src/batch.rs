//! Many images at once.

use crate::image::{ImageMut, ImageRef, Value};
use crate::plan::Buffers;
use crate::threads::Threads;
use crate::{Augment, Error, Key, Result, Shape};
use std::sync::{Mutex, PoisonError};

/// Runs a transform on the samples of batches, each with a key of its own, on as many threads as the caller says.
///
/// It keeps the memory that steps work in: once it has seen what they need, no sample allocates anything (but what the codec of JPEG
/// compression does).
///
/// ```
/// use gradwise_augment::{Batches, Count, GaussianNoise, Key, Shape};
///
/// let noise = GaussianNoise::new(0.0, 0.1)?;
/// let shape = Shape::planar(1, 8, 8);
/// let images = vec![0.5_f32; 10 * 64];
/// let mut noisy = vec![0.0_f32; 10 * 64];
/// let epoch = Key::new(42).epoch(0);
/// let keys: Vec<Key> = (0..10).map(|index| epoch.sample(index)).collect();
/// let mut batches = Batches::default();
/// batches.run(&noise, shape, &images, &keys, shape, &mut noisy, &Count(2))?;
/// assert_ne!(noisy[..64], noisy[64..128], "each sample has its own noise");
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Batches {
    workers: Vec<Mutex<Buffers>>,
}

impl Batches {
    /// Runs `augment` on `keys.len()` images of one shape, side by side in `images`, into `target`, where they have another shape perhaps.
    ///
    /// # Errors
    /// [`Error::Image`] if there are not as many values as keys and shapes tell, if the transform's result for a sample has another shape
    /// or type than the target, and what the transform refuses: the error of the first such sample, by its index in the batch. The target's
    /// contents are then of no use; the images are as they were.
    pub fn run<A: Value, B: Value>(
        &mut self,
        augment: &(impl Augment + ?Sized),
        shape: Shape,
        images: &[A],
        keys: &[Key],
        target_shape: Shape,
        target: &mut [B],
        threads: &dyn Threads,
    ) -> Result<()> {
        let (from, to) = (shape.checked_len("batch")?, target_shape.checked_len("batch")?);
        let check = |what: &str, len: usize, each: usize| {
            if Some(len) == each.checked_mul(keys.len()) {
                return Ok(());
            }
            Err(Error::image(what, format!("{} images of {each} values", keys.len()), format!("{len} values")))
        };
        check("batch", images.len(), from)?;
        check("target of a batch", target.len(), to)?;
        let n_workers = threads.count().clamp(1, keys.len().max(1));
        self.workers.resize_with(n_workers.max(self.workers.len()), Mutex::default);
        let each = keys.len().div_ceil(n_workers).max(1);
        let pieces = Mutex::new(target.chunks_mut(each * to).enumerate());
        let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        threads.run(n_workers, &|worker| {
            // Each worker takes one piece, whichever is next, so that all of them have worked after the first batch.
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((piece, part)) = next else { return };
            let mut buffers = self.workers[worker].lock().unwrap_or_else(PoisonError::into_inner);
            for (i, out) in part.chunks_exact_mut(to).enumerate() {
                let index = piece * each + i;
                let sample = ImageRef::new(shape, &images[index * from..][..from]);
                let result = sample.and_then(|sample| {
                    augment.apply_into(sample, keys[index], ImageMut::new(target_shape, out)?, &mut buffers)
                });
                if let Err(error) = result {
                    let mut first = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    if first.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
                        *first = Some((index, error));
                    }
                    return;
                }
            }
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some((index, error)) => Err(Error::Sample { index, source: Box::new(error) }),
        }
    }
}
