//! A table of a model's layers, as a step left them.

use gradwise_core::{ArrayRefD, Grads, LayerReading, Params, ParamsExt, Real};
use std::fmt::Write;

/// What the table tells of each layer.
const COLUMNS: usize = 9;

/// One layer: a row of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerRow {
    /// Path of the layer; empty for the model's own operations.
    pub path: String,
    /// Its operations, such as `conv2d` or `batch_norm`.
    pub op: String,
    /// Shape of its output, the batch included.
    pub shape: Vec<usize>,
    /// How many of its numbers are trained.
    pub parameters: usize,
    /// Euclidean norm of its gradients together; `None` for a layer without parameters.
    pub grad_norm: Option<f64>,
    /// Norm of its update over norm of its weights, as they are after it; `None` if it was not measured. Healthy training is mostly
    /// within 10⁻⁴ and 10⁻².
    pub update_ratio: Option<f64>,
    /// Share of its outputs that are exactly zero: how sparse a ReLU makes them.
    pub zeros: f64,
    /// Share of its units that put out the same number for every sample.
    pub dead: f64,
    /// Share of its outputs near the ends of their range, where derivatives are next to nothing; `None` for one without such ends.
    pub saturated: Option<f64>,
}

/// The layers in the order in which they ran, from what a step in which readings were taken and updates measured reported.
///
/// Operations of the loss are left out.
pub fn layer_rows<T: Real, M: Params<T> + ?Sized>(
    model: &M,
    grads: &Grads<T>,
    update_norms: &[f64],
    layers: &[LayerReading],
) -> Vec<LayerRow> {
    let mut rows: Vec<LayerRow> = Vec::new();
    for LayerReading { path, op, shape, zeros, dead, saturated, .. } in layers.iter().filter(|r| r.path != "loss") {
        match rows.iter_mut().find(|row| row.path == *path) {
            Some(row) => {
                row.op = format!("{}, {op}", row.op);
                row.shape.clone_from(shape);
                (row.zeros, row.dead, row.saturated) = (*zeros, *dead, *saturated);
            }
            None => rows.push(LayerRow {
                path: path.clone(),
                op: (*op).to_owned(),
                shape: shape.clone(),
                parameters: 0,
                grad_norm: None,
                update_ratio: None,
                zeros: *zeros,
                dead: *dead,
                saturated: *saturated,
            }),
        }
    }
    let mut squares = vec![[0.0_f64; 3]; rows.len()];
    let mut index = 0;
    model.visit(|path, p| {
        let path = path.to_string();
        let layer = path.rfind('.').map_or("", |dot| &path[..dot]);
        if let Some(i) = rows.iter().position(|row| row.path == layer)
            && p.is_trainable()
        {
            rows[i].parameters += p.value.len();
            let sum = |values: &ArrayRefD<T>| values.iter().map(|x| x.as_f64() * x.as_f64()).sum::<f64>();
            squares[i][0] += grads.get(index).map_or(0.0, |g| sum(g));
            squares[i][1] += update_norms.get(index).map_or(0.0, |n| n * n);
            squares[i][2] += sum(&p.value);
        }
        index += 1;
    });
    for (row, [grad, update, weight]) in rows.iter_mut().zip(squares).filter(|(row, _)| row.parameters > 0) {
        row.grad_norm = Some(grad.sqrt());
        row.update_ratio = (!update_norms.is_empty()).then(|| (update / weight).sqrt());
    }
    rows
}

/// By how many powers of ten the gradient norm grows from one layer with parameters to the next one, from the input to the output: the
/// slope of a straight line through their logarithms. About 0 in a net that learns everywhere; a chain of sigmoids has half a power or
/// more, and its lowest layers learn next to nothing.
///
/// Layers without a gradient are left out; `None` with fewer than two others.
///
/// ```
/// use gradwise_train::{LayerRow, gradient_slope};
///
/// let row = |norm| LayerRow { grad_norm: Some(norm), ..LayerRow::default() };
/// let slope = gradient_slope(&[row(1e-3), row(1e-2), row(1e-1)]).unwrap();
/// assert!((slope - 1.0).abs() < 1e-12);
/// assert_eq!(gradient_slope(&[row(1.0), LayerRow::default()]), None);
/// ```
pub fn gradient_slope(rows: &[LayerRow]) -> Option<f64> {
    let logs: Vec<f64> =
        rows.iter().filter_map(|row| row.grad_norm).filter(|norm| *norm > 0.0).map(f64::log10).collect();
    if logs.len() < 2 {
        return None;
    }
    let middle = (logs.len() - 1) as f64 / 2.0;
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let (mut above, mut below) = (0.0, 0.0);
    for (depth, log) in logs.iter().enumerate() {
        let x = depth as f64 - middle;
        above += x * (log - mean);
        below += x * x;
    }
    Some(above / below)
}

/// The rows as a table in plain text.
pub fn layer_table(rows: &[LayerRow]) -> String {
    const HEADER: [&str; COLUMNS] =
        ["layer", "operations", "output", "parameters", "gradient", "update/weight", "zeros", "dead", "saturated"];
    let header = HEADER.map(String::from);
    let number = |x: Option<f64>| x.map_or_else(|| "-".to_owned(), |x| format!("{x:.1e}"));
    let share = |x: f64| format!("{:.0} %", 100.0 * x);
    let cells = rows.iter().map(|row| {
        let shape: Vec<String> = row.shape.iter().map(usize::to_string).collect();
        [
            row.path.clone(),
            row.op.clone(),
            shape.join("x"),
            if row.parameters == 0 { "-".to_owned() } else { row.parameters.to_string() },
            number(row.grad_norm),
            number(row.update_ratio),
            share(row.zeros),
            share(row.dead),
            row.saturated.map_or_else(|| "-".to_owned(), share),
        ]
    });
    let lines: Vec<[String; COLUMNS]> = std::iter::once(header).chain(cells).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Words to the left, numbers to the right.
            let _ = if column < 3 { write!(row, "{cell:<width$}  ") } else { write!(row, "{cell:>width$}  ") };
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}
