//! Losses of embeddings: how near vectors are to each other.

use super::hinge::check_margin;
use super::rowwise::{RowFormula, Rowwise};
use gradwise_core::{ArrayRefD, Error, Loss, Op, Real, Reduction, Result, flip};
use ndarray::{CowArray, IxDyn};

/// Squared lengths below this count as 0: such a vector has no direction. The square of the length that PyTorch's `cosine_similarity` keeps vectors
/// at.
const TINY: f64 = 1e-16;

/// The cosine of the angle between two vectors, their inner product, and one over both lengths.
struct Angle<T> {
    cosine: T,
    over_a: T,
    over_b: T,
}

impl<T: Real> Angle<T> {
    #[inline(always)]
    fn of(a: &[T], b: &[T]) -> Self {
        let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
        for (&a, &b) in a.iter().zip(b) {
            let (a, b) = (a.as_f64(), b.as_f64());
            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
        // Written so that NaN stays.
        let over = |square: f64| if square < TINY { 1.0 / TINY.sqrt() } else { 1.0 / square.sqrt() };
        Angle { cosine: T::of(ab * over(aa) * over(bb)), over_a: T::of(over(aa)), over_b: T::of(over(bb)) }
    }

    /// Emits the derivative of the cosine by `a`, times a factor: `(b / ‖b‖ - cos a / ‖a‖) / ‖a‖`.
    #[inline(always)]
    fn slopes(&self, factor: T, a: &[T], b: &[T], mut emit: impl FnMut(usize, T)) {
        for (i, (&a, &b)) in a.iter().zip(b).enumerate() {
            emit(i, factor * self.over_a * (b * self.over_b - flip!("cosine/length", self.cosine * a * self.over_a)));
        }
    }

    fn swapped(self) -> Self {
        Angle { cosine: self.cosine, over_a: self.over_b, over_b: self.over_a }
    }
}

/// `1 - cos` of the angle between two inputs' rows where they shall be alike, `max(0, cos - margin)` where not.
///
/// Source: the loss of Siamese networks with the cosine as the distance: Bromley et al., *Signature verification using a "Siamese" time delay
/// neural network*, NIPS 1993; this form is PyTorch's `cosine_embedding_loss`.
///
/// ```
/// use gradwise_core::Reduction;
/// use gradwise_tensor::{eager::Eager, loss::CosineEmbedding};
/// use ndarray::arr2;
///
/// let (a, b) = (arr2(&[[1.0, 0.0], [1.0, 0.0]]).into_dyn(), arr2(&[[0.0, 2.0], [3.0, 0.0]]).into_dyn());
/// let loss = CosineEmbedding::new(&[true, false], 0.5, Reduction::None)?;
/// let (losses, _) = Eager::<f64>::default().forward(&loss, &[a.view(), b.view()])?;
/// assert_eq!(losses.as_slice(), Some(&[1.0, 0.5][..]));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub type CosineEmbedding<'a> = Rowwise<CosineDistance<'a>, 2>;

/// The formula of [`CosineEmbedding`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CosineDistance<'a> {
    alike: &'a [bool],
    margin: f64,
}

impl<'a> CosineEmbedding<'a> {
    /// For samples that shall be alike (`true`) or not, with the cosine below which unlike ones cost nothing: 0 to 0.5 is usual.
    ///
    /// # Errors
    /// If the margin is not in `[-1, 1]`.
    pub fn new(alike: &'a [bool], margin: f64, reduction: Reduction) -> Result<Self> {
        if (-1.0..=1.0).contains(&margin) {
            return Ok(Rowwise::with(CosineDistance { alike, margin }, reduction));
        }
        Err(Error::value("cosine_embedding: margin", "a number in [-1, 1]", margin))
    }
}

impl<T: Real> RowFormula<T, 2> for CosineDistance<'_> {
    fn name(&self) -> &'static str {
        "cosine_embedding"
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        if shape[0] == self.alike.len() {
            return Ok(());
        }
        Err(Error::shape("cosine_embedding", format!("{} samples, as the targets", self.alike.len()), shape))
    }

    #[inline(always)]
    fn value(&self, sample: usize, [a, b]: [&[T]; 2]) -> T {
        let cosine = Angle::of(a, b).cosine;
        if self.alike[sample] {
            return T::one() - cosine;
        }
        let above = cosine - T::of(self.margin);
        if above <= T::zero() { T::zero() } else { above }
    }

    #[inline(always)]
    fn slopes(&self, sample: usize, input: usize, [a, b]: [&[T]; 2], emit: impl FnMut(usize, T)) {
        let angle = Angle::of(a, b);
        let factor = if self.alike[sample] {
            -T::one()
        } else if angle.cosine <= T::of(self.margin) {
            T::zero()
        } else {
            T::one()
        };
        if input == 0 { angle.slopes(factor, a, b, emit) } else { angle.swapped().slopes(factor, b, a, emit) }
    }
}

/// `1 - cos` of the angle between predictions and targets `[samples, features]`: the direction counts, the length does not.
///
/// Keras's `CosineSimilarity` is the same less 1.
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::CosineSimilarityLoss};
/// use ndarray::arr2;
///
/// let targets = arr2(&[[0.0, 1.0]]).into_dyn();
/// let op = CosineSimilarityLoss.op(&*targets, Reduction::Mean)?;
/// let (value, _) = Eager::<f64>::default().forward(&*op, &[arr2(&[[0.0, 7.0]]).into_dyn().view()])?;
/// assert_eq!(value[[]], 0.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CosineSimilarityLoss;

struct CosineTo<'a, T> {
    targets: CowArray<'a, T, IxDyn>,
}

impl<T: Real> CosineTo<'_, T> {
    fn row(&self, sample: usize, len: usize) -> &[T] {
        // In standard layout since `CosineSimilarityLoss::op`.
        &self.targets.as_slice().unwrap_or_default()[sample * len..][..len]
    }
}

impl<T: Real> RowFormula<T, 1> for CosineTo<'_, T> {
    fn name(&self) -> &'static str {
        "cosine_similarity"
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        if shape == self.targets.shape() {
            return Ok(());
        }
        Err(Error::shape("cosine_similarity", format!("{:?}, the targets' shape", self.targets.shape()), shape))
    }

    #[inline(always)]
    fn value(&self, sample: usize, [x]: [&[T]; 1]) -> T {
        T::one() - Angle::of(x, self.row(sample, x.len())).cosine
    }

    #[inline(always)]
    fn slopes(&self, sample: usize, _: usize, [x]: [&[T]; 1], emit: impl FnMut(usize, T)) {
        let target = self.row(sample, x.len());
        Angle::of(x, target).slopes(-T::one(), x, target, emit);
    }
}

impl<T: Real> Loss<T, ArrayRefD<T>> for CosineSimilarityLoss {
    fn name(&self) -> &'static str {
        "cosine_similarity"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        let targets = match targets.is_standard_layout() {
            true => CowArray::from(targets.view()),
            false => CowArray::from(targets.as_standard_layout().into_owned()),
        };
        Ok(Box::new(Rowwise::with(CosineTo { targets }, reduction)))
    }
}

/// `max(0, ‖a - p‖ - ‖a - n‖ + margin)` of three inputs: anchors, positives that shall be near to them, negatives that shall be farther.
///
/// Where two rows are equal, the gradient of their distance is 0. PyTorch's `triplet_margin_loss` adds 10⁻⁶ to each difference.
///
/// Source: Schroff, Kalenichenko and Philbin, *FaceNet*, CVPR 2015, with distances rather than their squares, as PyTorch.
///
/// ```
/// use gradwise_core::Reduction;
/// use gradwise_tensor::{eager::Eager, loss::TripletMargin};
/// use ndarray::arr2;
///
/// let [a, p, n] = [[0.0, 0.0], [0.0, 1.0], [3.0, 4.0]].map(|row| arr2(&[row]).into_dyn());
/// let loss = TripletMargin::new(4.5, Reduction::Mean)?;
/// let (value, _) = Eager::<f64>::default().forward(&loss, &[a.view(), p.view(), n.view()])?;
/// assert_eq!(value[[]], 1.0 - 5.0 + 4.5);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub type TripletMargin = Rowwise<Triplet, 3>;

/// The formula of [`TripletMargin`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Triplet {
    margin: f64,
}

impl TripletMargin {
    /// With the distance by which negatives shall be farther, commonly 1 (0.2 for rows of length 1).
    ///
    /// # Errors
    /// If the margin is not a positive number.
    pub fn new(margin: f64, reduction: Reduction) -> Result<Self> {
        Ok(Rowwise::with(Triplet { margin: check_margin("triplet_margin: margin", margin)? }, reduction))
    }
}

#[inline(always)]
fn distance<T: Real>(a: &[T], b: &[T]) -> T {
    T::of(a.iter().zip(b).map(|(&a, &b)| (a - b).as_f64().powi(2)).sum::<f64>().sqrt())
}

impl<T: Real> RowFormula<T, 3> for Triplet {
    fn name(&self) -> &'static str {
        "triplet_margin"
    }

    #[inline(always)]
    fn value(&self, _: usize, [a, p, n]: [&[T]; 3]) -> T {
        let short = distance(a, p) - distance(a, n) + T::of(self.margin);
        if short <= T::zero() { T::zero() } else { short }
    }

    #[inline(always)]
    fn slopes(&self, _: usize, input: usize, [a, p, n]: [&[T]; 3], mut emit: impl FnMut(usize, T)) {
        let (near, far) = (distance(a, p), distance(a, n));
        let satisfied = near - far + T::of(self.margin) <= T::zero();
        let over = |distance: T| if satisfied || distance == T::zero() { T::zero() } else { T::one() / distance };
        let (near, far) = (over(near), over(far));
        for (i, ((&a, &p), &n)) in a.iter().zip(p).zip(n).enumerate() {
            emit(
                i,
                match input {
                    0 => (a - p) * near - flip!("triplet_margin/far", (a - n) * far),
                    1 => (p - a) * near,
                    _ => (a - n) * far,
                },
            );
        }
    }
}
