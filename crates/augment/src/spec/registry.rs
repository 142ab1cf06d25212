//! Kinds by name.

use super::described::{Described, DescribedMix, Spec, read};
use super::fault::{Fault, unknown};
use super::pipeline::Pipeline;
use super::{Table, Value, kinds};
use crate::{Augment, Error, Mix, Part, Result, Sequence, Sometimes};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

type Build<T> = Arc<dyn Fn(Table, &Site<'_>) -> Result<Box<T>> + Send + Sync>;

/// How deep compositions may lie in one another.
const DEPTH: usize = 64;

/// How a kind is built.
#[derive(Clone)]
enum Entry {
    /// What works on samples; whether `p` is a field of its own.
    Sample(Build<dyn Augment>, bool),
    /// What mixes batches.
    Batch(Build<dyn Mix>),
}

/// The kinds that pipelines may be made of: this crate's, and the user's own.
///
/// ```
/// use gradwise_augment::spec::{Registry, Spec};
/// use gradwise_augment::{Augment, Error, from_fn};
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Fog {
///     density: f64,
/// }
///
/// let mut registry = Registry::new();
/// registry.register("fog", |fog: Fog| {
///     if !(0.0..=1.0).contains(&fog.density) {
///         return Err(Error::parameter("fog", "density", "within [0, 1]", fog.density));
///     }
///     Ok(Box::new(from_fn("fog", |_image, _random| Ok(()))) as Box<dyn Augment>)
/// })?;
/// let specs: Vec<Spec> = serde_json::from_str(r#"[{"kind": "fog", "density": 2}]"#)?;
/// let error = registry.build("augment", &specs).unwrap_err();
/// assert_eq!(error.to_string(), "augment[0].density: fog: density must be within [0, 1], got 2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    kinds: BTreeMap<String, Entry>,
}

impl Registry {
    /// With all kinds of this crate.
    pub fn new() -> Self {
        let mut registry = Registry { kinds: BTreeMap::new() };
        kinds::add_all(&mut registry);
        registry
    }

    /// With a kind whose struct says how it is built.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is such a kind already.
    pub fn add<D: Described>(&mut self) -> Result<()> {
        let build = |fields, site: &Site<'_>| site.read::<D>(fields)?.build(site);
        self.insert(D::KIND, Entry::Sample(Arc::new(build), D::OWN_PROBABILITY))
    }

    /// With a kind of mix whose struct says how it is built.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is such a kind already.
    pub fn add_mix<D: DescribedMix>(&mut self) -> Result<()> {
        self.insert(D::KIND, Entry::Batch(Arc::new(|fields, site| site.read::<D>(fields)?.build())))
    }

    /// With a kind whose fields are read into any type that serde can read, and from which a closure builds the transform.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is such a kind already.
    pub fn register<T, F>(&mut self, kind: &str, build: F) -> Result<()>
    where
        T: DeserializeOwned,
        F: Fn(T) -> Result<Box<dyn Augment>> + Send + Sync + 'static,
    {
        self.insert(kind, Entry::Sample(Arc::new(move |fields, site| build(site.read(fields)?)), false))
    }

    fn insert(&mut self, kind: &str, entry: Entry) -> Result<()> {
        if kind.is_empty() || self.kinds.contains_key(kind) {
            return Err(Error::parameter("registry", "kind", "a name that is not taken", format!("`{kind}`")));
        }
        self.kinds.insert(kind.to_owned(), entry);
        Ok(())
    }

    /// The names of all kinds that work on samples, by the alphabet.
    pub fn kinds(&self) -> impl Iterator<Item = &str> + Clone {
        self.kinds.iter().filter(|(_, entry)| matches!(entry, Entry::Sample(..))).map(|(kind, _)| kind.as_str())
    }

    /// The names of all kinds that mix batches, by the alphabet.
    pub fn mixes(&self) -> impl Iterator<Item = &str> + Clone {
        self.kinds.iter().filter(|(_, entry)| matches!(entry, Entry::Batch(_))).map(|(kind, _)| kind.as_str())
    }

    /// One transform of samples after the other. `place` is where the list comes from, for errors: `augment`.
    ///
    /// # Errors
    /// [`Error::Described`] for an unknown kind or field, for what is of another type than its field, and for a mix of batches, which
    /// [`Registry::pipeline`] builds; [`Error::Built`] with what a constructor refuses. Both say where.
    pub fn build(&self, place: &str, specs: &[Spec]) -> Result<Sequence> {
        Ok(Site::whole(self, place).list("", specs)?.into_iter().collect())
    }

    /// A whole pipeline: transforms of samples, one after the other, and, at the end, what mixes batches, if the list ends with it.
    ///
    /// # Errors
    /// As [`Registry::build`], and if a mix is not the last of the list, or not the only one.
    pub fn pipeline(&self, place: &str, specs: &[Spec]) -> Result<Pipeline> {
        let site = Site::whole(self, place);
        let mixes = |spec: &Spec| spec.kind().is_some_and(|kind| matches!(self.kinds.get(kind), Some(Entry::Batch(_))));
        let n = specs.iter().position(mixes).unwrap_or(specs.len());
        let samples = site.list("", &specs[..n])?.into_iter().collect();
        let batch = match specs.get(n) {
            None => None,
            Some(spec) => Some(Arc::from(site.part("", n).mix(spec)?)),
        };
        match specs.get(n + 1) {
            None => Ok(Pipeline { samples, batch }),
            Some(next) => {
                let reason = if mixes(next) {
                    format!("only one kind mixes the batch, here {place}[{n}]; `mix-choice` takes turns")
                } else {
                    format!("what works on samples comes before what mixes them, here {place}[{n}]")
                };
                Err(Fault::new(reason).at(&site.part("", n + 1).place))
            }
        }
    }
}

/// As [`Registry::new`].
impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}

/// Where a transform is being built: what compositions build their parts with.
#[derive(Debug)]
pub struct Site<'a> {
    registry: &'a Registry,
    place: String,
    depth: usize,
}

impl<'a> Site<'a> {
    /// The whole list, from a place.
    fn whole(registry: &'a Registry, place: &str) -> Self {
        Site { registry, place: place.to_owned(), depth: 0 }
    }

    /// Where it is, from the beginning: `augment[2]`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The parts of a composition, which are in its field `field`.
    ///
    /// # Errors
    /// As [`Registry::build`].
    pub fn parts(&self, field: &str, specs: &[Spec]) -> Result<Vec<Part>> {
        self.list(&format!(".{field}"), specs)
    }

    fn list(&self, field: &str, specs: &[Spec]) -> Result<Vec<Part>> {
        specs.iter().enumerate().map(|(i, spec)| Ok(Part::from(self.part(field, i).build(spec)?))).collect()
    }

    /// Number `i` of a list in a field.
    fn part(&self, field: &str, i: usize) -> Self {
        let place = format!("{}{field}[{i}]", self.place);
        Site { registry: self.registry, place, depth: self.depth + 1 }
    }

    /// Builds the transform that is described here.
    fn build(&self, spec: &Spec) -> Result<Box<dyn Augment>> {
        let (entry, kind, mut fields) = self.entry(spec)?;
        let Entry::Sample(build, own_probability) = entry else {
            let reason = format!(
                "`{kind}` mixes the samples of a batch: it comes at the end of a whole pipeline, and in no composition"
            );
            return Err(Fault::new(reason).in_field("kind").at(&self.place));
        };
        let names: Vec<String> = fields.keys().cloned().collect();
        let p = if *own_probability { None } else { fields.remove("p") };
        let built = build(fields, self).and_then(|part| match p {
            None => Ok(part),
            Some(p) => Ok(Box::new(Sometimes::new(self.probability(&p)?, part)?)),
        });
        built.map_err(|error| self.placed(error, &names))
    }

    /// Builds the mix that is described here.
    fn mix(&self, spec: &Spec) -> Result<Box<dyn Mix>> {
        let (entry, kind, mut fields) = self.entry(spec)?;
        let Entry::Batch(build) = entry else {
            return Err(Fault::new(format!("`{kind}` mixes no batch")).in_field("kind").at(&self.place));
        };
        let names: Vec<String> = fields.keys().cloned().collect();
        let p = fields.remove("p");
        let built = build(fields, self).and_then(|mix| match p {
            None => Ok(mix),
            Some(p) => Ok(Box::new(Sometimes::mix(self.probability(&p)?, mix)?)),
        });
        built.map_err(|error| self.placed(error, &names))
    }

    /// What builds what is described here, the name of its kind, and its other fields.
    fn entry(&self, spec: &Spec) -> Result<(&Entry, String, Table)> {
        if self.depth > DEPTH {
            let reason = format!("compositions lie more than {DEPTH} deep in one another");
            return Err(Fault::new(reason).at(&self.place));
        }
        let mut fields = spec.fields().clone();
        let fault = |reason: String| Fault::new(reason).in_field("kind").at(&self.place);
        let kind = match fields.remove("kind") {
            Some(Value::Text(kind)) => kind,
            Some(_) => return Err(fault("the name of a kind is expected".to_owned())),
            None => return Err(fault("is missing".to_owned())),
        };
        match self.registry.kinds.get(&kind) {
            Some(entry) => Ok((entry, kind, fields)),
            None => Err(fault(unknown("kind", &kind, self.registry.kinds.keys().map(String::as_str)))),
        }
    }

    fn probability(&self, p: &Value) -> Result<f64> {
        let p = serde::Deserialize::deserialize(super::read::Reader(p));
        p.map_err(|fault: Fault| fault.in_field("p").at(&self.place))
    }

    /// An error of a constructor with its place: that of the field, if the parameter is one.
    fn placed(&self, error: Error, fields: &[String]) -> Error {
        let place = match &error {
            Error::Described { .. } | Error::Built { .. } => return error,
            Error::Parameter { parameter, .. } => {
                let name = if parameter == "probability" { "p".to_owned() } else { parameter.replace(' ', "-") };
                if fields.contains(&name) { format!("{}.{name}", self.place) } else { self.place.clone() }
            }
            _ => self.place.clone(),
        };
        Error::Built { place, source: Box::new(error) }
    }

    fn read<T: DeserializeOwned>(&self, fields: Table) -> Result<T> {
        read(fields).map_err(|fault| fault.at(&self.place))
    }
}
