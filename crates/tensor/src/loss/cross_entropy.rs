//! Softmax cross-entropy.

use super::reduce::{divisor, out_shape, reduce, sample_grad};
use crate::dense::Dense;
use crate::math::{exp, ln_1p};
use crate::parallel;
use crate::support::{fold, rows2, slice, slice_mut, sums, target, vectorize};
use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Real, Reduction, Result, Saved, Scratch, Slot, arity, flip,
};
use ndarray::IxDyn;

const NAME: &str = "softmax_cross_entropy";

/// What the predictions should have been.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, T> {
    /// The class of each sample.
    Classes(&'a [usize]),
    /// A distribution over the classes for each sample, `[samples, classes]`: soft labels, mixed samples, a teacher's predictions.
    Soft(&'a ArrayRefD<T>),
}

/// Cross-entropy of softmax probabilities, from logits, in one operation.
///
/// With logits `x` and a target distribution `t` (1 at the class, 0 elsewhere, for class targets), the loss of a sample is
/// `-Σ_c w_c t'_c ln softmax(x)_c`, where `t' = (1 - s) t + s / C` with the label smoothing `s`, and `w` are class weights, 1 unless
/// given. With weights *and* smoothing, for class targets, the part `1 - s` is weighted by the class, the part `s` by each.
///
/// - Input: logits `[samples, classes]`. Output: `[]`, or `[samples]` for [`Reduction::None`].
/// - [`Reduction::Mean`] divides by the number of samples; for class targets with weights, by the sum of the samples' weights.
/// - It never overflows: `ln Σ exp(x_c)` is taken relative to the largest logit, and the loss is a sum of terms `≥ 0`. A logit of
///   `-∞` gives its class probability 0 and may stand where the target is 0.
/// - Forward keeps the probabilities `p`; backward is `∂x = g (p Σ q - q)` with `q = w t'`.
///
/// Sources: Bridle, *Probabilistic interpretation of feedforward classification network outputs*, 1990; label smoothing: Szegedy et
/// al., *Rethinking the Inception architecture*, CVPR 2016.
///
/// ```
/// use gradwise_core::Reduction;
/// use gradwise_tensor::{eager::Eager, loss::{SoftmaxCrossEntropy, Targets}};
/// use ndarray::arr2;
///
/// let logits = arr2(&[[0.0, 0.0], [1e30, -1e30]]).into_dyn();
/// let loss = SoftmaxCrossEntropy::new(Targets::Classes(&[1, 0]), Reduction::None);
/// let (losses, _) = Eager::default().forward(&loss, &[logits.view()])?;
/// assert_eq!(losses.as_slice(), Some(&[2.0_f64.ln(), 0.0][..]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SoftmaxCrossEntropy<'a, T> {
    targets: Targets<'a, T>,
    reduction: Reduction,
    smoothing: f64,
    weights: Option<&'a [f64]>,
    ignored: Option<usize>,
}

impl<'a, T: Real> SoftmaxCrossEntropy<'a, T> {
    /// The loss against these targets.
    pub fn new(targets: Targets<'a, T>, reduction: Reduction) -> Self {
        SoftmaxCrossEntropy { targets, reduction, smoothing: 0.0, weights: None, ignored: None }
    }

    /// With this share of the target spread evenly over all classes.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn label_smoothing(self, smoothing: f64) -> Result<Self> {
        check_smoothing(smoothing)?;
        Ok(SoftmaxCrossEntropy { smoothing, ..self })
    }

    /// With a weight for each class.
    ///
    /// # Errors
    /// If a weight is negative or not finite.
    pub fn class_weights(self, weights: &'a [f64]) -> Result<Self> {
        check_weights("cross_entropy: class weight", weights)?;
        Ok(SoftmaxCrossEntropy { weights: Some(weights), ..self })
    }

    /// With a class index, which need not be that of a class, whose samples have loss 0 and do not count in the mean: padding in
    /// sequences, unlabelled pixels. Without meaning for soft targets.
    #[must_use]
    pub fn ignored(self, class: usize) -> Self {
        SoftmaxCrossEntropy { ignored: Some(class), ..self }
    }

    fn weight(&self, class: usize) -> T {
        self.weights.map_or(T::one(), |weights| T::of(weights[class]))
    }

    /// Refuses classes that are not below `bound`.
    fn check_classes(&self, bound: usize) -> Result<()> {
        let Targets::Classes(classes) = self.targets else { return Ok(()) };
        match classes.iter().position(|&class| class >= bound && Some(class) != self.ignored) {
            Some(position) => Err(Error::Index { op: NAME, index: classes[position], bound, position }),
            None => Ok(()),
        }
    }

    /// What a mean divides by.
    fn total(&self, n_samples: usize) -> f64 {
        match self.targets {
            Targets::Classes(classes) => {
                let counted = classes.iter().filter(|&&class| Some(class) != self.ignored);
                counted.map(|&class| self.weights.map_or(1.0, |weights| weights[class])).sum()
            }
            Targets::Soft(_) => n_samples as f64,
        }
    }

    /// The soft targets in standard order, or nothing.
    fn soft(&self, scratch: &mut Scratch<T>) -> Option<Dense<'a, T>> {
        match self.targets {
            Targets::Classes(_) => None,
            Targets::Soft(targets) => Some(Dense::of(targets, scratch)),
        }
    }

    /// Calls `f(class, q)` with the weighted target `q` of each class of a sample, where it is not 0.
    #[inline(always)]
    fn each_target(&self, sample: usize, n_classes: usize, soft: Option<&[T]>, mut f: impl FnMut(usize, T)) {
        let (certain, even) = (T::of(1.0 - self.smoothing), T::of(self.smoothing / n_classes as f64));
        let hit = match self.targets {
            Targets::Classes(classes) if Some(classes[sample]) == self.ignored => return,
            Targets::Classes(classes) if self.smoothing == 0.0 => {
                return f(classes[sample], self.weight(classes[sample]));
            }
            Targets::Classes(classes) => classes[sample],
            Targets::Soft(_) => usize::MAX,
        };
        for class in 0..n_classes {
            let target = match soft {
                Some(soft) => soft[sample * n_classes + class],
                None if class == hit => T::one(),
                None => T::zero(),
            };
            let q = self.weight(class) * (certain * target + even);
            if q != T::zero() {
                f(class, q);
            }
        }
    }
}

pub(super) fn check_smoothing(smoothing: f64) -> Result<()> {
    if (0.0..=1.0).contains(&smoothing) {
        return Ok(());
    }
    Err(Error::value("cross_entropy: label smoothing", "a number in [0, 1]", smoothing))
}

pub(super) fn check_weights(what: &'static str, weights: &[f64]) -> Result<()> {
    match weights.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
        Some(weight) => Err(Error::value(what, "a finite number, at least 0", weight)),
        None => Ok(()),
    }
}

/// Samples whose logarithms are taken side by side, and elements whose exponentials are.
const GROUP: usize = 64;
const ELEMENTS: usize = 2048;

/// Turns the logits of some samples into their exponentials relative to each sample's largest, and tells for each sample that largest
/// logit, one over the sum of its exponentials, and the logarithm of that sum.
///
/// Step by step for all of them: rows of ten classes fill no vectors, but together they do.
#[inline(always)]
fn exponentials<T: Real>(x: &[T], p: &mut [T], n_classes: usize) -> [[T; GROUP]; 3] {
    let [mut largest, mut rests, mut inverses, mut logs] = [[T::zero(); GROUP]; 4];
    for ((x, p), largest) in x.chunks_exact(n_classes).zip(p.chunks_exact_mut(n_classes)).zip(&mut largest) {
        let highest = max(x);
        *largest = highest;
        for (p, &x) in p.iter_mut().zip(x) {
            *p = x - highest;
        }
    }
    for p in p.iter_mut() {
        *p = exp(*p);
    }
    for (p, rest) in p.chunks_exact(n_classes).zip(&mut rests) {
        let sum = if n_classes <= GROUP { fold(p) } else { total(p) };
        // The largest one's share is 1 exactly. Without it, however small, the others are not lost.
        *rest = T::of(sum - 1.0);
    }
    for ((inverse, log), &rest) in inverses.iter_mut().zip(&mut logs).zip(&rests) {
        *inverse = T::one() / (T::one() + rest);
        *log = ln_1p(rest);
    }
    [largest, inverses, logs]
}

/// The sum of a row of many.
#[inline(always)]
fn total<T: Real>(p: &[T]) -> f64 {
    let [total] = sums(
        p,
        p,
        p,
        #[inline(always)]
        |p, _, _| [p],
    );
    total
}

/// The largest number, by partial results, so that comparisons need not wait for each other.
#[inline(always)]
fn max<T: Real>(x: &[T]) -> T {
    let larger = |a, b| if b > a { b } else { a };
    let (chunks, rest) = x.as_chunks::<32>();
    let mut highest = T::neg_infinity();
    if !chunks.is_empty() {
        let mut lanes = [T::neg_infinity(); 32];
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = larger(*lane, x);
            }
        }
        highest = lanes.into_iter().fold(highest, larger);
    }
    let (quads, rest) = rest.as_chunks::<4>();
    let mut lanes = [highest; 4];
    for quad in quads {
        for (lane, &x) in lanes.iter_mut().zip(quad) {
            *lane = larger(*lane, x);
        }
    }
    let highest = larger(larger(lanes[0], lanes[1]), larger(lanes[2], lanes[3]));
    rest.iter().fold(highest, |a, &b| larger(a, b))
}

impl<T: Real> Op<T> for SoftmaxCrossEntropy<'_, T> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let [logits] = arity(NAME, inputs)?;
        let &[samples, classes] = logits else {
            return Err(Error::shape(NAME, "logits [samples, classes]", logits));
        };
        match self.targets {
            Targets::Classes(targets) if targets.len() != samples => {
                return Err(Error::shape(NAME, format!("logits of {} samples, as the targets", targets.len()), logits));
            }
            Targets::Soft(targets) if targets.shape() != logits => {
                return Err(Error::shape(NAME, format!("logits of the targets' shape {:?}", targets.shape()), logits));
            }
            _ => {}
        }
        if let Some(weights) = self.weights
            && weights.len() != classes
        {
            return Err(Error::shape(NAME, format!("logits of {} classes, as the weights", weights.len()), logits));
        }
        if samples > 0 && classes == 0 {
            return Err(Error::shape(NAME, "logits of at least one class", logits));
        }
        out_shape(NAME, self.reduction, logits)
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let (n_samples, n_classes) = (inputs[0].shape()[0], inputs[0].shape()[1]);
        self.check_classes(n_classes)?;
        let x = Dense::of(&inputs[0], cx.scratch);
        let soft = self.soft(cx.scratch);
        let mut losses = cx.scratch.take(n_samples);
        let probabilities = slice_mut(saved.array(&[n_samples, n_classes], cx.scratch));

        // An exponential costs about as much as eight additions.
        let work = 8 * x.len();
        rows2(cx.pool, work, n_samples, (probabilities, n_classes), (&mut losses, 1), &|samples, p, losses| {
            vectorize!(|| {
                let group = (ELEMENTS / n_classes.max(1)).clamp(1, GROUP);
                let groups = p.chunks_mut(group * n_classes.max(1)).zip(losses.chunks_mut(group));
                for (first, (p, losses)) in samples.step_by(group).zip(groups) {
                    let [largest, inverses, logs] = exponentials(&x[first * n_classes..][..p.len()], p, n_classes);
                    let rows =
                        p.chunks_exact_mut(n_classes).zip(losses).zip(largest).zip(inverses.into_iter().zip(logs));
                    for (i, (((p, loss), largest), (inverse, log))) in rows.enumerate() {
                        let sample = first + i;
                        let x = &x[sample * n_classes..][..n_classes];
                        p.iter_mut().for_each(|p| *p *= inverse);
                        let mut total = 0.0;
                        self.each_target(sample, n_classes, soft.as_deref(), |class, q| {
                            // (largest - x) first: it is exact where it matters, and their sum with the logarithm may be far larger.
                            total += (q * ((largest - x[class]) + log)).as_f64();
                        });
                        *loss = T::of(total);
                    }
                }
            },);
        });

        reduce(self.reduction, &losses, self.total(n_samples), slice_mut(out));
        cx.scratch.give(losses);
        x.release(cx.scratch);
        soft.into_iter().for_each(|soft| soft.release(cx.scratch));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let Some(slot) = &grads[0] else { return Ok(()) };
        let (n_samples, n_classes) = (slot.grad.shape()[0], slot.grad.shape()[1]);
        let soft = self.soft(cx.scratch);
        let (grad, p) = (slice(at.grad), slice(&at.saved.arrays[0]));
        let divisor = T::of(divisor(self.reduction, self.total(n_samples)));
        let (to_x, first) = target(&mut grads[0]);

        parallel::rows(cx.pool, to_x, n_classes, 1, 3 * p.len(), &|samples, to_x| {
            vectorize!(|| {
                for (sample, to_x) in samples.zip(to_x.chunks_exact_mut(n_classes.max(1))) {
                    let grad = sample_grad(self.reduction, grad, sample, divisor);
                    let mut mass = T::zero();
                    self.each_target(sample, n_classes, soft.as_deref(), |_, q| mass += q);
                    let scale = flip!("softmax_cross_entropy/probability", grad * mass);
                    for (to_x, &p) in to_x.iter_mut().zip(&p[sample * n_classes..]) {
                        // An ignored sample has no gradient even where its logits are NaN.
                        let value = if mass == T::zero() { T::zero() } else { p * scale };
                        *to_x = if first { value } else { *to_x + value };
                    }
                    self.each_target(sample, n_classes, soft.as_deref(), |class, q| {
                        to_x[class] -= flip!("softmax_cross_entropy/target", grad * q);
                    });
                }
            },);
        });
        soft.into_iter().for_each(|soft| soft.release(cx.scratch));
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
