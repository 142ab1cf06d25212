//! Kinds of parts by name: one entry each, and each in one place.

use crate::read::read;
use crate::{Part, RecipeError, Result};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A family of parts that can stand in each other's place: layers, rules, sources of data.
pub trait Family: 'static {
    /// What one of them is called in errors: `layer`.
    const WHAT: &'static str;
    /// What is built.
    type Built;
    /// What building one is told of its surroundings.
    type Site<'a>: ?Sized;
}

/// A kind of part as data: a struct of its options, which says how it is built.
///
/// The built-in kinds are such structs, and so are yours: derive `Serialize`, `Deserialize` and `JsonSchema`, with
/// `#[serde(deny_unknown_fields, rename_all = "kebab-case")]`, and add it to a [`Registry`](crate::Registry).
///
/// ```
/// use gradwise_layers::{Function, TapeExt};
/// use gradwise_recipe::{Described, LayerSite, Layers, Recipe, Registry, Result};
///
/// /// Numbers, each times itself: a layer of one's own.
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields, rename_all = "kebab-case")]
/// struct Square {}
///
/// impl Described<Layers> for Square {
///     const KIND: &'static str = "square";
///     fn build(self, _: &LayerSite<'_>) -> Result<Box<dyn gradwise_layers::Module<f32>>> {
///         Ok(Box::new(Function::new::<f32>(|tape, x| tape.mul(x, x))))
///     }
/// }
///
/// let mut registry = Registry::new();
/// registry.layers.add::<Square>()?;
/// let recipe: Recipe = "
///     data.source = { kind = 'circles', samples = 100 }
///     model.layers = ['square', 'linear']
///     train.epochs = 1
/// ".parse()?;
/// let run = recipe.build(&registry)?;
/// assert_eq!(run.layers()[0].output, [2]);
/// # Ok::<(), gradwise_recipe::RecipeError>(())
/// ```
pub trait Described<F: Family>: Serialize + DeserializeOwned + JsonSchema {
    /// The name of the kind.
    const KIND: &'static str;

    /// Builds the part.
    ///
    /// # Errors
    /// Those of its constructor, and what does not fit its surroundings.
    fn build(self, site: &F::Site<'_>) -> Result<F::Built>;
}

type Build<F> = Arc<dyn Fn(&toml::Table, &<F as Family>::Site<'_>) -> Result<<F as Family>::Built> + Send + Sync>;

struct Kind<F: Family> {
    build: Build<F>,
    schema: fn(&mut SchemaGenerator) -> Value,
}

/// The kinds of a family, by name.
pub struct Kinds<F: Family> {
    kinds: BTreeMap<String, Kind<F>>,
}

impl<F: Family> Kinds<F> {
    pub(crate) fn new() -> Self {
        Kinds { kinds: BTreeMap::new() }
    }

    /// Adds a kind.
    ///
    /// # Errors
    /// If there is one of that name.
    pub fn add<D: Described<F>>(&mut self) -> Result<()> {
        let build = |options: &toml::Table, site: &F::Site<'_>| read::<D>(options)?.build(site);
        self.insert(D::KIND, Kind { build: Arc::new(build), schema: |generator| D::json_schema(generator).to_value() })
    }

    /// Adds a kind whose options are read into any type that serde can read, and from which a closure builds the part.
    ///
    /// # Errors
    /// If there is one of that name.
    pub fn register<O, B>(&mut self, kind: &str, build: B) -> Result<()>
    where
        O: DeserializeOwned,
        B: Fn(O, &F::Site<'_>) -> Result<F::Built> + Send + Sync + 'static,
    {
        let build = move |options: &toml::Table, site: &F::Site<'_>| build(read(options)?, site);
        self.insert(kind, Kind { build: Arc::new(build), schema: |_| json!({"type": "object"}) })
    }

    fn insert(&mut self, name: &str, kind: Kind<F>) -> Result<()> {
        if name.is_empty() || self.kinds.contains_key(name) {
            return Err(RecipeError::value(format!("a name of a {} that is not taken", F::WHAT), format!("`{name}`")));
        }
        self.kinds.insert(name.to_owned(), kind);
        Ok(())
    }

    /// The names, by the alphabet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// Builds a part.
    ///
    /// # Errors
    /// For an unknown kind or option, for what is of another type than its option takes, and what the kind itself refuses.
    pub fn build(&self, part: &Part, site: &F::Site<'_>) -> Result<F::Built> {
        let Some(kind) = self.kinds.get(part.kind()) else {
            return Err(RecipeError::unknown(F::WHAT, part.kind(), self.names()).at("kind"));
        };
        (kind.build)(part.options(), site).map_err(|error| error.at_option(part.options().keys().map(String::as_str)))
    }

    /// A JSON Schema of any part of this family.
    pub(crate) fn schema(&self, generator: &mut SchemaGenerator) -> Value {
        let tables = self.kinds.iter().map(|(name, kind)| {
            let mut schema = (kind.schema)(generator);
            if !schema["properties"].is_object() {
                schema["properties"] = json!({});
            }
            schema["properties"]["kind"] = json!({"const": name});
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            schema["required"] = std::iter::once(json!("kind")).chain(required).collect();
            schema["title"] = json!(name);
            schema
        });
        let tables: Vec<Value> = tables.collect();
        let names: Vec<&str> = self.names().collect();
        json!({"anyOf": [{"title": format!("{} by name", F::WHAT), "enum": names}, {"oneOf": tables}]})
    }
}

impl<F: Family> Clone for Kinds<F> {
    fn clone(&self) -> Self {
        let copy = |kind: &Kind<F>| Kind { build: Arc::clone(&kind.build), schema: kind.schema };
        Kinds { kinds: self.kinds.iter().map(|(name, kind)| (name.clone(), copy(kind))).collect() }
    }
}

impl<F: Family> std::fmt::Debug for Kinds<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Adds built-in kinds, whose names do not clash, as a test sees to.
macro_rules! add_all {
    ($kinds:expr; $($kind:ty),* $(,)?) => {{
        let mut kinds = $kinds;
        $(if let Err(error) = kinds.add::<$kind>() {
            unreachable!("a built-in kind: {error}");
        })*
        kinds
    }};
}
pub(crate) use add_all;
