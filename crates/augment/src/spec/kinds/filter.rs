//! Blurred and sharpened images.

use super::boxed;
use crate::spec::{Described, Site};
use crate::{Augment, Fill, Range, Result};
use serde::{Deserialize, Serialize};

fn reflect() -> Fill {
    Fill::Reflect
}

fn edge() -> Fill {
    Fill::Edge
}

fn any_angle() -> Range {
    (0.0, 180.0).into()
}

/// `gaussian-blur`: smoothed by Gauss's bell. See [`GaussianBlur`](crate::GaussianBlur).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GaussianBlur {
    /// The standard deviation in pixels.
    pub sigma: Range,
    /// The radius in pixels; three standard deviations unless it is said otherwise.
    #[serde(default)]
    pub radius: Option<usize>,
    /// What lies beyond the edge; reflected unless it is said otherwise.
    #[serde(default = "reflect")]
    pub fill: Fill,
}

impl Described for GaussianBlur {
    const KIND: &'static str = "gaussian-blur";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let blur = crate::GaussianBlur::new(self.sigma)?.fill(self.fill);
        boxed(if let Some(radius) = self.radius { blur.radius(radius)? } else { blur })
    }
}

/// Filters over squares.
macro_rules! squares {
    ($($name:ident: $kind:literal, $what:literal, $fill:literal, $beyond:literal;)*) => {$(
        #[doc = concat!("`", $kind, "`: the ", $what, " of a square. See [`", stringify!($name), "`](crate::", stringify!($name), ").")]
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// The radius, in whole pixels.
            pub radius: Range,
            #[doc = concat!("What lies beyond the edge; ", $beyond, " unless it is said otherwise.")]
            #[serde(default = $fill)]
            pub fill: Fill,
        }

        impl Described for $name {
            const KIND: &'static str = $kind;

            fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
                boxed(crate::$name::new(self.radius)?.fill(self.fill))
            }
        }
    )*};
}

squares! {
    BoxBlur: "box-blur", "mean", "reflect", "reflected";
    MedianBlur: "median-blur", "median", "edge", "the pixel at the edge";
}

/// `motion-blur`: smoothed along a line. See [`MotionBlur`](crate::MotionBlur).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MotionBlur {
    /// The line's length, in pixels.
    pub length: Range,
    /// Its angle to the horizontal in degrees, clockwise; any unless it is said otherwise.
    #[serde(default = "any_angle")]
    pub angle: Range,
    /// What lies beyond the edge; reflected unless it is said otherwise.
    #[serde(default = "reflect")]
    pub fill: Fill,
}

impl Described for MotionBlur {
    const KIND: &'static str = "motion-blur";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::MotionBlur::new(self.length, self.angle)?.fill(self.fill))
    }
}

/// `sharpness`: sharpened or smoothed. See [`Sharpness`](crate::Sharpness).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sharpness {
    /// 0 smooths, 1 leaves the image, 2 sharpens.
    pub factor: Range,
}

impl Described for Sharpness {
    const KIND: &'static str = "sharpness";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Sharpness::new(self.factor)?)
    }
}

/// `unsharp-mask`: sharpened by the difference to a blurred image. See [`UnsharpMask`](crate::UnsharpMask).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UnsharpMask {
    /// The blur's standard deviation in pixels.
    pub sigma: Range,
    /// How much of the difference is added.
    pub amount: Range,
    /// What lies beyond the edge; reflected unless it is said otherwise.
    #[serde(default = "reflect")]
    pub fill: Fill,
}

impl Described for UnsharpMask {
    const KIND: &'static str = "unsharp-mask";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::UnsharpMask::new(self.sigma, self.amount)?.fill(self.fill))
    }
}
