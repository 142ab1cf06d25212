//! Targets that are less sure of themselves.

use crate::check;
use gradwise_core::ndarray::{ArrayD, Axis, IxDyn};
use gradwise_core::{ArrayRefD, Error, Real, Result, flip};

/// Label smoothing: the right class gets `1 − ε + ε/K` of the probability, each of the other `K − 1` classes `ε/K`.
///
/// `y ← (1 − ε) y + ε/K`. A net trained on such targets need not push its logits to infinity, is better calibrated, and forgives wrong
/// labels; ε = 0.1 is usual. Losses on class indices take ε as an option and need no such targets; these are for losses on
/// probabilities, and for targets that were mixed (mixup, cutmix). Source: Szegedy et al., *Rethinking the Inception architecture for
/// computer vision*, CVPR 2016, section 7; the same as PyTorch's `label_smoothing` and Keras's.
///
/// ```
/// use gradwise_regularize::{LabelSmoothing, ndarray::arr2};
///
/// let smoothing = LabelSmoothing::new(0.2)?;
/// let targets = smoothing.one_hot::<f64>(&[1, 0], 4)?;
/// let expected = arr2(&[[0.05, 0.85, 0.05, 0.05], [0.85, 0.05, 0.05, 0.05]]).into_dyn();
/// assert!((targets - expected).iter().all(|d| d.abs() < 1e-12));
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LabelSmoothing {
    epsilon: f64,
}

impl LabelSmoothing {
    /// With the share ε that is given to all classes alike.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn new(epsilon: f64) -> Result<Self> {
        Ok(LabelSmoothing { epsilon: check::share("label smoothing: epsilon", epsilon)? })
    }

    /// Smooth targets `[labels.len(), n_classes]` of class indices.
    ///
    /// # Errors
    /// If a label is not below `n_classes`.
    pub fn one_hot<T: Real>(&self, labels: &[usize], n_classes: usize) -> Result<ArrayD<T>> {
        let mut out = ArrayD::zeros(IxDyn(&[labels.len(), n_classes]));
        self.one_hot_into(labels, &mut out)?;
        Ok(out)
    }

    /// The same, written over an array `[labels.len(), classes]`.
    ///
    /// # Errors
    /// If the array has another shape, or a label is not below its number of classes; it is unchanged then.
    pub fn one_hot_into<T: Real>(&self, labels: &[usize], out: &mut ArrayRefD<T>) -> Result<()> {
        const OP: &str = "label smoothing";
        let n_classes = match out.shape() {
            &[n, n_classes] if n == labels.len() => n_classes,
            shape => return Err(Error::shape(OP, format!("[{}, classes]", labels.len()), shape)),
        };
        if let Some(position) = labels.iter().position(|&label| label >= n_classes) {
            return Err(Error::Index { op: OP, index: labels[position], bound: n_classes, position });
        }
        let off = self.epsilon / n_classes as f64;
        out.fill(T::of(off));
        for (mut row, &label) in out.outer_iter_mut().zip(labels) {
            row[[label]] = T::of(1.0 - flip!("label_smoothing/share", self.epsilon) + off);
        }
        Ok(())
    }

    /// Smooths targets that are probabilities already, with the classes on the last axis: `y ← (1 − ε) y + ε/K`.
    ///
    /// # Errors
    /// If the array has no axis.
    pub fn apply<T: Real>(&self, targets: &mut ArrayRefD<T>) -> Result<()> {
        let Some(last) = targets.ndim().checked_sub(1) else {
            return Err(Error::shape("label smoothing", "a last axis of classes", targets.shape()));
        };
        self.mix(targets, self.epsilon / targets.len_of(Axis(last)) as f64);
        Ok(())
    }

    /// Smooths zeros and ones that are answers of their own, as for several labels at once: `y ← (1 − ε) y + ε/2`.
    pub fn apply_binary<T: Real>(&self, targets: &mut ArrayRefD<T>) {
        self.mix(targets, self.epsilon / 2.0);
    }

    fn mix<T: Real>(&self, targets: &mut ArrayRefD<T>, off: f64) {
        targets.map_inplace(|y| *y = T::of((1.0 - self.epsilon) * y.as_f64() + off));
    }
}
