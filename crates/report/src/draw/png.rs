//! Drawings as PNG files.

use super::canvas::{Anchor, Drawing, Paint, Shape};
use super::font;
use super::ink::{Ink, Theme};
use tiny_skia::{Color, FillRule, Path, PathBuilder, Pixmap, PixmapMut, Rect, Stroke, StrokeDash, Transform};
use ttf_parser::{GlyphId, OutlineBuilder};

/// Dots in a pixel of the drawing, as screens of today have them.
const DOTS: f32 = 2.0;

/// Paints a drawing; `Err` says why it could not be.
pub(crate) fn png(drawing: &Drawing, theme: Theme) -> Result<Vec<u8>, String> {
    let [width, height] = [drawing.width, drawing.height].map(|n| (n as f32 * DOTS) as u32);
    let mut pixmap = Pixmap::new(width, height).ok_or_else(|| format!("no picture of {width} x {height} dots"))?;
    let [r, g, b] = Ink::Ground.color(theme);
    pixmap.fill(Color::from_rgba8(r, g, b, 255));
    let mut painter = Painter { pixmap: pixmap.as_mut(), theme };
    drawing.shapes.iter().for_each(|shape| painter.shape(shape));
    // Nothing shows through the ground, so three channels tell all.
    let dots: Vec<u8> = pixmap.data().chunks_exact(4).flat_map(|dot| [dot[0], dot[1], dot[2]]).collect();
    encode(width, height, &dots).map_err(|error| error.to_string())
}

fn encode(width: u32, height: u32, dots: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(dots)?;
    writer.finish()?;
    Ok(file)
}

struct Painter<'a> {
    pixmap: PixmapMut<'a>,
    theme: Theme,
}

impl Painter<'_> {
    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Line { points, width, dashed, paint } => {
                let mut path = PathBuilder::new();
                follow(&mut path, points);
                if let Some(path) = path.finish() {
                    self.stroke(path, *width, *dashed, *paint);
                }
            }
            Shape::Polygon { points, paint } => {
                let mut path = PathBuilder::new();
                follow(&mut path, points);
                path.close();
                self.fill(path, *paint);
            }
            Shape::Rect { at: [x, y], size: [width, height], edge, paint } => {
                let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) else { return };
                let mut path = PathBuilder::new();
                path.push_rect(rect);
                match (edge, path.finish()) {
                    (Some(edge), Some(path)) => self.stroke(path, *edge, false, *paint),
                    (None, Some(path)) => {
                        // Whole dots, so that nothing shines through between cells that touch.
                        let paint = tiny_skia::Paint { anti_alias: false, ..self.paint(*paint) };
                        self.pixmap.fill_path(
                            &path,
                            &paint,
                            FillRule::Winding,
                            Transform::from_scale(DOTS, DOTS),
                            None,
                        );
                    }
                    (_, None) => {}
                }
            }
            Shape::Circle { center: [x, y], radius, paint } => {
                let mut path = PathBuilder::new();
                path.push_circle(*x, *y, *radius);
                self.fill(path, *paint);
            }
            Shape::Text { text, at, rise, size, anchor, upwards, bold, paint } => {
                let mut outline = Outline { path: PathBuilder::new(), x: 0.0 };
                outline.text(text);
                let width = outline.x * size / em();
                let start = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => -width / 2.0,
                    Anchor::End => -width,
                };
                let Some(path) = outline.path.finish() else { return };
                let scale = size / em();
                let turn = if *upwards { -90.0 } else { 0.0 };
                let place = Transform::from_scale(DOTS, DOTS)
                    .pre_translate(at[0], at[1])
                    .pre_concat(Transform::from_rotate(turn))
                    .pre_translate(start, *rise)
                    .pre_scale(scale, -scale);
                let paint = self.paint(*paint);
                self.pixmap.fill_path(&path, &paint, FillRule::Winding, place, None);
                if *bold {
                    let stroke = Stroke { width: 0.05 * em(), ..Stroke::default() };
                    self.pixmap.stroke_path(&path, &paint, &stroke, place, None);
                }
            }
            Shape::Begin(_) | Shape::End => {}
        }
    }

    fn paint(&self, Paint { ink, alpha }: Paint) -> tiny_skia::Paint<'static> {
        let [r, g, b] = ink.color(self.theme);
        let mut paint = tiny_skia::Paint::default();
        paint.set_color_rgba8(r, g, b, (alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
        paint
    }

    fn fill(&mut self, path: PathBuilder, paint: Paint) {
        let Some(path) = path.finish() else { return };
        let paint = self.paint(paint);
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::from_scale(DOTS, DOTS), None);
    }

    fn stroke(&mut self, path: Path, width: f32, dashed: bool, paint: Paint) {
        let paint = self.paint(paint);
        let dash = if dashed { StrokeDash::new(vec![5.0, 3.0], 0.0) } else { None };
        let stroke = Stroke { width, dash, line_join: tiny_skia::LineJoin::Round, ..Stroke::default() };
        self.pixmap.stroke_path(&path, &paint, &stroke, Transform::from_scale(DOTS, DOTS), None);
    }
}

fn follow(path: &mut PathBuilder, points: &[[f32; 2]]) {
    for (i, [x, y]) in points.iter().enumerate() {
        if i == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
    }
}

fn em() -> f32 {
    f32::from(font::face().units_per_em())
}

/// The outlines of letters, one after the other, in the font's own units and upwards.
struct Outline {
    path: PathBuilder,
    x: f32,
}

impl Outline {
    fn text(&mut self, text: &str) {
        let face = font::face();
        for c in text.chars() {
            // What the font lacks is an empty box.
            let glyph = face.glyph_index(c).unwrap_or(GlyphId(0));
            face.outline_glyph(glyph, self);
            self.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0));
        }
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.quad_to(self.x + x1, y1, self.x + x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.path.cubic_to(self.x + x1, y1, self.x + x2, y2, self.x + x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}
