//! Values that are given back after forward and made again when backward comes to them.
//!
//! There are two kinds. A single *cheap* output, such as an activation's, is made from values that are kept anyway. A *segment* is whatever
//! was recorded within [`Tape::checkpoint`]: of it only the result is kept, and all else is made again at once.

use crate::node::{Source, owner, value};
use crate::{Tape, Var};
use gradwise_core::{ArrayViewD, Cx, Real, Result};
use smallvec::SmallVec;
use std::ops::Range;

/// The nodes recorded within [`Tape::checkpoint`], and the one whose value stays.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    nodes: Range<u32>,
    result: u32,
}

/// Bytes below which a value is kept though it is cheap to make again: there is not much to be gained, and it may be in a cache.
const WORTHWHILE: usize = 1 << 20;

/// Passes over memory that a value to be made again may take, those for the values it is made from included.
const PASSES: u8 = 3;

/// The passes for what is not made again.
pub(crate) const NEVER: u8 = u8::MAX;

impl<T: Real> Tape<'_, T> {
    /// Records a part of which only the result is kept: its values and what its operations saved go back to the workspace, and are made
    /// again when backward comes to it. That takes the time of one more forward pass of the part, and gives bit for bit the same
    /// gradients: random draws are the same again, and running statistics are emitted only once.
    ///
    /// Of `n` layers of one size, `√n` segments of `√n` layers each keep the least at a time. Segments within segments are allowed; the
    /// inner ones are made again as often as they are deep. (Chen et al., *Training deep nets with sublinear memory cost*, 2016.)
    ///
    /// Variables made inside are gone afterwards, but for the result: using one is [`Error::Freed`](gradwise_core::Error::Freed).
    ///
    /// # Errors
    /// What the closure returns; [`Error::ForeignVar`](gradwise_core::Error::ForeignVar) if its result is another tape's.
    pub fn checkpoint(&mut self, f: impl FnOnce(&mut Self) -> Result<Var>) -> Result<Var> {
        let start = self.nodes.len() as u32;
        let y = f(self)?;
        let result = owner(&self.nodes, self.node("checkpoint", y)?);
        let nodes = start..self.nodes.len() as u32;
        if self.keeps || !nodes.contains(&result) {
            return Ok(y);
        }
        if self.nodes[result as usize].requires_grad {
            // What is read from outside is read again.
            for i in nodes.clone() {
                for edge in edges(&self.nodes[i as usize].source) {
                    let owner = owner(&self.nodes, self.edges[edge as usize]);
                    self.nodes[owner as usize].needed |= owner < start;
                }
            }
        }
        self.nodes[result as usize].result = true;
        nodes.clone().for_each(|i| self.nodes[i as usize].passes = self.passes_to_make(i));
        self.close(&nodes, result);
        self.segments.push(Segment { nodes, result });
        Ok(y)
    }

    /// Gives back what a segment computed, but for its result.
    fn close(&mut self, nodes: &Range<u32>, result: u32) {
        nodes.clone().filter(|&i| i != result).for_each(|i| self.lose(i));
    }

    /// Gives back the output of an operation and what it saved, to be made again.
    fn lose(&mut self, i: u32) {
        if let Source::Apply { saved, lost, .. } = &mut self.nodes[i as usize].source {
            *lost |= !(saved.arrays.is_empty() && saved.indices.is_empty() && saved.bytes.is_empty());
            self.free(i);
        }
    }

    /// Before the backward pass of node `i`: makes the values of the segments again that end with it, outer ones first. `next` is how many
    /// segments are still ahead.
    pub(crate) fn enter_segments(&mut self, i: u32, next: &mut usize) -> Result<()> {
        while let Some(segment) = next.checked_sub(1).map(|last| self.segments[last].clone())
            && segment.nodes.end > i
        {
            *next -= 1;
            // Whatever is outside reads the result alone, so without its gradient the segment has none.
            let reached =
                self.grads[segment.nodes.start as usize..].iter().take(segment.nodes.len()).any(Option::is_some);
            if segment.nodes.start <= i && reached {
                self.reopen(&segment, *next)?;
                self.workspace.open.push(*next as u32);
            }
        }
        Ok(())
    }

    /// After the backward pass of node `i`: gives the values of the segments back that begin with it.
    pub(crate) fn leave_segments(&mut self, i: u32) {
        while let Some(&open) = self.workspace.open.last()
            && self.segments[open as usize].nodes.start == i
        {
            self.workspace.open.pop();
            let Segment { nodes, result } = self.segments[open as usize].clone();
            self.close(&nodes, result);
        }
    }

    /// Makes the values of a segment again; those within the inner segments, which are numbered below `inner`, only while they are read.
    fn reopen(&mut self, segment: &Segment, inner: usize) -> Result<()> {
        let Segment { nodes, result } = segment;
        // Whether a node is to be run, and how many of those that are run read its value.
        let mut run = std::mem::take(&mut self.workspace.flags);
        let mut uses = std::mem::take(&mut self.workspace.uses);
        run.clear();
        run.resize(nodes.len(), false);
        uses.clear();
        uses.resize(nodes.len(), 0);
        let at = |i: u32| (i - nodes.start) as usize;
        for i in nodes.clone().rev().filter(|i| i != result) {
            let node = &self.nodes[i as usize];
            let Source::Apply { lost, .. } = node.source else { continue };
            // What is cheap is made when its turn comes, and what is within an inner segment when that is entered.
            let stays = (node.needed && self.is_kept(i) || lost) && !self.is_inside(i, nodes, inner);
            run[at(i)] = stays || uses[at(i)] > 0;
            if run[at(i)] {
                for edge in edges(&node.source) {
                    let owner = owner(&self.nodes, self.edges[edge as usize]);
                    if owner >= nodes.start {
                        uses[at(owner)] += 1;
                    }
                }
            }
        }
        let done = nodes.clone().filter(|&i| run[at(i)]).try_for_each(|i| {
            self.run(i)?;
            // What was read for the last time may go, and so may what nobody reads.
            for edge in edges(&self.nodes[i as usize].source) {
                let owner = owner(&self.nodes, self.edges[edge as usize]);
                if owner >= nodes.start {
                    uses[at(owner)] -= 1;
                    if uses[at(owner)] == 0 && owner != *result {
                        self.forget(owner, nodes, inner);
                    }
                }
            }
            if uses[at(i)] == 0 {
                self.forget(i, nodes, inner);
            }
            Ok(())
        });
        (self.workspace.flags, self.workspace.uses) = (run, uses);
        done
    }

    /// Gives back a value of a segment that was made again and is not read until its turn comes.
    fn forget(&mut self, i: u32, nodes: &Range<u32>, inner: usize) {
        if self.is_inside(i, nodes, inner) {
            self.lose(i);
        } else {
            self.free_if_spare(i);
        }
    }

    /// Whether a node is inside one of the segments within `nodes`, which are numbered below `inner`, and not its result.
    fn is_inside(&self, i: u32, nodes: &Range<u32>, inner: usize) -> bool {
        let within = self.segments[..inner].iter().rev().take_while(|segment| segment.nodes.end > nodes.start);
        within.into_iter().any(|segment| segment.nodes.contains(&i) && segment.result != i)
    }

    /// Frees an output that no backward pass reads, or that is large and cheap to make again.
    pub(crate) fn free_if_spare(&mut self, i: u32) {
        // By now it is known better which of its inputs are kept.
        self.nodes[i as usize].passes = self.passes_to_make(i);
        let node = &self.nodes[i as usize];
        if node.needed && self.is_kept(i) {
            return;
        }
        if node.requires_grad {
            self.free_output(i);
        } else {
            // No backward pass of its own will read what it saved: that is made again with its value, if it is.
            self.lose(i);
        }
    }

    /// Whether a value that backward reads is kept until then, rather than made again.
    fn is_kept(&self, i: u32) -> bool {
        let node = &self.nodes[i as usize];
        let Source::Apply { shape, .. } = &node.source else { return true };
        let bytes = ndarray::Dimension::size(shape) * size_of::<T>();
        bytes < WORTHWHILE || node.result || node.passes > PASSES
    }

    /// How many passes over memory it takes to make a value again from values that are kept, as far as the recorded operations tell what
    /// will be read; [`NEVER`] if something would have to be computed that is not cheap. It is noted with the value, so that what is made
    /// from it need not ask on and on.
    pub(crate) fn passes_to_make(&self, i: u32) -> u8 {
        let node = &self.nodes[i as usize];
        match &node.source {
            Source::Apply { op, .. } if op.is_cheap() && !node.result => {
                edges(&node.source).fold(1, |passes: u8, edge| {
                    let input = owner(&self.nodes, self.edges[edge as usize]);
                    passes.saturating_add(self.passes_to_have(input))
                })
            }
            _ => NEVER,
        }
    }

    /// The same for a value that may be kept itself.
    fn passes_to_have(&self, i: u32) -> u8 {
        let node = &self.nodes[i as usize];
        let leaf = !matches!(node.source, Source::Apply { .. });
        if leaf || (node.needed && self.is_kept(i)) { 0 } else { node.passes }
    }

    /// Before the backward pass of an operation: makes what it reads and was not kept. If values are given back on the way, its output goes
    /// first, unless the operation itself reads it: all others that did have had their turn.
    pub(crate) fn make_needed(&mut self, i: u32) -> Result<()> {
        let Source::Apply { op, .. } = &self.nodes[i as usize].source else { return Ok(()) };
        let (needs, inputs) = (op.needs(), edges(&self.nodes[i as usize].source));
        if !needs.output && self.frees {
            self.free_output(i);
        }
        for (k, edge) in inputs.clone().enumerate() {
            let Source::Apply { op, .. } = &self.nodes[i as usize].source else { continue };
            if op.needs_input(k, inputs.len()) {
                self.make(owner(&self.nodes, self.edges[edge as usize]))?;
            }
        }
        if needs.output { self.make(i) } else { Ok(()) }
    }

    fn make_inputs(&mut self, i: u32) -> Result<()> {
        edges(&self.nodes[i as usize].source)
            .try_for_each(|edge| self.make(owner(&self.nodes, self.edges[edge as usize])))
    }

    /// Makes a value again, if it is not there, and with it what it is made from.
    fn make(&mut self, i: u32) -> Result<()> {
        if !matches!(self.nodes[i as usize].source, Source::Apply { output: None, .. }) {
            return Ok(());
        }
        self.run(i)?;
        for edge in edges(&self.nodes[i as usize].source) {
            let input = owner(&self.nodes, self.edges[edge as usize]);
            if !self.nodes[input as usize].needed {
                self.free_output(input);
            }
        }
        Ok(())
    }

    /// Computes an operation's output once more, and what it saves, if that is gone.
    fn run(&mut self, i: u32) -> Result<()> {
        self.make_inputs(i)?;
        // Out of the list while the operation reads its inputs there.
        let Source::Apply { saved, shape, .. } = &mut self.nodes[i as usize].source else { return Ok(()) };
        let mut saved = std::mem::take(saved);
        let mut output = self.workspace.scratch.array(shape.clone());
        let Source::Apply { op, inputs, key, lost, .. } = &self.nodes[i as usize].source else { return Ok(()) };
        let views: SmallVec<[ArrayViewD<'_, T>; 4]> = self.edges[inputs.start as usize..inputs.end as usize]
            .iter()
            .map(|&input| value(&self.nodes, input))
            .collect();
        let mut cx = Cx {
            scratch: &mut self.workspace.scratch,
            pool: &*self.workspace.pool,
            training: self.mode.noise,
            key: *key,
            first_sample: self.mode.first_sample,
        };
        let result = if *lost || !op.is_cheap() {
            saved.recycle(cx.scratch);
            op.forward(&views, &mut output, &mut saved, &mut cx)
        } else {
            op.again(&views, &saved, &mut output, &mut cx)
        };
        drop(views);
        let path = self.workspace.names.path(self.nodes[i as usize].scope);
        let result = result.map_err(|error| error.at(path));
        if let Source::Apply { saved: kept, output: made, lost, .. } = &mut self.nodes[i as usize].source {
            (*kept, *lost) = (saved, false);
            if let Some(old) = made.replace(output) {
                self.workspace.scratch.give_array(old);
            }
        }
        result
    }
}

/// Where an operation's inputs stand in the list of edges.
fn edges<T: Real>(source: &Source<'_, T>) -> Range<u32> {
    match source {
        Source::Apply { inputs, .. } => inputs.clone(),
        _ => 0..0,
    }
}
