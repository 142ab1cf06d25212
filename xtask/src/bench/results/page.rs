//! `docs/results.md`.

use super::super::report::table;
use super::super::statistics::{bootstrap, median};
use super::Net;
use super::record::{Pair, Record, Run};

const INTRODUCTION: &str = "\
# Trainings from beginning to end

Made by `cargo xtask bench results`; do not edit. All numbers are in [results.json](results.json), too.

The same nets, trained by gradwise (`bench/src/results.rs`) and by PyTorch (`bench/results.py`) on the same images, with the same
hyper-parameters, the same distributions of first weights and the same augmentation. Seeds give first weights, orders, augmentation and
dropout; what they are is each library's own, so runs of one seed are no pairs. Images are shifted and scaled by the training set's
channels; batches are of 128, without an incomplete last one; the loss is cross-entropy, the rule gradient descent with Nesterov's
momentum 0.9 and weight decay 5e-4 on everything, the schedule one cycle of the learning rate up to 0.1. Test images are looked at as they
are, after every epoch; the numbers are those after the last, and none is chosen.

*Mean ± deviation* is over the seeds, with `n - 1`. The *difference* of the means has the standard error of Welch. *Seconds an epoch* are
of training alone, with augmentation and without measuring, from short runs that take turns (`cargo xtask bench results --timing`); *times
faster* is the median of the pairs' ratios with its 95 % bootstrap interval. PyTorch runs eagerly, with its fused optimizer and the
allocator keeping big buffers.

After training, our weights are saved, loaded into another net and measured once more: the run fails if a digit differs.
";

/// The page.
pub(super) fn page(record: &Record, nets: &[Net]) -> String {
    let mut page = String::from(INTRODUCTION);
    for net in nets {
        let runs: Vec<&Run> = record.runs.iter().filter(|run| run.net == net.name).collect();
        let pairs: Vec<&Pair> = record.pairs.iter().filter(|pair| pair.net == net.name).collect();
        if runs.is_empty() && pairs.is_empty() {
            continue;
        }
        let what = capital(net.what);
        page += &format!("\n## {}\n\n{what}. `cargo xtask bench results --net {}`\n", net.name, net.name);
        page += &outcomes(&runs);
        page += &seconds(&pairs);
        page += &curves(&runs);
        page += &single(&runs);
    }
    page + &circumstances(record)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Mean and deviation of a sample; a deviation only of two or more.
fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()))
}

fn with_deviation(values: &[f64], digits: usize) -> String {
    match mean_and_deviation(values) {
        (mean, Some(deviation)) => format!("{mean:.digits$} ± {deviation:.digits$}"),
        (mean, None) => format!("{mean:.digits$}"),
    }
}

/// Ours and theirs.
fn sides<'a>(runs: &[&'a Run]) -> [Vec<&'a Run>; 2] {
    [true, false].map(|ours| runs.iter().copied().filter(|run| run.is_ours() == ours).collect())
}

fn accuracies(runs: &[&Run]) -> Vec<f64> {
    runs.iter().map(|run| 100.0 * run.last().test_accuracy).collect()
}

fn outcomes(runs: &[&Run]) -> String {
    let mut rows = Vec::new();
    for side in sides(runs) {
        let Some(first) = side.first() else { continue };
        let values = accuracies(&side);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let losses = |of: fn(&Run) -> f64| with_deviation(&side.iter().map(|run| of(run)).collect::<Vec<_>>(), 4);
        rows.push(vec![
            first.peer.clone(),
            side.len().to_string(),
            first.epochs.len().to_string(),
            with_deviation(&values, 2),
            format!("{least:.2} to {most:.2}"),
            losses(|run| run.last().test_loss),
            losses(|run| run.last().train_loss),
        ]);
    }
    if rows.is_empty() {
        return String::new();
    }
    let heads = ["trained by", "seeds", "epochs", "test accuracy, %", "least to most", "test loss", "training loss"];
    let mut text = format!("\n{}", table(&heads, &rows));
    let [ours, theirs] =
        sides(runs).map(|side| (accuracies(&side).len() as f64, mean_and_deviation(&accuracies(&side))));
    if let ((n, (mean, Some(deviation))), (m, (other, Some(others)))) = (ours, theirs) {
        let error = (deviation.powi(2) / n + others.powi(2) / m).sqrt();
        text += &format!(
            "\nDifference of the mean accuracies, ours less PyTorch's: {:+.2} ± {error:.2} points.\n",
            mean - other
        );
    }
    text
}

fn seconds(pairs: &[&Pair]) -> String {
    let mut threads: Vec<usize> = pairs.iter().map(|pair| pair.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    let row = |threads: usize| -> Option<Vec<String>> {
        let pairs: Vec<_> = pairs.iter().filter(|pair| pair.threads == threads).collect();
        let of = |f: fn(&Pair) -> f64| pairs.iter().map(|pair| f(pair)).collect::<Vec<f64>>();
        let ratio = bootstrap(&of(|pair| pair.theirs / pair.ours))?;
        Some(vec![
            threads.to_string(),
            format!("{:.1}", median(&of(|pair| pair.ours))?),
            format!("{:.1}", median(&of(|pair| pair.theirs))?),
            format!("{:.2} ({:.2} to {:.2}, {} pairs)", ratio.median, ratio.low, ratio.high, pairs.len()),
        ])
    };
    let rows: Vec<Vec<String>> = threads.into_iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = ["threads", "gradwise, seconds an epoch", "PyTorch, seconds an epoch", "times faster"];
    format!("\n{}", table(&heads, &rows))
}

/// Mean test accuracy and training loss after each epoch.
fn curves(runs: &[&Run]) -> String {
    let [ours, theirs] = sides(runs);
    let epochs = runs.iter().map(|run| run.epochs.len()).min().unwrap_or(0);
    if ours.is_empty() || theirs.is_empty() || epochs < 2 {
        return String::new();
    }
    let mean =
        |side: &[&Run], of: &dyn Fn(&Run) -> f64| side.iter().map(|run| of(run)).sum::<f64>() / side.len() as f64;
    let rows: Vec<Vec<String>> = (0..epochs)
        .map(|i| {
            let loss = |run: &Run| run.epochs[i].train_loss;
            let accuracy = |run: &Run| 100.0 * run.epochs[i].test_accuracy;
            vec![
                (i + 1).to_string(),
                format!("{:.2}", mean(&ours, &accuracy)),
                format!("{:.2}", mean(&theirs, &accuracy)),
                format!("{:.4}", mean(&ours, &loss)),
                format!("{:.4}", mean(&theirs, &loss)),
            ]
        })
        .collect();
    let heads =
        ["epoch", "accuracy, gradwise", "accuracy, PyTorch", "training loss, gradwise", "training loss, PyTorch"];
    format!("\nMeans after each epoch:\n\n{}", table(&heads, &rows))
}

/// Every run.
fn single(runs: &[&Run]) -> String {
    let cell = |run: &&Run| format!("{} {:.2}", run.seed, 100.0 * run.last().test_accuracy);
    let [ours, theirs] = sides(runs).map(|side| side.iter().map(cell).collect::<Vec<_>>().join(", "));
    if ours.is_empty() || theirs.is_empty() {
        return String::new();
    }
    format!("\nEach seed with its accuracy: gradwise {ours}; PyTorch {theirs}.\n")
}

fn circumstances(record: &Record) -> String {
    let mut all = Vec::new();
    let runs = record.runs.iter().map(|run| ("accuracies", &run.net, &run.circumstances));
    let pairs = record.pairs.iter().map(|pair| ("seconds", &pair.net, &pair.circumstances));
    for (what, net, at) in runs.chain(pairs) {
        let machine = format!("{}, {} threads, {} GB", at.processor, at.threads, at.memory_gb);
        let row = vec![format!("{what} of {net}"), machine, at.rustc.clone(), at.revision.clone(), at.date.clone()];
        if !all.contains(&row) {
            all.push(row);
        }
    }
    if all.is_empty() {
        return String::new();
    }
    format!("\n## Circumstances\n\n{}", table(&["what", "machine", "compiler", "commit", "date"], &all))
}

#[cfg(test)]
mod tests {
    use super::super::NETS;
    use super::super::record::Epoch;
    use super::*;

    fn run(peer: &str, seed: u64, accuracies: [f64; 2]) -> Run {
        let epochs = accuracies.map(|test_accuracy| Epoch { test_accuracy, train_loss: 0.5, ..Epoch::default() });
        Run { net: "mnist".into(), peer: peer.into(), seed, epochs: epochs.to_vec(), ..Run::default() }
    }

    #[test]
    fn means_have_their_deviation_and_their_difference() {
        let mut record = Record::default();
        for run in [
            run("torch2", 1, [0.1, 0.96]),
            run("gradwise", 0, [0.2, 0.98]),
            run("torch2", 0, [0.3, 0.98]),
            run("gradwise", 1, [0.2, 0.99]),
            run("gradwise", 1, [0.4, 1.0]),
        ] {
            record.put(run);
        }
        assert_eq!(
            record.runs.iter().map(|run| (run.seed, run.is_ours())).collect::<Vec<_>>(),
            [(0, true), (0, false), (1, true), (1, false)]
        );
        assert!(record.has("mnist", true, 1) && !record.has("mnist", true, 2) && !record.has("resnet20", true, 1));
        let page = page(&record, &NETS);
        assert!(page.contains("| gradwise | 2 | 2 | 99.00 ± 1.41 | 98.00 to 100.00 |"), "{page}");
        assert!(page.contains("| torch2 | 2 | 2 | 97.00 ± 1.41 |"), "{page}");
        // The variances of the means are 1 each.
        assert!(page.contains("ours less PyTorch's: +2.00 ± 1.41 points"), "{page}");
        assert!(page.contains("| 1 | 30.00 | 20.00 | 0.5000 | 0.5000 |"), "{page}");
        assert!(page.contains("gradwise 0 98.00, 1 100.00; PyTorch 0 98.00, 1 96.00."), "{page}");
        assert!(page.contains("## mnist") && !page.contains("## resnet20"), "{page}");
    }

    #[test]
    fn seconds_are_compared_within_a_pair() {
        let pair = |ours, theirs| Pair { net: "resnet20".into(), threads: 2, ours, theirs, ..Pair::default() };
        let record = Record { pairs: vec![pair(1.0, 2.0), pair(2.0, 6.0), pair(3.0, 3.0)], ..Record::default() };
        let page = page(&record, &NETS);
        assert!(page.contains("| 2 | 2.0 | 3.0 | 2.00 (1.00 to 3.00, 3 pairs) |"), "{page}");
    }

    #[test]
    fn one_seed_has_no_deviation() {
        let runs = [run("gradwise", 0, [0.5, 0.75])];
        let text = outcomes(&[&runs[0]]);
        assert!(
            text.contains("| gradwise | 1 | 2 | 75.00 | 75.00 to 75.00 |") && !text.contains("Difference"),
            "{text}"
        );
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        assert_eq!(Record::load(&path).unwrap(), Record::default());
        let mut record = Record::default();
        record.put(run("gradwise", 3, [0.5, 0.625]));
        record.save(&path).unwrap();
        assert_eq!(Record::load(&path).unwrap(), record);
    }
}
