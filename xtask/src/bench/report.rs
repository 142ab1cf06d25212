//! `docs/performance.md`, made of what was measured and of notes written by hand.

use super::cases::{TARGETS, Target};
use super::machine::Circumstances;
use super::record::{Comparison, Operation, Operations, Performance};
use std::fmt::Write;

/// Operations of ours that together are one of PyTorch's program: forward and backward.
pub(super) const SAME_IN_PYTORCH: &[(&[&str], &str)] = &[
    (&["conv3x3_64_forward"], "conv3x3_64_fwd_nchw"),
    (&["conv3x3_64_forward"], "conv3x3_64_fwd_nhwc"),
    (&["conv3x3_64_forward", "conv3x3_64_input_grad", "conv3x3_64_weight_grad"], "conv3x3_64_fb_nchw"),
    (&["conv3x3_64_forward", "conv3x3_64_input_grad", "conv3x3_64_weight_grad"], "conv3x3_64_fb_nhwc"),
    (&["dwconv3x3_64_forward", "dwconv3x3_64_grads"], "dwconv3x3_64_fb_nchw"),
    (&["dwconv3x3_64_forward", "dwconv3x3_64_grads"], "dwconv3x3_64_fb_nhwc"),
    (&["batch_norm_forward", "batch_norm_backward"], "bn2d_fb_nchw"),
    (&["layer_norm_4096x512_forward", "layer_norm_4096x512_backward"], "layernorm_4096x512_fb"),
    (&["max_pool_2_forward", "max_pool_2_backward"], "maxpool2_fb_nchw"),
    (&["relu_forward", "relu_backward"], "relu_fb"),
    (&["softmax_cross_entropy_128x1000_forward", "softmax_cross_entropy_128x1000_backward"], "softmax_ce_128x1000_fb"),
    (&["adam_10M"], "adam_10M_fused"),
];

const INTRODUCTION: &str = "\
# Performance

Made by `cargo xtask bench --peers`; do not edit. What bounds each case is written by hand in
[performance-notes.md](performance-notes.md) and taken over from there. All numbers are in [performance.json](performance.json), too.

A **step** is forward, loss, backward and update, through the public `Trainer::step`, in `f32`; labels change from step to step. Ours and
the fastest setting of the peers (the two fastest, where they are near each other) take turns, in short runs of a process each, and the
ratio is taken within a pair: what disturbs the machine disturbs both. *Times faster* is the median of these ratios, with its 95 %
bootstrap interval; the target is met if the interval's lower end reaches it, against either setting. The other columns show one run of
each peer's fastest setting.
";

/// The page.
pub(super) fn page(performance: &Performance, notes: &str) -> String {
    let mut page = String::from(INTRODUCTION);
    if !performance.steps.is_empty() {
        page += &steps(&performance.steps);
        page += &memory(&performance.steps);
    }
    if let Some(operations) = &performance.ops {
        page += &ops(operations);
    }
    page += &bounds(notes);
    page + &circumstances(performance)
}

/// A table in Markdown: its columns' heads, and rows of as many cells. The first column is of words, the others of numbers.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    let rule = "|---|".to_owned() + &"---:|".repeat(heads.len() - 1) + "\n";
    line(&heads) + &rule + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// Three digits, or all before the point.
fn number(x: f64) -> String {
    let before = if x < 1.0 { 0 } else { x.log10() as usize + 1 };
    let leading_zeros = if x > 0.0 && x < 0.1 { (-x.log10()) as usize } else { 0 };
    format!("{x:.*}", 3_usize.saturating_sub(before) + leading_zeros)
}

fn optional(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), number)
}

/// The fastest setting of a peer, by the first word of its settings' names.
fn fastest(comparison: &Comparison, peer: &str) -> Option<f64> {
    let of_peer = comparison.scouted.iter().filter(|scouted| scouted.setting.starts_with(peer));
    of_peer.map(|scouted| scouted.ms).min_by(f64::total_cmp)
}

/// The lower end of the interval, against the setting that comes closest; `None` where nothing was paired.
fn least(comparison: &Comparison) -> Option<f64> {
    comparison.rivals.iter().map(|rival| rival.ratio.low).min_by(f64::total_cmp)
}

fn target(comparison: &Comparison) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.case == comparison.case)
}

fn steps(comparisons: &[Comparison]) -> String {
    let heads = [
        "case",
        "threads",
        "gradwise",
        "PyTorch",
        "JAX",
        "burn",
        "candle",
        "fastest peer",
        "times faster",
        "target",
        "met",
    ];
    let mut rows = Vec::new();
    for comparison in comparisons {
        let factor = target(comparison).and_then(|target| target.factor(comparison.threads));
        let met = least(comparison).zip(factor).map(|(low, factor)| if low >= factor { "yes" } else { "**no**" });
        let rival = comparison.rivals.iter().min_by(|a, b| a.ratio.median.total_cmp(&b.ratio.median));
        let mut row = vec![
            comparison.case.clone(),
            comparison.threads.to_string(),
            format!("**{}**", number(comparison.ours.ms)),
        ];
        row.extend(["PyTorch", "JAX", "burn", "candle"].map(|peer| optional(fastest(comparison, peer))));
        row.push(rival.map_or_else(|| "–".to_owned(), |rival| format!("{} ({})", number(rival.ms), rival.setting)));
        row.push(rival.map_or_else(
            || "–".to_owned(),
            |r| format!("**{:.2}** ({:.2} to {:.2}, {} pairs)", r.ratio.median, r.ratio.low, r.ratio.high, r.pairs),
        ));
        row.push(factor.map_or_else(|| "–".to_owned(), |factor| factor.to_string()));
        row.push(met.unwrap_or("–").to_owned());
        rows.push(row);
    }
    let mut text = format!("\n## Training steps\n\nMilliseconds a step.\n\n{}\n", table(&heads, &rows));
    for target in &TARGETS {
        // Writing to a string does not fail.
        _ = writeln!(text, "- `{}`: {}", target.case, target.what);
    }
    text
}

/// Peak memory of PyTorch's process, less what it has on the smallest case: the interpreter and the library. Nothing where that is more than the case
/// takes: one run's differs from the next by tens of megabytes.
fn pytorch_mb(comparisons: &[Comparison], comparison: &Comparison) -> Option<f64> {
    let eager = |c: &Comparison| c.scouted.iter().find(|scouted| scouted.setting == "PyTorch eager")?.peak_mb;
    let smallest = comparisons.iter().find(|c| c.case == TARGETS[0].case && c.threads == comparison.threads)?;
    let more = (comparison.case != smallest.case).then(|| Some(eager(comparison)? - eager(smallest)?))?;
    more.filter(|mb| *mb > 0.0)
}

fn memory(comparisons: &[Comparison]) -> String {
    let heads =
        ["case", "threads", "ms", "after 1000 steps", "processor ms", "workspace MB", "peak MB", "PyTorch's peak MB"];
    let rows: Vec<Vec<String>> = comparisons
        .iter()
        .map(|c| {
            let numbers = [
                Some(c.ours.ms),
                c.ours.ms_later,
                c.ours.cpu_ms,
                Some(c.ours.workspace_mb),
                c.ours.step_mb,
                pytorch_mb(comparisons, c),
            ];
            [c.case.clone(), c.threads.to_string()].into_iter().chain(numbers.map(optional)).collect()
        })
        .collect();
    format!(
        "\n## Memory, and a thousand steps later\n\nPeak memory is that of the process less what it had before net and batch were made; \
         of PyTorch, less\nwhat its process has in the smallest case. *Processor ms* is what all threads together spent on a step.\n\n{}",
        table(&heads, &rows)
    )
}

fn ops(operations: &Operations) -> String {
    let mut text = String::from(
        "\n## Operations\n\nShares are of what the processor does in the same moment: a loop of fused multiply-adds, or a stream that \
         moves as much\nmemory as the operation has to at least. More than 100 % is possible where an algorithm needs fewer multiplications \
         than\nthe sums it computes are counted with, or where caches serve it better than the stream.\n\n",
    );
    let rows: Vec<Vec<String>> = operations
        .lines
        .iter()
        .map(|line| {
            let (rate, unit) = line.gflops.map_or((line.gb_s, "GB/s"), |gflops| (Some(gflops), "GFLOP/s"));
            vec![
                line.op.clone(),
                line.threads.to_string(),
                number(line.ms),
                format!("{} {unit}", optional(rate)),
                format!("{} {unit}", number(line.peak)),
                format!("{:.0} %", line.share * 100.0),
            ]
        })
        .collect();
    text += &table(&["operation", "threads", "ms", "rate", "peak", "share"], &rows);
    let rows = beside_pytorch(operations);
    if !rows.is_empty() {
        text += "\n### Beside PyTorch\n\nOne run of each; `fwd` is forward, `fb` forward and backward, `nhwc` channels last.\n\n";
        text += &table(&["operation in PyTorch", "threads", "gradwise ms", "PyTorch ms", "times faster"], &rows);
    }
    text
}

fn beside_pytorch(operations: &Operations) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for theirs in &operations.pytorch {
        let Some((parts, _)) = SAME_IN_PYTORCH.iter().find(|(_, case)| *case == theirs.case) else { continue };
        let part = |name: &&str| {
            let same = |line: &&Operation| line.op == *name && line.threads == theirs.threads;
            operations.lines.iter().find(same).map(|line| line.ms)
        };
        if let Some(ours) = parts.iter().map(part).sum::<Option<f64>>() {
            let ratio = format!("{:.2}", theirs.ms / ours);
            rows.push(vec![theirs.case.clone(), theirs.threads.to_string(), number(ours), number(theirs.ms), ratio]);
        }
    }
    rows
}

/// The notes, their headings one level lower, without the page's own title.
fn bounds(notes: &str) -> String {
    let mut text = String::new();
    let mut in_code = false;
    for line in notes.lines().skip_while(|line| line.starts_with("# ") || line.is_empty()) {
        in_code ^= line.starts_with("```");
        let heading = !in_code && line.starts_with("##");
        text += if heading { "#" } else { "" };
        text += line;
        text.push('\n');
    }
    if text.is_empty() { text } else { format!("\n## What bounds it now\n\n{text}") }
}

/// Which numbers were measured where and when, and of which versions.
fn circumstances(performance: &Performance) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut add = |what: String, at: &Circumstances| {
        let rest = [
            format!("{}, {} threads, {} GB", at.processor, at.threads, at.memory_gb),
            at.rustc.clone(),
            at.revision.clone(),
            at.date.clone(),
        ];
        match rows.iter_mut().find(|row| row[1..] == rest) {
            Some(row) => row[0] += &format!(", {what}"),
            None => rows.push([what].into_iter().chain(rest).collect()),
        }
    };
    for comparison in &performance.steps {
        add(format!("{} on {}", comparison.case, comparison.threads), &comparison.circumstances);
    }
    if let Some(operations) = &performance.ops {
        add("operations".to_owned(), &operations.circumstances);
    }
    let mut peers: Vec<&str> = performance
        .steps
        .iter()
        .flat_map(|comparison| &comparison.scouted)
        // What stands behind the version says the setting.
        .map(|scouted| scouted.peer.split('-').next().unwrap_or(&scouted.peer))
        .collect();
    peers.sort_unstable();
    peers.dedup();
    if rows.is_empty() {
        return String::new();
    }
    let peers = if peers.is_empty() { String::new() } else { format!("\nPeers: {}.\n", peers.join(", ")) };
    format!("\n## Circumstances\n\n{}{peers}", table(&["what", "machine", "compiler", "commit", "date"], &rows))
}

#[cfg(test)]
mod tests {
    use super::super::record::{Ours, PeerOperation, Rival, Scouted};
    use super::super::statistics::Estimate;
    use super::*;

    fn scouted(setting: &str, peer: &str, ms: f64, peak: f64) -> Scouted {
        Scouted { setting: setting.into(), peer: peer.into(), ms, peak_mb: Some(peak) }
    }

    fn comparison(case: &str, low: f64) -> Comparison {
        let ratio = |low: f64| Estimate { median: low + 0.1, low, high: low + 0.2 };
        let rival =
            |setting: &str, ratio| Rival { setting: setting.into(), peer: "x".into(), ms: 5.0, ratio, pairs: 30 };
        Comparison {
            case: case.into(),
            threads: 1,
            circumstances: Circumstances { date: "2026-01-01".into(), ..Circumstances::default() },
            ours: Ours { ms: 2.5, cpu_ms: Some(2.4), workspace_mb: 3.0, step_mb: Some(40.0), ms_later: Some(2.6) },
            scouted: vec![
                scouted("PyTorch fused", "torch2.9-fused", 5.0, 300.0),
                scouted("PyTorch eager", "torch2.9", 6.0, if case == "digits_b32" { 250.0 } else { 310.0 }),
                scouted("JAX jit", "jax0.9", 7.0, 200.0),
            ],
            rivals: vec![rival("JAX jit", ratio(low + 1.0)), rival("PyTorch fused", ratio(low))],
        }
    }

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [0.0, 0.0123, 0.5, 1.234, 12.34, 123.4, 1234.5].map(number);
        assert_eq!(numbers, ["0.000", "0.0123", "0.500", "1.23", "12.3", "123", "1234"]);
    }

    #[test]
    fn a_target_is_met_by_the_lower_end_against_every_rival() {
        let met = steps(&[comparison("mlp_b64", 1.3)]);
        assert!(met.contains("| mlp_b64 | 1 | **2.50** | 5.00 | 7.00 | – | – | 5.00 (PyTorch fused) | **1.40** (1.30 to 1.50, 30 pairs) | 1.3 | yes |"), "{met}");
        assert!(steps(&[comparison("mlp_b64", 1.29)]).contains("| 1.3 | **no** |"));
        let unpaired = Comparison { rivals: Vec::new(), ..comparison("mlp_b64", 2.0) };
        assert!(steps(&[unpaired]).contains("| – | – | 1.3 | – |"));
    }

    #[test]
    fn pytorchs_memory_is_counted_above_the_smallest_case() {
        let comparisons = [comparison("digits_b32", 3.0), comparison("mlp_b64", 2.0)];
        assert_eq!(pytorch_mb(&comparisons, &comparisons[1]), Some(60.0));
        assert_eq!(pytorch_mb(&comparisons, &comparisons[0]), None);
        assert!(memory(&comparisons).contains("| mlp_b64 | 1 | 2.50 | 2.60 | 2.40 | 3.00 | 40.0 | 60.0 |"));
    }

    #[test]
    fn operations_that_are_one_in_pytorch_are_added() {
        let line = |op: &str, ms| Operation { op: op.into(), threads: 1, ms, share: 0.5, ..Operation::default() };
        let theirs = |case: &str| PeerOperation { peer: "torch".into(), case: case.into(), threads: 1, ms: 6.0 };
        let operations = Operations {
            lines: vec![line("relu_forward", 1.0), line("relu_backward", 2.0), line("batch_norm_forward", 1.0)],
            pytorch: vec![theirs("relu_fb"), theirs("bn2d_fb_nchw"), theirs("gemm_sq64")],
            ..Operations::default()
        };
        assert_eq!(beside_pytorch(&operations), [["relu_fb", "1", "3.00", "6.00", "2.00"]]);
        assert!(ops(&operations).contains("| relu_forward | 1 | 1.00 | – GB/s | 0.000 GB/s | 50 % |"));
    }

    #[test]
    fn notes_are_taken_over_below_a_heading() {
        let notes = "# Notes\n\n## lenet_b64\nArithmetic.\n```\n## code\n```\n";
        assert_eq!(bounds(notes), "\n## What bounds it now\n\n### lenet_b64\nArithmetic.\n```\n## code\n```\n");
        assert_eq!(bounds(""), "");
    }

    #[test]
    fn what_was_measured_together_is_told_once() {
        let performance = Performance {
            steps: vec![comparison("digits_b32", 3.0), comparison("mlp_b64", 2.0)],
            ops: Some(Operations::default()),
        };
        let text = circumstances(&performance);
        assert!(text.contains("| digits_b32 on 1, mlp_b64 on 1 |"), "{text}");
        assert!(text.contains("\nPeers: jax0.9, torch2.9.\n"), "{text}");
        assert_eq!(text.matches("2026-01-01").count(), 1);
        let page = page(&performance, "## x\n");
        let at = |heading: &str| page.find(heading).unwrap_or_else(|| panic!("no {heading} in {page}"));
        let headings =
            ["# Performance", "## Training steps", "## Memory", "## Operations", "## What bounds", "## Circumst"];
        assert!(headings.map(at).is_sorted());
    }
}
