//! Curves over a training run.

use super::Figure;
use crate::chart::lines::{Curve, Lines};
use crate::number::{number, percent, tick};
use crate::{Comparison, Group, Result, Run};
use std::collections::BTreeSet;

/// What time is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Epochs,
    Steps,
}

impl Clock {
    /// Epochs, if all runs know how many steps one has; they may differ.
    pub(super) fn of<'a>(mut runs: impl Iterator<Item = &'a Run>) -> Self {
        let knows = |run: &Run| run.plan.is_some_and(|[_, steps]| steps > 0);
        if runs.all(knows) { Clock::Epochs } else { Clock::Steps }
    }

    pub(super) fn name(self) -> &'static str {
        if self == Clock::Epochs { "epoch" } else { "step" }
    }

    /// The time at which a number of steps are done.
    pub(super) fn at(self, run: &Run, steps: f64) -> f64 {
        match run.plan {
            Some([_, of_epoch]) if self == Clock::Epochs => steps / of_epoch as f64,
            _ => steps,
        }
    }

    /// A series of a run over time.
    fn series(self, run: &Run, name: &str) -> Vec<[f64; 2]> {
        // A step's number is what was done before it; an epoch's, what was done by its end.
        run.series(name).into_iter().map(|[step, value]| [self.at(run, step), value]).collect()
    }
}

/// What is drawn of a series.
struct Kind<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    y: &'a str,
    format: fn(f64) -> String,
    stretch: bool,
    /// Names of series, what each is called, and whether it is dashed.
    series: &'a [(&'a str, &'a str, bool)],
}

pub(super) fn all(comparison: &Comparison) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let loss = Kind {
        id: "loss",
        title: "Loss",
        description: "Loss of the training batches as they were trained on, and dashed, where it was measured, loss on held-out data after each \
                      epoch. Held-out loss that rises while training loss falls is overfitting.",
        y: "loss",
        format: tick,
        stretch: true,
        series: &[("loss", "training", false), ("validation/loss", "held out", true)],
    };
    figures.extend(figure(comparison, &loss)?);
    let names: BTreeSet<String> = ["train", "validation"]
        .into_iter()
        .flat_map(|part| comparison.runs().flat_map(|run| run.measures(part)))
        .collect();
    for name in names.iter().filter(|name| *name != "loss") {
        let share =
            comparison.runs().flat_map(|run| ["train", "validation"].map(|part| run.series(&format!("{part}/{name}"))));
        let share = share.flatten().all(|[_, value]| !value.is_finite() || (0.0..=1.0).contains(&value));
        let kind = Kind {
            id: &format!("metric-{}", file_name(name)),
            title: &capital(name),
            description: "Measured on the training batches of each epoch as they were trained on, and dashed, where it was measured, on \
                          held-out data after the epoch.",
            y: name,
            format: if share { |x| percent(x).replace(' ', "") } else { tick },
            stretch: !share,
            series: &[(&format!("train/{name}"), "training", false), (&format!("validation/{name}"), "held out", true)],
        };
        figures.extend(figure(comparison, &kind)?);
    }
    let grad_norm = Kind {
        id: "gradient-norm",
        title: "Gradient norm",
        description: "Euclidean norm of all gradients together, before clipping. Peaks announce divergence; a fall to almost nothing ends \
                      learning.",
        y: "norm",
        format: tick,
        stretch: true,
        series: &[("grad_norm", "", false)],
    };
    figures.extend(figure(comparison, &grad_norm)?);
    let rate = Kind {
        id: "learning-rate",
        title: "Learning rate",
        description: "The rate of each step, as the schedule gave it.",
        y: "rate",
        format: tick,
        stretch: false,
        series: &[("learning_rate", "", false)],
    };
    figures.extend(figure(comparison, &rate)?);
    let momentum = Kind {
        id: "momentum",
        title: "Momentum",
        description: "The momentum of each step, as the schedule gave it.",
        y: "momentum",
        series: &[("momentum", "", false)],
        ..rate
    };
    figures.extend(figure(comparison, &momentum)?);
    figures.extend(range_test(comparison)?);
    Ok(figures)
}

fn figure(comparison: &Comparison, kind: &Kind<'_>) -> Result<Option<Figure>> {
    let clock = Clock::of(comparison.runs());
    let mut curves = Vec::new();
    let mut lost = 0;
    for (i, group) in comparison.groups.iter().enumerate() {
        for (series, called, dashed) in kind.series {
            let runs: Vec<_> =
                group.runs.iter().map(|run| clock.series(run, series)).filter(|s| !s.is_empty()).collect();
            lost += runs.iter().flatten().filter(|point| !point[1].is_finite()).count();
            let curve = Curve::of(name(comparison, group, called), i, *dashed, &runs);
            if !curve.is_empty() {
                curves.push(curve);
            }
        }
    }
    if curves.is_empty() {
        return Ok(None);
    }
    let lines = Lines {
        x: clock.name().to_owned(),
        y: kind.y.to_owned(),
        format_y: kind.format,
        log_x: false,
        stretch_y: kind.stretch,
        curves,
    };
    let mut description = kind.description.to_owned();
    if lost > 0 {
        description += &format!(" Values that were not finite are gaps: {lost}.");
    }
    Figure::new(kind.id, kind.title, description, lines.table(), lines.draw()).map(Some)
}

/// What a curve is called: its group where there are several, and what it is of where there are several kinds.
fn name(comparison: &Comparison, group: &Group, called: &str) -> String {
    match (comparison.groups.len(), called) {
        (1, "") => group.label.clone(),
        (1, called) => called.to_owned(),
        (_, "") => group.label.clone(),
        (_, called) => format!("{}: {called}", group.label),
    }
}

/// The loss against the learning rate, of runs whose rate does nothing but rise, and far: those that look for the right one.
fn range_test(comparison: &Comparison) -> Result<Option<Figure>> {
    let mut curves = Vec::new();
    for (i, group) in comparison.groups.iter().enumerate() {
        let runs: Vec<Vec<[f64; 2]>> = group
            .runs
            .iter()
            .filter(|run| is_range_test(run))
            .map(|run| run.steps.iter().map(|step| [step.learning_rate.log10(), step.loss]).collect())
            .collect();
        let mut curve = Curve::of(name(comparison, group, ""), i, false, &runs);
        curve.points.iter_mut().for_each(|point| point[0] = 10_f64.powf(point[0]));
        if !curve.is_empty() {
            curves.push(curve);
        }
    }
    if curves.is_empty() {
        return Ok(None);
    }
    let lowest = |curve: &Curve| {
        let best = curve.points.iter().filter(|point| point[1].is_finite()).min_by(|a, b| a[1].total_cmp(&b[1]));
        best.map(|point| format!("{}: loss {} at rate {}", curve.name, number(point[1]), number(point[0])))
    };
    let lowest: Vec<String> = curves.iter().filter_map(lowest).collect();
    let description = format!(
        "Loss of each step against its learning rate, which rises from step to step. A good rate is where the loss still falls fast, some \
         way below that of the lowest loss ({}).",
        lowest.join("; ")
    );
    let lines = Lines {
        x: String::from("learning rate"),
        y: String::from("loss"),
        format_y: tick,
        log_x: true,
        stretch_y: true,
        curves,
    };
    Figure::new("range-test", "Range test", description, lines.table(), lines.draw()).map(Some)
}

/// Whether the rate of a run rises in every step, to at least the hundredfold.
fn is_range_test(run: &Run) -> bool {
    let rates: Vec<f64> = run.steps.iter().map(|step| step.learning_rate).collect();
    let far = |first: f64, last: f64| first > 0.0 && last >= 100.0 * first;
    rates.len() >= 10 && far(rates[0], rates[rates.len() - 1]) && rates.windows(2).all(|pair| pair[0] < pair[1])
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' }).collect()
}

fn capital(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut rest = name.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
