//! Images laid over one another.

use super::mixing::{Mixed, Mixing};
use super::{Mix, Partner, SHARE, check_alpha, share};
use crate::{Key, Result, Shape};

/// Each image becomes a weighted mean of itself and another, and each label of both labels: `x ← λ x + (1 - λ) y` with `λ` from
/// `Beta(alpha, alpha)` (Zhang, Cisse, Dauphin and Lopez-Paz, *mixup: Beyond empirical risk minimization*, ICLR 2018).
///
/// Use it to train classifiers that are less sure of themselves between the classes; 0.2 is usual for photographs (the paper: 0.1 to 0.4 on
/// ImageNet, 1 on CIFAR; torchvision's default is 1, timm's recipes take 0.8 with long training). It needs soft labels, and lowers the
/// training accuracy.
///
/// ```
/// use gradwise_augment::{Key, Mix, MixUp, Serial, Shape, soft_labels};
///
/// let shape = Shape::planar(1, 2, 2);
/// let images = [[0.0_f32; 4], [1.0; 4], [0.5; 4]].concat();
/// let mut labels = [0.0_f32; 9];
/// soft_labels(&[0, 1, 2], 3, 0.0, &mut labels)?;
///
/// let mixing = MixUp::new(0.2)?.draw(3, shape, Key::new(42).epoch(0).batch(7))?;
/// let (mut mixed_images, mut mixed_labels) = ([0.0; 12], [0.0; 9]);
/// mixing.images(shape, &images, &mut mixed_images, &Serial)?;
/// mixing.labels(3, &labels, &mut mixed_labels)?;
/// assert!(mixed_labels.chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct MixUp {
    alpha: f64,
    each_sample: bool,
    partner: Partner,
}

impl MixUp {
    /// With an `alpha`: below 1, most mixtures are nearly one of the two images; at 1, each share is as likely.
    ///
    /// One share for the whole batch, partners by a permutation.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for an `alpha` outside `[0.001, 1000]`.
    pub fn new(alpha: f64) -> Result<Self> {
        Ok(MixUp { alpha: check_alpha(alpha, "mixup")?, each_sample: false, partner: Partner::default() })
    }

    /// Whether each sample has a share of its own.
    #[must_use]
    pub fn each_sample(self, each_sample: bool) -> Self {
        MixUp { each_sample, ..self }
    }

    /// With other partners.
    #[must_use]
    pub fn partner(self, partner: Partner) -> Self {
        MixUp { partner, ..self }
    }
}

impl Mix for MixUp {
    fn name(&self) -> &str {
        "mixup"
    }

    fn draw_into(&self, n: usize, shape: Shape, key: Key, mixing: &mut Mixing) -> Result<()> {
        shape.checked_len(self.name())?;
        let shares = key.with(SHARE);
        mixing.fill(n, shape, self.partner, key, |i| {
            let key = if self.each_sample { shares.with(i as u64) } else { shares };
            Mixed { partner: 0, share: share(self.alpha, &mut key.random()), pasted: None }
        })
    }
}
