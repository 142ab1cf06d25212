//! Colours by what they are for, in a light and in a dark theme.

use plotters::style::RGBColor;

/// What a picture is drawn for: a bright page or a dark one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark words on white.
    #[default]
    Light,
    /// Bright words on black.
    Dark,
}

/// A colour, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What lies below everything.
    Ground,
    /// Words.
    Text,
    /// Words that matter less, and axes.
    Muted,
    /// Lines behind the data.
    Grid,
    /// A group of runs, one after the other.
    Series(u8),
    /// A colour of a map, the same in both themes.
    Fixed([u8; 3]),
}

/// The colours of groups, in both themes, told apart by people who see red and green alike: those of M. Okabe and K. Ito, *Color universal
/// design*, 2008, in an order in which neighbours differ in brightness, too. On dark ground blue and vermilion give way to brighter ones.
const SERIES: [[[u8; 3]; 2]; 6] = [
    [[0, 114, 178], [86, 180, 233]],
    [[213, 94, 0], [230, 159, 0]],
    [[0, 158, 115], [45, 200, 155]],
    [[204, 121, 167], [228, 155, 198]],
    [[89, 89, 89], [200, 200, 200]],
    [[160, 105, 0], [240, 228, 66]],
];

/// How many groups have a colour of their own.
pub(crate) const N_SERIES: usize = SERIES.len();

impl Ink {
    /// Every ink but the fixed ones.
    pub(crate) fn all() -> impl Iterator<Item = Ink> {
        [Ink::Ground, Ink::Text, Ink::Muted, Ink::Grid].into_iter().chain((0..N_SERIES as u8).map(Ink::Series))
    }

    /// The colour of the `n`-th group.
    pub(crate) fn series(n: usize) -> Ink {
        Ink::Series((n % N_SERIES) as u8)
    }

    /// Its name in style sheets.
    pub(crate) fn class(self) -> Option<String> {
        Some(match self {
            Ink::Ground => String::from("ground"),
            Ink::Text => String::from("text"),
            Ink::Muted => String::from("muted"),
            Ink::Grid => String::from("grid"),
            Ink::Series(n) => format!("series{n}"),
            Ink::Fixed(_) => return None,
        })
    }

    /// Its colour in a theme.
    pub(crate) fn color(self, theme: Theme) -> [u8; 3] {
        let [light, dark] = match self {
            Ink::Ground => [[255; 3], [22, 25, 29]],
            Ink::Text => [[31, 35, 40], [230, 232, 235]],
            Ink::Muted => [[87, 96, 106], [158, 167, 176]],
            Ink::Grid => [[225, 228, 232], [52, 58, 65]],
            Ink::Series(n) => SERIES[usize::from(n) % N_SERIES],
            Ink::Fixed(color) => [color; 2],
        };
        if theme == Theme::Light { light } else { dark }
    }

    /// As a colour of plotters. Inks travel through it as colours that no map has, almost black.
    pub(crate) fn sent(self) -> RGBColor {
        let code = match self {
            Ink::Fixed([r, g, b]) => return RGBColor(r, g, b),
            Ink::Ground => 1,
            Ink::Text => 2,
            Ink::Muted => 3,
            Ink::Grid => 4,
            Ink::Series(n) => 5 + n,
        };
        RGBColor(1, 0, code)
    }

    /// The ink that was sent as a colour.
    pub(crate) fn received(rgb: (u8, u8, u8)) -> Ink {
        match rgb {
            (1, 0, 1) => Ink::Ground,
            (1, 0, 2) => Ink::Text,
            (1, 0, 3) => Ink::Muted,
            (1, 0, 4) => Ink::Grid,
            (1, 0, n) if (5..5 + N_SERIES as u8).contains(&n) => Ink::Series(n - 5),
            (r, g, b) => Ink::Fixed([r, g, b]),
        }
    }
}

/// A colour as style sheets write it.
pub(crate) fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// How bright a colour is, from 0 to 1: which words can be read on it.
pub(crate) fn brightness(color: [u8; 3]) -> f64 {
    let linear = color.map(|c| (f64::from(c) / 255.0).powf(2.2));
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_come_through_plotters_as_they_are() {
        for ink in Ink::all().chain([Ink::Fixed([68, 1, 84])]) {
            let RGBColor(r, g, b) = ink.sent();
            assert_eq!(Ink::received((r, g, b)), ink);
        }
    }

    /// The ratio of contrast that the Web Content Accessibility Guidelines 2.1 define.
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let (a, b) = (brightness(a) + 0.05, brightness(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn words_and_lines_stand_out_from_the_ground() {
        for theme in [Theme::Light, Theme::Dark] {
            let ground = Ink::Ground.color(theme);
            for (ink, least) in [(Ink::Text, 7.0), (Ink::Muted, 4.5)] {
                assert!(contrast(ink.color(theme), ground) >= least, "{ink:?} {theme:?}");
            }
            for n in 0..N_SERIES {
                assert!(contrast(Ink::series(n).color(theme), ground) >= 3.0, "{n} {theme:?}");
            }
        }
    }
}
