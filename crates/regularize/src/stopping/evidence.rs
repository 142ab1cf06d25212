//! Stopping without held-out data: by whether a gradient still says something.

use super::Decision;
use gradwise_core::{Error, Grads, Real, Result};

/// How strongly the gradients of the parts of a batch contradict the belief that there is nothing more to learn.
///
/// Where training has reached what the data can tell, the gradient over all data is zero and that of a batch is noise. So gather the
/// gradients of `B` parts of the data (samples, or small batches of one size) at the same weights, and compare their mean ḡ with
/// their variance V, weight by weight:
///
/// `evidence = 1 − c · B/D Σ_k ḡ_k² / V_k`, with `V_k` the unbiased variance over the parts and `D` the number of weights.
///
/// For parts of one sample and `c = 1` this is the criterion of Mahsereci, Balles, Lassner and Hennig, *Early stopping without a
/// validation set*, 2017, eq. 7: the log likelihood of ḡ under noise alone, minus what is expected of it. Parts of `m` samples have an
/// `m`-th of the variance and there is an `m`-th as many of them, so the value means the same. A ratio of a mean and a variance over few
/// parts is, for pure noise, above 1 on average: by `(B − 1) / (B − 3)`, the mean of an F distribution. The factor `c = (B − 3) / (B − 1)`
/// takes that out, so that the value is 0 on average for noise, however few the parts are; [`GradientEvidence::published`] is without it.
///
/// It is negative while there is something to learn and above 0 when the gradient is smaller than its noise. A weight whose
/// gradient is 0 in all parts (of a dead unit) says nothing and is left out.
///
/// ```
/// use gradwise_regularize::{GradientEvidence, Grads, Param, ndarray::arr1};
///
/// let model = Param::new(arr1(&[0.0_f64, 0.0]));
/// let mut evidence = GradientEvidence::new();
/// for part in [[1.1, 0.9], [0.9, 1.0], [1.0, 1.1], [1.0, 1.0], [1.1, 0.9]] {
///     evidence.add(&Grads::from_arrays(&model, vec![Some(arr1(&part).into_dyn())]))?;
/// }
/// // All parts agree on where to go.
/// assert!(evidence.value() < -100.0);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GradientEvidence {
    parts: u64,
    /// For each parameter its weights' moments; none where the loss does not reach it.
    moments: Vec<Option<Moments>>,
}

/// Mean and sum of squared differences from it, for each weight.
#[derive(Clone, PartialEq, Debug, Default)]
struct Moments {
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl GradientEvidence {
    /// The fewest parts that have a value: a variance over fewer has no finite mean ratio.
    pub const LEAST_PARTS: u64 = 4;

    /// No parts yet.
    pub fn new() -> Self {
        GradientEvidence::default()
    }

    /// Takes the gradients of a part in: of the mean loss over its samples, at the same weights as all others.
    ///
    /// # Errors
    /// If they are not of the parameters of the parts before; it is unchanged then.
    pub fn add<T: Real>(&mut self, grads: &Grads<T>) -> Result<()> {
        if self.parts == 0 {
            self.begin(grads);
        }
        self.fits(grads)?;
        self.parts += 1;
        for (i, moments) in self.moments.iter_mut().enumerate() {
            let (Some(Moments { means, squares }), Some(grad)) = (moments, grads.get(i)) else { continue };
            // Welford's recurrence: one part at a time, without the cancellation of a difference of squares.
            for ((mean, square), g) in means.iter_mut().zip(squares).zip(grad) {
                let delta = g.as_f64() - *mean;
                *mean += delta / self.parts as f64;
                *square += delta * (g.as_f64() - *mean);
            }
        }
        Ok(())
    }

    /// How many parts it has seen.
    pub fn parts(&self) -> u64 {
        self.parts
    }

    /// The evidence; NaN with fewer than [`GradientEvidence::LEAST_PARTS`] parts, or if no weight has a gradient.
    pub fn value(&self) -> f64 {
        let parts = self.parts as f64;
        self.of((parts - 3.0) / (parts - 1.0))
    }

    /// The evidence as published, without a correction for few parts.
    pub fn published(&self) -> f64 {
        self.of(1.0)
    }

    /// Forgets all parts, and keeps the memory: for other weights.
    pub fn reset(&mut self) {
        self.parts = 0;
    }

    fn of(&self, correction: f64) -> f64 {
        if self.parts < Self::LEAST_PARTS {
            return f64::NAN;
        }
        let parts = self.parts as f64;
        let (mut n, mut sum) = (0.0, 0.0);
        for Moments { means, squares } in self.moments.iter().flatten() {
            for (mean, square) in means.iter().zip(squares) {
                if *mean != 0.0 || *square != 0.0 {
                    n += 1.0;
                    // A gradient that is the same in all parts, and not 0, is infinitely certain.
                    sum += mean * mean / (square / (parts - 1.0));
                }
            }
        }
        1.0 - correction * parts * (sum / n)
    }

    /// Makes room for the first part.
    fn begin<T: Real>(&mut self, grads: &Grads<T>) {
        self.moments.resize_with(grads.len(), || None);
        for (i, moments) in self.moments.iter_mut().enumerate() {
            match grads.get(i) {
                None => *moments = None,
                Some(grad) => {
                    let Moments { means, squares } = moments.get_or_insert_default();
                    for memory in [means, squares] {
                        memory.clear();
                        memory.resize(grad.len(), 0.0);
                    }
                }
            }
        }
    }

    fn fits<T: Real>(&self, grads: &Grads<T>) -> Result<()> {
        if grads.len() != self.moments.len() {
            let expected = format!("those of {} parameters, as in the parts before", self.moments.len());
            return Err(Error::value("gradient evidence: gradients", expected, grads.len()));
        }
        for (i, moments) in self.moments.iter().enumerate() {
            let (before, now) = (moments.as_ref().map(|m| m.means.len()), grads.get(i).map(|g| g.len()));
            if before != now {
                let told = |n: Option<usize>| n.map_or("none".to_owned(), |n| n.to_string());
                let expected = format!("as many numbers for parameter {i} as in the parts before ({})", told(before));
                return Err(Error::value("gradient evidence: gradients", expected, told(now)));
            }
        }
        Ok(())
    }
}

/// Stops when the evidence against further learning is above 0: without held-out data, so that all data can be learned from.
///
/// It looks at [`GradientEvidence`] from time to time, as once an epoch. One value above 0 stops in the paper, on full gradients; on
/// those of a batch, which vary, ask for several in a row. Source: Mahsereci et al. 2017.
///
/// ```
/// use gradwise_regularize::{Decision::*, EvidenceBased};
///
/// let mut criterion = EvidenceBased::new(2)?;
/// let decisions = [-30.0, -2.0, 0.1, -0.2, 0.1, 0.3].map(|evidence| criterion.update(evidence));
/// assert_eq!(decisions, [Improved, Improved, Wait(1), Improved, Wait(1), Stop]);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvidenceBased {
    patience: u64,
    waited: u64,
}

impl EvidenceBased {
    /// Stops at the `patience`-th value above 0 in a row.
    ///
    /// # Errors
    /// If it is 0.
    pub fn new(patience: u64) -> Result<Self> {
        if patience == 0 {
            return Err(Error::value("evidence-based stopping: patience", "at least 1", patience));
        }
        Ok(EvidenceBased { patience, waited: 0 })
    }

    /// Takes a value of [`GradientEvidence::value`] in. While it is not above 0 there is something to learn, and the present weights are
    /// the best ones ([`Decision::Improved`]); a NaN tells nothing and changes nothing.
    pub fn update(&mut self, evidence: f64) -> Decision {
        if evidence <= 0.0 {
            self.waited = 0;
            return Decision::Improved;
        }
        self.waited += u64::from(!evidence.is_nan());
        if self.waited >= self.patience { Decision::Stop } else { Decision::Wait(self.waited) }
    }

    /// How many values in a row were above 0: all that its next decision depends on.
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// Goes on from where another one, with the same option, stood.
    pub fn resume(&mut self, waited: u64) {
        self.waited = waited;
    }
}
