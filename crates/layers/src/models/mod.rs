//! Ready models: chains like any other, to train, to look at, or to start from.

mod conv_net;
mod mlp;

pub use conv_net::ConvNetConfig;
pub use mlp::{MlpConfig, mlp};
