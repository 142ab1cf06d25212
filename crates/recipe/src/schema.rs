//! A JSON Schema of recipes, for editors.

use crate::{Family, Kinds, Recipe, Registry};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

impl Registry {
    /// A JSON Schema (draft 2020-12) of the recipes that this registry can build: editors complete names and tell what keys mean.
    ///
    /// ```
    /// let schema = gradwise_recipe::Registry::new().schema();
    /// assert!(schema["$defs"]["layer"].to_string().contains("conv2d"));
    /// ```
    pub fn schema(&self) -> Value {
        let mut generator = SchemaGenerator::default();
        let mut root = generator.root_schema_for::<Recipe>().to_value();
        let families = [
            named(&self.sources, &mut generator),
            named(&self.transforms, &mut generator),
            named(&self.layers, &mut generator),
            named(&self.activations, &mut generator),
            named(&self.initializers, &mut generator),
            named(&self.losses, &mut generator),
            named(&self.metrics, &mut generator),
            named(&self.rules, &mut generator),
            named(&self.schedules, &mut generator),
            named(&self.penalties, &mut generator),
        ];
        let mut definitions = generator.take_definitions(true);
        for (mut key, mut schema) in families {
            if key == "transform of inputs" {
                key = "transform";
            }
            // What is said of any part where it stands.
            let more = match key {
                "layer" => Some(("name", "The name that its parameters go by; its position, if it is not said.")),
                "penalty" => Some(("on", "The paths of the weights; `**.weight`, if it is not said.")),
                _ => None,
            };
            if let (Some((name, description)), Some(tables)) = (more, schema["anyOf"][1]["oneOf"].as_array_mut()) {
                for table in tables {
                    table["properties"][name] = json!({"type": "string", "description": description});
                }
            }
            definitions.insert(key.to_owned(), schema);
        }
        definitions.insert("augmentation".to_owned(), self.augmentation());
        let inner = root["$defs"].as_object().cloned().unwrap_or_default();
        definitions.extend(inner);
        root["$defs"] = Value::Object(definitions);
        root["title"] = json!("A gradwise recipe");
        root
    }

    /// The kinds of augmentation by name; their fields are checked when they are read.
    fn augmentation(&self) -> Value {
        let kinds: Vec<&str> = self.augment.kinds().chain(self.augment.mixes()).collect();
        json!({"type": "object", "properties": {"kind": {"enum": kinds}}, "required": ["kind"]})
    }
}

fn named<F: Family>(kinds: &Kinds<F>, generator: &mut SchemaGenerator) -> (&'static str, Value) {
    (F::WHAT, kinds.schema(generator))
}

macro_rules! references {
    ($($name:ident, $list:ident => $key:literal;)*) => {$(
        #[allow(dead_code, reason = "not every family is used both ways")]
        pub(crate) fn $name(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"$ref": concat!("#/$defs/", $key)})
        }
        #[allow(dead_code, reason = "not every family is used both ways")]
        pub(crate) fn $list(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "array", "items": {"$ref": concat!("#/$defs/", $key)}})
        }
    )*};
}

references! {
    source, sources => "source";
    transform, transforms => "transform";
    layer, layers => "layer";
    activation, activations => "activation";
    initializer, initializers => "initializer";
    loss, losses => "loss";
    metric, metrics => "metric";
    rule, rules => "rule";
    schedule, schedules => "schedule";
    penalty, penalties => "penalty";
    augmentation, augment => "augmentation";
}
