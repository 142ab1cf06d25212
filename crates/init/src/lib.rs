#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod fan;
mod fixed;
mod gain;
mod init;
mod orthogonal;
mod prior;
mod scaling;
mod structured;

pub use fan::{Fan, FanMode};
pub use fixed::{Constant, Normal, TruncatedNormal, Uniform, Zeros};
pub use gain::{Nonlinearity, variance_gain};
pub use init::{Init, InitExt};
pub use orthogonal::{DeltaOrthogonal, Orthogonal};
pub use prior::PriorBias;
pub use scaling::{
    Distribution, HeNormal, HeUniform, LecunNormal, LecunUniform, VarianceScaling, XavierNormal, XavierUniform,
};
pub use structured::{Identity, Sparse};
