//! Augmentation of training batches, and the scaling that follows it.

use crate::data::Transform;
use crate::{RecipeError, Result, SetBatch};
use gradwise_augment::spec::Pipeline;
use gradwise_augment::{Batches, Key, Mixing, Serial, Shape, soft_labels};
use gradwise_data::{BatchPosition, DataError};
use ndarray::{ArrayD, IxDyn};

/// A pipeline at work, with the memory it works in.
pub(crate) struct Augmented {
    pipeline: Pipeline,
    later: Vec<Box<dyn Transform>>,
    shape: Shape,
    white: f32,
    key: Key,
    /// How many shares a target has, where batches are mixed.
    n_classes: usize,
    batches: Batches,
    mixing: Mixing,
    images: Vec<f32>,
    labels: Vec<f32>,
}

impl Augmented {
    /// For images of a shape (channels, height, width).
    ///
    /// # Errors
    /// If samples are no images.
    pub(crate) fn new(
        pipeline: Pipeline,
        later: Vec<Box<dyn Transform>>,
        sample: &[usize],
        white: f32,
        seed: u64,
        n_classes: usize,
    ) -> Result<Self> {
        let &[channels, height, width] = sample else {
            let got = format!("samples of shape {sample:?}");
            return Err(RecipeError::value("images (channels, height, width)", got));
        };
        Ok(Augmented {
            pipeline,
            later,
            shape: Shape::planar(channels as _, height as _, width as _),
            white,
            key: Key::new(seed),
            n_classes,
            batches: Batches::default(),
            mixing: Mixing::default(),
            images: Vec::new(),
            labels: Vec::new(),
        })
    }

    /// Changes a training batch: its images, and its targets if samples are mixed.
    pub(crate) fn apply(&mut self, batch: &mut SetBatch, position: BatchPosition) -> Result<(), DataError> {
        self.augment(batch, position).map_err(|error| DataError::Other(error.to_string()))?;
        for transform in &self.later {
            transform.apply(&mut batch.inputs).map_err(|error| DataError::Other(error.to_string()))?;
        }
        Ok(())
    }

    fn augment(&mut self, batch: &mut SetBatch, position: BatchPosition) -> Result<(), gradwise_augment::Error> {
        let n = batch.indices.len();
        let epoch = self.key.epoch(position.epoch);
        let keys: Vec<Key> = batch.indices.iter().map(|index| epoch.sample(*index as u64)).collect();
        batch.inputs.mapv_inplace(|x| x / self.white);
        self.images.clear();
        self.images.extend(batch.inputs.iter());
        let Some(values) = batch.inputs.as_slice_mut() else { return Ok(()) };
        let shape = self.shape;
        self.batches.run(&self.pipeline.samples, shape, &self.images, &keys, shape, values, &Serial)?;
        if let Some(mix) = &self.pipeline.batch {
            mix.draw_into(n, shape, epoch.batch(position.batch), &mut self.mixing)?;
            self.images.copy_from_slice(values);
            self.mixing.images(shape, &self.images, values, &Serial)?;
            let classes = batch.targets.classes.as_deref().unwrap_or_default();
            self.labels.resize(n * self.n_classes, 0.0);
            soft_labels(classes, self.n_classes, 0.0, &mut self.labels)?;
            let rows = batch.targets.numbers.get_or_insert_with(|| ArrayD::zeros(IxDyn(&[0])));
            if rows.shape() != [n, self.n_classes] {
                *rows = ArrayD::zeros(IxDyn(&[n, self.n_classes]));
            }
            if let Some(rows) = rows.as_slice_mut() {
                self.mixing.labels(self.n_classes, &self.labels, rows)?;
            }
        }
        batch.inputs.mapv_inplace(|x| x * self.white);
        Ok(())
    }
}
