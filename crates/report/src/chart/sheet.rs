//! A picture that is being drawn, measured in pixels; and plots on it.

use super::axis::Axis;
use crate::draw::{Canvas, Drawing, Ink, UNIT, font};
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, ShapeStyle, TextStyle};
use plotters_backend::BackendColor;
use std::convert::Infallible;

/// Why plotters could not draw.
pub(crate) type Failed = DrawingAreaErrorKind<Infallible>;

/// A plot on a sheet.
pub(crate) type Plot<'a> = ChartContext<'a, Canvas, Cartesian2d<Axis, Axis>>;

/// The width of every figure.
pub(crate) const WIDTH: f32 = 760.0;

/// The size of most words.
pub(crate) const SIZE: f32 = 12.0;

/// Room at the edge.
const MARGIN: f32 = 5.0;

/// A picture in the making.
pub(crate) struct Sheet {
    pub(crate) canvas: Canvas,
    root: DrawingArea<Canvas, Shift>,
}

/// What stands at an axis.
pub(crate) struct Scale<'a> {
    pub(crate) axis: Axis,
    /// What the numbers are.
    pub(crate) name: &'a str,
    /// How they are written.
    pub(crate) format: fn(f64) -> String,
    /// Whether there are ticks with numbers.
    pub(crate) ticks: bool,
}

fn units(x: f32) -> i32 {
    (x * UNIT as f32).round() as i32
}

/// A filled area.
pub(crate) fn filled(ink: Ink, alpha: f64) -> ShapeStyle {
    ShapeStyle { color: ink.sent().mix(alpha), filled: true, stroke_width: 0 }
}

/// A line of a width in pixels.
pub(crate) fn line(ink: Ink, width: f32) -> ShapeStyle {
    ShapeStyle { color: ink.sent().mix(1.0), filled: false, stroke_width: units(width) as u32 }
}

fn style(size: f32, ink: Ink, bold: bool, pos: Pos) -> TextStyle<'static> {
    let font = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let color = ink.sent();
    TextStyle {
        font: FontDesc::new(FontFamily::SansSerif, f64::from(units(size)), font),
        color: BackendColor { alpha: 1.0, rgb: (color.0, color.1, color.2) },
        pos,
    }
}

impl Sheet {
    /// An empty one of a height in pixels.
    pub(crate) fn new(height: f32) -> Self {
        let canvas = Canvas::new(WIDTH as u32, height.ceil() as u32);
        Sheet { root: canvas.clone().into_drawing_area(), canvas }
    }

    /// What was drawn.
    pub(crate) fn finish(self) -> Drawing {
        drop(self.root);
        self.canvas.finish()
    }

    /// Words at a place.
    pub(crate) fn text(&self, text: &str, at: [f32; 2], size: f32, ink: Ink, h: HPos, v: VPos) -> Result<(), Failed> {
        self.root.draw_text(text, &style(size, ink, false, Pos::new(h, v)), (units(at[0]), units(at[1])))
    }

    /// A filled rectangle between two corners.
    pub(crate) fn rect(&self, from: [f32; 2], to: [f32; 2], ink: Ink, alpha: f64) -> Result<(), Failed> {
        let corners = [(units(from[0]), units(from[1])), (units(to[0]), units(to[1]))];
        self.root.draw(&Rectangle::new(corners, filled(ink, alpha)))
    }

    /// A line between two points.
    pub(crate) fn line(&self, from: [f32; 2], to: [f32; 2], ink: Ink, width: f32) -> Result<(), Failed> {
        let points = vec![(units(from[0]), units(from[1])), (units(to[0]), units(to[1]))];
        self.root.draw(&PathElement::new(points, line(ink, width)))
    }

    /// A plot in a frame `[left, top, right, bottom]` of pixels around its data, with axes.
    pub(crate) fn plot(
        &self,
        [left, top, right, bottom]: [f32; 4],
        x: &Scale<'_>,
        y: &Scale<'_>,
    ) -> Result<Plot<'_>, Failed> {
        let mut plot = ChartBuilder::on(&self.root)
            .margin_left(units(MARGIN))
            .margin_bottom(units(MARGIN))
            .margin_top(units(top))
            .margin_right(units(right))
            .x_label_area_size(units(bottom - MARGIN))
            .y_label_area_size(units(left - MARGIN))
            .build_cartesian_2d(x.axis, y.axis)?;
        let (format_x, format_y) = (x.format, y.format);
        let (format_x, format_y) = (move |x: &f64| format_x(*x), move |y: &f64| format_y(*y));
        let middle = Pos::new(HPos::Center, VPos::Center);
        let mesh = &mut plot.configure_mesh();
        mesh.bold_line_style(line(Ink::Grid, 1.0))
            .light_line_style(ShapeStyle { color: Ink::Grid.sent().mix(0.0), filled: false, stroke_width: 1 })
            .axis_style(line(Ink::Muted, 1.0))
            .label_style(style(SIZE - 1.0, Ink::Muted, false, middle))
            .axis_desc_style(style(SIZE, Ink::Text, false, middle))
            .set_all_tick_mark_size(units(4.0))
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&format_x)
            .y_label_formatter(&format_y)
            .x_desc(x.name)
            .y_desc(y.name);
        if !x.ticks {
            mesh.disable_x_mesh().disable_x_axis();
        }
        if !y.ticks {
            mesh.disable_y_mesh().disable_y_axis();
        }
        mesh.draw()?;
        Ok(plot)
    }
}

/// Draws a line through points of a plot.
pub(crate) fn draw_line(plot: &mut Plot<'_>, points: Vec<(f64, f64)>, ink: Ink, width: f32) -> Result<(), Failed> {
    plot.draw_series(std::iter::once(PathElement::new(points, line(ink, width)))).map(drop)
}

/// Fills what points of a plot enclose.
pub(crate) fn draw_area(plot: &mut Plot<'_>, points: Vec<(f64, f64)>, ink: Ink, alpha: f64) -> Result<(), Failed> {
    plot.draw_series(std::iter::once(Polygon::new(points, filled(ink, alpha)))).map(drop)
}

/// Fills a rectangle of a plot.
pub(crate) fn draw_rect(
    plot: &mut Plot<'_>,
    from: (f64, f64),
    to: (f64, f64),
    ink: Ink,
    alpha: f64,
) -> Result<(), Failed> {
    plot.draw_series(std::iter::once(Rectangle::new([from, to], filled(ink, alpha)))).map(drop)
}

/// The width of words in pixels.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    font::width(text) * size
}

/// A name that fits in a width: of one that is too long, its end, which tells more of a path than its beginning.
pub(crate) fn fitted(name: &str, size: f32, most: f32) -> String {
    if width(name, size) <= most {
        return name.to_owned();
    }
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if width(rest, size) + width("…", size) <= most {
            break;
        }
    }
    format!("…{rest}")
}

/// Room for names at the left of rows, and the names as they fit there.
pub(crate) fn row_names(names: &[String]) -> (f32, Vec<String>) {
    let names: Vec<String> = names.iter().map(|name| fitted(name, SIZE - 1.0, 190.0)).collect();
    let widest = names.iter().map(|name| width(name, SIZE - 1.0)).fold(0.0, f32::max);
    (widest + 20.0, names)
}

/// An item of a legend.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) ink: Ink,
    pub(crate) dashed: bool,
    /// A box, as of bars, in the place of a line.
    pub(crate) solid: bool,
}

const KEY_HEIGHT: f32 = 20.0;

/// Where each key begins, and the height of all rows.
fn key_places(keys: &[Key]) -> (Vec<[f32; 2]>, f32) {
    let (mut x, mut y) = (12.0, 4.0);
    let mut places = Vec::new();
    for key in keys {
        let wide = 40.0 + width(&fitted(&key.name, SIZE, WIDTH - 80.0), SIZE);
        if x + wide > WIDTH && x > 12.0 {
            (x, y) = (12.0, y + KEY_HEIGHT);
        }
        places.push([x, y]);
        x += wide + 12.0;
    }
    (places, if keys.is_empty() { 0.0 } else { y + KEY_HEIGHT + 4.0 })
}

/// The height of a legend.
pub(crate) fn legend_height(keys: &[Key]) -> f32 {
    key_places(keys).1
}

impl Sheet {
    /// Draws a legend at the top.
    pub(crate) fn legend(&self, keys: &[Key]) -> Result<(), Failed> {
        for (key, [x, y]) in keys.iter().zip(key_places(keys).0) {
            let middle = y + KEY_HEIGHT / 2.0;
            if key.solid {
                self.rect([x + 8.0, middle - 6.0], [x + 22.0, middle + 6.0], key.ink, 1.0)?;
            } else {
                self.canvas.dashed(key.dashed);
                self.line([x, middle], [x + 26.0, middle], key.ink, 2.0)?;
                self.canvas.dashed(false);
            }
            let name = fitted(&key.name, SIZE, WIDTH - 80.0);
            self.text(&name, [x + 32.0, middle], SIZE, Ink::Text, HPos::Left, VPos::Center)?;
        }
        Ok(())
    }
}
