//! A confusion matrix.

use super::heat::viridis;
use super::sheet::{Failed, SIZE, Sheet, WIDTH, fitted, row_names, width};
use crate::ConfusionMatrix;
use crate::draw::{Drawing, Ink, brightness};
use crate::number::{number, percent};
use crate::table::Table;
use plotters::style::text_anchor::{HPos, VPos};

/// Classes up to which numbers stand in the cells.
const READABLE: usize = 20;

/// Draws a matrix: rows are true classes, columns predicted ones, and the colour of a cell is its share of the row.
pub(crate) fn draw(confusion: &ConfusionMatrix) -> Result<Drawing, Failed> {
    let n = confusion.classes.len();
    let (left, names) = row_names(&confusion.classes);
    let left = left + 24.0;
    let cell = ((WIDTH - left - 20.0) / n as f32).clamp(2.0, 40.0);
    let columns: Vec<String> = confusion.classes.iter().map(|name| fitted(name, SIZE - 2.0, cell - 4.0)).collect();
    let (top, end) = (36.0, cell * n as f32);
    let sheet = Sheet::new(top + end + 14.0);
    sheet.text("taken for", [left + end / 2.0, 4.0], SIZE, Ink::Text, HPos::Center, VPos::Top)?;
    sheet.text("true", [8.0, top + 2.0], SIZE, Ink::Text, HPos::Left, VPos::Top)?;
    let every = (SIZE / cell).ceil() as usize;
    for (i, name) in names.iter().enumerate().step_by(every) {
        let middle = top + cell * (i as f32 + 0.5);
        sheet.text(name, [left - 8.0, middle], SIZE - 1.0, Ink::Muted, HPos::Right, VPos::Center)?;
    }
    for (k, name) in columns.iter().enumerate().step_by(every) {
        let middle = left + cell * (k as f32 + 0.5);
        let name = if n <= READABLE { name.clone() } else { k.to_string() };
        sheet.text(&name, [middle, top - 5.0], SIZE - 2.0, Ink::Muted, HPos::Center, VPos::Bottom)?;
    }
    for (i, row) in confusion.matrix.iter().enumerate() {
        let all: f64 = row.iter().sum();
        for (k, count) in row.iter().enumerate() {
            let share = if all > 0.0 { count / all } else { 0.0 };
            let (x, y) = (left + cell * k as f32, top + cell * i as f32);
            let gap = if cell > 8.0 { 1.0 } else { 0.0 };
            // The square root shows single mistakes beside hundreds of right answers.
            let color = viridis(share.sqrt());
            let (is, taken) = (&confusion.classes[i], &confusion.classes[k]);
            sheet.canvas.begin(format!("{is} taken for {taken}: {} ({})", number(*count), percent(share)));
            sheet.rect([x, y], [x + cell - gap, y + cell - gap], Ink::Fixed(color), 1.0)?;
            let words = number(*count);
            if n <= READABLE && *count > 0.0 && width(&words, SIZE - 1.0) < cell {
                let ink = Ink::Fixed(if brightness(color) > 0.3 { [0; 3] } else { [255; 3] });
                let middle = [x + cell / 2.0, y + cell / 2.0];
                sheet.text(&words, middle, SIZE - 1.0, ink, HPos::Center, VPos::Center)?;
            }
            sheet.canvas.end();
        }
    }
    Ok(sheet.finish())
}

/// The numbers: of each class, how many there are, how many were recognized, and what they were mistaken for most often.
pub(crate) fn table(confusion: &ConfusionMatrix) -> Table {
    let ConfusionMatrix { classes, matrix } = confusion;
    let mut table = Table::new(["class", "samples", "recall", "precision", "most often mistaken for"]);
    for (i, row) in matrix.iter().enumerate() {
        let (all, right) = (row.iter().sum::<f64>(), row[i]);
        let taken: f64 = matrix.iter().map(|row| row[i]).sum();
        let mistaken = row.iter().enumerate().filter(|(k, count)| *k != i && **count > 0.0);
        let most = mistaken.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        let most = most.map_or_else(|| String::from("–"), |(k, count)| format!("{} ({})", classes[k], number(*count)));
        table.push([classes[i].clone(), number(all), percent(right / all), percent(right / taken), most]);
    }
    table
}
