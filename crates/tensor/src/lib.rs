#![doc = include_str!("../README.md")]

pub mod once;
pub mod parallel;

pub use gradwise_core::simd;

// Product-shaped kernels.
mod activation;
pub mod conv;
pub mod gemm;
mod linear;
mod matmul;
pub use activation::Activation;
pub use conv::{Conv1d, Conv1dGeometry, Conv2d, Conv2dGeometry, ConvTranspose1d, ConvTranspose2d};
pub use linear::Linear;
pub use matmul::MatMul;

// Elementwise, reductions, shapes, normalization, pooling, losses.
pub mod broadcast;
pub mod dense;
pub mod elementwise;
pub mod math;
mod nest;
pub mod reduce;
pub mod shape;
pub mod softmax;
pub use elementwise::{
    Abs, Add, AddScalar, Clamp, Cos, Div, Elu, Erf, Exp, Expm1, Gelu, GeluTanh, HardSigmoid, HardSwish, LeakyRelu, Ln,
    Log1p, LogSigmoid, Map, Map2, Maximum, Minimum, Mish, Mul, Neg, PRelu, Pow, PowScalar, Reciprocal, Relu, Rsqrt,
    Scale, Selu, Sigmoid, Silu, Sin, Softplus, Softsign, Sqrt, Square, Sub, Tanh,
};
pub use reduce::{Axes, LogSumExp, Max, Mean, Min, Prod, Reduce, Sum, Variance};
pub use shape::{BroadcastTo, Concat, Flip, Gather, Pad, PadMode, Permute, Pick, Reshape, Slice, Span, Stack};
pub use softmax::{LogSoftmax, Softmax};

mod activity;
pub mod dropout;
pub mod eager;
pub mod embedding;
pub mod loss;
pub mod noise;
pub mod norm;
pub mod pool;
pub mod recurrent;
mod support;
pub use activity::ActivityPenalty;
pub use dropout::Dropout;
pub use eager::Eager;
pub use embedding::Embedding;
pub use loss::{
    BceWithLogitsLoss, BinaryCrossEntropyWithLogits, BinaryFocalLoss, CosineEmbedding, CosineSimilarityLoss,
    CrossEntropyLoss, FocalLoss, HingeLoss, Huber, HuberLoss, KlDivLoss, MaeLoss, MeanAbsoluteError, MeanSquaredError,
    MseLoss, MultiMarginLoss, SoftmaxCrossEntropy, Targets, TripletMargin,
};
pub use noise::RandomizedLeakyRelu;
pub use norm::{BatchNorm, BatchNormInference, GroupNorm, LayerNorm, RmsNorm};
pub use pool::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, GlobalAvgPool, MaxPool1d, MaxPool2d, Pool2dGeometry,
};
