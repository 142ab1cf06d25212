#![doc = include_str!("../README.md")]

mod augment;
mod batch;
mod compose;
mod error;
mod exact;
mod fill;
mod filter;
mod frame;
mod geometry;
mod image;
mod memory;
mod mix;
mod noise;
mod pixel;
mod plan;
mod policy;
mod random;
mod shape;
mod simd;
#[cfg(feature = "serde")]
pub mod spec;
mod threads;
mod transform;
mod value;
#[cfg(any(feature = "image", feature = "ndarray"))]
mod views;

pub use augment::{Augment, Draw};
pub use batch::Batches;
pub use compose::{OneOf, Part, RandomOrder, Sequence, SomeOf, Sometimes, from_fn, part};
pub use error::{Error, Result};
pub use fill::{Colour, Fill};
pub use filter::{Kernel, LocalFilter};
pub use geometry::{Elastic, Filter, Interpolation, Map, Resize, Symmetry, Warp};
pub use image::{Image, ImageMut, ImageRef, Kind, Value, ValuesMut};
pub use mix::{CutMix, Mix, MixChoice, MixUp, Mixed, Mixing, Partner, Rectangle, Share, soft_labels};
pub use noise::{AddNoise, Distribution, Photons, SaltAndPepper};
pub use pixel::Pixel;
pub use plan::{Blend, BoundingBox, Buffers, Chain, Effect, Note, Plan, Step};
pub use policy::{AugMix, AutoAugment, RandAugment, TrivialAugment};
pub use random::{Key, Random};
pub use shape::{Layout, Shape};
pub use threads::{Count, Serial, Threads};
#[cfg(feature = "jpeg")]
pub use transform::JpegCompression;
pub use transform::{
    Affine, AutoContrast, BoxBlur, Brightness, CenterCrop, ChannelDrop, ChannelShuffle, Clahe, CoarseDropout,
    ColourJitter, Contrast, ElasticTransform, Equalize, Erased, Flip, Gamma, GaussianBlur, GaussianNoise, Grey,
    GridDropout, Hue, Invert, LaplaceNoise, MedianBlur, MotionBlur, Pad, Perspective, PixelDropout, Posterize,
    RandomCrop, RandomErasing, RandomResizedCrop, RandomSaltAndPepper, Range, ResizeTo, Saturation, Sharpness, Shift,
    ShotNoise, Solarize, Speckle, Translate, UniformNoise, UnsharpMask,
};
#[cfg(feature = "jpeg")]
pub use value::Jpeg;
pub use value::{ColourStep, Content, Dropout, Erase, Grid, Levels, Normalize, Tone};
