//! Ready models, to train, to look at, or to start from.

mod conv_net;
mod lenet;
mod mlp;
mod res_net;
mod vit;

pub use conv_net::ConvNetConfig;
pub use lenet::LeNetConfig;
pub use mlp::{MlpConfig, mlp};
pub use res_net::{ResNetConfig, Subsample};
pub use vit::{Vit, VitConfig};
