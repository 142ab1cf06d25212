//! How the values of several rows are spread: their range, their middle, and their histogram where it is known.

use super::axis::Axis;
use super::sheet::{Failed, SIZE, Scale, Sheet, draw_area, draw_line, draw_rect, row_names};
use crate::draw::{Drawing, Ink};
use crate::number::{number, tick};
use crate::table::Table;
use plotters::style::text_anchor::{HPos, VPos};

/// A figure of values, by row.
pub(crate) struct Spread {
    /// What the values are.
    pub(crate) x: String,
    pub(crate) rows: Vec<Row>,
}

/// A row of it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) min: f64,
    pub(crate) mean: f64,
    pub(crate) std: f64,
    pub(crate) max: f64,
    /// Counts in bins of equal width from `min` to `max`; empty where they are not known.
    pub(crate) histogram: Vec<f64>,
}

impl Spread {
    pub(crate) fn draw(&self) -> Result<Drawing, Failed> {
        let names: Vec<String> = self.rows.iter().map(|row| row.name.clone()).collect();
        let (left, names) = row_names(&names);
        let n = self.rows.len().max(1);
        let counted = self.rows.iter().any(|row| !row.histogram.is_empty());
        let height = if counted { 30.0 } else { 22.0 };
        let (top, bottom) = (14.0, 44.0);
        let sheet = Sheet::new(top + height * n as f32 + bottom);
        let axis = Axis::around(self.rows.iter().flat_map(|row| [row.min, row.max, 0.0]));
        let x = Scale { axis, name: &self.x, format: tick, ticks: true };
        let y = Scale { axis: Axis::between(n as f64, 0.0), name: "", format: tick, ticks: false };
        let mut plot = sheet.plot([left, top, 20.0, bottom], &x, &y)?;
        for (i, row) in self.rows.iter().enumerate().filter(|(_, row)| row.mean.is_finite()) {
            let Row { name, min, mean, std, max, histogram } = row;
            let (middle, ink) = (i as f64 + 0.5, Ink::series(0));
            let words = [*min, *mean, *std, *max].map(number);
            sheet
                .canvas
                .begin(format!("{name}: {} to {}, mean {}, deviation {}", words[0], words[3], words[1], words[2]));
            let most = histogram.iter().copied().fold(0.0, f64::max);
            if most > 0.0 {
                // The hill of a row stands on its lower edge.
                let (ground, width) = (i as f64 + 0.95, (max - min) / histogram.len() as f64);
                let mut points = vec![(*min, ground)];
                for (k, count) in histogram.iter().enumerate() {
                    let height = ground - 0.85 * count / most;
                    points.extend([(min + width * k as f64, height), (min + width * (k + 1) as f64, height)]);
                }
                points.push((*max, ground));
                draw_area(&mut plot, points, ink, 0.45)?;
            } else {
                draw_line(&mut plot, vec![(*min, middle), (*max, middle)], ink, 1.2)?;
                draw_rect(
                    &mut plot,
                    ((mean - std).max(*min), middle - 0.28),
                    ((mean + std).min(*max), middle + 0.28),
                    ink,
                    0.45,
                )?;
            }
            draw_line(&mut plot, vec![(*mean, middle - 0.36), (*mean, middle + 0.36)], Ink::Text, 1.6)?;
            sheet.canvas.end();
        }
        drop(plot);
        for (i, name) in names.iter().enumerate() {
            let middle = top + height * (i as f32 + 0.5);
            sheet.text(name, [left - 10.0, middle], SIZE - 1.0, Ink::Muted, HPos::Right, VPos::Center)?;
        }
        Ok(sheet.finish())
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["row", "smallest", "mean", "deviation", "largest"]);
        for row in &self.rows {
            let numbers = [row.min, row.mean, row.std, row.max].map(number);
            table.push(std::iter::once(row.name.clone()).chain(numbers));
        }
        table
    }
}
