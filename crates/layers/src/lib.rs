#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod build;
mod fold;
mod size;
mod weights;

mod chain;
mod checkpoint;
mod function;
mod residual;

mod activity;
mod attention;
mod batch_norm;
mod conv;
mod dropout;
mod embedding;
mod gated;
mod images;
mod linear;
mod monte_carlo;
mod norm;
mod pool;
mod recurrent;
mod reparametrized;
mod shape;

mod tape_ext;

pub mod activations;
pub mod loss;
pub mod models;

pub use activations::*;
pub use activity::ActivityPenalty;
pub use attention::{AttentionConfig, MultiHeadAttention, Positions, TransformerBlock, TransformerConfig};
pub use batch_norm::{BatchNorm, BatchNorm1d, BatchNorm2d};
pub use build::{Build, Configured, Finished};
pub use chain::{Chain, ChainBuilder};
pub use checkpoint::Checkpoint;
pub use conv::{
    Conv, Conv1d, Conv2d, ConvConfig, ConvOptions, ConvTranspose1d, ConvTranspose2d, Convolution, Transposed,
};
pub use dropout::{AlphaDropout, DropBlock, Dropout, GaussianDropout, GaussianNoise, SpatialDropout, StochasticDepth};
pub use embedding::Embedding;
pub use function::Function;
pub use gated::{Gate, Glu, Maxout, PRelu};
pub use images::{AddCoordinates, SeparableConfig, SeparableConv2d, SqueezeExcite, SqueezeExciteConfig, Upsample2d};
pub use linear::{Linear, LinearConfig};
pub use loss::{
    BceWithLogitsLoss, BinaryFocalLoss, CosineEmbedding, CosineSimilarityLoss, CrossEntropyLoss, FocalLoss, HingeLoss,
    HuberLoss, KlDivLoss, MaeLoss, MseLoss, MultiMarginLoss, TripletMargin,
};
pub use monte_carlo::{MonteCarlo, monte_carlo};
pub use norm::{GroupNorm, LayerNorm, RmsNorm};
pub use pool::{AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, GlobalAvgPool2d, MaxPool1d, MaxPool2d};
pub use recurrent::{
    Bidirectional, Gru, LastStep, Lstm, Recurrent, RecurrentCell, RecurrentConfig, RecurrentStack,
    RecurrentStackConfig, SimpleRnn,
};
pub use reparametrized::{DropConnect, SpectralNorm, WeightNorm, WeightStandardization, Weighted};
pub use residual::{Identity, NormedResidual, Residual};
pub use shape::{Flatten, Reshape};
pub use size::{Size, Size1, Size2};
pub use tape_ext::TapeExt;

// What a custom layer and a loop of one's own need, so that this crate alone is enough.
pub use gradwise_autograd::{Affine, Folded, Mode, Module, ModuleExt, Tape, Var, Workspace, check, fold_pair, predict};
pub use gradwise_core as core;
pub use gradwise_core::{Error, Grads, Key, Loss, Param, Params, ParamsExt, Path, Real, Reduction, Result, Updates};
// The trait and the derive macro share their name, as is the custom.
pub use gradwise_derive::ParamsLayers as Params;
// `init::Identity` goes by its module, since there is a layer of that name.
pub use gradwise_init::{
    self as init, Constant, DeltaOrthogonal, HeNormal, HeUniform, Init, InitExt, LecunNormal, LecunUniform,
    Nonlinearity, Normal, Orthogonal, PriorBias, Sparse, TruncatedNormal, Uniform, VarianceScaling, XavierNormal,
    XavierUniform, Zeros,
};
pub use gradwise_tensor::{self as tensor, Activation, Axes};
