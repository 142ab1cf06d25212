//! Where a layer stands: what comes into it, and what holds for all layers.

use super::{Activated, AnyModule, layers};
use crate::{ModelSection, Part, RecipeError, Registry, Result};
use gradwise_autograd::{Module, Workspace, predict};
use gradwise_core::Key;
use gradwise_init::Init;
use gradwise_layers::{Activation, Chain};
use ndarray::{ArrayD, IxDyn};

/// What building a layer is told of its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct LayerSite<'a> {
    pub(crate) registry: &'a Registry,
    /// What holds for all layers.
    pub(crate) model: &'a ModelSection,
    /// The shape of a sample that comes in.
    pub(crate) input: &'a [usize],
    /// How many outputs the data ask for.
    pub(crate) outputs: usize,
    pub(crate) key: Key,
    /// Whether it makes the outputs.
    pub(crate) last: bool,
}

impl<'a> LayerSite<'a> {
    /// The shape of one sample that comes in.
    pub fn input(&self) -> &'a [usize] {
        self.input
    }

    /// The first axis of a sample: its channels, or its features.
    ///
    /// # Errors
    /// If a sample is a single number.
    pub fn channels(&self) -> Result<usize> {
        self.input.first().copied().ok_or_else(|| self.misfit("samples with an axis of channels"))
    }

    /// A sample as an image: channels, height, width.
    ///
    /// # Errors
    /// If it has another number of axes.
    pub fn image(&self) -> Result<[usize; 3]> {
        self.input.try_into().map_err(|_| self.misfit("images (channels, height, width)"))
    }

    /// A sample as a sequence: its axes, of which the first counts channels or steps.
    ///
    /// # Errors
    /// If it has another number of axes.
    pub fn sequence(&self) -> Result<[usize; 2]> {
        self.input.try_into().map_err(|_| self.misfit("sequences (two axes)"))
    }

    /// The last axis of a sample.
    ///
    /// # Errors
    /// If a sample is a single number.
    pub fn features(&self) -> Result<usize> {
        self.input.last().copied().ok_or_else(|| self.misfit("samples with an axis of features"))
    }

    /// That samples of another shape are needed.
    pub fn misfit(&self, expected: &str) -> RecipeError {
        RecipeError::value(expected, format_args!("samples of shape {:?}", self.input))
    }

    /// How many outputs the data ask for: one a class, or one a number.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The key to draw first weights with.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The activation that a layer should have: its own, or the model's, unless the layer makes the outputs.
    pub fn activation(&self, own: Option<&'a Part>) -> Option<&'a Part> {
        own.or(if self.last { None } else { self.model.activation.as_ref() })
    }

    /// The initializer of a layer's weights, its own or the model's; `None` for the layer's own choice.
    ///
    /// # Errors
    /// If an option is out of its range.
    pub fn init(&self, own: Option<&Part>) -> Result<Option<Box<dyn Init<f32>>>> {
        self.initializer(own, "init", self.model.init.as_ref())
    }

    /// The initializer of a layer's bias, its own or the model's; `None` for the layer's own choice.
    ///
    /// # Errors
    /// If an option is out of its range.
    pub fn bias_init(&self, own: Option<&Part>) -> Result<Option<Box<dyn Init<f32>>>> {
        self.initializer(own, "bias-init", self.model.bias_init.as_ref())
    }

    fn initializer(&self, own: Option<&Part>, name: &str, all: Option<&Part>) -> Result<Option<Box<dyn Init<f32>>>> {
        // What the model says was built once before, so an error here is the layer's own.
        let part = own.or(all);
        part.map(|part| self.registry.initializers.build(part, &())).transpose().map_err(|error| error.at(name))
    }

    /// The module with an activation behind it, unless the module computes that itself, as layers with weights do ReLU, sigmoid and tanh.
    ///
    /// # Errors
    /// If an option of the activation is out of its range, or the module does not fit its input.
    pub fn activate<M: Module<f32> + 'static>(&self, module: M, activation: Option<&Part>) -> Result<AnyModule> {
        let module: AnyModule = Box::new(module);
        match activation.filter(|part| part.kind() != "none" && fused(Some(part)) == Activation::Identity) {
            None => Ok(module),
            Some(part) => {
                let shape = output(&*module, self.input)?;
                let activation =
                    self.registry.activations.build(part, &shape).map_err(|error| error.at("activation"))?;
                Ok(Box::new(Activated { module, activation }))
            }
        }
    }

    /// The layers of a list within this layer, one after another, and the shape of a sample that comes out.
    ///
    /// # Errors
    /// Those of the layers, at `field`.
    pub fn chain(&self, field: &str, parts: &[Part]) -> Result<(Chain<f32>, Vec<usize>)> {
        let site = LayerSite { last: false, ..*self };
        let (chain, lines) = layers(&site, parts).map_err(|error| error.at(field))?;
        Ok((chain, lines.last().map_or_else(|| self.input.to_vec(), |line| line.output.clone())))
    }
}

/// The activation that layers with weights compute themselves, if the part names one.
pub(crate) fn fused(part: Option<&Part>) -> Activation {
    match part.map(Part::kind) {
        Some("relu") => Activation::Relu,
        Some("sigmoid") => Activation::Sigmoid,
        Some("tanh") => Activation::Tanh,
        _ => Activation::Identity,
    }
}

/// The shape of a sample that comes out of a module, by trying.
pub(crate) fn output(module: &dyn Module<f32>, input: &[usize]) -> Result<Vec<usize>> {
    let shape = [&[1], input].concat();
    let y = predict(module, &ArrayD::zeros(IxDyn(&shape)), &mut Workspace::new())?;
    Ok(y.shape().get(1..).unwrap_or_default().to_vec())
}
