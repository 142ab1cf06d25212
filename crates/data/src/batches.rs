//! Which samples make up which batch.

use crate::balance::{balance, by_class};
use crate::{DataError, Result, shuffle};

/// Where a run stands in its data: the batch that comes next.
///
/// It is two numbers, because the order of an epoch follows from the seed and the epoch alone: restoring a position goes on
/// with exactly the batches that would have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchPosition {
    /// The epoch, from 0.
    pub epoch: u64,
    /// The batch within the epoch, from 0.
    pub batch: u64,
}

impl BatchPosition {
    /// The position after this one, where an epoch has `per_epoch` batches.
    pub(crate) fn after(self, per_epoch: u64) -> Self {
        if self.batch + 1 < per_epoch {
            BatchPosition { batch: self.batch + 1, ..self }
        } else {
            BatchPosition { epoch: self.epoch.saturating_add(1), batch: 0 }
        }
    }
}

/// Divides the samples `0..n` of each epoch into batches, in the same order every time or in the random order of a seed.
///
/// It only counts: what it gives are lists of indices, for [`Samples::gather`](crate::Samples::gather). Epochs never end; a
/// loop decides how many it wants.
///
/// ```
/// use gradwise_data::Batches;
///
/// let mut batches = Batches::new(10, 4)?.shuffled(42);
/// let sizes: Vec<usize> = batches.epoch(0).map(<[usize]>::len).collect();
/// assert_eq!(sizes, [4, 4, 2]);
///
/// // The same, batch after batch, across epochs.
/// batches.next_batch();
/// let saved = batches.position();
/// let next = batches.next_batch().to_vec();
/// batches.seek(saved)?;
/// assert_eq!(batches.next_batch(), next);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches {
    batch_size: usize,
    seed: Option<u64>,
    drop_last: bool,
    /// The samples of each class, where each class comes equally often.
    classes: Option<Vec<Vec<usize>>>,
    /// All samples, in the order of `ordered`.
    order: Vec<usize>,
    /// The epoch whose order `order` is; any epoch's where the order is always the same.
    ordered: Option<u64>,
    position: BatchPosition,
}

impl Batches {
    /// Batches of `batch_size` of the samples `0..n`, in order; the last batch of an epoch holds what is left.
    ///
    /// # Errors
    /// If there is no sample, or the batch size is 0.
    pub fn new(n: usize, batch_size: usize) -> Result<Self> {
        if n == 0 {
            return Err(DataError::value("batches: samples", "at least one sample", "an empty data set"));
        }
        if batch_size == 0 {
            return Err(DataError::value("batches: batch size", "at least 1", 0));
        }
        let order = (0..n).collect();
        Ok(Batches {
            batch_size,
            seed: None,
            drop_last: false,
            classes: None,
            order,
            ordered: None,
            position: BatchPosition::default(),
        })
    }

    /// The same, each epoch in a random order of its own, which depends on the seed and the epoch only.
    #[must_use]
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self.classes = None;
        self.ordered = None;
        self
    }

    /// The same, with each of `n_classes` classes equally often in each epoch, in a random order of its own: rare classes come again and
    /// again, and of frequent ones each epoch sees another part. See [`balanced_order`](crate::balanced_order).
    ///
    /// ```
    /// use gradwise_data::Batches;
    ///
    /// let labels = [0, 0, 0, 0, 0, 0, 1, 1];
    /// let mut batches = Batches::new(8, 4)?.balanced(&labels, 2, 42)?;
    /// assert!(batches.epoch(0).all(|batch| batch.iter().filter(|&&i| labels[i] == 1).count() == 2));
    /// # Ok::<(), gradwise_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If there is not one label a sample, a class has no sample, or a label is not below `n_classes`.
    pub fn balanced(mut self, labels: &[usize], n_classes: usize, seed: u64) -> Result<Self> {
        if labels.len() != self.order.len() {
            let expected = format!("{} labels, one a sample", self.order.len());
            return Err(DataError::shape("batches", expected, &[labels.len()]));
        }
        self.classes = Some(by_class("batches", labels, n_classes)?);
        self.seed = Some(seed);
        self.ordered = None;
        Ok(self)
    }

    /// The same without the last batch of an epoch where it would be smaller than the others. In a random order, other
    /// samples are left out in each epoch.
    ///
    /// # Errors
    /// If the samples do not fill one batch, since none would be left.
    pub fn drop_last(mut self) -> Result<Self> {
        if self.order.len() < self.batch_size {
            let expected = format!("at most the {} samples where an incomplete batch is dropped", self.order.len());
            return Err(DataError::value("batches: batch size", expected, self.batch_size));
        }
        self.drop_last = true;
        Ok(self)
    }

    /// Samples in the set.
    pub fn n_samples(&self) -> usize {
        self.order.len()
    }

    /// Samples in a batch, but perhaps the last of an epoch.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Batches in an epoch, at least 1.
    pub fn per_epoch(&self) -> u64 {
        let n = self.order.len();
        (if self.drop_last { n / self.batch_size } else { n.div_ceil(self.batch_size) }) as u64
    }

    /// Samples that an epoch visits: as many as there are, but for those of a dropped batch.
    pub fn samples_per_epoch(&self) -> usize {
        if self.drop_last { self.order.len() / self.batch_size * self.batch_size } else { self.order.len() }
    }

    /// All batches of one epoch. The position stays where it is.
    pub fn epoch(&mut self, epoch: u64) -> std::slice::Chunks<'_, usize> {
        self.sort(epoch);
        self.order[..self.samples_per_epoch()].chunks(self.batch_size)
    }

    /// Where it stands: the batch that [`Batches::next_batch`] gives next.
    pub fn position(&self) -> BatchPosition {
        self.position
    }

    /// Goes to a position, as saved from batches of the same options.
    ///
    /// # Errors
    /// If an epoch has no batch of that number: the position is of another set or batch size.
    pub fn seek(&mut self, position: BatchPosition) -> Result<()> {
        if position.batch >= self.per_epoch() {
            let expected = format!("a batch below {}, the number of batches in an epoch", self.per_epoch());
            return Err(DataError::value("batches: position", expected, position.batch));
        }
        self.position = position;
        Ok(())
    }

    /// The next batch. After the last of an epoch comes the first of the following one.
    pub fn next_batch(&mut self) -> &[usize] {
        let BatchPosition { epoch, batch } = self.position;
        self.position = self.position.after(self.per_epoch());
        self.sort(epoch);
        let start = batch as usize * self.batch_size;
        &self.order[start..(start + self.batch_size).min(self.order.len())]
    }

    /// Puts `order` into the order of an epoch. It starts from the natural order each time, so that an epoch's order does not
    /// depend on the epochs that were visited before.
    fn sort(&mut self, epoch: u64) {
        let Some(seed) = self.seed else { return };
        if self.ordered != Some(epoch) {
            if let Some(classes) = &self.classes {
                let n = self.order.len();
                balance(classes, n, seed, epoch, &mut self.order);
            } else {
                self.order.iter_mut().enumerate().for_each(|(i, sample)| *sample = i);
                shuffle(&mut self.order, seed, epoch);
            }
            self.ordered = Some(epoch);
        }
    }
}
