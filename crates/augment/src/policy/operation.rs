//! The operations of policies and their magnitudes.

use crate::filter::{Kernel, LocalFilter};
use crate::geometry::{Interpolation, Map, Warp};
use crate::plan::Step;
use crate::value::{ColourStep, Levels, Tone};
use crate::{Draw, Fill, Result, Shape};

/// One of the operations that policies choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Colour,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

use Operation::{
    AutoContrast, Brightness, Colour, Contrast, Equalize, Identity, Invert, Posterize, Rotate, Sharpness, ShearX,
    ShearY, Solarize, TranslateX, TranslateY,
};

/// Those of RandAugment and TrivialAugment.
pub(super) const FOURTEEN: [Operation; 14] = [
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Colour,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
];

/// The largest magnitudes of a policy: the strength of its last bin.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Space {
    /// How far a row moves to the side for each row down.
    pub(super) shear: f64,
    /// How far images are moved.
    pub(super) translation: Translation,
    /// In degrees.
    pub(super) rotation: f64,
    /// What is added to or taken from a factor of 1.
    pub(super) factor: f64,
    /// The bits that are kept at first, and how many fewer at last.
    pub(super) bits: (f64, f64),
}

/// How far images are moved.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Translation {
    /// A part of the size.
    Share(f64),
    Pixels(f64),
}

/// How images are resampled where they are moved.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sampling {
    pub(super) interpolation: Interpolation,
    pub(super) fill: Fill,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Identity => "identity",
            ShearX => "shear x",
            ShearY => "shear y",
            TranslateX => "translate x",
            TranslateY => "translate y",
            Rotate => "rotate",
            Brightness => "brightness",
            Colour => "colour",
            Contrast => "contrast",
            Sharpness => "sharpness",
            Posterize => "posterize",
            Solarize => "solarize",
            AutoContrast => "autocontrast",
            Equalize => "equalize",
            Invert => "invert",
        }
    }

    /// Whether it moves pixels.
    pub(super) fn is_geometric(self) -> bool {
        matches!(self, ShearX | ShearY | TranslateX | TranslateY | Rotate)
    }

    /// Whether its magnitude may be of either sign.
    fn is_signed(self) -> bool {
        self.is_geometric() || matches!(self, Brightness | Colour | Contrast | Sharpness)
    }

    /// The magnitude of a bin, from the weakest, 0, to the last; `None` for operations without one.
    fn magnitude(self, space: &Space, bin: usize, bins: usize, shape: Shape) -> Option<f64> {
        let part = if bins > 1 { bin as f64 / (bins - 1) as f64 } else { 0.0 };
        let far = |len: usize| match space.translation {
            Translation::Share(share) => share * len as f64,
            Translation::Pixels(pixels) => pixels,
        };
        match self {
            ShearX | ShearY => Some(space.shear * part),
            TranslateX => Some(far(shape.width) * part),
            TranslateY => Some(far(shape.height) * part),
            Rotate => Some(space.rotation * part),
            Brightness | Colour | Contrast | Sharpness => Some(space.factor * part),
            Posterize => Some((space.bits.0 - space.bits.1 * part).round_ties_even()),
            Solarize => Some(1.0 - part),
            Identity | AutoContrast | Equalize | Invert => None,
        }
    }

    /// Draws the sign of a bin's magnitude, and pushes what it comes to.
    pub(super) fn draw(
        self,
        space: &Space,
        (bin, bins): (usize, usize),
        sampling: Sampling,
        draw: &mut Draw<'_>,
    ) -> Result<()> {
        let negative = draw.random().chance(0.5);
        let magnitude = self.magnitude(space, bin, bins, draw.shape());
        let magnitude = magnitude.map(|x| if negative && self.is_signed() { -x } else { x });
        match magnitude {
            Some(magnitude) => draw.note(self.name(), &[("magnitude", magnitude)]),
            None => draw.note(self.name(), &[]),
        }
        match self.step(magnitude.unwrap_or(0.0), sampling, draw.shape()) {
            Some(step) => draw.push(step),
            None => Ok(()),
        }
    }

    /// What it does at a magnitude.
    fn step(self, magnitude: f64, sampling: Sampling, shape: Shape) -> Option<Step> {
        let (height, width) = (shape.height, shape.width);
        let Sampling { interpolation, fill } = sampling;
        let warp = |map: Map| Some(Step::Warp(Warp { map, height, width, interpolation, fill }));
        let tone = |tone: Tone| Some(Step::Tone { tone });
        let colour = |colour: ColourStep| Some(Step::Colour { colour });
        let factor = (1.0 + magnitude) as f32;
        match self {
            Identity => None,
            // About the upper left corner, as the authors' code does.
            ShearX => warp(Map::affine([1.0, magnitude, 0.0, 0.0, 1.0, 0.0])),
            ShearY => warp(Map::affine([1.0, 0.0, 0.0, magnitude, 1.0, 0.0])),
            TranslateX => warp(Map::translation(magnitude.trunc(), 0.0)),
            TranslateY => warp(Map::translation(0.0, magnitude.trunc())),
            Rotate => warp(Map::rotation(magnitude).about(width as f64 / 2.0, height as f64 / 2.0)),
            Brightness => tone(Tone::Linear { factor, offset: 0.0 }),
            Colour => colour(ColourStep::saturation(factor)),
            Contrast => colour(ColourStep::Contrast { factor }),
            Sharpness => Some(Step::Filter(LocalFilter { kernel: Kernel::Sharpness { factor }, fill: Fill::Edge })),
            Posterize => tone(Tone::Posterize { bits: magnitude.clamp(1.0, 8.0) as u8 }),
            Solarize => tone(Tone::Solarize { threshold: magnitude as f32 }),
            AutoContrast => Some(Step::Levels { levels: Levels::AutoContrast { low: 0.0, high: 0.0 } }),
            Equalize => Some(Step::Levels { levels: Levels::Equalize }),
            Invert => tone(Tone::Invert),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{aug_mix, auto_augment, rand_augment, trivial_augment};
    use super::*;
    use crate::{Augment, Image, Key, Kind};

    /// An operation at a bin, as a transform.
    #[derive(Debug)]
    struct At(Operation, Space, (usize, usize));

    impl Augment for At {
        fn name(&self) -> &str {
            "at"
        }

        fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
            let sampling = Sampling { interpolation: Interpolation::Nearest, fill: Fill::BLACK };
            self.0.draw(&self.1, self.2, sampling, draw)
        }
    }

    /// The weakest and the strongest magnitude of each operation, as the papers and torchvision list them, for 40 x 60 pixels.
    fn ends(name: &str, operation: Operation) -> Option<(f64, f64)> {
        let by_policy = |rand: f64, trivial: f64, aug_mix: f64| match name {
            "trivial" => trivial,
            "augmix" => aug_mix,
            _ => rand,
        };
        let factor = Some((0.0, by_policy(0.9, 0.99, 0.9)));
        match operation {
            ShearX | ShearY => Some((0.0, by_policy(0.3, 0.99, 0.3))),
            TranslateX => Some((0.0, by_policy(150.0 / 331.0 * 60.0, 32.0, 20.0))),
            TranslateY => Some((0.0, by_policy(150.0 / 331.0 * 40.0, 32.0, 40.0 / 3.0))),
            Rotate => Some((0.0, by_policy(30.0, 135.0, 30.0))),
            Brightness | Colour | Contrast | Sharpness => factor,
            Posterize => Some((by_policy(8.0, 8.0, 4.0), by_policy(4.0, 2.0, 0.0))),
            Solarize => Some((1.0, 0.0)),
            Identity | AutoContrast | Equalize | Invert => None,
        }
    }

    #[test]
    fn every_operation_at_every_bin() {
        let shape = Shape::interleaved(40, 60, 3);
        let policies = [
            ("rand", rand_augment::SPACE, 31),
            ("trivial", trivial_augment::SPACE, 31),
            ("auto", auto_augment::SPACE, 10),
            ("augmix", aug_mix::SPACE, 10),
        ];
        for (name, space, bins) in policies {
            for operation in FOURTEEN.into_iter().chain([Invert]) {
                for bin in 0..bins {
                    let part = bin as f64 / (bins - 1) as f64;
                    let expected = ends(name, operation).map(|(first, last)| first + (last - first) * part);
                    let got = operation.magnitude(&space, bin, bins, shape);
                    match (operation, got, expected) {
                        (Posterize, Some(got), Some(expected)) => {
                            assert!((got - expected).abs() <= 0.5 && got.fract() == 0.0);
                        }
                        (_, Some(got), Some(expected)) => {
                            assert!((got - expected).abs() < 1e-9, "{name} {operation:?} {bin}");
                        }
                        (_, got, expected) => assert_eq!(got, expected),
                    }
                    for kind in [Kind::U8, Kind::F32] {
                        let plan =
                            At(operation, space, (bin, bins)).plan(shape, kind, Key::new(bin as u64)).expect("a plan");
                        assert!(plan.notes().len() == 1 && plan.notes()[0].name == operation.name());
                        let image = Image::black(shape, kind).expect("an image");
                        let out = plan.apply(image.as_ref()).expect("it runs");
                        assert_eq!(out.shape(), shape);
                        let drawn = plan.notes()[0].values().next().map(|(_, x)| x.abs());
                        assert_eq!(drawn, got.map(f64::abs), "the note says what was drawn");
                    }
                }
            }
        }
    }

    #[test]
    fn what_operations_do() {
        let shape = Shape::interleaved(40, 60, 3);
        let sampling = Sampling { interpolation: Interpolation::Nearest, fill: Fill::BLACK };
        let map = |operation: Operation, magnitude: f64| match operation.step(magnitude, sampling, shape) {
            Some(Step::Warp(warp)) => warp.map,
            step => panic!("{step:?}"),
        };
        assert_eq!(map(ShearX, 0.2).point(0.0, 10.0), (2.0, 10.0));
        assert_eq!(map(ShearY, -0.2).point(10.0, 0.0), (10.0, -2.0));
        assert_eq!(map(TranslateX, -3.8).point(0.0, 0.0), (-3.0, 0.0), "whole pixels, towards 0");
        assert_eq!(map(TranslateY, 3.8).point(0.0, 0.0), (0.0, 3.0));
        assert_eq!(map(Rotate, 180.0).point(0.0, 0.0), (60.0, 40.0));
        let value = |operation: Operation, magnitude: f64, x: [f32; 3]| {
            let pixel = crate::ImageRef::new(Shape::interleaved(1, 1, 3), &x).expect("a pixel");
            let mut plan = crate::Plan::new();
            plan.steps.extend(operation.step(magnitude, sampling, Shape::interleaved(1, 1, 3)));
            let out = plan.apply(pixel).expect("a pixel");
            out.as_f32().expect("floats").to_vec()
        };
        let close =
            |a: Vec<f32>, b: [f32; 3]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?}, not {b:?}");
        let orange = [0.8, 0.4, 0.2];
        close(value(Identity, 0.0, orange), orange);
        close(value(Brightness, -0.5, orange), [0.4, 0.2, 0.1]);
        let luma = 0.299 * 0.8 + 0.587 * 0.4 + 0.114 * 0.2;
        close(value(Colour, -1.0, orange), [luma; 3]);
        close(value(Contrast, -1.0, orange), [luma; 3]);
        close(value(Sharpness, 0.9, orange), orange);
        close(value(Posterize, 1.0, orange), [128.0 / 255.0, 0.0, 0.0]);
        close(value(Solarize, 0.5, orange), [0.2, 0.4, 0.2]);
        close(value(Invert, 0.0, orange), [0.2, 0.6, 0.8]);
        close(value(AutoContrast, 0.0, orange), orange);
        close(value(Equalize, 0.0, orange), orange);
    }

    #[test]
    fn signs_are_even() {
        let shape = Shape::interleaved(40, 60, 3);
        for operation in FOURTEEN {
            let at = At(operation, rand_augment::SPACE, (9, 31));
            let magnitude = |seed: u64| {
                let plan = at.plan(shape, Kind::U8, Key::new(seed)).expect("a plan");
                plan.notes()[0].values().next().map_or(0.0, |(_, x)| x)
            };
            let negative = (0..1000).filter(|&seed| magnitude(seed) < 0.0).count();
            let expected = if operation.is_signed() { 430..=570 } else { 0..=0 };
            assert!(expected.contains(&negative), "{operation:?}: {negative}");
        }
    }
}
