//! Layers with weights and a bias.

use super::site::fused;
use super::{AnyModule, LayerSite, Layers, Padding, Sides};
use crate::{Described, Part, Result, schema};
use gradwise_layers as layers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

fn unit() -> Sides {
    Sides::Both(1)
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

fn is_unit(sides: &Sides) -> bool {
    *sides == Sides::Both(1)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Structs with the options that all of these layers have.
macro_rules! weighted {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }
        |$self:ident, $site:ident| $config:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// The activation behind it; the model's, if it is not said.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(schema_with = "schema::activation")]
            pub activation: Option<Part>,
            /// The initializer of the weight; the model's, if it is not said.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(schema_with = "schema::initializer")]
            pub init: Option<Part>,
            /// The initializer of the bias; the model's, if it is not said.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(schema_with = "schema::initializer")]
            pub bias_init: Option<Part>,
            /// Whether it has a bias: yes, if it is not said. None is needed before a batch norm.
            #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
            pub bias: bool,
        }

        impl Described<Layers> for $name {
            const KIND: &'static str = $kind;

            fn build(self, $site: &LayerSite<'_>) -> Result<AnyModule> {
                let site = *$site;
                let $self = &self;
                let activation = site.activation(self.activation.as_ref());
                let mut config = $config.activation(fused(activation));
                if let Some(init) = site.init(self.init.as_ref())? {
                    config = config.init(init);
                }
                if let Some(init) = site.bias_init(self.bias_init.as_ref())? {
                    config = config.bias_init(init);
                }
                if !self.bias {
                    config = config.without_bias();
                }
                site.activate(config.build(site.key())?, activation)
            }
        }
    )*};
}

weighted! {
    /// `linear`: a fully connected layer, over the last axis of its inputs.
    Linear: "linear" {
        /// Its outputs; as many as the data ask for, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        units: Option<usize>,
    } |options, site| layers::Linear::<f32>::config(site.features()?, options.units.unwrap_or(site.outputs()));

    /// `conv1d`: a convolution of sequences (channels, length).
    Conv1d: "conv1d" {
        /// Its output channels.
        channels: usize,
        /// The length of the kernel.
        kernel: usize,
        /// Distance from an output to the next; 1, if it is not said.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// Zeros at both ends; none, if it is not said.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: usize,
        /// Distance between the elements that the kernel touches; 1, if it is not said.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        dilation: usize,
        /// In how many groups the channels are; 1, if it is not said.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: usize,
    } |options, site| layers::Conv1d::<f32>::config(site.sequence()?[0], options.channels, options.kernel)
        .stride(options.stride).padding(options.padding).dilation(options.dilation).groups(options.groups);

    /// `conv2d`: a convolution of images (channels, height, width).
    Conv2d: "conv2d" {
        /// Its output channels.
        channels: usize,
        /// The size of the kernel: a number, or height and width.
        kernel: Sides,
        /// Distance from an output to the next; 1, if it is not said.
        #[serde(default = "unit", skip_serializing_if = "is_unit")]
        stride: Sides,
        /// Zeros at both ends of each axis, or `same`; none, if it is not said.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: Padding,
        /// Distance between the elements that the kernel touches; 1, if it is not said.
        #[serde(default = "unit", skip_serializing_if = "is_unit")]
        dilation: Sides,
        /// In how many groups the channels are; 1, if it is not said.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: usize,
    } |options, site| layers::Conv2d::<f32>::config(site.image()?[0], options.channels, options.kernel)
        .stride(options.stride).padding(options.padding.zeros(options.kernel, options.dilation))
        .dilation(options.dilation).groups(options.groups);

    /// `conv-transpose1d`: the transposed convolution of sequences, which makes them longer.
    ConvTranspose1d: "conv-transpose1d" {
        /// Its output channels.
        channels: usize,
        /// The length of the kernel.
        kernel: usize,
        /// Distance from an input to the next; 1, if it is not said.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// What is cut off at both ends; nothing, if it is not said.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: usize,
        /// What is added at the far end; nothing, if it is not said.
        #[serde(default, skip_serializing_if = "is_default")]
        output_padding: usize,
    } |options, site| layers::ConvTranspose1d::<f32>::config(site.sequence()?[0], options.channels, options.kernel)
        .stride(options.stride).padding(options.padding).output_padding(options.output_padding);

    /// `conv-transpose2d`: the transposed convolution of images, which makes them larger.
    ConvTranspose2d: "conv-transpose2d" {
        /// Its output channels.
        channels: usize,
        /// The size of the kernel: a number, or height and width.
        kernel: Sides,
        /// Distance from an input to the next; 1, if it is not said.
        #[serde(default = "unit", skip_serializing_if = "is_unit")]
        stride: Sides,
        /// What is cut off at both ends of each axis; nothing, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding: Option<Sides>,
        /// What is added at the far ends; nothing, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_padding: Option<Sides>,
    } |options, site| layers::ConvTranspose2d::<f32>::config(site.image()?[0], options.channels, options.kernel)
        .stride(options.stride).padding(options.padding.unwrap_or(Sides::Both(0)))
        .output_padding(options.output_padding.unwrap_or(Sides::Both(0)));
}

/// `separable-conv2d`: a convolution of each channel by itself, and then one of all channels at each pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeparableConv2d {
    /// Its output channels.
    pub channels: usize,
    /// The size of the kernel: a number, or height and width.
    pub kernel: Sides,
    /// Distance from an output to the next; 1, if it is not said.
    #[serde(default = "unit", skip_serializing_if = "is_unit")]
    pub stride: Sides,
    /// Zeros at both ends of each axis, or `same`; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub padding: Padding,
    /// The activation behind it; the model's, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::activation")]
    pub activation: Option<Part>,
}

impl Described<Layers> for SeparableConv2d {
    const KIND: &'static str = "separable-conv2d";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let activation = self.activation.as_ref();
        let site = *site;
        let activation = site.activation(activation);
        let layer = layers::SeparableConv2d::<f32>::config(site.image()?[0], self.channels, self.kernel)
            .stride(self.stride)
            .padding(self.padding.zeros(self.kernel, unit()))
            .activation(fused(activation))
            .build(site.key())?;
        site.activate(layer, activation)
    }
}
