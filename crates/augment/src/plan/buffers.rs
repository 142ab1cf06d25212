//! Memory between steps.

use crate::geometry::{FieldMemory, ResizeMemory, WarpMemory};

/// Memory that steps work in. It grows to what is needed and is then used again: from the second image of a size on, nothing is allocated.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Two images of each type, so that a step can read one and write the other.
    pub(super) u8: [Vec<u8>; 2],
    pub(super) f32: [Vec<f32>; 2],
    /// An image on both sides of a change of type.
    pub(super) cast: (Vec<u8>, Vec<f32>),
    /// What one step needs for itself.
    pub(crate) scratch: Scratch,
    /// The last plan, for its memory.
    pub(crate) plan: super::Plan,
}

/// What one step needs for itself.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Bits, one for each pixel.
    pub(crate) bits: Vec<u64>,
    /// A field of displacements.
    pub(crate) field: FieldMemory,
    /// What is resampled.
    pub(crate) warp: WarpMemory,
    /// A resizing.
    pub(crate) resize: ResizeMemory,
    /// Rows of an image.
    pub(crate) filter: crate::filter::Memory,
    /// Histograms.
    pub(crate) levels: crate::value::LevelMemory,
    /// A compressed image.
    #[cfg(feature = "jpeg")]
    pub(crate) jpeg: crate::value::JpegMemory,
    /// What the chains of a blend work in.
    pub(super) blend: Option<Box<super::blend::Memory>>,
}
