//! Lists of earlier draws, kept for their memory.

use super::{Blend, Chain, Step};

/// Empty lists that once held the chains of blends and their steps: a policy that draws new ones for each sample finds them here.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    steps: Vec<Vec<Step>>,
    chains: Vec<Vec<Chain>>,
}

/// A copy of a plan needs no memory of earlier ones.
impl Clone for Spare {
    fn clone(&self) -> Self {
        Spare::default()
    }
}

impl Spare {
    /// An empty list of steps.
    pub(crate) fn steps(&mut self) -> Vec<Step> {
        self.steps.pop().unwrap_or_default()
    }

    /// An empty list of chains.
    pub(crate) fn chains(&mut self) -> Vec<Chain> {
        self.chains.pop().unwrap_or_default()
    }

    /// Empties a list of steps, and keeps the lists that were in it.
    pub(crate) fn clear(&mut self, steps: &mut Vec<Step>) {
        for step in steps.drain(..) {
            let Step::Blend(Blend { mut chains, .. }) = step else { continue };
            for mut chain in chains.drain(..) {
                self.clear(&mut chain.steps);
                self.steps.push(chain.steps);
            }
            self.chains.push(chains);
        }
    }
}
