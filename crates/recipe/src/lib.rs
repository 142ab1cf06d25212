#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod lines;
mod part;
mod read;

mod recipe;
mod sections;

mod kinds;
mod registry;
mod schema;

mod set;

pub mod data;
pub mod initializers;
pub mod layers;
pub mod losses;
pub mod metrics;
pub mod optimizer;
pub mod penalties;

mod augmented;
mod build;
mod objective;
mod run;
mod suggest;

pub use data::{Loaded, SourceSite, Sources, Transform, TransformSite, Transforms};
pub use error::{Problem, RecipeError, Result};
pub use initializers::Initializers;
pub use kinds::{Described, Family, Kinds};
pub use layers::{Activations, AnyModule, LayerLine, LayerSite, Layers};
pub use losses::{AnyLoss, LossSite, Losses, Takes};
pub use metrics::{MetricSite, Metrics};
pub use optimizer::{Rules, ScheduleSite, Schedules};
pub use part::Part;
pub use penalties::PenaltyKinds;
pub use recipe::Recipe;
pub use registry::Registry;
pub use run::{Run, Trained};
pub use sections::{
    AverageOptions, ClipOptions, DataSection, GroupOptions, LookaheadOptions, ModelSection, NoiseOptions,
    OptimizerSection, RegularizeSection, SamOptions, Split, StoppingOptions, TrainSection,
};
pub use set::{OnClasses, OnEither, OnNumbers, Set, SetBatch, Target};
pub use suggest::suggest;
