//! What is dropped as a whole, and what takes another value than 0.

use super::linear::{Draw, noise};
use gradwise_core::{Error, Key, Real, Result};

/// Refuses what is no rate.
pub(super) fn check_rate(what: &'static str, rate: f64) -> Result<f64> {
    if (0.0..1.0).contains(&rate) {
        return Ok(rate);
    }
    Err(Error::value(what, "a number in [0, 1)", rate))
}

/// Refuses arrays without channels.
pub(super) fn check_axes(op: &'static str, shape: &[usize], axes: usize) -> Result<()> {
    if shape.len() >= axes {
        return Ok(());
    }
    Err(Error::shape(op, format!("at least {axes} axes"), shape))
}

macro_rules! rates {
    ($($(#[$doc:meta])* $name:ident, $place:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub struct $name {
            rate: f64,
        }

        impl $name {
            /// Of this rate.
            ///
            /// # Errors
            /// If the rate is not in `[0, 1)`.
            pub fn new(rate: f64) -> Result<Self> {
                Ok($name { rate: check_rate($place, rate)? })
            }

            /// The probability that something is dropped.
            pub fn rate(&self) -> f64 {
                self.rate
            }
        }
    )*};
}

rates! {
    /// Spatial dropout: in training whole channels of a sample, `[samples, channels, …]`, are 0 with probability `p`, the others divided by `1 - p`; in
    /// evaluation `y = x`. For convolutions, whose neighbouring outputs say nearly the same, so that dropping single ones hides nothing.
    ///
    /// Source: Tompson et al., *Efficient object localization using convolutional networks*, CVPR 2015; PyTorch's `Dropout2d`.
    ///
    /// ```
    /// use gradwise_core::Key;
    /// use gradwise_tensor::{eager::Eager, noise::ChannelDropout};
    /// use ndarray::ArrayD;
    ///
    /// let x: ArrayD<f32> = ArrayD::ones(vec![1, 100, 5, 5]);
    /// let (y, _) = Eager::default().training(true).key(Key::new(1)).forward(&ChannelDropout::new(0.5)?, &[x.view()])?;
    /// let channels: Vec<f32> = y.as_slice().into_iter().flat_map(|y| y.chunks(25)).map(|channel| channel.iter().sum()).collect();
    /// assert!(channels.iter().all(|sum| [0.0, 50.0].contains(sum)) && channels.contains(&0.0));
    /// # Ok::<(), gradwise_core::Error>(())
    /// ```
    ChannelDropout, "channel_dropout: rate";

    /// Stochastic depth: in training a whole sample is 0 with probability `p`, the others divided by `1 - p`; in evaluation `y = x`. Before the sum of a
    /// residual block: the block is left out for a part of the samples.
    ///
    /// Source: Huang et al., *Deep networks with stochastic depth*, ECCV 2016; divided in training, as timm's `DropPath` and torchvision's
    /// `StochasticDepth`, rather than multiplied in evaluation.
    SampleDropout, "sample_dropout: rate";

    /// Alpha dropout: in training an element takes the value `-λα = -1.7581`, at which SELU saturates, with probability `p`; then all are scaled and
    /// shifted so that mean 0 and variance 1 stay. In evaluation `y = x`. After [`Selu`](crate::Selu).
    ///
    /// Source: Klambauer et al., *Self-normalizing neural networks*, NIPS 2017.
    AlphaDropout, "alpha_dropout: rate";

    /// DropConnect: in training each element of a weight is 0 with probability `p`, the others divided by `1 - p`, the same for all samples of a batch;
    /// in evaluation `y = x`.
    ///
    /// Source: Wan et al., *Regularization of neural networks using DropConnect*, ICML 2013; evaluation by the mean weight rather than by the paper's
    /// normal approximation, and one mask a batch rather than one a sample.
    WeightDropout, "weight_dropout: rate";
}

noise!(ChannelDropout, SampleDropout, AlphaDropout, WeightDropout);

/// `1 / (1 - rate)` with probability `1 - rate`, else 0.
fn kept(rate: f64, key: Key, counter: usize) -> f64 {
    if key.uniform(counter as u64) < rate { 0.0 } else { 1.0 / (1.0 - rate) }
}

impl<T: Real> Draw<T> for ChannelDropout {
    const NAME: &'static str = "channel_dropout";

    fn check(&self, shape: &[usize]) -> Result<()> {
        check_axes("channel_dropout", shape, 2)
    }
    fn is_active(&self) -> bool {
        self.rate > 0.0
    }
    #[inline(always)]
    fn draw(&self, key: Key, start: usize, inner: usize, a: &mut [T], _: &mut [T]) {
        let mut last = None;
        for (i, a) in (start..).zip(a) {
            let channel = i / inner.max(1);
            let factor = match last {
                Some((drawn, factor)) if drawn == channel => factor,
                _ => T::of(kept(self.rate, key, channel)),
            };
            last = Some((channel, factor));
            *a = factor;
        }
    }
}

impl<T: Real> Draw<T> for SampleDropout {
    const NAME: &'static str = "sample_dropout";

    fn check(&self, shape: &[usize]) -> Result<()> {
        check_axes("sample_dropout", shape, 1)
    }
    fn is_active(&self) -> bool {
        self.rate > 0.0
    }
    #[inline(always)]
    fn draw(&self, key: Key, _: usize, _: usize, a: &mut [T], _: &mut [T]) {
        a.fill(T::of(kept(self.rate, key, 0)));
    }
}

/// What SELU goes to for very negative numbers, `-λα`.
const SATURATED: f64 = -1.758_099_340_847_376_7;

impl<T: Real> Draw<T> for AlphaDropout {
    const NAME: &'static str = "alpha_dropout";

    fn is_active(&self) -> bool {
        self.rate > 0.0
    }
    #[inline(always)]
    fn draw(&self, key: Key, start: usize, _: usize, a: &mut [T], b: &mut [T]) {
        let keep = 1.0 - self.rate;
        // Variance of what has mean 0 and variance 1, kept or set to s: keep + keep (1 - keep) s²; its mean is (1 - keep) s.
        let scale = 1.0 / (keep + keep * self.rate * SATURATED * SATURATED).sqrt();
        let shift = -scale * self.rate * SATURATED;
        let (kept, dropped) = (T::of(shift), T::of(shift + scale * SATURATED));
        for (i, (a, b)) in (start..).zip(a.iter_mut().zip(b)) {
            let drop = key.uniform(i as u64) < self.rate;
            (*a, *b) = if drop { (T::zero(), dropped) } else { (T::of(scale), kept) };
        }
    }
}

impl<T: Real> Draw<T> for WeightDropout {
    const NAME: &'static str = "weight_dropout";

    fn is_active(&self) -> bool {
        self.rate > 0.0
    }
    fn is_of_samples(&self) -> bool {
        false
    }
    #[inline(always)]
    fn draw(&self, key: Key, start: usize, _: usize, a: &mut [T], _: &mut [T]) {
        (start..).zip(a).for_each(|(i, a)| *a = T::of(kept(self.rate, key, i)));
    }
}
