//! Kinds by name.

use super::described::{Described, Spec, read};
use super::fault::{Fault, unknown};
use super::{Table, Value, kinds};
use crate::{Augment, Error, Part, Result, Sequence, Sometimes};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

type Build = dyn Fn(Table, &Site<'_>) -> Result<Box<dyn Augment>> + Send + Sync;

/// How deep compositions may lie in one another.
const DEPTH: usize = 64;

#[derive(Clone)]
struct Entry {
    own_probability: bool,
    build: Arc<Build>,
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
        self.insert(D::KIND, D::OWN_PROBABILITY, Arc::new(build))
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
        self.insert(kind, false, Arc::new(move |fields, site| build(site.read(fields)?)))
    }

    fn insert(&mut self, kind: &str, own_probability: bool, build: Arc<Build>) -> Result<()> {
        if kind.is_empty() || self.kinds.contains_key(kind) {
            return Err(Error::parameter("registry", "kind", "a name that is not taken", format!("`{kind}`")));
        }
        self.kinds.insert(kind.to_owned(), Entry { own_probability, build });
        Ok(())
    }

    /// The names of all kinds, by the alphabet.
    pub fn kinds(&self) -> impl Iterator<Item = &str> + Clone {
        self.kinds.keys().map(String::as_str)
    }

    /// A pipeline of one transform after the other. `place` is where the list comes from, for errors: `augment`.
    ///
    /// # Errors
    /// [`Error::Described`] for an unknown kind or field, and for what is of another type than its field; [`Error::Built`] with what
    /// a constructor refuses. Both say where.
    pub fn build(&self, place: &str, specs: &[Spec]) -> Result<Sequence> {
        let site = Site { registry: self, place: place.to_owned(), depth: 0 };
        Ok(site.list("", specs)?.into_iter().collect())
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
        f.debug_set().entries(self.kinds()).finish()
    }
}

/// Where a transform is being built: what compositions build their parts with.
#[derive(Debug)]
pub struct Site<'a> {
    registry: &'a Registry,
    place: String,
    depth: usize,
}

impl Site<'_> {
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
        let part = |(i, spec): (usize, &Spec)| {
            let place = format!("{}{field}[{i}]", self.place);
            let site = Site { registry: self.registry, place, depth: self.depth + 1 };
            Ok(Part::from(site.build(spec)?))
        };
        specs.iter().enumerate().map(part).collect()
    }

    /// Builds what is described here.
    fn build(&self, spec: &Spec) -> Result<Box<dyn Augment>> {
        let fault = |reason: String| Fault::new(reason).at(&self.place);
        if self.depth > DEPTH {
            return Err(fault(format!("compositions lie more than {DEPTH} deep in one another")));
        }
        let mut fields = spec.fields().clone();
        let kind = match fields.remove("kind") {
            Some(Value::Text(kind)) => kind,
            Some(_) => return Err(Fault::new("the name of a kind is expected").in_field("kind").at(&self.place)),
            None => return Err(Fault::new("is missing").in_field("kind").at(&self.place)),
        };
        let Some(entry) = self.registry.kinds.get(&kind) else {
            let reason = unknown("kind", &kind, self.registry.kinds());
            return Err(Fault::new(reason).in_field("kind").at(&self.place));
        };
        let names: Vec<String> = fields.keys().cloned().collect();
        let p = if entry.own_probability { None } else { fields.remove("p") };
        let built = (entry.build)(fields, self).and_then(|part| match p {
            None => Ok(part),
            Some(p) => {
                let p: f64 = serde::Deserialize::deserialize(super::read::Reader(&p))
                    .map_err(|fault: Fault| fault.in_field("p").at(&self.place))?;
                Ok(Box::new(Sometimes::new(p, part)?))
            }
        });
        built.map_err(|error| self.placed(error, &names))
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
