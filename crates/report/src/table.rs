//! Tables of words and numbers.

use crate::html::escape;
use std::fmt::{self, Write};

/// A table: a row of headings, and rows of as many cells. The first cell of a row is its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The headings of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Table { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }

    /// As an element of HTML, whose caption is told to those who cannot see where it stands.
    pub(crate) fn html(&self, caption: &str) -> String {
        let mut text = format!("<div class=\"scroll\" tabindex=\"0\"><table><caption>{}</caption>", escape(caption));
        text += "<thead><tr>";
        for cell in &self.head {
            let _ = write!(text, "<th scope=\"col\">{}</th>", escape(cell));
        }
        text += "</tr></thead><tbody>";
        for row in &self.rows {
            text += "<tr>";
            for (i, cell) in row.iter().enumerate() {
                let _ = match i {
                    0 => write!(text, "<th scope=\"row\">{}</th>", escape(cell)),
                    _ => write!(text, "<td>{}</td>", escape(cell)),
                };
            }
            text += "</tr>";
        }
        text + "</tbody></table></div>\n"
    }
}

/// In columns of plain text: the first to the left, the others to the right, and no spaces at the end of a line.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let n_columns = lines().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..n_columns).map(width).collect();
        for (i, line) in lines().enumerate() {
            let mut text = String::new();
            for (column, cell) in line.iter().enumerate() {
                // A line of its own for each row, whatever is in the cell.
                let cell = cell.replace(char::is_control, " ");
                let width = widths[column];
                let _ = match column {
                    0 => write!(text, "{cell:<width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            if i > 0 {
                f.write_char('\n')?;
            }
            f.write_str(text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut table = Table::new(["", "a", "long name"]);
        table.push(["test accuracy", "0.98", "1"]);
        table.push(["x", "", "–"]);
        assert_eq!(
            table.to_string(),
            "                  a  long name\n\
             test accuracy  0.98          1\n\
             x                            –"
        );
        assert_eq!(Table::default().to_string(), "");
    }

    #[test]
    fn cells_are_escaped() {
        let mut table = Table::new(["<a>"]);
        table.push(["&"]);
        let html = table.html("\"x\"");
        assert!(html.contains("<th scope=\"col\">&lt;a&gt;</th>") && html.contains("<th scope=\"row\">&amp;</th>"));
        assert!(html.contains("<caption>&quot;x&quot;</caption>"));
    }
}
