//! Drawings as SVG.

use super::canvas::{Anchor, Drawing, Paint, Shape};
use super::ink::{Ink, Theme, hex};
use crate::html::escape;
use std::fmt::Write;

/// What stands around the shapes.
pub(crate) struct Frame<'a> {
    /// A name that no other picture of the page has.
    pub(crate) id: &'a str,
    /// What the picture is of.
    pub(crate) title: &'a str,
    /// What is to be seen on it, for whoever cannot.
    pub(crate) description: &'a str,
    /// Whether it is a file by itself, and not a part of a page with a style sheet.
    pub(crate) alone: bool,
}

/// Writes a drawing. Colours are written twice: as attributes of the light theme, for programs without style sheets, and as classes.
pub(crate) fn svg(drawing: &Drawing, frame: &Frame<'_>) -> String {
    let Drawing { width, height, shapes } = drawing;
    let id = escape(frame.id);
    let mut text = String::from("<svg ");
    if frame.alone {
        let _ = write!(text, "xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" ");
    }
    let _ = write!(
        text,
        "class=\"gradwise\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-description\" \
         font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-description\">{}</desc>\n",
        escape(frame.title),
        escape(frame.description)
    );
    if frame.alone {
        let _ = writeln!(text, "<style>{}</style>", style_sheet(".gradwise"));
        let ground = Paint { ink: Ink::Ground, alpha: 1.0 };
        let _ = writeln!(text, "<rect width=\"{width}\" height=\"{height}\" {}/>", fill(ground));
    }
    for shape in shapes {
        write_shape(&mut text, shape);
        text.push('\n');
    }
    text + "</svg>\n"
}

/// The colours as variables of an element, light and, where the reader asks for it, dark; and the classes that use them.
pub(crate) fn style_sheet(element: &str) -> String {
    let variables = |theme: Theme| {
        let color = |ink: Ink| format!("--{}:{};", ink.class().unwrap_or_default(), hex(ink.color(theme)));
        Ink::all().map(color).collect::<String>()
    };
    let class = |ink: Ink| {
        let name = ink.class().unwrap_or_default();
        format!(".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}")
    };
    let classes: String = Ink::all().map(class).collect();
    let (light, dark) = (variables(Theme::Light), variables(Theme::Dark));
    format!("{element}{{{light}}}@media(prefers-color-scheme:dark){{{element}{{{dark}}}}}{classes}")
}

fn write_shape(text: &mut String, shape: &Shape) {
    // Writing to a string does not fail.
    let _ = match shape {
        Shape::Line { points, width, dashed, paint } => {
            let dash = if *dashed { " stroke-dasharray=\"5 3\"" } else { "" };
            write!(
                text,
                "<polyline points=\"{}\" fill=\"none\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dash} {}/>",
                list(points),
                short(*width),
                stroke(*paint)
            )
        }
        Shape::Polygon { points, paint } => write!(text, "<polygon points=\"{}\" {}/>", list(points), fill(*paint)),
        Shape::Rect { at: [x, y], size: [width, height], edge, paint } => {
            let paint = match edge {
                Some(edge) => format!("fill=\"none\" stroke-width=\"{}\" {}", short(*edge), stroke(*paint)),
                None => fill(*paint),
            };
            let [x, y, width, height] = [*x, *y, *width, *height].map(short);
            write!(
                text,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" shape-rendering=\"crispEdges\" {paint}/>"
            )
        }
        Shape::Circle { center: [x, y], radius, paint } => {
            let [x, y, radius] = [*x, *y, *radius].map(short);
            write!(text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {}/>", fill(*paint))
        }
        Shape::Text { text: words, at: [x, y], rise, size, anchor, upwards, bold, paint } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let place = if *upwards {
                format!("transform=\"translate({} {}) rotate(-90)\" y=\"{}\"", short(*x), short(*y), short(*rise))
            } else {
                format!("x=\"{}\" y=\"{}\"", short(*x), short(y + rise))
            };
            let bold = if *bold { " font-weight=\"bold\"" } else { "" };
            let (size, words) = (short(*size), escape(words));
            write!(text, "<text {place} font-size=\"{size}\"{anchor}{bold} {}>{words}</text>", fill(*paint))
        }
        Shape::Begin(title) => write!(text, "<g><title>{}</title>", escape(title)),
        Shape::End => write!(text, "</g>"),
    };
}

fn fill(paint: Paint) -> String {
    attributes("fill", "f", paint)
}

fn stroke(paint: Paint) -> String {
    attributes("stroke", "s", paint)
}

fn attributes(name: &str, prefix: &str, Paint { ink, alpha }: Paint) -> String {
    let class = ink.class().map_or_else(String::new, |class| format!("class=\"{prefix}-{class}\" "));
    let alpha =
        if alpha < 1.0 { format!(" {name}-opacity=\"{}\"", (alpha * 100.0).round() / 100.0) } else { String::new() };
    format!("{class}{name}=\"{}\"{alpha}", hex(ink.color(Theme::Light)))
}

fn list(points: &[[f32; 2]]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for [x, y] in points {
        let _ = write!(text, "{},{} ", short(*x), short(*y));
    }
    text.truncate(text.trim_end().len());
    text
}

/// A tenth of a pixel is as much as a canvas knows.
fn short(x: f32) -> f32 {
    (x * 10.0).round() / 10.0
}
