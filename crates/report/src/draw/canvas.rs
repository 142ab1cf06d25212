//! What plotters draws on: shapes are kept, to be written as SVG or painted as PNG later.

use super::font;
use super::ink::Ink;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

/// Units of plotters' whole-numbered coordinates in a pixel of the picture.
pub(crate) const UNIT: i32 = 10;

/// A finished picture, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawing {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) shapes: Vec<Shape>,
}

/// An ink, and how much it covers, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Paint {
    pub(crate) ink: Ink,
    pub(crate) alpha: f32,
}

/// Where a text stands in relation to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A part of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A line through points.
    Line { points: Vec<[f32; 2]>, width: f32, dashed: bool, paint: Paint },
    /// The inside of a line through points.
    Polygon { points: Vec<[f32; 2]>, paint: Paint },
    /// A rectangle, filled, or its edge.
    Rect { at: [f32; 2], size: [f32; 2], edge: Option<f32>, paint: Paint },
    /// A circle, filled.
    Circle { center: [f32; 2], radius: f32, paint: Paint },
    /// A text; `rise` is how far its base line lies below its point, in its own direction.
    Text { text: String, at: [f32; 2], rise: f32, size: f32, anchor: Anchor, upwards: bool, bold: bool, paint: Paint },
    /// What follows, up to the end, belongs together and is told by a title.
    Begin(String),
    /// The end of what belongs together.
    End,
}

/// A drawing that is being made. Clones draw on the same one.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    drawing: Rc<RefCell<Drawing>>,
    dashed: Rc<RefCell<bool>>,
}

impl Canvas {
    /// An empty drawing of a size in pixels.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Canvas { drawing: Rc::new(RefCell::new(Drawing { width, height, shapes: Vec::new() })), dashed: Rc::default() }
    }

    /// Whether lines are dashed from here on.
    pub(crate) fn dashed(&self, dashed: bool) {
        *self.dashed.borrow_mut() = dashed;
    }

    /// What follows belongs together, under a title.
    pub(crate) fn begin(&self, title: impl Into<String>) {
        self.push(Shape::Begin(title.into()));
    }

    /// The end of what belongs together.
    pub(crate) fn end(&self) {
        self.push(Shape::End);
    }

    /// What was drawn.
    pub(crate) fn finish(self) -> Drawing {
        self.drawing.borrow().clone()
    }

    fn push(&self, shape: Shape) {
        self.drawing.borrow_mut().shapes.push(shape);
    }
}

fn pixels((x, y): BackendCoord) -> [f32; 2] {
    [x as f32 / UNIT as f32, y as f32 / UNIT as f32]
}

fn paint(color: BackendColor) -> Paint {
    Paint { ink: Ink::received(color.rgb), alpha: color.alpha as f32 }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Canvas {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let drawing = self.drawing.borrow();
        (drawing.width * UNIT as u32, drawing.height * UNIT as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let ([x0, y0], [x1, y1]) = (pixels(from), pixels(to));
        let edge = (!fill).then(|| style.stroke_width() as f32 / UNIT as f32);
        let (at, size) = ([x0.min(x1), y0.min(y1)], [(x1 - x0).abs(), (y1 - y0).abs()]);
        self.push(Shape::Rect { at, size, edge, paint: paint(style.color()) });
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let points: Vec<_> = path.into_iter().map(pixels).collect();
        if points.len() > 1 && style.color().alpha > 0.0 {
            let (width, dashed) = (style.stroke_width() as f32 / UNIT as f32, *self.dashed.borrow());
            self.push(Shape::Line { points, width, dashed, paint: paint(style.color()) });
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, _fill: bool) -> Drawn {
        let radius = radius as f32 / UNIT as f32;
        self.push(Shape::Circle { center: pixels(center), radius, paint: paint(style.color()) });
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, points: I, style: &S) -> Drawn {
        let points: Vec<_> = points.into_iter().map(pixels).collect();
        if points.len() > 2 {
            self.push(Shape::Polygon { points, paint: paint(style.color()) });
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        if text.is_empty() {
            return Ok(());
        }
        let size = style.size() as f32 / UNIT as f32;
        let anchor = match style.anchor().h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        let rise = match style.anchor().v_pos {
            VPos::Top => font::CAPITALS,
            VPos::Center => font::CAPITALS / 2.0,
            VPos::Bottom => -font::DESCENT,
        };
        self.push(Shape::Text {
            text: text.to_owned(),
            at: pixels(at),
            rise: rise * size,
            size,
            anchor,
            upwards: matches!(style.transform(), FontTransform::Rotate270),
            bold: matches!(style.style(), FontStyle::Bold),
            paint: paint(style.color()),
        });
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size();
        Ok(((f64::from(font::width(text)) * size).ceil() as u32, size.ceil() as u32))
    }
}
