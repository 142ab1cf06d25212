//! The input gradient where filters move by two pixels: all phases of the stride in one pass.

#![allow(unsafe_code)] // Tasks write disjoint pixels of one output.

use super::correlation::{Correlation, Panels, Patches, Runs};
use super::field::{Blocking, Field};
use super::filters::Phase;
use super::problem::Problem;
use crate::gemm::blocks::{aligned, longest_depth};
use crate::gemm::eight::{LANES, Lanes};
use crate::gemm::kernel::{Job, Kernel, Left, Panel, SLACK, Segments, dispatch, rows_of_tile, tile_shape};
use crate::gemm::out::{Out, TILES, Tile};
use crate::gemm::target::{Columns, Target};
use crate::gemm::{Epilogue, Tools};
use crate::parallel::{Parts, n_tasks, rows, share};
use gradwise_core::Real;
use std::ops::Range;

/// Numbers of a staged block, at most: 256 KiB of `f32`.
const STAGED: usize = 1 << 16;
/// Outputs of `y` in a block, at most.
const BLOCK_LINES: usize = 512;

/// The phases of a stride of two both ways.
const PHASES: usize = 4;

/// How a problem is cut, where this is the way to solve it.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    blocking: Blocking,
    field: Field,
    /// The place of the field's first pixel in `∂y`, for the first line.
    origin: [isize; 2],
    /// Pixels of the largest phase, down and across.
    lines: [usize; 2],
    /// Where the taps of each phase begin, in units of a tap.
    taps: [usize; PHASES + 1],
}

/// The phases of one axis, and the smallest and the largest output that any of their first pixels contributes to.
fn axis(problem: &Problem, axis: usize) -> (isize, usize) {
    let kernel = problem.kernel[axis];
    let phases = problem.geometry.stride[axis].min(problem.image[axis]);
    let outputs = || {
        (0..phases).flat_map(|first| {
            let phase = Phase::new(problem, axis, first);
            (0..kernel).filter_map(move |tap| phase.output(tap))
        })
    };
    let low = outputs().min().unwrap_or(0);
    (low, outputs().max().map_or(0, |high| (high - low) as usize))
}

/// The plan for a problem that moves by two pixels across and by one or two down, unless its sums are too long to be formed at once, or
/// it has nothing to multiply.
pub(super) fn plan<T: Real>(problem: &Problem, threads: usize) -> Option<Plan> {
    let [down, across] = problem.geometry.stride;
    let (channels, rows) = (problem.group_out_channels(), problem.group_channels());
    let empty = problem.n * problem.image_len() * rows * channels == 0;
    if across != 2 || down > 2 || empty || (channels, rows) == (1, 1) {
        return None;
    }
    let ((top, down_reach), (left, across_reach)) = (axis(problem, 0), axis(problem, 1));
    let lines = [problem.image[0].div_ceil(down), problem.image[1].div_ceil(across)];
    let all = problem.n * lines[0] * lines[1];
    let target = BLOCK_LINES.min(STAGED / channels).min(all.div_ceil(threads.saturating_mul(4).max(1)).max(64));
    let blocking = Blocking::new(problem.n, lines, target.max(1));
    let size = [blocking.rows, blocking.columns];
    let field = Field::new(blocking.images, size, [1, 1], [down_reach, across_reach]);
    if field.channel().saturating_mul(channels) > 4 * STAGED {
        return None;
    }
    let mut taps = [0; PHASES + 1];
    for phase in 0..PHASES {
        taps[phase + 1] = taps[phase] + taps_of(problem, phase).count();
        if (taps[phase + 1] - taps[phase]) * channels > longest_depth::<T>() {
            return None;
        }
    }
    Some(Plan { blocking, field, origin: [top, left], lines, taps })
}

/// The taps that a phase meets: where their outputs lie for its first pixel, and their places in a filter. None where an image is too
/// small to have a pixel of it, for the field is as large as those with pixels need.
fn taps_of(problem: &Problem, phase: usize) -> impl Iterator<Item = ([isize; 2], usize)> {
    let [height, width] = problem.kernel;
    let [down, across] = [phase / 2, phase % 2];
    let exists = down < problem.geometry.stride[0].min(problem.image[0]) && across < problem.image[1];
    let (down, across) = (Phase::new(problem, 0, down), Phase::new(problem, 1, across));
    (0..if exists { height * width } else { 0 })
        .filter_map(move |tap| Some(([down.output(tap / width)?, across.output(tap % width)?], tap)))
}

/// `∂x ← f(α wᵀ ⋆ ∂y + β ∂x + bias)`.
///
/// Each phase is a correlation over `∂y`, as where strides are of any length. But a block of `∂y` is staged once for all of them, and
/// the sums of two phases across are laced together before they are written, so that lines of `∂x` are written once and in one piece.
pub(super) fn input_grad<T: Real>(
    problem: &Problem,
    plan: &Plan,
    grad: &[T],
    weight: &[T],
    x_grad: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let Plan { blocking, field, taps: starts, .. } = *plan;
    let (mr, nr) = tile_shape::<T>(tools.level);
    let (channels, n_rows, groups) = (problem.group_out_channels(), problem.group_channels(), problem.geometry.groups);
    let n_taps = starts[PHASES];
    let row_panels = n_rows.div_ceil(mr);
    let packed_tap = row_panels * mr * channels;
    let work = (problem.n * problem.out_len()).saturating_mul(n_rows * groups).saturating_mul(channels * n_taps) / 8;
    let tasks = n_tasks(tools.pool, work).min(blocking.len());

    // Triples for packing, and for each channel and tap its place in the field.
    let mut taps = tools.scratch.take_words(3 * n_taps);
    let mut offsets = tools.scratch.take_words(channels * n_taps);
    let mut weights = tools.scratch.take(groups * packed_tap * n_taps + SLACK);
    let filter = channels_filter(problem);
    for phase in 0..PHASES {
        let range = starts[phase]..starts[phase + 1];
        let taps = &mut taps[3 * range.start..3 * range.end];
        for (entry, (place, tap)) in taps.as_chunks_mut::<3>().0.iter_mut().zip(taps_of(problem, phase)) {
            let [y, x] = [0, 1].map(|axis| (place[axis] - plan.origin[axis]) as u32);
            *entry = [y, x, tap as u32];
        }
        let taps = &*taps;
        if range.is_empty() {
            continue;
        }
        let own = &mut offsets[channels * range.start..channels * range.end];
        for (channel, offsets) in own.chunks_exact_mut(range.len()).enumerate() {
            for (offset, &[y, x, _]) in offsets.iter_mut().zip(taps.as_chunks::<3>().0) {
                *offset = (channel * field.channel() + field.tap([y as usize, x as usize])) as u32;
            }
        }
        let correlation = Correlation {
            source: grad,
            source_shape: problem.y_shape(),
            groups,
            rows: n_rows,
            lines: plan.lines,
            step: [1, 1],
            origin: plan.origin,
            taps,
            weights: weight,
            weight_strides: [channels * filter, problem.n_taps(), filter],
        };
        for (group, packed) in aligned(&mut weights).chunks_exact_mut(packed_tap * n_taps).take(groups).enumerate() {
            correlation.pack_weights(group, mr, &mut packed[packed_tap * range.start..packed_tap * range.end]);
        }
    }

    let field_len = (channels * field.channel() + SLACK).next_multiple_of(16);
    let panel_len = (n_taps * channels * nr + SLACK).next_multiple_of(16);
    let per_task = field_len + panel_len;
    let mut buffer = tools.scratch.take(tasks * per_task + SLACK);
    {
        let columns = Columns::of_matrix(problem.image_len(), 1);
        let out = &Parts::new(x_grad);
        let target = &Target { out, base: 0, row_stride: problem.image_len(), columns, epilogue };
        let (weights, offsets, level) = (&*aligned(&mut weights), &*offsets, tools.level);
        let run = |task: usize, buffer: &mut [T]| {
            let (field_buffer, panel) = buffer.split_at_mut(field_len);
            let blocks = share(blocking.len(), 1, tasks, task);
            dispatch(level, Part { problem, plan, grad, target, blocks, offsets, weights, field_buffer, panel });
        };
        let buffers = &mut aligned(&mut buffer)[..tasks * per_task];
        if tasks == 1 {
            run(0, buffers);
        } else {
            rows(tools.pool, buffers, per_task, 1, usize::MAX, &|tasks, buffers| {
                tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| run(task, buffer));
            });
        }
    }
    tools.scratch.give(buffer);
    tools.scratch.give(weights);
    tools.scratch.give_words(offsets);
    tools.scratch.give_words(taps);
}

/// The elements of the filters of one output channel.
fn channels_filter(problem: &Problem) -> usize {
    problem.group_channels() * problem.n_taps()
}

/// One task: some blocks of the batch.
struct Part<'a, 't, T> {
    problem: &'a Problem,
    plan: &'a Plan,
    grad: &'a [T],
    target: &'a Target<'t, T>,
    blocks: Range<usize>,
    /// For each phase, where the taps of its channels find their pixels in the field.
    offsets: &'a [u32],
    weights: &'a [T],
    field_buffer: &'a mut [T],
    panel: &'a mut [T],
}

impl<T: Real> Job<T> for Part<'_, '_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { problem, plan, grad, target, offsets, weights, field_buffer, panel, .. } = self;
        let &Plan { blocking, field, origin, taps: starts, .. } = plan;
        let (channels, n_rows) = (problem.group_out_channels(), problem.group_channels());
        let (n_taps, row_panels, stride) = (starts[PHASES], n_rows.div_ceil(K::MR), problem.geometry.stride);
        let groups = problem.geometry.groups;
        let [height, width] = problem.image;
        let mut tiles: [Tile<T>; 2] = [Tile::new(), Tile::new()];
        let mut line = [T::zero(); 2 * SLACK];
        let segments: [Segments<'_>; PHASES] =
            std::array::from_fn(|i| Segments::new(&offsets[channels * starts[i]..channels * starts[i + 1]], 1));
        let stages = self.blocks.start * groups..self.blocks.end * groups;
        let stage_of = |stage: usize| {
            let (block, group) = (blocking.block(stage / groups), stage % groups);
            let origin = [origin[0] + block.rows.start as isize, origin[1] + block.columns.start as isize];
            (block, group, group * channels..(group + 1) * channels, origin)
        };
        let shape = problem.y_shape();
        let whole = target.only_assigns();
        for stage in stages.clone() {
            let (block, group, own, origin) = stage_of(stage);
            field.stage(kernel, grad, shape, own, block.images.clone(), origin, field_buffer);
            let upcoming = (stage + 1 < stages.end).then(|| {
                let (block, _, own, origin) = stage_of(stage + 1);
                field.upcoming(shape, own, block.images, origin)
            });
            let size = [block.rows.len(), block.columns.len()];
            let panels = Panels::new(size[1], K::NR, n_rows);
            let n_panels = panels.len(block.images.len() * size[0]);
            for i in 0..n_panels {
                let lines = panels.line(i, block.len());
                let runs = Runs::new(&field, size, lines.start, lines.len());
                if let Some(upcoming) = &upcoming {
                    upcoming.prefetch(grad, shape, i, n_panels);
                }
                if runs.only().is_none() {
                    let patches = Patches { field: field_buffer, offsets: &offsets[..channels * n_taps] };
                    match K::NR {
                        16 => patches.pack::<16>(&runs, panel),
                        _ => patches.pack::<8>(&runs, panel),
                    }
                }
                let strips = (0..row_panels).step_by(TILES);
                for (down, first) in (0..stride[0]).flat_map(|down| strips.clone().map(move |first| (down, first))) {
                    let last = (first + TILES).min(row_panels) - 1;
                    let rows = rows_of_tile(n_rows, K::MR, first).start..rows_of_tile(n_rows, K::MR, last).end;
                    let m = rows.len();
                    for (phase, tile) in (2 * down..).zip(&mut tiles) {
                        let depth = channels * (starts[phase + 1] - starts[phase]);
                        let before = channels * starts[phase];
                        let weights = &weights[(group * n_taps * channels + before) * row_panels * K::MR..];
                        let weights = &weights[first * K::MR * depth..];
                        let out = tile.out(K::NR).first_rows(m);
                        compute(
                            kernel,
                            weights,
                            runs.only().map(|from| &field_buffer[from..]),
                            &segments[phase],
                            &panel[before * K::NR..],
                            out,
                        );
                    }
                    // Each run of lines is a run of pixels twice as long, but where the image's width is odd.
                    let mut at = 0;
                    while at < lines.len() {
                        let (row, x) = ((lines.start + at) / size[1], (lines.start + at) % size[1]);
                        let n = (size[1] - x).min(lines.len() - at);
                        let image = block.images.start + row / size[0];
                        let y = (block.rows.start + row % size[0]) * stride[0] + down;
                        let x = (block.columns.start + x) * 2;
                        let len = (2 * n).min(width - x);
                        if y < height {
                            let place = image * problem.channels * height * width + y * width + x;
                            for (i, row) in rows.clone().enumerate() {
                                let row = group * n_rows + row;
                                let [even, odd] = [0, 1].map(|across| &tiles[across].0[i * K::NR..][..K::NR]);
                                let start = place + row * height * width;
                                if whole && len == 2 * K::NR {
                                    // SAFETY: each block of lines is worked on by one task, and so are their pixels.
                                    lace(kernel, even, odd, unsafe { target.part(start, 2 * K::NR) });
                                    continue;
                                }
                                lace(kernel, even, odd, &mut line);
                                // SAFETY: as above.
                                unsafe { target.write_run(&mut line[2 * at..][..len], start, row) };
                            }
                        }
                        at += n;
                    }
                }
            }
        }
    }
}

/// Two phases of a line in turn.
#[inline(always)]
fn lace<T: Real, K: Kernel<T>>(kernel: K, even: &[T], odd: &[T], line: &mut [T]) {
    let groups = even.as_chunks::<LANES>().0.iter().zip(odd.as_chunks::<LANES>().0);
    for ((&even, &odd), to) in groups.zip(line.as_chunks_mut::<{ 2 * LANES }>().0) {
        let [low, high] = kernel.laced(Lanes(even), Lanes(odd));
        low.store(to);
        high.store(&mut to[LANES..]);
    }
}

/// The sums of one phase for a panel of lines, tile by tile, read from the field or, where they were gathered, from a packed panel.
#[inline(always)]
fn compute<T: Real, K: Kernel<T>>(
    kernel: K,
    weights: &[T],
    field: Option<&[T]>,
    segments: &Segments<'_>,
    panel: &[T],
    out: Out<'_, T>,
) {
    match field {
        Some(field) => kernel.strip_under(weights, field, segments, out),
        None => {
            let (depth, right) = (segments.depth(), Panel { data: panel, stride: K::NR });
            kernel.strip(depth, Left::Packed { panels: weights, apart: K::MR * depth }, right, None, out);
        }
    }
}
