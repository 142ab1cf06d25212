//! What crops, erasings and the like draw: every place as likely as another, sizes within their ranges.

use crate::policies::even;
use gradwise_augment::{
    Augment, CenterCrop, CoarseDropout, Colour, Erase, Fill, GridDropout, ImageRef, Key, Kind, Posterize, RandomCrop,
    RandomErasing, RandomResizedCrop, Result, Shape, Shift, Step, Tone, Translate,
};
use std::collections::BTreeMap;

/// The numbers of a transform's only note, by their names.
fn note(augment: &dyn Augment, shape: Shape, seed: u64) -> Option<BTreeMap<String, f64>> {
    let plan = augment.plan(shape, Kind::U8, Key::new(seed)).unwrap();
    let [note] = plan.notes() else { return None };
    Some(note.values().map(|(name, x)| (name.to_owned(), x)).collect())
}

#[test]
fn every_crop_is_as_likely_as_another() {
    for (margin, places) in [(0, 3 * 4), (2, 7 * 8)] {
        let crop = RandomCrop::new(4, 3).unwrap().margin(margin, Fill::BLACK);
        let mut seen = BTreeMap::<(i64, i64), f64>::new();
        for seed in 0..6000 {
            let note = note(&crop, Shape::interleaved(6, 6, 1), seed).unwrap();
            *seen.entry((note["left"] as i64, note["top"] as i64)).or_default() += 1.0;
        }
        assert!(seen.len() == places && even(seen.values().copied()), "{seen:?}");
        assert!(seen.keys().all(|&(left, top)| left >= -(margin as i64) && top >= -(margin as i64)));
    }
    let large = RandomCrop::new(7, 3).unwrap();
    let error = large.plan(Shape::interleaved(6, 6, 1), Kind::U8, Key::new(0)).unwrap_err().to_string();
    assert_eq!(error, "random crop: expected an image of at least 7 x 3, got 6 x 6 x 1");
}

#[test]
fn the_middle_is_in_the_middle() {
    let values: Vec<u8> = (0..20).collect();
    let image = ImageRef::new(Shape::interleaved(4, 5, 1), &values).unwrap();
    let out = CenterCrop::new(2, 2).unwrap().apply(image, Key::new(0)).unwrap();
    assert_eq!(out.as_u8(), Some(&[6, 7, 11, 12][..]));
}

#[test]
fn resized_crops_keep_to_area_and_ratio() {
    let shape = Shape::interleaved(300, 400, 1);
    let crop = RandomResizedCrop::new(8, 8).unwrap().area((0.1, 0.3)).unwrap().ratio((0.5, 2.0)).unwrap();
    let (n, mut areas, mut ratios) = (2000, 0.0, 0.0);
    for seed in 0..n {
        let note = note(&crop, shape, seed).unwrap();
        let (width, height) = (note["width"], note["height"]);
        let (area, ratio) = (width * height / 120_000.0, width / height);
        assert!((0.098..0.302).contains(&area) && (0.49..2.04).contains(&ratio), "{note:?}");
        assert!(note["left"] >= 0.0 && note["left"] + width <= 400.0 && note["top"] >= 0.0);
        assert!(note["top"] + height <= 300.0);
        (areas, ratios) = (areas + area, ratios + ratio.ln());
    }
    // Uniform between 0.1 and 0.3; the logarithm of the ratio between ∓ln 2.
    let bound = |width: f64| 4.0 * width / 12_f64.sqrt() / (n as f64).sqrt();
    assert!((areas / n as f64 - 0.2).abs() < bound(0.2), "{}", areas / n as f64);
    assert!((ratios / n as f64).abs() < bound(2.0 * 2_f64.ln()), "{}", ratios / n as f64);
    // Where nothing fits, the largest piece of allowed proportions, in the middle.
    let wide = Shape::interleaved(10, 100, 1);
    let whole = RandomResizedCrop::new(8, 8).unwrap().area(1.0).unwrap().ratio((0.5, 2.0)).unwrap();
    let note = note(&whole, wide, 0).unwrap();
    assert_eq!((note["left"], note["top"], note["width"], note["height"]), (40.0, 0.0, 20.0, 10.0));
}

#[test]
fn large_images_are_antialiased_if_they_shall_be() {
    // Columns of black and white, which no eye could tell apart in the result.
    let shape = Shape::interleaved(320, 320, 1);
    let columns: Vec<u8> = (0..320 * 320).map(|i| if i % 2 == 0 { 0 } else { 255 }).collect();
    let image = ImageRef::new(shape, &columns).unwrap();
    let crop = RandomResizedCrop::new(10, 10).unwrap().area(1.0).unwrap().ratio(1.0).unwrap();
    let spread = |crop: RandomResizedCrop| {
        let out = crop.apply(image, Key::new(0)).unwrap();
        out.as_u8().unwrap().iter().map(|x| x.abs_diff(128)).max().unwrap()
    };
    assert!(spread(crop.clone().antialias(true)) <= 2);
    assert!(spread(crop.interpolation(gradwise_augment::Interpolation::Nearest)) > 100);
}

#[test]
fn what_is_erased() {
    let shape = Shape::interleaved(200, 300, 1);
    let erasing = RandomErasing::new(0.25).unwrap().area((0.05, 0.15)).unwrap().ratio((0.5, 2.0)).unwrap();
    let (n, mut happened, mut areas, mut lefts) = (4000_u64, 0.0, 0.0, 0.0);
    for seed in 0..n {
        let Some(note) = note(&erasing, shape, seed) else { continue };
        let (width, height) = (note["width"], note["height"]);
        let (area, ratio) = (width * height / 60_000.0, height / width);
        assert!((0.048..0.152).contains(&area) && (0.49..2.04).contains(&ratio), "{note:?}");
        assert!(note["left"] + width <= 300.0 && note["top"] + height <= 200.0);
        (happened, areas) = (happened + 1.0, areas + area);
        lefts += note["left"] / (300.0 - width);
    }
    assert!((happened - n as f64 / 4.0).abs() < 4.0 * (n as f64 * 3.0 / 16.0).sqrt(), "{happened}");
    assert!((areas / happened - 0.1).abs() < 4.0 * 0.1 / (12.0 * happened).sqrt());
    assert!((lefts / happened - 0.5).abs() < 4.0 / (12.0 * happened).sqrt(), "as often left as right");

    // All of it, and nothing else.
    let erasing = RandomErasing::new(1.0).unwrap();
    let white = vec![255_u8; 60_000];
    for seed in 0..20 {
        let note = note(&erasing, shape, seed).unwrap();
        let out = erasing.apply(ImageRef::new(shape, &white).unwrap(), Key::new(seed)).unwrap();
        let inside = |i: usize| {
            let (x, y) = ((i % 300) as f64, (i / 300) as f64);
            x >= note["left"]
                && x < note["left"] + note["width"]
                && y >= note["top"]
                && y < note["top"] + note["height"]
        };
        assert!(out.as_u8().unwrap().iter().enumerate().all(|(i, &x)| x == if inside(i) { 0 } else { 255 }));
    }
}

#[test]
fn holes_have_their_sizes_and_places() -> Result<()> {
    let shape = Shape::interleaved(10, 20, 1);
    let holes = CoarseDropout::new((1, 3), (0.2, 0.5), 0.25)?.colour(Colour::grey(1.0));
    let (mut numbers, mut places) = (BTreeMap::<usize, f64>::new(), BTreeMap::<usize, f64>::new());
    for seed in 0..3000 {
        let plan = holes.plan(shape, Kind::U8, Key::new(seed))?;
        *numbers.entry(plan.steps().len()).or_default() += 1.0;
        for step in plan.steps() {
            let Step::Erase(Erase { left, top, width, height, .. }) = step else { panic!("{step:?}") };
            assert!(*width == 5 && (2..=5).contains(height) && left + width <= 20 && top + height <= 10);
            *places.entry(*left).or_default() += 1.0;
        }
    }
    assert!(numbers.len() == 3 && even(numbers.values().copied()), "{numbers:?}");
    assert!(places.len() == 16 && even(places.values().copied()), "{places:?}");

    // Half of each axis: a quarter of the image is lost, whatever the grid's place.
    let grid = GridDropout::new(4.0, 0.5)?.colour(Colour::grey(1.0));
    let out = grid.apply(ImageRef::new(Shape::interleaved(16, 16, 1), &[0_u8; 256])?, Key::new(0))?;
    assert_eq!(out.as_u8().map(|x| x.iter().filter(|&&x| x == 255).count()), Some(64));
    Ok(())
}

#[test]
fn whole_numbers_are_as_likely_as_each_other_ends_included() {
    let shape = Shape::interleaved(8, 8, 1);
    let moves = Translate::new(Shift::WholePixels((-1.5, 2.0).into()), Shift::NONE).unwrap();
    let mut seen = BTreeMap::<i64, f64>::new();
    (0..4000).for_each(|seed| *seen.entry(note(&moves, shape, seed).unwrap()["x"] as i64).or_default() += 1.0);
    assert!(seen.keys().copied().eq(-1..=2) && even(seen.values().copied()), "{seen:?}");
    let posterize = Posterize::new((4.0, 8.0)).unwrap();
    let mut seen = BTreeMap::<u8, f64>::new();
    for seed in 0..4000 {
        let plan = posterize.plan(shape, Kind::U8, Key::new(seed)).unwrap();
        let [Step::Tone { tone: Tone::Posterize { bits } }] = plan.steps() else { panic!("{plan:?}") };
        assert_eq!(plan.notes()[0].to_string(), format!("posterize bits {bits}"), "the caption is what is done");
        *seen.entry(*bits).or_default() += 1.0;
    }
    assert!(seen.keys().copied().eq(4..=8) && even(seen.values().copied()), "{seen:?}");
}
