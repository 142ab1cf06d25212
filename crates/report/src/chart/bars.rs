//! Bars: shares of a whole, by row.

use super::axis::Axis;
use super::sheet::{Failed, Key, SIZE, Scale, Sheet, draw_rect, legend_height, row_names};
use crate::draw::{Drawing, Ink};
use crate::number::{percent, tick};
use crate::table::Table;
use plotters::style::text_anchor::{HPos, VPos};

/// A figure of shares, several a row.
pub(crate) struct Bars {
    /// What the shares are of.
    pub(crate) x: String,
    /// The rows' names, from the top.
    pub(crate) rows: Vec<String>,
    /// What is shared out: a name, and a number from 0 to 1 a row, NaN where there is none.
    pub(crate) kinds: Vec<(String, Vec<f64>)>,
}

/// The height of a bar.
const BAR: f32 = 9.0;

impl Bars {
    pub(crate) fn draw(&self) -> Result<Drawing, Failed> {
        let key = |(i, (name, _)): (usize, &(String, Vec<f64>))| Key {
            name: name.clone(),
            ink: Ink::series(i),
            dashed: false,
            solid: true,
        };
        let keys: Vec<Key> = self.kinds.iter().enumerate().map(key).collect();
        let top = legend_height(&keys) + 4.0;
        let (left, names) = row_names(&self.rows);
        let height = BAR * self.kinds.len().max(1) as f32 + 8.0;
        let n = self.rows.len().max(1);
        let bottom = 44.0;
        let sheet = Sheet::new(top + height * n as f32 + bottom);
        sheet.legend(&keys)?;
        let x = Scale {
            axis: Axis::between(0.0, 1.0),
            name: &self.x,
            format: |x| percent(x).replace(' ', ""),
            ticks: true,
        };
        let y = Scale { axis: Axis::between(n as f64, 0.0), name: "", format: tick, ticks: false };
        let mut plot = sheet.plot([left, top, 20.0, bottom], &x, &y)?;
        let (bar, gap) = (f64::from(BAR / height), f64::from(4.0 / height));
        for (i, name) in self.rows.iter().enumerate() {
            for (k, (kind, values)) in self.kinds.iter().enumerate() {
                let value = values.get(i).copied().unwrap_or(f64::NAN);
                if !value.is_finite() {
                    continue;
                }
                let from = i as f64 + gap + bar * k as f64;
                sheet.canvas.begin(format!("{name}, {kind}: {}", percent(value)));
                draw_rect(&mut plot, (0.0, from), (value, from + 0.9 * bar), Ink::series(k), 1.0)?;
                sheet.canvas.end();
            }
        }
        drop(plot);
        for (i, name) in names.iter().enumerate() {
            let middle = top + height * (i as f32 + 0.5);
            sheet.text(name, [left - 10.0, middle], SIZE - 1.0, Ink::Muted, HPos::Right, VPos::Center)?;
        }
        Ok(sheet.finish())
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(std::iter::once("row").chain(self.kinds.iter().map(|(name, _)| name.as_str())));
        for (i, name) in self.rows.iter().enumerate() {
            let cells = self.kinds.iter().map(|(_, values)| percent(values.get(i).copied().unwrap_or(f64::NAN)));
            table.push(std::iter::once(name.clone()).chain(cells));
        }
        table
    }
}
