#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod fan;
mod fixed;
mod gain;
mod init;
mod scaling;

pub use fan::{Fan, FanMode};
pub use fixed::{Constant, Normal, TruncatedNormal, Uniform, Zeros};
pub use gain::{Nonlinearity, variance_gain};
pub use init::{Init, InitExt};
pub use scaling::{
    Distribution, HeNormal, HeUniform, LecunNormal, LecunUniform, VarianceScaling, XavierNormal, XavierUniform,
};
