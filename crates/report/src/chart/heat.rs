//! Heat maps: rows over time, as colours.

use super::axis::{Axis, range};
use super::sheet::{Failed, SIZE, Scale, Sheet, WIDTH, draw_rect, row_names};
use crate::draw::{Drawing, Ink};
use crate::number::{number, tick};
use crate::table::Table;
use plotters::style::colors::colormaps::ViridisRGB;
use plotters::style::text_anchor::{HPos, VPos};

/// Columns before they are summed up.
const MOST_COLUMNS: usize = 64;

/// A figure of rows over time.
pub(crate) struct Heat {
    /// What is to the right.
    pub(crate) x: String,
    /// What the colours are.
    pub(crate) value: String,
    /// The rows' names, from the top.
    pub(crate) rows: Vec<String>,
    /// Where each column begins, and where the last one ends.
    pub(crate) edges: Vec<f64>,
    /// A row a name, of one number a column; NaN where there is none.
    pub(crate) values: Vec<Vec<f64>>,
}

/// The colour of a share of the way from the smallest to the largest: viridis, which brightens evenly for all eyes.
pub(crate) fn viridis(share: f64) -> [u8; 3] {
    let color = ViridisRGB::get_color(share.clamp(0.0, 1.0));
    [color.0, color.1, color.2]
}

impl Heat {
    /// A heat map of numbers by row and time; there is at least one time, and they rise.
    pub(crate) fn new(x: &str, value: &str, rows: Vec<String>, times: &[f64], values: Vec<Vec<f64>>) -> Self {
        let every = times.len().div_ceil(MOST_COLUMNS).max(1);
        let width = if times.len() > 1 { (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64 } else { 1.0 };
        let mut edges: Vec<f64> = times.iter().copied().step_by(every).collect();
        edges.push(times.last().copied().unwrap_or(0.0) + if width > 0.0 { width } else { 1.0 });
        let mean = |piece: &[f64]| {
            let finite: Vec<f64> = piece.iter().copied().filter(|x| x.is_finite()).collect();
            finite.iter().sum::<f64>() / finite.len() as f64
        };
        let values = values.iter().map(|row| row.chunks(every).map(mean).collect()).collect();
        Heat { x: x.to_owned(), value: value.to_owned(), rows, edges, values }
    }

    /// Whether there is anything to be seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().flatten().all(|x| !x.is_finite())
    }

    fn scale(&self) -> Axis {
        let above: Vec<f64> = self.values.iter().flatten().copied().filter(|x| x.is_finite()).collect();
        match range(above.iter().copied()) {
            Some([min, max]) if min < max => {
                let least = above.iter().copied().filter(|x| *x > 0.0).fold(f64::INFINITY, f64::min);
                // A gradient that vanished altogether is darkest, and does not keep the others from being told apart.
                if min >= 0.0 && max / least > 30.0 { Axis::log(least, max) } else { Axis::between(min, max) }
            }
            Some([x, _]) => Axis::around([x]),
            None => Axis::between(0.0, 1.0),
        }
    }

    pub(crate) fn draw(&self) -> Result<Drawing, Failed> {
        let n = self.rows.len().max(1);
        let height = (440.0 / n as f32).clamp(8.0, 26.0);
        let (left, names) = row_names(&self.rows);
        let (top, bottom, right) = (14.0, 44.0, 92.0);
        let below = top + height * n as f32;
        let sheet = Sheet::new(below + bottom);
        let colors = self.scale();
        let x = Axis::between(self.edges[0], self.edges[self.edges.len() - 1]);
        let x = Scale { axis: x, name: &self.x, format: tick, ticks: true };
        let y = Scale { axis: Axis::between(n as f64, 0.0), name: "", format: tick, ticks: false };
        let mut plot = sheet.plot([left, top, right, bottom], &x, &y)?;
        for (i, (row, name)) in self.values.iter().zip(&self.rows).enumerate() {
            for (k, value) in row.iter().enumerate() {
                let ink = if value.is_finite() { Ink::Fixed(viridis(colors.place(*value))) } else { Ink::Grid };
                let (from, to) = (self.edges[k], self.edges[k + 1]);
                sheet.canvas.begin(format!("{name}, {} {}: {}", self.x, tick(from), number(*value)));
                draw_rect(&mut plot, (from, i as f64), (to, (i + 1) as f64), ink, 1.0)?;
                sheet.canvas.end();
            }
        }
        drop(plot);
        // Names of rows that are less high than letters would run into each other.
        let every = (SIZE / height).ceil() as usize;
        for (i, name) in names.iter().enumerate().step_by(every) {
            let middle = top + height * (i as f32 + 0.5);
            sheet.text(name, [left - 10.0, middle], SIZE - 1.0, Ink::Muted, HPos::Right, VPos::Center)?;
        }
        self.legend(&sheet, &colors, [WIDTH - right + 18.0, top, below])?;
        Ok(sheet.finish())
    }

    /// The colours, and what they stand for.
    fn legend(&self, sheet: &Sheet, colors: &Axis, [x, top, below]: [f32; 3]) -> Result<(), Failed> {
        const PIECES: usize = 32;
        let height = (below - top).min(200.0);
        for i in 0..PIECES {
            let at = |i: usize| top + height * (1.0 - i as f32 / PIECES as f32);
            let share = (i as f64 + 0.5) / PIECES as f64;
            sheet.rect([x, at(i + 1)], [x + 12.0, at(i)], Ink::Fixed(viridis(share)), 1.0)?;
        }
        let n = ((height / 24.0) as usize).clamp(2, 6);
        for value in colors.ticks(n) {
            let y = top + height * (1.0 - colors.place(value) as f32);
            sheet.line([x + 12.0, y], [x + 16.0, y], Ink::Muted, 1.0)?;
            sheet.text(&tick(value), [x + 19.0, y], SIZE - 2.0, Ink::Muted, HPos::Left, VPos::Center)?;
        }
        Ok(())
    }

    /// The numbers: of each row at the beginning, in the middle and at the end.
    pub(crate) fn table(&self) -> Table {
        let n = self.edges.len() - 1;
        let mut columns = vec![0, n / 2, n - 1];
        columns.dedup();
        let head = columns.iter().map(|k| format!("{} at {} {}", self.value, self.x, tick(self.edges[*k])));
        let mut table = Table::new(std::iter::once(String::from("row")).chain(head));
        for (row, name) in self.values.iter().zip(&self.rows) {
            let cells = columns.iter().map(|k| number(row.get(*k).copied().unwrap_or(f64::NAN)));
            table.push(std::iter::once(name.clone()).chain(cells));
        }
        table
    }
}
