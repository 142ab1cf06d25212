//! An image mixed with what steps make of it.

use super::{Buffers, Step, run};
use crate::frame::{Frame, FrameMut};
use crate::image::Value;
use crate::{Error, Kind, Result, Shape};

/// `x ← own · x + Σ weight · chain(x)`: a sum over chains of steps, each on the same image. Bytes are rounded once, at the end.
///
/// It changes values: masks, boxes and points stay where they are, even if a chain moves the image.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Blend {
    /// The weight of the image itself.
    pub own: f32,
    /// The chains.
    pub chains: Vec<Chain>,
}

/// A part of a [`Blend`].
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Chain {
    /// Its weight.
    pub weight: f32,
    /// What is done to the image.
    pub steps: Vec<Step>,
}

/// The memory of blends.
#[derive(Debug, Default)]
pub(super) struct Memory {
    buffers: Buffers,
    sum: Vec<f32>,
}

impl Blend {
    /// Whether all chains leave an image of the same shape and type, and weights are numbers.
    pub(super) fn check(&self, shape: Shape, kind: Kind) -> Result<()> {
        let weights = self.chains.iter().map(|chain| chain.weight);
        if let Some(weight) = weights.chain([self.own]).find(|weight| !(-1e6..=1e6).contains(weight)) {
            return Err(Error::parameter("blend", "weight", "within ±1000000", weight));
        }
        for chain in &self.chains {
            let mut output = (shape, kind);
            for step in &chain.steps {
                output = step.output(output.0, output.1)?;
            }
            if output != (shape, kind) {
                let expected = format!("chains that leave {shape} of {kind:?}");
                return Err(Error::image("blend", expected, format!("{} of {:?}", output.0, output.1)));
            }
        }
        Ok(())
    }

    pub(super) fn run<P: Value>(
        &self,
        source: Frame<'_, P>,
        target: FrameMut<'_, P>,
        memory: &mut Option<Box<Memory>>,
    ) -> Result<()> {
        let Memory { buffers, sum } = &mut **memory.get_or_insert_default();
        sum.clear();
        crate::memory::reserve(sum, source.data.len(), "blend")?;
        sum.extend(source.data.iter().map(|x| self.own * x.to_f32()));
        for chain in &self.chains {
            let image = P::image(source.shape, source.data);
            run::run(&chain.steps, image, P::image_mut(target.shape, target.data), buffers)?;
            sum.iter_mut().zip(target.data.iter()).for_each(|(sum, x)| *sum += chain.weight * x.to_f32());
        }
        target.data.iter_mut().zip(sum).for_each(|(out, sum)| *out = P::from_f32(*sum));
        Ok(())
    }
}
