//! Pipelines as data: every kind is read, built and written, and mistakes are told by their place.

mod kinds;
mod mistakes;
mod own;
mod pipelines;
mod saved;

use gradwise_augment::spec::{Registry, Spec};
use gradwise_augment::{Result, Sequence};
use serde::Deserialize;

/// A list of transforms, as a file has it.
#[derive(Deserialize, serde::Serialize, PartialEq, Debug)]
struct File {
    augment: Vec<Spec>,
}

/// What a TOML file describes.
fn built(text: &str) -> Result<Sequence> {
    let file: File = toml::from_str(text).expect("TOML");
    Registry::new().build("augment", &file.augment)
}
