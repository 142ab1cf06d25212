//! The font that widths are measured in, and that PNG files are written in.

use std::sync::OnceLock;
use ttf_parser::Face;

/// A subset of DejaVu Sans: see `fonts/README.md`.
static FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");

/// The font, read once.
pub(crate) fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(FONT, 0).expect("the embedded font is one, which a test sees"))
}

/// The width of a text in ems.
pub(crate) fn width(text: &str) -> f32 {
    let face = face();
    let advance = |c: char| {
        let glyph = face.glyph_index(c).unwrap_or(ttf_parser::GlyphId(0));
        f32::from(face.glyph_hor_advance(glyph).unwrap_or(0))
    };
    text.chars().map(advance).sum::<f32>() / f32::from(face.units_per_em())
}

/// How far capitals reach above the line, in ems.
pub(crate) const CAPITALS: f32 = 0.73;

/// How far letters reach below the line, in ems.
pub(crate) const DESCENT: f32 = 0.23;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_font_has_what_figures_say() {
        for c in "azAZ09.,;:()/%<>=-–×±≤≥→µσ∞ éäß".chars() {
            assert!(face().glyph_index(c).is_some(), "{c}");
        }
        assert!(width("iiii") < width("MMMM") && width("") == 0.0);
        let tall = face().glyph_bounding_box(face().glyph_index('H').unwrap()).unwrap().y_max;
        let capitals = f32::from(tall) / f32::from(face().units_per_em());
        assert!((capitals - CAPITALS).abs() < 0.01, "{capitals}");
    }
}
