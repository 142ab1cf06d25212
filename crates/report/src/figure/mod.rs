//! Figures of runs.

mod activations;
mod curves;
mod parameters;

use crate::chart::matrix;
use crate::chart::sheet::Failed;
use crate::draw::{Drawing, Frame, svg};
use crate::{Comparison, Group, ReportError, Result, Run, Table};

/// A picture of runs, with its words and numbers.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its name, fit for files: `loss`, `gradients-2`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// How it is read, and what is to be seen on it.
    pub description: String,
    /// Its numbers, summed up.
    pub table: Table,
    drawing: Drawing,
}

/// How many groups of a comparison get pictures that show one run at a time.
const MOST_ALONE: usize = 4;

impl Figure {
    pub(crate) fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        description: impl Into<String>,
        table: Table,
        drawing: Result<Drawing, Failed>,
    ) -> Result<Self> {
        let id = id.into();
        match drawing {
            Ok(drawing) => Ok(Figure { id, title: title.into(), description: description.into(), table, drawing }),
            Err(failed) => Err(ReportError::Drawing { figure: id, message: failed.to_string() }),
        }
    }

    /// The figure as an SVG file that stands for itself: light, or dark where the reader's system is.
    ///
    /// Programs that know no style sheets show it light.
    pub fn svg(&self) -> String {
        svg(&self.drawing, &self.frame(true))
    }

    /// The figure as a part of a page, whose style sheet has the colours.
    pub(crate) fn inline(&self) -> String {
        svg(&self.drawing, &self.frame(false))
    }

    fn frame(&self, alone: bool) -> Frame<'_> {
        Frame { id: &self.id, title: &self.title, description: &self.description, alone }
    }

    /// The figure as a PNG file, with two dots a pixel (feature `png`).
    ///
    /// # Errors
    /// If the picture cannot be made, as for want of memory.
    #[cfg(feature = "png")]
    pub fn png(&self, theme: crate::Theme) -> Result<Vec<u8>> {
        let failed = |message| ReportError::Drawing { figure: self.id.clone(), message };
        crate::draw::png(&self.drawing, theme).map_err(failed)
    }
}

/// All figures for which the runs have numbers, the most telling first.
///
/// Curves show all groups, each as the mean of its runs with a band from the smallest to the largest. Of a single run the band is what the
/// values do within each piece of the curve. Pictures by layer, and confusion matrices, are of the first run of each of the first
/// few groups.
///
/// # Errors
/// If a figure cannot be drawn.
pub fn figures(comparison: &Comparison) -> Result<Vec<Figure>> {
    let mut figures = curves::all(comparison)?;
    let groups = &comparison.groups[..comparison.groups.len().min(MOST_ALONE)];
    type Alone = fn(&Run, &Names<'_>) -> Result<Option<Figure>>;
    let kinds: [Alone; 6] = [
        confusion,
        parameters::gradients,
        parameters::updates,
        activations::shares,
        activations::spread,
        activations::signal,
    ];
    for kind in kinds {
        for (i, group) in groups.iter().enumerate() {
            let Some(run) = group.runs.first() else { continue };
            figures.extend(kind(run, &Names { index: i, group, alone: comparison.groups.len() == 1 })?);
        }
    }
    Ok(figures)
}

/// How figures of one run out of several are named.
struct Names<'a> {
    index: usize,
    group: &'a Group,
    alone: bool,
}

impl Names<'_> {
    fn id(&self, name: &str) -> String {
        if self.alone { name.to_owned() } else { format!("{name}-{}", self.index + 1) }
    }

    fn title(&self, title: &str) -> String {
        let first =
            if self.group.runs.len() > 1 { format!("first of {} seeds", self.group.runs.len()) } else { String::new() };
        let words: Vec<&str> = [if self.alone { "" } else { self.group.label.as_str() }, &first]
            .into_iter()
            .filter(|w| !w.is_empty())
            .collect();
        if words.is_empty() { title.to_owned() } else { format!("{title} ({})", words.join("; ")) }
    }
}

fn confusion(run: &Run, names: &Names<'_>) -> Result<Option<Figure>> {
    let Some(confusion) = &run.confusion else { return Ok(None) };
    let description = "Each row is a true class, each column what its samples were taken for. The brighter a cell, the larger its share of \
                       the row; right answers are on the diagonal.";
    let (table, drawing) = (matrix::table(confusion), matrix::draw(confusion));
    Figure::new(names.id("confusion"), names.title("Confusion matrix"), description, table, drawing).map(Some)
}
