//! One layer after another.

use crate::Build;
use gradwise_autograd::{Affine, Folded, Module, Tape, Var, fold_pair};
use gradwise_core::{Error, Key, Param, Params, Path, Real, Result};

/// Layers one after another: `f₃(f₂(f₁(x)))`.
///
/// Each layer goes by its position, or by a name; errors, readings and the paths of parameters carry it. A chain is made of finished
/// layers, or by a [`ChainBuilder`], which hands each configuration a key of its own:
///
/// ```
/// use gradwise_layers::{Activation, Chain, Dropout, Key, Linear, ParamsExt};
///
/// let model: Chain<f32> = Chain::seeded(Key::new(7))
///     .then(Linear::config(64, 32).activation(Activation::Relu))
///     .then(Dropout::new(0.2)?)
///     .named("head", Linear::config(32, 10))
///     .build()?;
/// assert_eq!(model.paths(), ["0.weight", "0.bias", "head.weight", "head.bias"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Default)]
pub struct Chain<T: Real> {
    links: Vec<Link<T>>,
    /// Links in a segment that is made again in backward; 0 if all is kept.
    segment: usize,
}

struct Link<T: Real> {
    /// The position in decimals where no name was given, so that nothing is formatted in a step.
    name: String,
    named: bool,
    /// Whether a neighbour does its work: see `Module::fold`.
    dissolved: bool,
    layer: Box<dyn Module<T>>,
}

impl<T: Real> Chain<T> {
    /// A chain without layers: the identity.
    pub fn new() -> Self {
        Chain { links: Vec::new(), segment: 0 }
    }

    /// Begins a chain whose layers draw their first weights with keys derived from this one, by their position or name.
    pub fn seeded(key: Key) -> ChainBuilder<T> {
        ChainBuilder { key, chain: Ok(Chain::new()) }
    }

    /// With one more layer at the end.
    #[must_use]
    pub fn with(mut self, layer: impl Module<T> + 'static) -> Self {
        self.push(Box::new(layer));
        self
    }

    /// With one more layer at the end, under a name.
    ///
    /// # Errors
    /// If the name is empty, begins with a digit, has a dot, or is taken.
    pub fn with_named(mut self, name: &str, layer: impl Module<T> + 'static) -> Result<Self> {
        let digit = name.starts_with(|c: char| c.is_ascii_digit());
        if name.is_empty() || digit || name.contains('.') || self.links.iter().any(|link| link.name == name) {
            let expected = "a name of its own, without dots and not beginning with a digit";
            return Err(Error::value("chain: name of a layer", expected, format_args!("{name:?}")));
        }
        self.links.push(Link { name: name.to_owned(), named: true, dissolved: false, layer: Box::new(layer) });
        Ok(self)
    }

    /// Adds a layer whose type is not known.
    pub fn push(&mut self, layer: Box<dyn Module<T>>) {
        self.links.push(Link { name: self.links.len().to_string(), named: false, dissolved: false, layer });
    }

    /// Keeps in training only what every `n`-th layer hands on, and computes the rest again in backward, `n` layers at a time: see
    /// [`Checkpoint`](crate::Checkpoint). With `n = 0` everything is kept.
    ///
    /// ```
    /// use gradwise_layers::{Activation, Chain, Key, Linear};
    ///
    /// let mut deep = Chain::<f32>::seeded(Key::new(1));
    /// for _ in 0..64 {
    ///     deep = deep.then(Linear::config(256, 256).activation(Activation::Relu));
    /// }
    /// // 16 activations are alive at a time, instead of 64.
    /// let deep = deep.build()?.checkpoint_every(8);
    /// assert_eq!(deep.len(), 64);
    /// # Ok::<(), gradwise_layers::Error>(())
    /// ```
    #[must_use]
    pub fn checkpoint_every(self, n: usize) -> Self {
        Chain { segment: n, ..self }
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The layers with their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &dyn Module<T>)> {
        self.links.iter().map(|link| (link.name.as_str(), &*link.layer))
    }
}

impl<T: Real> FromIterator<Box<dyn Module<T>>> for Chain<T> {
    fn from_iter<I: IntoIterator<Item = Box<dyn Module<T>>>>(layers: I) -> Self {
        let mut chain = Chain::new();
        layers.into_iter().for_each(|layer| chain.push(layer));
        chain
    }
}

impl<T: Real> std::fmt::Debug for Chain<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.links.iter().map(|link| &link.name)).finish()
    }
}

impl<T: Real> Params<T> for Chain<T> {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
        for (i, link) in self.links.iter().enumerate() {
            let at = if link.named { path.field(&link.name) } else { path.index(i) };
            link.layer.each(at, f);
        }
    }

    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
        for (i, link) in self.links.iter_mut().enumerate() {
            let at = if link.named { path.field(&link.name) } else { path.index(i) };
            link.layer.each_mut(at, f);
        }
    }
}

impl<T: Real> Module<T> for Chain<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            if self.segment == 0 {
                return record(&self.links, tape, x);
            }
            let input = x;
            self.links.chunks(self.segment).try_fold(x, |x, links| {
                let y = tape.checkpoint(|tape| record(links, tape, x))?;
                if x != input {
                    release(tape, x, y);
                }
                Ok(y)
            })
        })
    }

    fn fold(&mut self) {
        self.links.iter_mut().for_each(|link| link.layer.fold());
        // The last link that still does something.
        let mut last: Option<usize> = None;
        for i in 0..self.links.len() {
            let (before, link) = self.links.split_at_mut(i);
            let link = &mut link[0];
            if link.dissolved {
                continue;
            }
            match last.and_then(|last| fold_pair(&mut before[last].layer, &mut link.layer)) {
                Some(Folded::Second) => link.dissolved = true,
                Some(Folded::First) => {
                    last.into_iter().for_each(|last| before[last].dissolved = true);
                    last = Some(i);
                }
                None => last = Some(i),
            }
        }
    }

    fn as_affine(&self) -> Option<Affine> {
        let mut links = self.links.iter().filter(|link| !link.dissolved);
        links.next().filter(|_| links.next().is_none())?.layer.as_affine()
    }

    fn absorb_next(&mut self, next: &Affine) -> bool {
        let link = self.links.iter_mut().rev().find(|link| !link.dissolved);
        link.is_some_and(|link| link.layer.absorb_next(next))
    }

    fn absorb_previous(&mut self, previous: &Affine) -> bool {
        let link = self.links.iter_mut().find(|link| !link.dissolved);
        link.is_some_and(|link| link.layer.absorb_previous(previous))
    }

    fn dissolve(&mut self) {
        for link in self.links.iter_mut().filter(|link| !link.dissolved) {
            link.layer.dissolve();
            link.dissolved = true;
        }
    }
}

/// Records one link after another.
fn record<'p, T: Real>(links: &'p [Link<T>], tape: &mut Tape<'p, T>, input: Var) -> Result<Var> {
    links.iter().try_fold(input, |x, link| {
        let y = tape.scope(&link.name, |tape| link.layer.forward(tape, x))?;
        if x != input {
            release(tape, x, y);
        }
        Ok(y)
    })
}

/// What one link hands to the next, nobody else sees.
fn release<T: Real>(tape: &mut Tape<'_, T>, x: Var, y: Var) {
    if x != y {
        tape.release(x);
    }
}

/// A chain in the making: see [`Chain::seeded`].
///
/// The first error is kept until [`ChainBuilder::build`], with the layer it belongs to, so that a chain reads as one expression.
pub struct ChainBuilder<T: Real> {
    key: Key,
    chain: Result<Chain<T>>,
}

impl<T: Real> ChainBuilder<T> {
    /// Adds a layer, or what becomes one, at the end.
    #[must_use]
    pub fn then<K, B: Build<T, K, Layer: 'static>>(self, layer: B) -> Self {
        let key = self.key;
        self.and(|chain| {
            let position = chain.len();
            let layer = layer.build(key.with(position as u64)).map_err(|error| within(&position.to_string(), error))?;
            Ok(chain.with(layer))
        })
    }

    /// Adds a layer, or what becomes one, at the end, under a name.
    #[must_use]
    pub fn named<K, B: Build<T, K, Layer: 'static>>(self, name: &str, layer: B) -> Self {
        let key = self.key.with_str(name);
        self.and(|chain| chain.with_named(name, layer.build(key).map_err(|error| within(name, error))?))
    }

    /// The chain.
    ///
    /// # Errors
    /// The first of the layers' errors.
    pub fn build(self) -> Result<Chain<T>> {
        self.chain
    }

    fn and(self, f: impl FnOnce(Chain<T>) -> Result<Chain<T>>) -> Self {
        ChainBuilder { key: self.key, chain: self.chain.and_then(f) }
    }
}

/// The error of building a layer, with its place in the chain; a chain within a chain has given it one already.
fn within(name: &str, error: Error) -> Error {
    match error {
        Error::At { path, source } => Error::At { path: format!("{name}.{path}"), source },
        error => error.at(name),
    }
}

impl<T: Real> std::fmt::Debug for ChainBuilder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainBuilder").field("key", &self.key).field("chain", &self.chain).finish()
    }
}
