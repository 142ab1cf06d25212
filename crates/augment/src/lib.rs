#![doc = include_str!("../README.md")]

mod augment;
mod batch;
mod compose;
mod error;
mod fill;
mod frame;
mod geometry;
mod image;
mod mix;
mod noise;
mod pixel;
mod plan;
mod random;
mod shape;
mod simd;
mod threads;
mod transform;
mod value;

pub use augment::{Augment, Draw};
pub use batch::Batches;
pub use compose::{OneOf, Part, RandomOrder, Sequence, SomeOf, Sometimes, from_fn};
pub use error::{Error, Result};
pub use fill::{Colour, Fill};
pub use geometry::{Elastic, Filter, Interpolation, Map, Resize, Symmetry, Warp};
pub use image::{Image, ImageMut, ImageRef, Kind, Value, ValuesMut};
pub use mix::{CutMix, Mix, MixChoice, MixUp, Mixed, Mixing, Partner, Rectangle, Share, soft_labels};
pub use noise::{AddNoise, Distribution, SaltAndPepper};
pub use pixel::Pixel;
pub use plan::{BoundingBox, Buffers, Effect, Note, Plan, Step};
pub use random::{Key, Random};
pub use shape::{Layout, Shape};
pub use threads::{Count, Serial, Threads};
pub use transform::{
    Affine, Brightness, CenterCrop, ChannelDrop, ChannelShuffle, CoarseDropout, ColourJitter, Contrast,
    ElasticTransform, Erased, Flip, Gamma, GaussianNoise, Grey, GridDropout, Hue, Invert, LaplaceNoise, Pad,
    Perspective, Posterize, RandomCrop, RandomErasing, RandomResizedCrop, RandomSaltAndPepper, Range, ResizeTo,
    Saturation, Shift, Solarize, Speckle, Translate, UniformNoise,
};
pub use value::{ColourStep, Content, Erase, Grid, Normalize, Tone};
