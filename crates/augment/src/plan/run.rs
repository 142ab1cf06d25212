//! Steps one after the other, each from one piece of memory into another or in place, the last into the target.

use super::{Buffers, Step};
use crate::frame::{Frame, FrameMut, Typed};
use crate::image::{ImageMut, ImageRef, Value};
use crate::{Colour, Error, Kind, Result, Shape};

/// Runs steps on an image.
pub(super) fn run(steps: &[Step], source: ImageRef<'_>, target: ImageMut<'_>, buffers: &mut Buffers) -> Result<()> {
    let mut output = (source.shape(), source.kind());
    for step in steps {
        output = step.output(output.0, output.1)?;
    }
    let given = (target.shape(), target.kind());
    let other_target = || {
        let name = |(shape, kind): (Shape, Kind)| format!("{shape} of {kind:?}");
        Err(Error::image("target", name(output), name(given)))
    };
    if given != output {
        return other_target();
    }
    if let (Some(step), Some(found)) = (steps.iter().find(|step| step.computes()), source.not_allowed()) {
        return Err(Error::image(step.name(), "finite values within ±10²⁴", found));
    }
    match (source.frame(), target.frame()) {
        (Typed::U8(source), Typed::U8(target)) => in_memory(steps, None, source, target, buffers),
        (Typed::F32(source), Typed::F32(target)) => in_memory(steps, None, source, target, buffers),
        (Typed::U8(source), Typed::F32(target)) => {
            let cast = steps.iter().position(Step::makes_floats).unwrap_or(steps.len());
            let (before, after) = steps.split_at(cast);
            let Some((cast, after)) = after.split_first() else { return other_target() };
            with_cast(before, cast, after, source, target, buffers)
        }
        // No step makes bytes of floating-point numbers.
        (Typed::F32(_), Typed::U8(_)) => other_target(),
    }
}

/// Steps of one type; of a mask, those that move it.
fn in_memory<P: Memory>(
    steps: &[Step],
    mask: Option<Colour>,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    buffers: &mut Buffers,
) -> Result<()> {
    let mut memory = std::mem::take(P::memory(buffers));
    let result = typed(steps, mask, source, target, &mut memory, buffers);
    *P::memory(buffers) = memory;
    result
}

/// Steps of bytes, a step that makes floating-point values of them, and steps of those.
fn with_cast(
    before: &[Step],
    cast: &Step,
    after: &[Step],
    source: Frame<'_, u8>,
    mut target: FrameMut<'_, f32>,
    buffers: &mut Buffers,
) -> Result<()> {
    let (mut bytes, mut floats) = std::mem::take(&mut buffers.cast);
    let mut shape = source.shape;
    for step in before {
        shape = step.output(shape, Kind::U8)?.0;
    }
    let len = shape.plane() * shape.planes();
    let mut run = || {
        let source = if before.is_empty() {
            source
        } else {
            lengthen(&mut bytes, len, shape)?;
            in_memory(before, None, source, FrameMut { data: &mut bytes, shape }, buffers)?;
            Frame { data: &bytes, shape }
        };
        if after.is_empty() {
            cast.floats(source, target.reborrow());
            return Ok(());
        }
        lengthen(&mut floats, len, shape)?;
        cast.floats(source, FrameMut { data: &mut floats, shape });
        in_memory(after, None, Frame { data: &floats, shape }, target.reborrow(), buffers)
    };
    let result = run();
    buffers.cast = (bytes, floats);
    result
}

/// Types that have memory between steps.
trait Memory: Value {
    /// Two images.
    fn memory(buffers: &mut Buffers) -> &mut [Vec<Self>; 2];
}

impl Memory for u8 {
    fn memory(buffers: &mut Buffers) -> &mut [Vec<u8>; 2] {
        &mut buffers.u8
    }
}

impl Memory for f32 {
    fn memory(buffers: &mut Buffers) -> &mut [Vec<f32>; 2] {
        &mut buffers.f32
    }
}

/// Runs the geometric steps on a mask. What comes in where a fill is constant has the `outside`'s value.
pub(super) fn masks(
    steps: &[Step],
    outside: Colour,
    source: ImageRef<'_>,
    target: ImageMut<'_>,
    buffers: &mut Buffers,
) -> Result<()> {
    let (outside, kinds) = (Some(outside), [source.kind(), target.kind()]);
    match (source.frame(), target.frame()) {
        (Typed::U8(source), Typed::U8(target)) => in_memory(steps, outside, source, target, buffers),
        (Typed::F32(source), Typed::F32(target)) => in_memory(steps, outside, source, target, buffers),
        _ => Err(Error::image("target of a mask", format!("values of {:?}", kinds[0]), format!("{:?}", kinds[1]))),
    }
}

/// Where the image is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Source,
    Buffer(usize),
    Target,
}

/// Steps on an image, or those that move pixels on a mask, for which the value of what comes in is given.
fn typed<P: Value>(
    steps: &[Step],
    mask: Option<Colour>,
    source: Frame<'_, P>,
    mut target: FrameMut<'_, P>,
    memory: &mut [Vec<P>; 2],
    buffers: &mut Buffers,
) -> Result<()> {
    let runs = |step: &&Step| mask.is_none() || step.is_geometric();
    let mut left = steps.iter().filter(runs).filter(|step| !step.is_in_place()).count();
    let (mut at, mut shape) = (At::Source, source.shape);
    let mut rest = steps;
    while let Some((step, after)) = rest.split_first() {
        if !runs(&step) {
            rest = after;
            continue;
        }
        let next = step.output(shape, P::KIND)?.0;
        let moves = !step.is_in_place();
        left -= usize::from(moves);
        // Once no other step moves the image, the target is its last place.
        let to = match at {
            _ if left == 0 => At::Target,
            At::Buffer(i) => At::Buffer(1 - i),
            _ => At::Buffer(0),
        };
        if moves || at == At::Source {
            let [first, second] = memory;
            let len = next.plane() * next.planes();
            let (from, out) = match (at, to) {
                (At::Source, At::Target) => (source, target.reborrow()),
                (At::Source, At::Buffer(_)) => (source, sized(first, next, len)?),
                (At::Buffer(0), At::Target) => (Frame { data: first, shape }, target.reborrow()),
                (At::Buffer(_), At::Target) => (Frame { data: second, shape }, target.reborrow()),
                (At::Buffer(0), _) => (Frame { data: first, shape }, sized(second, next, len)?),
                (At::Buffer(_), _) => (Frame { data: second, shape }, sized(first, next, len)?),
                (At::Target, _) | (_, At::Source) => unreachable!("nothing moves an image from its last place"),
            };
            if moves {
                step.across(mask, from, out, &mut buffers.scratch)?;
                rest = after;
            } else {
                rest = &rest[Step::in_place(rest, Some(from.data), out, &mut buffers.scratch)?..];
            }
            at = to;
        } else {
            let image = match at {
                At::Target => target.reborrow(),
                At::Buffer(i) => FrameMut { data: &mut memory[i], shape },
                At::Source => unreachable!("it is read from there"),
            };
            rest = &rest[Step::in_place(rest, None, image, &mut buffers.scratch)?..];
        }
        shape = next;
    }
    if at == At::Source {
        target.data.copy_from_slice(source.data);
    }
    Ok(())
}

fn sized<P: Value>(memory: &mut Vec<P>, shape: Shape, len: usize) -> Result<FrameMut<'_, P>> {
    lengthen(memory, len, shape)?;
    Ok(FrameMut { data: memory, shape })
}

/// Memory of a length, or an error if there is not so much. Exactly as much, as it may be the image that is handed out.
pub(crate) fn lengthen<P: Value>(memory: &mut Vec<P>, len: usize, shape: Shape) -> Result<()> {
    if memory.try_reserve_exact(len.saturating_sub(memory.len())).is_err() {
        return Err(Error::image("image", "an image that fits in memory", shape));
    }
    memory.resize(len, P::default());
    Ok(())
}
