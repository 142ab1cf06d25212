//! Pipelines as data: read from a file of any format that `serde` reads, checked, and built.
//!
//! A transform is described by a table with its `kind` and its fields; a pipeline is a list of them. Whoever reads the file says where the
//! list is, here under `augment`:
//!
//! ```
//! use gradwise_augment::spec::{Registry, Spec};
//! use gradwise_augment::{Augment, Image, Key, Kind, Shape};
//!
//! #[derive(serde::Deserialize)]
//! struct Recipe {
//!     augment: Vec<Spec>,
//! }
//!
//! let recipe: Recipe = toml::from_str(r#"
//!     [[augment]]
//!     kind = "flip"
//!     horizontal = 0.5
//!
//!     [[augment]]
//!     kind = "translate"
//!     x = 0.1                       # up to a tenth of the width to either side, as is [-0.1, 0.1]
//!     y = { whole-pixels = 2 }
//!     fill = "reflect"
//!
//!     [[augment]]
//!     kind = "one-of"
//!     parts = [{ kind = "gaussian-noise", std = [0.02, 0.1] }, { kind = "speckle", std = 0.1 }]
//!     p = 0.5                       # of any kind: otherwise nothing happens
//! "#)?;
//! let pipeline = Registry::new().build("augment", &recipe.augment)?;
//! let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
//! pipeline.apply(image.as_ref(), Key::new(42))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The last of the list may be `mixup`, `cutmix` or `mix-choice`, which work on batches and their labels: [`Registry::pipeline`] builds
//! such a list.
//!
//! Each kind is a struct here, whose documentation is that of its fields. What a file says wrong, it is told by its place:
//! `augment[2].parts[0].std: gaussian noise: std must be a number or an ascending pair within [0, 1000000], got -1`.
//!
//! Numbers are drawn for each sample where a range may stand: `0.1` is always 0.1, `[0.02, 0.1]` is uniform between the two. Where a field
//! goes to both sides of zero (shifts, angles, turns of hue) a single number goes to both sides, too: `x = 0.1` is `x = [-0.1, 0.1]`.
//! Colours are shares of white: `0.5`, `[1, 0.5, 0]`, or with alpha `[1, 0.5, 0, 1]`. A fill is one of `"edge"`, `"reflect"`,
//! `"symmetric"`, `"wrap"`, `"black"`, `"white"`, or a colour.

mod described;
mod fault;
mod kinds;
mod notation;
mod pipeline;
mod read;
mod registry;
mod value;
mod write;

pub use described::{Described, DescribedMix, Spec};
pub use kinds::*;
pub use pipeline::Pipeline;
pub use registry::{Registry, Site};
pub use value::{Table, Value};
