//! The layers that recipes may name, an entry each: its options, and how it is built where it stands.
//!
//! To add one, write a struct of its options, say how it is built, and name it in the list below.

mod activated;
mod activations;
mod blocks;
mod dropout;
mod list;
mod networks;
mod norm;
mod pool;
mod sequences;
mod shape;
mod sides;
mod site;
mod weighted;

pub use activations::*;
pub use blocks::*;
pub use dropout::*;
pub use list::LayerLine;
pub use networks::*;
pub use norm::*;
pub use pool::*;
pub use sequences::*;
pub use shape::*;
pub use sides::{Padding, Sides};
pub use site::LayerSite;
pub use weighted::*;

pub(crate) use activated::Activated;
pub(crate) use list::{layers, network_lines};
pub(crate) use site::output;

use crate::kinds::add_all;
use crate::{Family, Kinds};
use gradwise_autograd::Module;

/// A layer, or a whole network, of any kind.
pub type AnyModule = Box<dyn Module<f32>>;

/// The family of layers, and of ready networks.
#[derive(Debug)]
pub enum Layers {}

impl Family for Layers {
    const WHAT: &'static str = "layer";
    type Built = AnyModule;
    type Site<'a> = LayerSite<'a>;
}

/// The family of activations. Each is a layer, too.
#[derive(Debug)]
pub enum Activations {}

impl Family for Activations {
    const WHAT: &'static str = "activation";
    type Built = AnyModule;
    /// The shape of a sample of what it acts on.
    type Site<'a> = [usize];
}

/// All layers of this crate.
pub(crate) fn all_layers() -> Kinds<Layers> {
    let kinds = add_all!(
        Kinds::new();
        Linear, Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, SeparableConv2d,
        BatchNorm, LayerNorm, RmsNorm, GroupNorm,
        Dropout, SpatialDropout, AlphaDropout, GaussianDropout, GaussianNoise, DropBlock, StochasticDepth,
        MaxPool, AvgPool, GlobalAvgPool, AdaptiveAvgPool, AdaptiveMaxPool, Upsample,
        Flatten, Reshape, AddCoordinates, SqueezeExcite, Maxout, Glu,
        Lstm, Gru, Rnn, LastStep, Transformer, Positions,
        Residual, Repeat,
        Mlp, ConvNet, LeNet, ResNet, Vit,
    );
    activations::add_to!(kinds)
}

/// All activations of this crate.
pub(crate) fn all_activations() -> Kinds<Activations> {
    activations::add_to!(Kinds::new())
}
