//! Pipelines that end with a mix of batches.

use crate::{Mix, Sequence};
use std::sync::Arc;

/// A whole pipeline: what is done to each sample, and what is then done to each batch.
///
/// The two are run one after the other by whoever has the batch, as labels are mixed along:
///
/// ```
/// use gradwise_augment::spec::{Pipeline, Registry, Spec};
/// use gradwise_augment::{Batches, Key, Mix, Mixing, Serial, Shape, soft_labels};
///
/// let specs: Vec<Spec> = serde_json::from_str(r#"[{"kind": "flip"}, {"kind": "mixup", "alpha": 0.2, "p": 0.8}]"#)?;
/// let Pipeline { samples, batch } = Registry::new().pipeline("augment", &specs)?;
///
/// let (n, shape) = (4, Shape::planar(1, 8, 8));
/// let images = vec![0.5_f32; 4 * 64];
/// let mut labels = vec![0.0_f32; 4 * 10];
/// soft_labels(&[3, 1, 4, 1], 10, 0.0, &mut labels)?;
///
/// // In each step of training:
/// let (epoch, step) = (Key::new(42).epoch(0), 17);
/// let keys: Vec<Key> = (0..n as u64).map(|index| epoch.sample(n as u64 * step + index)).collect();
/// let mut augmented = images.clone();
/// Batches::default().run(&samples, shape, &images, &keys, shape, &mut augmented, &Serial)?;
/// if let Some(mix) = &batch {
///     let mut mixing = Mixing::default();
///     mix.draw_into(n, shape, epoch.batch(step), &mut mixing)?;
///     let (mut mixed, mut mixed_labels) = (augmented.clone(), labels.clone());
///     mixing.images(shape, &augmented, &mut mixed, &Serial)?;
///     mixing.labels(10, &labels, &mut mixed_labels)?;
///     assert!(mixed_labels.chunks(10).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// What is done to each sample.
    pub samples: Sequence,
    /// What is done to each batch.
    pub batch: Option<Arc<dyn Mix>>,
}
