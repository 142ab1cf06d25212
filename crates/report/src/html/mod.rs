//! A report as one HTML file.

use crate::comparison::settings;
use crate::draw::style_sheet;
use crate::{Comparison, Figure, Result, Run, Table, figures};
use std::fmt::Write;

/// The layout of the page.
const STYLE: &str = include_str!("style.css");

/// Writes a report on runs: a single HTML file that needs nothing else, neither files nor a network nor scripts.
///
/// It has the results as a table, all [`figures`] with their numbers, and each configuration. It is light or dark as the reader's system
/// is, or as a switch on the page says.
///
/// # Errors
/// If a figure cannot be drawn.
pub fn html(comparison: &Comparison) -> Result<String> {
    let figures = figures(comparison)?;
    let title = match comparison.runs().map(|run| run.name.as_str()).collect::<Vec<_>>().as_slice() {
        [name] => format!("Run {name}"),
        names => format!("{} runs: {}", names.len(), names.join(", ")),
    };
    let title = escape(&title);
    let colors = style_sheet(":root");
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"gradwise {}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{colors}\n{}\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the figures</a>\n<header>\n<h1>{title}</h1>\n{THEME}</header>\n",
        env!("CARGO_PKG_VERSION"),
        switch(&colors),
    );
    text += &contents(&figures);
    text += "<main id=\"main\" tabindex=\"-1\">\n<section id=\"results\">\n<h2>Results</h2>\n";
    for run in comparison.runs().filter(|run| comparison.is_single() || is_amiss(run)) {
        text += &state(run);
    }
    if let Some(table) = comparison.group_table() {
        text += &table.html("Mean of the runs of each group, and from where to where they reach");
    }
    let caption = if comparison.is_single() {
        "The last numbers"
    } else {
        "Each run: the settings that differ, and the last numbers"
    };
    text += &comparison.table().html(caption);
    text += "</section>\n";
    for figure in &figures {
        text += &section(figure);
    }
    if figures.is_empty() {
        text += "<p>No step is recorded, so there is nothing to draw.</p>\n";
    }
    text += "<section id=\"configuration\">\n<h2>Configuration</h2>\n";
    for run in comparison.runs() {
        text += &configuration(run);
    }
    text += "</section>\n</main>\n<footer>Written by gradwise ";
    Ok(text
        + env!("CARGO_PKG_VERSION")
        + ". Hold the pointer over a cell or a bar to read its number.</footer>\n</body>\n</html>\n")
}

/// The switch between themes; style sheets see which of its buttons is on.
const THEME: &str = "<fieldset class=\"theme\"><legend>Colours</legend>\
    <label><input type=\"radio\" name=\"theme\" id=\"theme-system\" checked> as the system</label>\
    <label><input type=\"radio\" name=\"theme\" id=\"theme-light\"> light</label>\
    <label><input type=\"radio\" name=\"theme\" id=\"theme-dark\"> dark</label></fieldset>\n";

/// The rules by which the switch goes before the system: the sheet's variables, light and dark, once more.
fn switch(colors: &str) -> String {
    let mut blocks =
        colors.split(":root{").skip(1).filter_map(|rest| rest.split_once('}')).map(|(variables, _)| variables);
    let (light, dark) = (blocks.next().unwrap_or_default(), blocks.next().unwrap_or_default());
    format!(
        ":root:has(#theme-light:checked){{color-scheme:light;{light}}}:root:has(#theme-dark:checked){{color-scheme:dark;{dark}}}"
    )
}

fn contents(figures: &[Figure]) -> String {
    let mut text = String::from("<nav aria-label=\"Contents\"><ul><li><a href=\"#results\">Results</a></li>");
    for figure in figures {
        let _ = write!(text, "<li><a href=\"#figure-{}\">{}</a></li>", escape(&figure.id), escape(&figure.title));
    }
    text + "<li><a href=\"#configuration\">Configuration</a></li></ul></nav>\n"
}

/// Whether a run did not come to its planned end, or something else is wrong with it.
fn is_amiss(run: &Run) -> bool {
    run.cut_off || !run.unreached.is_empty() || run.end.as_ref().is_none_or(|end| end.stop.is_some())
}

/// How a run ended, and what is amiss with it.
fn state(run: &Run) -> String {
    let class = if is_amiss(run) { "state warning" } else { "state" };
    let mut text = format!("<p class=\"{class}\"><strong>{}</strong> {}.", escape(&run.name), escape(&run.state()));
    if run.cut_off {
        text += " The last line of its record is cut off.";
    }
    if !run.unreached.is_empty() {
        let _ = write!(text, " Its loss does not depend on {}.", escape(&run.unreached.join(", ")));
    }
    text + "</p>\n"
}

fn section(figure: &Figure) -> String {
    let Figure { id, title, description, table, .. } = figure;
    let (id, heading, words) = (escape(id), escape(title), escape(description));
    format!(
        "<figure id=\"figure-{id}\">\n<figcaption><h2>{heading}</h2>\n<p>{words}</p></figcaption>\n{}<details><summary>Numbers</summary>\n{}\
         </details>\n</figure>\n",
        figure.inline(),
        table.html(title)
    )
}

fn configuration(run: &Run) -> String {
    let mut table = Table::new(["setting", "value"]);
    for (path, value) in settings(&run.config) {
        table.push([path, value]);
    }
    let mut text = format!("<details open><summary>{}</summary>\n", escape(&run.name));
    if let Some(recipe) = &run.recipe {
        let _ = writeln!(text, "<pre tabindex=\"0\"><code>{}</code></pre>", escape(recipe));
    }
    text += &table.html(&format!("Everything that {} was started with", run.name));
    text + "</details>\n"
}

/// Words as they may stand anywhere in HTML or SVG. Characters that no XML may hold become the sign for something unreadable.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes() {
        assert_eq!(escape("<a b='c' & \"d\">\u{0}\n"), "&lt;a b=&#39;c&#39; &amp; &quot;d&quot;&gt;\u{fffd}\n");
    }

    #[test]
    fn the_switch_has_the_colours_of_both_themes() {
        let switch = switch(&style_sheet(":root"));
        assert!(switch.contains("light;--ground:#ffffff;") && switch.contains("dark;--ground:#16191d;"), "{switch}");
    }
}
