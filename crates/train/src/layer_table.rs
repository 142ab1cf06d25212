//! A table of a model's layers, as a step left them.

use gradwise_core::{ArrayRefD, Grads, LayerReading, Params, ParamsExt, Real};
use std::fmt::Write;

/// One layer: a row of the table.
#[derive(Clone, Debug, PartialEq)]
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
    for LayerReading { path, op, shape, .. } in layers.iter().filter(|r| r.path != "loss") {
        match rows.iter_mut().find(|row| row.path == *path) {
            Some(row) => {
                row.op = format!("{}, {op}", row.op);
                row.shape.clone_from(shape);
            }
            None => rows.push(LayerRow {
                path: path.clone(),
                op: (*op).to_owned(),
                shape: shape.clone(),
                parameters: 0,
                grad_norm: None,
                update_ratio: None,
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

/// The rows as a table in plain text.
pub fn layer_table(rows: &[LayerRow]) -> String {
    let header = ["layer", "operations", "output", "parameters", "gradient", "update/weight"].map(String::from);
    let number = |x: Option<f64>| x.map_or_else(|| "-".to_owned(), |x| format!("{x:.1e}"));
    let cells = rows.iter().map(|row| {
        let shape: Vec<String> = row.shape.iter().map(usize::to_string).collect();
        [
            row.path.clone(),
            row.op.clone(),
            shape.join("x"),
            if row.parameters == 0 { "-".to_owned() } else { row.parameters.to_string() },
            number(row.grad_norm),
            number(row.update_ratio),
        ]
    });
    let lines: Vec<[String; 6]> = std::iter::once(header).chain(cells).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
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
