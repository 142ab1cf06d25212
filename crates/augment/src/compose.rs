//! Transforms made of transforms.

use crate::image::ImageMut;
use crate::plan::{Effect, Step};
use crate::transform::probability;
use crate::{Augment, Draw, Error, Key, Mix, Random, Result};
use std::fmt;
use std::sync::Arc;

/// A shared transform, as compositions hold it; [`part`] makes one.
pub type Part = Arc<dyn Augment>;

/// A transform as a part of a composition.
pub fn part(augment: impl Augment + 'static) -> Part {
    Arc::new(augment)
}

/// One transform after the other.
///
/// ```
/// use gradwise_augment::{Augment, Flip, GaussianNoise, Image, Key, Kind, Sequence, Shape, Translate};
///
/// let pipeline = Sequence::new()
///     .then(Flip::horizontal(0.5)?)
///     .then(Translate::fraction(0.1, 0.1)?)
///     .then(GaussianNoise::new(0.0, 0.05)?);
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// let key = Key::new(42).epoch(0).sample(7);
/// let one = pipeline.apply(image.as_ref(), key)?;
/// let plan = pipeline.plan(image.shape(), Kind::U8, key)?;
/// assert_eq!(plan.apply(image.as_ref())?, one, "a plan replays what was drawn");
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    parts: Vec<Part>,
}

impl Sequence {
    /// An empty one: it changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// With another transform at the end.
    #[must_use]
    pub fn then(mut self, part: impl Augment + 'static) -> Self {
        self.parts.push(Arc::new(part));
        self
    }
}

impl FromIterator<Part> for Sequence {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        Sequence { parts: parts.into_iter().collect() }
    }
}

impl Augment for Sequence {
    fn name(&self) -> &str {
        "sequence"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        (0..).zip(&self.parts).try_for_each(|(place, part)| draw.part(place, part))
    }
}

/// All of some transforms, in a random order for each sample.
///
/// What a transform draws depends on its place in the list, not on the order it comes to.
///
/// ```
/// use gradwise_augment::{Augment, Brightness, Contrast, Key, Kind, RandomOrder, Shape, part};
///
/// let both = RandomOrder::from_iter([part(Brightness::new((0.8, 1.2))?), part(Contrast::new((0.8, 1.2))?)]);
/// assert_eq!(both.plan(Shape::interleaved(8, 8, 3), Kind::U8, Key::new(1))?.steps().len(), 2);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RandomOrder {
    parts: Vec<Part>,
}

impl FromIterator<Part> for RandomOrder {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        RandomOrder { parts: parts.into_iter().collect() }
    }
}

impl Augment for RandomOrder {
    fn name(&self) -> &str {
        "random order"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        some(&self.parts, self.parts.len(), draw)
    }
}

/// Draws for `n` of the parts, chosen and ordered at random: selection without a list, so that nothing is allocated.
fn some(parts: &[Part], n: usize, draw: &mut Draw<'_>) -> Result<()> {
    // The order is that of random numbers given to the parts; ties, once in 2^53, go by place.
    let order = draw.key().with(0);
    let rank = |place: usize| (order.with(place as u64).random().uniform(), place);
    let mut last = (-1.0, 0);
    for _ in 0..n {
        let next = (0..parts.len())
            .map(rank)
            .filter(|&rank| rank > last)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let Some(next) = next else { break };
        draw.part(next.1 as u64, &parts[next.1])?;
        last = next;
    }
    Ok(())
}

/// A few of some transforms, each at most once, in a random order.
///
/// ```
/// use gradwise_augment::{Augment, Invert, Key, Kind, Shape, Solarize, SomeOf, part};
///
/// let one_or_two = SomeOf::new(1, 2, [part(Invert::new(1.0)?), part(Solarize::new(0.5)?)])?;
/// let plan = one_or_two.plan(Shape::interleaved(8, 8, 3), Kind::U8, Key::new(1))?;
/// assert!((1..=2).contains(&plan.steps().len()));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SomeOf {
    parts: Vec<Part>,
    least: usize,
    most: usize,
}

impl SomeOf {
    /// Between `least` and `most` of them, each number as likely.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the numbers are inverted, or if there are not as many transforms.
    pub fn new(least: usize, most: usize, parts: impl IntoIterator<Item = Part>) -> Result<Self> {
        let parts: Vec<Part> = parts.into_iter().collect();
        if least > most || most > parts.len() {
            let expected = format!("an ascending pair of at most {}, the number of transforms", parts.len());
            return Err(Error::parameter("some of", "count", expected, format!("({least}, {most})")));
        }
        Ok(SomeOf { parts, least, most })
    }
}

impl Augment for SomeOf {
    fn name(&self) -> &str {
        "some of"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let n = self.least + draw.random().below((self.most - self.least) as u32 + 1) as usize;
        some(&self.parts, n, draw)
    }
}

/// One of some transforms, each with a probability in proportion to its weight.
///
/// ```
/// use gradwise_augment::{Augment, GaussianNoise, Key, Kind, OneOf, Shape, Speckle, part};
///
/// let noise = OneOf::new([(3.0, part(GaussianNoise::new(0.0, 0.1)?)), (1.0, part(Speckle::new(0.0, 0.1)?))])?;
/// assert_eq!(noise.plan(Shape::interleaved(8, 8, 3), Kind::U8, Key::new(1))?.steps().len(), 1);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OneOf {
    parts: Vec<(f64, Part)>,
}

impl OneOf {
    /// Weights and transforms.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a weight is negative, infinite or NaN, or if none is positive.
    pub fn new(parts: impl IntoIterator<Item = (f64, Part)>) -> Result<Self> {
        let parts: Vec<(f64, Part)> = parts.into_iter().collect();
        if let Some((weight, part)) = parts.iter().find(|(weight, _)| !(weight.is_finite() && *weight >= 0.0)) {
            let parameter = format!("weight of {}", part.name());
            return Err(Error::parameter("one of", parameter, "a number of at least 0", weight));
        }
        if parts.iter().all(|(weight, _)| *weight == 0.0) {
            return Err(Error::parameter("one of", "weights", "at least one above 0", "none"));
        }
        let sum: f64 = parts.iter().map(|(weight, _)| weight).sum();
        if !sum.is_finite() {
            return Err(Error::parameter("one of", "weights", "numbers with a finite sum", sum));
        }
        Ok(OneOf { parts })
    }

    /// All with the same weight.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is none.
    pub fn even(parts: impl IntoIterator<Item = Part>) -> Result<Self> {
        OneOf::new(parts.into_iter().map(|part| (1.0, part)))
    }
}

impl Augment for OneOf {
    fn name(&self) -> &str {
        "one of"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let place = draw.random().weighted(self.parts.iter().map(|(weight, _)| *weight));
        draw.part(place as u64, &self.parts[place].1)
    }
}

/// A transform, or a [mix](Mix) of batches, that happens with a probability.
///
/// ```
/// use gradwise_augment::{Augment, GaussianBlur, Key, Kind, Shape, Sometimes};
///
/// let never = Sometimes::new(0.0, GaussianBlur::new((0.1, 2.0))?)?;
/// assert!(never.plan(Shape::interleaved(8, 8, 3), Kind::U8, Key::new(1))?.steps().is_empty());
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sometimes<A> {
    probability: f64,
    part: A,
}

impl<A: Augment> Sometimes<A> {
    /// With probability `p`; otherwise nothing happens.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a probability outside `[0, 1]`.
    pub fn new(p: f64, part: A) -> Result<Self> {
        Ok(Sometimes { probability: probability(p, part.name())?, part })
    }
}

impl<M: Mix> Sometimes<M> {
    /// A mix with probability `p`; otherwise batches are left as they are.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a probability outside `[0, 1]`.
    pub fn mix(p: f64, mix: M) -> Result<Self> {
        Ok(Sometimes { probability: probability(p, mix.name())?, part: mix })
    }
}

impl<P> Sometimes<P> {
    /// How probable it is.
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// What happens then.
    pub fn part(&self) -> &P {
        &self.part
    }
}

impl<A: Augment> Augment for Sometimes<A> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        if draw.random().chance(self.probability) { draw.part(0, &self.part) } else { Ok(()) }
    }
}

/// A closure as a transform: it changes values in place.
///
/// ```
/// use gradwise_augment::{Augment, Image, Key, Kind, Shape, ValuesMut, from_fn};
///
/// let fog = from_fn("fog", |mut image, random| {
///     let density = random.between(0.2, 0.5) as f32;
///     if let ValuesMut::F32(values) = image.values_mut() {
///         values.iter_mut().for_each(|x| *x += (0.8 - *x) * density);
///     }
///     Ok(())
/// });
/// let image = Image::black(Shape::interleaved(8, 8, 3), Kind::F32)?;
/// let foggy = fog.apply(image.as_ref(), Key::new(0))?;
/// assert!(foggy.as_f32().is_some_and(|values| (0.16..=0.4).contains(&values[0])));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
pub fn from_fn<F>(name: &'static str, f: F) -> impl Augment + Clone
where
    F: Fn(ImageMut<'_>, &mut Random) -> Result<()> + Send + Sync + 'static,
{
    Closure { name, effect: Arc::new(Function { name, f }) }
}

#[derive(Clone, Debug)]
struct Closure {
    name: &'static str,
    effect: Arc<dyn Effect>,
}

impl Augment for Closure {
    fn name(&self) -> &str {
        self.name
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        draw.note(self.name, &[]);
        let key = draw.key();
        draw.push(Step::Effect { effect: Arc::clone(&self.effect), key })
    }
}

struct Function<F> {
    name: &'static str,
    f: F,
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<F: Fn(ImageMut<'_>, &mut Random) -> Result<()> + Send + Sync> Effect for Function<F> {
    fn name(&self) -> &str {
        self.name
    }

    fn apply(&self, image: ImageMut<'_>, key: Key) -> Result<()> {
        (self.f)(image, &mut key.random())
    }
}
