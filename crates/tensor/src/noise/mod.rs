//! Random factors and terms in training: the relatives of [`Dropout`](crate::Dropout).
//!
//! | operation | what is drawn | evaluation |
//! |---|---|---|
//! | [`ChannelDropout`] | whole channels (feature maps) of a sample are dropped | nothing changes |
//! | [`SampleDropout`] | whole samples are dropped: stochastic depth | nothing changes |
//! | [`BlockDropout`] | squares of a feature map are dropped: DropBlock | nothing changes |
//! | [`AlphaDropout`] | elements take the value that SELU saturates at | nothing changes |
//! | [`WeightDropout`] | elements of a weight are dropped, the same for all samples: DropConnect | nothing changes |
//! | [`GaussianDropout`] | elements are multiplied by normal numbers around 1 | nothing changes |
//! | [`GaussianNoise`] | normal numbers are added | nothing changes |
//! | [`RandomizedLeakyRelu`] | the slope of each negative element | the mean slope |
//!
//! What is drawn depends on the context's key, the index of the sample in the whole batch and the position in the sample alone: not on threads, on how
//! a batch is split, nor on other samples. No mask is kept: backward draws the same numbers again.

mod block;
mod drop;
mod gaussian;
mod linear;
mod slope;

pub use block::BlockDropout;
pub use drop::{AlphaDropout, ChannelDropout, SampleDropout, WeightDropout};
pub use gaussian::{GaussianDropout, GaussianNoise};
pub use slope::RandomizedLeakyRelu;
