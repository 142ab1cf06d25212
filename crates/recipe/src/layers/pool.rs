//! Pooling and upsampling.

use super::{AnyModule, LayerSite, Layers, Sides};
use crate::{Described, RecipeError, Result};
use gradwise_layers as layers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn no(value: &bool) -> bool {
    !value
}

/// One number along the axis of a sequence.
fn single(sides: Sides, option: &str) -> Result<usize> {
    match sides {
        Sides::Both(n) => Ok(n),
        Sides::Each(sides) => {
            Err(RecipeError::value("one number, for a sequence", format_args!("{sides:?}")).at(option))
        }
    }
}

macro_rules! pools {
    ($($(#[$doc:meta])* $name:ident: $kind:literal => $image:ident, $sequence:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// The size of a window: a number, or height and width.
            pub kernel: Sides,
            /// Distance from a window to the next; the kernel, if it is not said, so that windows lie side by side.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub stride: Option<Sides>,
            /// Elements of padding at both ends of each axis; none, if it is not said.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub padding: Option<Sides>,
            /// Whether the number of windows is rounded up.
            #[serde(default, skip_serializing_if = "no")]
            pub ceil: bool,
        }

        impl Described<Layers> for $name {
            const KIND: &'static str = $kind;

            fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
                let stride = self.stride.unwrap_or(self.kernel);
                let padding = self.padding.unwrap_or(Sides::Both(0));
                match site.input() {
                    [_, _] => {
                        let pool = layers::$sequence::new(single(self.kernel, "kernel")?)?;
                        let pool = pool.with_stride(single(stride, "stride")?)?.with_padding(single(padding, "padding")?)?;
                        Ok(Box::new(if self.ceil { pool.ceil_mode() } else { pool }))
                    }
                    [_, _, _] => {
                        let pool = layers::$image::new(self.kernel)?.with_stride(stride)?.with_padding(padding)?;
                        Ok(Box::new(if self.ceil { pool.ceil_mode() } else { pool }))
                    }
                    _ => Err(site.misfit("sequences or images")),
                }
            }
        }
    )*};
}

pools! {
    /// `max-pool`: the largest element of each window, of sequences or images.
    MaxPool: "max-pool" => MaxPool2d, MaxPool1d;
    /// `avg-pool`: the mean of each window, of sequences or images.
    AvgPool: "avg-pool" => AvgPool2d, AvgPool1d;
}

/// `global-avg-pool`: the mean of each channel over all positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlobalAvgPool {}

impl Described<Layers> for GlobalAvgPool {
    const KIND: &'static str = "global-avg-pool";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::GlobalAvgPool2d))
    }
}

macro_rules! adaptive {
    ($($(#[$doc:meta])* $name:ident: $kind:literal => $layer:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// The size that comes out: a number, or height and width.
            pub size: Sides,
        }

        impl Described<Layers> for $name {
            const KIND: &'static str = $kind;

            fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
                Ok(Box::new(layers::$layer::new(self.size)?))
            }
        }
    )*};
}

adaptive! {
    /// `adaptive-avg-pool`: means of as many windows as give images of this size.
    AdaptiveAvgPool: "adaptive-avg-pool" => AdaptiveAvgPool2d;
    /// `adaptive-max-pool`: the largest elements of as many windows as give images of this size.
    AdaptiveMaxPool: "adaptive-max-pool" => AdaptiveMaxPool2d;
}

/// `upsample`: images made larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upsample {
    /// How many times as large: a number, or one for height and one for width.
    pub factor: Sides,
    /// Whether pixels are interpolated rather than repeated.
    #[serde(default, skip_serializing_if = "no")]
    pub bilinear: bool,
}

impl Described<Layers> for Upsample {
    const KIND: &'static str = "upsample";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        let layer = if self.bilinear { layers::Upsample2d::bilinear } else { layers::Upsample2d::nearest };
        Ok(Box::new(layer(self.factor)?))
    }
}
