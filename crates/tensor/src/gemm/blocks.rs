//! The loops around the micro-kernel: blocks that fit the caches, panels packed once a block, tasks for the threads.
//!
//! ```text
//! for each block of columns            (NC: its panels stay in the last-level cache)
//!   for each block of the sum          (KC: a panel of the right factor stays in the first-level cache)
//!     for each block of rows           (MC: the left factor's panels stay in the second-level cache)
//!       for each panel of columns      (NR; packed when it is first used)
//!         for each panel of rows       (MR)
//!           micro-kernel, then epilogue
//! ```
//!
//! The blocks of the sum depend on its length alone, and every element adds them in order: see `Kernel`.

#![allow(unsafe_code)] // Tasks write disjoint tiles of one output.

use super::kernel::{Job, Kernel, Left, Panel, SLACK, dispatch, tile_rows, tile_shape};
use super::operand::Operand;
use super::out::{Out, TILES, Tile};
use super::target::{Spot, Target};
use super::{Tools, pack};
use crate::parallel::{n_tasks, rows, run, share};
use crate::simd::Level;
use crate::support::RowSums;
use gradwise_core::{Pool, Real};
use std::ops::Range;

/// Bytes of one line of a block of the sum. Sixteen such lines, a panel of the right factor, take three quarters of a first-level cache
/// of 32 KiB.
const BLOCK_DEPTH_BYTES: usize = 1536;
/// Bytes of one line of a block of the sum of a product of matrices. Its panels of the right factor stay in the second-level cache, from
/// where they reach the kernel in time; fewer, longer sums pay more than reading from the first level.
const MATRIX_DEPTH_BYTES: usize = 3200;
/// Bytes of a block of rows at most: with a panel of the right factor, three quarters of a second-level cache of 512 KiB.
const BLOCK_ROWS_BYTES: usize = 288 << 10;
/// Columns of a block, a multiple of every `NR`.
const BLOCK_COLUMNS: usize = 1024;
/// A left factor with whole lines is read where it lies, unless it is used for more columns than this.
const UNPACKED_COLUMNS: usize = 512;
/// A right factor of at most this many bytes is read where it lies, if it can be.
const UNPACKED_RIGHT_BYTES: usize = 16 << 10;

/// Products of one shape that share an output array, each output the sum of some products.
pub(crate) struct Products<'p, T> {
    /// Number of outputs, `m` x `n` each.
    pub(crate) outputs: usize,
    /// Number of products, at least one, that are added up in each output.
    pub(crate) terms: usize,
    pub(crate) m: usize,
    pub(crate) n: usize,
    /// The factors of an output's term.
    pub(crate) factors: &'p (dyn Fn(usize, usize) -> (Operand<'p, T>, Operand<'p, T>) + Sync),
    /// Where an output begins.
    pub(crate) base: &'p (dyn Fn(usize) -> usize + Sync),
    pub(crate) depth: usize,
}

/// The length of the blocks of a sum: nearly equal ones, no longer than `MATRIX_DEPTH_BYTES`.
fn block_depth<T>(depth: usize) -> usize {
    let largest = MATRIX_DEPTH_BYTES / size_of::<T>();
    if depth <= largest {
        return depth.next_multiple_of(4);
    }
    depth.div_ceil(depth.div_ceil(largest).max(1)).next_multiple_of(4).min(largest)
}

/// How many rows a block has whose lines have `depth` elements.
fn block_rows<T>(depth: usize) -> usize {
    let fits = BLOCK_ROWS_BYTES / (depth * size_of::<T>()).max(1);
    // A multiple of every `MR`.
    (fits / 12 * 12).max(12)
}

/// The largest number of terms in a block of the sum of a convolution.
pub(crate) const fn longest_depth<T>() -> usize {
    BLOCK_DEPTH_BYTES / size_of::<T>()
}

/// The part of a buffer that begins at a cache line. The buffer must have been taken with 16 elements more than are needed.
pub(crate) fn aligned<T>(buffer: &mut [T]) -> &mut [T] {
    let skip = buffer.as_ptr().align_offset(64).min(SLACK);
    &mut buffer[skip..]
}

/// What it costs to bring one element of a factor into the order in which the kernel reads it, in quarters of a cycle.
fn packing_cost<T: Copy>(operand: &Operand<'_, T>, is_left: bool) -> usize {
    match (operand.has_whole_cuts(), operand.has_whole_lines(), is_left) {
        // Packed along with the first use, or read where it lies.
        (true, _, false) | (_, true, true) => 1,
        _ => 3,
    }
}

/// Rows that stay together when they are dealt out to tasks: few enough for equal shares, as a kernel's last tiles may be lower.
const ROWS: usize = 4;

/// One factor, as far as its packing costs time.
struct Side {
    /// Lines in all.
    lines: usize,
    /// Lines of a panel.
    panel: usize,
    /// What packing one element costs, in quarters of a cycle.
    cost: usize,
}

/// A grid of at most `tasks` rectangles whose largest takes the least time: `(down, across)`. No rectangle is empty, as there are no more
/// of them in a direction than there are panels.
fn grid(tasks: usize, left: &Side, right: &Side) -> (usize, usize) {
    /// A row of a tile of any kernel takes about this many quarters of a cycle for every term.
    const ROW_COST: usize = 4;
    let (tall, wide) = (left.lines.div_ceil(left.panel), right.lines.div_ceil(right.panel));
    let of = |tasks: usize| {
        let fits = |down: &usize| tasks.is_multiple_of(*down) && *down <= tall && tasks / down <= wide;
        let cost = |down: &usize| {
            let (rows, wide) = (left.lines.div_ceil(ROWS).div_ceil(*down) * ROWS, wide.div_ceil(tasks / down));
            rows * wide * ROW_COST + rows * left.cost + wide * right.panel * right.cost
        };
        (1..=tasks).filter(fits).min_by_key(cost).map(|down| (down, tasks / down))
    };
    (1..=tasks).rev().find_map(of).unwrap_or((1, 1))
}

/// Whether a left factor is packed for a block of so many columns; if it is for some, then also for more.
#[inline(always)]
fn packs_left<T: Copy>(a: &Operand<'_, T>, columns: usize) -> bool {
    if a.is_panel() && columns <= UNPACKED_COLUMNS {
        return false;
    }
    // Lines that are a multiple of a page apart fall into the same few cache sets.
    let aliased = (a.line_stride().unsigned_abs() * size_of::<T>()).is_multiple_of(4096);
    !a.has_whole_lines() || columns > UNPACKED_COLUMNS || (aliased && columns > 64)
}

/// Whether a right factor is read where it lies, wherever a panel of it is whole.
#[inline(always)]
fn reads_right<T: Copy>(b: &Operand<'_, T>) -> bool {
    b.is_panel() && b.lines() * b.depth() * size_of::<T>() <= UNPACKED_RIGHT_BYTES
}

/// Computes all products.
pub(crate) fn multiply<T: Real>(products: &Products<'_, T>, target: &Target<'_, T>, tools: &mut Tools<'_, T>) {
    if products.is_empty() {
        return;
    }
    let (level, pool) = (tools.level, tools.pool);
    let cut = Work { products, target }.cut(level, pool);
    run_tasks(tools, cut.tasks, cut.left + cut.right, &|task, buffer| cut.run(task, level, buffer));
}

/// Runs tasks with `per_task` elements of memory for each.
fn run_tasks<T: Real>(tools: &mut Tools<'_, T>, tasks: usize, per_task: usize, one: &(dyn Fn(usize, &mut [T]) + Sync)) {
    // A small product on one thread may need none at all.
    let len = tasks * per_task;
    if len == 0 {
        return if tasks == 1 { one(0, &mut []) } else { run(tools.pool, tasks, &|task| one(task, &mut [])) };
    }
    let mut buffer = tools.scratch.take_at_least(len + SLACK);
    let buffers = &mut aligned(&mut buffer)[..len];
    if tasks == 1 {
        one(0, buffers);
    } else {
        rows(tools.pool, buffers, per_task, 1, usize::MAX, &|tasks, buffers| {
            tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| one(task, buffer));
        });
    }
    tools.scratch.give(buffer);
}

/// Products and where they go.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a, 'p, 't, T> {
    pub(crate) products: &'a Products<'p, T>,
    pub(crate) target: &'a Target<'t, T>,
}

/// Computes several products that do not wait for each other, and sums of rows beside them, in one job: threads meet once, and not once for
/// each.
pub(crate) fn multiply_all<T: Real, const N: usize>(
    all: &[Option<Work<'_, '_, '_, T>>; N],
    sums: Option<&RowSums<'_, T>>,
    tools: &mut Tools<'_, T>,
) {
    let (level, pool) = (tools.level, tools.pool);
    let cuts = all.map(|work| work.filter(|work| !work.products.is_empty()).map(|work| work.cut(level, pool)));
    let tasks = cuts.iter().flatten().map(|cut| cut.tasks).max().unwrap_or(1);
    let per_task = cuts.iter().flatten().map(|cut| cut.left + cut.right).max().unwrap_or(0);

    run_tasks(tools, tasks, per_task, &|task, buffer| {
        for cut in cuts.iter().flatten().filter(|cut| task < cut.tasks) {
            cut.run(task, level, buffer);
        }
        if let Some(sums) = sums {
            // SAFETY: each task runs once, and `tasks` is the same for all of them.
            unsafe { sums.part(task, tasks) };
        }
    });
}

impl<T> Products<'_, T> {
    fn is_empty(&self) -> bool {
        self.outputs * self.m * self.n == 0
    }
}

impl<'a, 'p, 't, T: Real> Work<'a, 'p, 't, T> {
    /// How the work is cut into tasks for the threads of a pool.
    fn cut(self, level: Level, pool: &dyn Pool) -> Cut<'a, 'p, 't, T> {
        let products = self.products;
        let &Products { outputs, m, n, depth, .. } = products;
        let (mr, nr) = tile_shape::<T>(level);
        let (multiple, block) = (16, block_depth::<T>(depth));
        let block_rows = block_rows::<T>(block);
        let mut left = (m.min(block_rows).next_multiple_of(mr) * block).next_multiple_of(multiple);
        // Panels of the right factor are kept for the next block of rows, if there is one.
        let kept = if m > block_rows { n.min(BLOCK_COLUMNS) } else { nr };
        let mut right = (kept.next_multiple_of(nr) * block + SLACK).next_multiple_of(multiple);

        // About eight multiply-adds cost as much as one elementary operation.
        let work = outputs.saturating_mul(products.terms * m * n).saturating_mul(depth.max(8)) / 8;
        let tasks = n_tasks(pool, work);
        let by_output = outputs >= tasks;
        let (down, across) = if by_output {
            (1, 1)
        } else {
            let (a, b) = (products.factors)(0, 0);
            let left = Side { lines: m, panel: mr, cost: packing_cost(&a, true) };
            grid(tasks, &left, &Side { lines: n, panel: nr, cost: packing_cost(&b, false) })
        };
        let tasks = if by_output { tasks } else { down * across };
        if outputs * products.terms == 1 {
            // Memory that is not needed is not asked for: it would have to be zeroed where the buffer's last user had less.
            let widest = if across == 1 { n } else { n.div_ceil(nr).div_ceil(across) * nr }.min(BLOCK_COLUMNS);
            let (a, b) = (products.factors)(0, 0);
            if !packs_left(&a, widest) {
                left = 0;
            }
            if tasks == 1 && n.is_multiple_of(nr) && reads_right(&b) {
                right = 0;
            }
        }
        Cut { work: self, block, block_rows, left, right, by_output, down, across, tasks }
    }
}

/// Work that is cut into tasks, each a rectangle of the output or some of the outputs.
struct Cut<'a, 'p, 't, T> {
    work: Work<'a, 'p, 't, T>,
    block: usize,
    block_rows: usize,
    /// Elements that a task packs the left factor into.
    left: usize,
    /// The same of the right factor.
    right: usize,
    by_output: bool,
    down: usize,
    across: usize,
    tasks: usize,
}

impl<T: Real> Cut<'_, '_, '_, T> {
    /// One task, with the memory for its packed factors.
    fn run(&self, task: usize, level: Level, buffer: &mut [T]) {
        let &Cut { work: Work { products, target }, block, block_rows, down, across, .. } = self;
        let (outputs, rows, columns) = if self.by_output {
            (share(products.outputs, 1, self.tasks, task), 0..products.m, 0..products.n)
        } else {
            let (of_rows, of_columns) = (share(products.m, ROWS, down, task / across), task % across);
            (0..products.outputs, of_rows, share(products.n, tile_shape::<T>(level).1, across, of_columns))
        };
        let (left, right) = buffer[..self.left + self.right].split_at_mut(self.left);
        dispatch(level, Part { products, target, outputs, rows, columns, block, block_rows, left, right });
    }
}

/// One task: a rectangle of some outputs.
struct Part<'a, 'p, 't, T> {
    products: &'a Products<'p, T>,
    target: &'a Target<'t, T>,
    outputs: Range<usize>,
    rows: Range<usize>,
    columns: Range<usize>,
    block: usize,
    block_rows: usize,
    left: &'a mut [T],
    right: &'a mut [T],
}

impl<T: Real> Job<T> for Part<'_, '_, '_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { products, target, outputs, rows, columns, block, block_rows, left, right } = self;
        let mut tile = None;
        for output in outputs {
            let base = (products.base)(output);
            for columns in blocks(columns.clone(), BLOCK_COLUMNS) {
                for term in 0..products.terms {
                    let (a, b) = (products.factors)(output, term);
                    for k in blocks(0..products.depth, block) {
                        let stage = Stage {
                            first: term == 0 && k.start == 0,
                            last: term + 1 == products.terms && k.end == products.depth,
                            base,
                        };
                        let (rows, columns) = (rows.clone(), columns.clone());
                        let block = Block { a: &a, b: &b, rows, columns, k, stage, block_rows };
                        block.multiply(kernel, target, left, right, &mut tile);
                    }
                }
            }
        }
    }
}

/// Consecutive parts of a range; an empty range is one empty part, since a product without terms still has a result.
fn blocks(range: Range<usize>, len: usize) -> impl Iterator<Item = Range<usize>> {
    let n = if range.len() <= len { 1 } else { range.len().div_ceil(len.max(1)) };
    (0..n).map(move |i| range.start + i * len..(range.start + (i + 1) * len).min(range.end))
}

struct Stage {
    first: bool,
    last: bool,
    base: usize,
}

/// One block of the sum for some rows and columns.
struct Block<'a, T> {
    a: &'a Operand<'a, T>,
    b: &'a Operand<'a, T>,
    rows: Range<usize>,
    columns: Range<usize>,
    k: Range<usize>,
    stage: Stage,
    /// How many rows are packed at once.
    block_rows: usize,
}

impl<T: Real> Block<'_, T> {
    #[inline(always)]
    fn multiply<K: Kernel<T>>(
        self,
        kernel: K,
        target: &Target<'_, T>,
        left: &mut [T],
        right: &mut [T],
        tile: &mut Option<Tile<T>>,
    ) {
        let Block { a, b, rows, columns, k, stage, block_rows } = self;
        let (depth, first_row) = (k.len(), rows.start);
        let packs_left = packs_left(a, columns.len());
        let side_by_side = if packs_left { None } else { a.panel(rows.start, k.start, depth, rows.len()) };
        let may_read = reads_right(b);
        let keeps_panels = rows.len() > block_rows;
        for (i, rows) in blocks(rows, block_rows).enumerate() {
            if packs_left {
                pack::left(kernel, a, rows.clone(), k.start, depth, left);
            }
            for (p, columns) in blocks(columns.clone(), K::NR).enumerate() {
                let n = columns.len();
                let kept = if keeps_panels { p } else { 0 };
                // Empty where every panel is read where it lies.
                let panel = right.get_mut(kept * K::NR * depth..(kept + 1) * K::NR * depth).unwrap_or_default();
                let place = target.columns.locate(columns.start, n);
                let lies = b.panel(columns.start, k.start, depth, K::NR);
                let in_strips = target.takes_strips(place, n, K::NR, stage.first);
                // The right factor is read where it lies, or packed along with the first use, or before.
                let (data, stride, packed) = match lies {
                    Some((data, stride)) if may_read => (data, stride, None),
                    Some((data, stride)) if i == 0 && in_strips => (data, stride, Some(panel)),
                    _ => {
                        if i == 0 {
                            pack::right(kernel, b, columns.clone(), k.start, depth, panel);
                        }
                        (&*panel, K::NR, None)
                    }
                };
                let rhs = Panel { data, stride };
                let spot = |rows: Range<usize>| Spot {
                    rows,
                    column: columns.start,
                    n,
                    base: stage.base,
                    place,
                    first: stage.first,
                    last: stage.last,
                };
                let lhs = |row: usize, tile: usize| {
                    if packs_left {
                        Left::Packed { panels: &left[tile * K::MR * depth..], apart: K::MR * depth }
                    } else if let Some((data, stride)) = side_by_side {
                        Left::Beside(Panel { data: &data[row - first_row..], stride })
                    } else {
                        Left::Rows { operand: a, first: row, k: k.start }
                    }
                };
                if in_strips {
                    let strip = |out: Out<'_, T>| kernel.strip(depth, lhs(rows.start, 0), rhs, packed, out);
                    // SAFETY: tasks share an output by rectangles that do not overlap, or take different outputs; each
                    // rectangle's tiles are written here, by its one task.
                    unsafe { target.fill_strip(spot(rows.clone()), K::NR, strip) };
                    continue;
                }
                let (mut row, mut n_tiles) = (rows.start, 0);
                while row < rows.end {
                    let m = (0..TILES).fold(0, |m, _| m + tile_rows(rows.end - row - m, K::MR));
                    let (lhs, rows) = (lhs(row, n_tiles), row..row + m);
                    (row, n_tiles) = (row + m, n_tiles + TILES);
                    let few = |out: Out<'_, T>| kernel.strip(depth, lhs, rhs, None, out.first_rows(m));
                    let tile = tile.get_or_insert_with(Tile::new);
                    // SAFETY: as above.
                    unsafe {
                        if target.is_transposed() {
                            target.fill_transposed(spot(rows), kernel, tile, few);
                        } else {
                            target.fill(spot(rows), K::NR, tile, few);
                        }
                    }
                }
            }
        }
    }
}
