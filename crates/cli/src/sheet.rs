//! A sheet of pictures in rows and columns, each with words below it.

use crate::args::Grid;
use embedded_graphics::mono_font::{MonoTextStyle, ascii::FONT_6X10};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};
use image::{Rgb, RgbImage, imageops};
use std::convert::Infallible;

/// A picture and what is to be said of it, line by line.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) picture: RgbImage,
    pub(crate) caption: Vec<String>,
}

/// Pixels of a letter in the font.
const LETTER: (u32, u32) = (6, 10);

/// Pixels between cells, and around them.
const GAP: u32 = 8;

/// Dark letters on a light ground.
const GROUND: Rgb<u8> = Rgb([250, 250, 248]);
const INK: Rgb888 = Rgb888::new(40, 40, 40);

/// The most pixels that a sheet may have: 300 MB.
pub(crate) const MOST_PIXELS: u64 = 100_000_000;

/// The longest side that image files may have, those of JPEG.
const LONGEST: u32 = 65_535;

/// A sheet of cells, row by row; those for which there is no room are left out. `None` if it would be too large.
pub(crate) fn sheet(cells: &[Cell], grid: Grid) -> Option<RgbImage> {
    let size = |of: fn(&RgbImage) -> u32| cells.iter().map(|cell| of(&cell.picture)).max().unwrap_or(1);
    // Wide enough for a few words, however small the pictures are.
    let (width, height) = (size(RgbImage::width).max(16 * LETTER.0), size(RgbImage::height));
    let captions: Vec<Vec<String>> =
        cells.iter().map(|cell| wrapped(&cell.caption, (width / LETTER.0) as usize)).collect();
    let lines = captions.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let (across, down) = (width + GAP, height + lines * LETTER.1 + 2 * GAP);
    let side = |n: u32, each: u32| n.checked_mul(each)?.checked_add(GAP).filter(|side| *side <= LONGEST);
    let (across_all, down_all) = (side(grid.columns, across)?, side(grid.rows, down)?);
    if u64::from(across_all) * u64::from(down_all) > MOST_PIXELS {
        return None;
    }
    let mut sheet = RgbImage::from_pixel(across_all, down_all, GROUND);
    let places = (0..grid.rows).flat_map(|row| (0..grid.columns).map(move |column| (column, row)));
    for ((column, row), (cell, caption)) in places.zip(cells.iter().zip(captions)) {
        let (left, top) = (GAP + column * across, GAP + row * down);
        imageops::replace(&mut sheet, &cell.picture, left.into(), top.into());
        let style = MonoTextStyle::new(&FONT_6X10, INK);
        for (i, line) in caption.iter().enumerate() {
            let below = top + height + GAP / 2 + i as u32 * LETTER.1;
            let place = Point::new(left as i32, below as i32);
            // Drawing into memory does not fail.
            let _ = Text::with_baseline(line, place, style, Baseline::Top).draw(&mut Canvas(&mut sheet));
        }
    }
    Some(sheet)
}

/// A picture whose sides are no longer than that, with its proportions.
pub(crate) fn fitted(picture: &RgbImage, longest: u32) -> RgbImage {
    let side = picture.width().max(picture.height());
    if side <= longest {
        return picture.clone();
    }
    let scaled = |len: u32| (u64::from(len) * u64::from(longest) / u64::from(side)).max(1) as u32;
    imageops::resize(picture, scaled(picture.width()), scaled(picture.height()), imageops::FilterType::Triangle)
}

/// Lines of at most so many letters, broken between words where that is possible; lines that go on are set in.
fn wrapped(lines: &[String], letters: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    for line in lines {
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.trim().is_empty() && current.len() + 1 + word.len() > letters {
                wrapped.push(std::mem::replace(&mut current, " ".to_owned()));
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        wrapped.push(current);
    }
    wrapped
}

/// An image that letters are drawn on.
struct Canvas<'a>(&'a mut RgbImage);

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                && let Some(pixel) = self.0.get_pixel_mut_checked(x, y)
            {
                *pixel = Rgb([colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_side_by_side_with_their_words_below() {
        let cell = |grey: u8| Cell {
            picture: fitted(&RgbImage::from_pixel(200, 100, Rgb([grey; 3])), 100),
            caption: vec!["translate x 3 y -1".to_owned(); 2],
        };
        let sheet = sheet(&[cell(10), cell(20), cell(30)], Grid { columns: 2, rows: 2 }).expect("a small sheet");
        let (across, down) = (100 + GAP, 50 + 4 * LETTER.1 + 2 * GAP);
        assert_eq!(sheet.dimensions(), (2 * across + GAP, 2 * down + GAP));
        for (i, grey) in [10, 20, 30].into_iter().enumerate() {
            let (left, top) = (GAP + i as u32 % 2 * across, GAP + i as u32 / 2 * down);
            assert_eq!(sheet.get_pixel(left + 50, top + 25).0, [grey; 3]);
            let words = imageops::crop_imm(&sheet, left, top + 50, 100, 4 * LETTER.1 + GAP).to_image();
            assert!(words.pixels().any(|pixel| pixel.0 == [40; 3]), "words below cell {i}");
        }
        assert_eq!(*sheet.get_pixel(GAP + across + 50, GAP + down + 25), GROUND, "the last cell is empty");
    }

    #[test]
    fn what_no_file_could_hold_is_no_sheet() {
        let cell = |side: u32| Cell { picture: RgbImage::new(side, side), caption: Vec::new() };
        assert!(sheet(&[cell(1200)], Grid { columns: 64, rows: 1 }).is_none(), "too wide");
        assert!(sheet(&[cell(400)], Grid { columns: 64, rows: 64 }).is_none(), "too many pixels");
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let lines = ["gaussian noise mean 0 std 0.05".to_owned(), "x".to_owned()];
        assert_eq!(wrapped(&lines, 16), ["gaussian noise", " mean 0 std 0.05", "x"]);
        assert_eq!(wrapped(&["unbreakable-word".to_owned()], 4), ["unbreakable-word"]);
    }
}
