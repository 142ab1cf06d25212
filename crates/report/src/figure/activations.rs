//! What the layers put out.

use super::curves::Clock;
use super::{Figure, Names};
use crate::chart::bars::Bars;
use crate::chart::heat::Heat;
use crate::chart::spread::{Row, Spread};
use crate::number::tick;
use crate::{LayerStats, Result, Run};

/// Every operation of a reading with a name of its own; the loss's, which are one number, are left out.
fn layers(values: &[LayerStats]) -> Vec<(String, &LayerStats)> {
    let shown: Vec<&LayerStats> = values.iter().filter(|layer| !layer.shape.is_empty()).collect();
    let twice = |layer: &LayerStats| shown.iter().filter(|other| other.path == layer.path).count() > 1;
    let name = |layer: &LayerStats| match (layer.path.as_str(), twice(layer)) {
        ("", _) => layer.op.clone(),
        (path, true) => format!("{path}: {}", layer.op),
        (path, false) => path.to_owned(),
    };
    shown.iter().map(|layer| (name(layer), *layer)).collect()
}

pub(super) fn shares(run: &Run, names: &Names<'_>) -> Result<Option<Figure>> {
    let Some(last) = run.readings.last() else { return Ok(None) };
    let layers = layers(&last.values);
    let column = |of: &dyn Fn(&LayerStats) -> f64| layers.iter().map(|(_, layer)| of(layer)).collect::<Vec<f64>>();
    let mut kinds = vec![(String::from("zeros"), column(&|layer| layer.zeros))];
    for (name, of) in [("dead units", (|l| l.dead) as fn(&LayerStats) -> Option<f64>), ("saturated", |l| l.saturated)] {
        let values = column(&|layer| of(layer).unwrap_or(f64::NAN));
        if values.iter().any(|x| x.is_finite()) {
            kinds.push((name.to_owned(), values));
        }
    }
    let not_finite = column(&|layer| layer.not_finite);
    if not_finite.iter().any(|x| *x > 0.0) {
        kinds.push((String::from("not finite"), not_finite));
    }
    let bars = Bars { x: String::from("share"), rows: layers.into_iter().map(|(name, _)| name).collect(), kinds };
    if bars.rows.is_empty() {
        return Ok(None);
    }
    let description = format!(
        "Shares of each layer's outputs in step {}, the last that was looked at. Half of a ReLU's outputs are zero in a healthy net; almost \
         all of them, or units that are the same for every sample, no longer learn.",
        last.step
    );
    let title = names.title("Zeros, dead and saturated outputs");
    Figure::new(names.id("activations"), title, description, bars.table(), bars.draw()).map(Some)
}

pub(super) fn spread(run: &Run, names: &Names<'_>) -> Result<Option<Figure>> {
    let Some(last) = run.readings.last() else { return Ok(None) };
    let row = |(name, layer): (String, &LayerStats)| Row {
        name,
        min: layer.min,
        mean: layer.mean,
        std: layer.std,
        max: layer.max,
        histogram: layer.histogram.clone(),
    };
    let rows: Vec<Row> = layers(&last.values).into_iter().map(row).collect();
    if rows.is_empty() || rows.iter().all(|row| !row.mean.is_finite()) {
        return Ok(None);
    }
    let counted = rows.iter().any(|row| !row.histogram.is_empty());
    let how = if counted {
        "hills are histograms"
    } else {
        "lines reach from the smallest to the largest, boxes one standard deviation to each side of the mean"
    };
    let description = format!(
        "Values that each layer put out in step {}, the last that was looked at: {how}, the mark is the mean.",
        last.step
    );
    let spread = Spread { x: String::from("value"), rows };
    Figure::new(names.id("values"), names.title("Values by layer"), description, spread.table(), spread.draw())
        .map(Some)
}

pub(super) fn signal(run: &Run, names: &Names<'_>) -> Result<Option<Figure>> {
    let Some(first) = run.readings.first() else { return Ok(None) };
    let clock = Clock::of(std::iter::once(run));
    let rows: Vec<String> = layers(&first.values).into_iter().map(|(name, _)| name).collect();
    let mut values = vec![vec![f64::NAN; run.readings.len()]; rows.len()];
    for (k, at) in run.readings.iter().enumerate() {
        // The same operations in the same order, as a rule; of a net that changes from step to step, those that can be found again.
        for (name, layer) in layers(&at.values) {
            if let Some(i) = rows.iter().position(|row| *row == name) {
                values[i][k] = layer.std;
            }
        }
    }
    let times: Vec<f64> = run.readings.iter().map(|at| clock.at(run, at.step as f64)).collect();
    let heat = Heat::new(clock.name(), "deviation", rows, &times, values);
    if heat.is_empty() {
        return Ok(None);
    }
    let description = format!(
        "Standard deviation of each layer's outputs, over time; the first layers are at the top. A signal that shrinks from layer to layer dies \
         out, one that grows explodes. Looked at in {} steps, from {} on.",
        run.readings.len(),
        tick(first.step as f64)
    );
    Figure::new(names.id("signal"), names.title("Signal by depth"), description, heat.table(), heat.draw()).map(Some)
}
