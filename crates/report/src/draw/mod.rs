//! Drawing: a canvas for plotters that keeps shapes, and what they are written as.

mod canvas;
pub(crate) mod font;
mod ink;
#[cfg(feature = "png")]
mod png;
mod svg;

pub(crate) use canvas::{Canvas, Drawing, UNIT};
pub(crate) use ink::{Ink, brightness};
#[cfg(feature = "png")]
pub(crate) use png::png;
pub(crate) use svg::{Frame, style_sheet, svg};

pub use ink::Theme;
