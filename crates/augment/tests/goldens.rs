//! What Pillow, torchvision and OpenCV make of a piece of a photograph, where their convention is ours: `oracle/augment.py` made the
//! pictures.

use gradwise_augment::{
    Affine, Augment, AutoContrast, BoxBlur, Brightness, Clahe, Colour, Contrast, Equalize, Fill, Filter, Flip, Gamma,
    GaussianBlur, Grey, Hue, Image, Interpolation, Invert, Key, MedianBlur, Pad, Posterize, ResizeTo, Result,
    Saturation, Sharpness, Solarize, Symmetry,
};
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../oracle/augment");

/// How near ours has to be: the largest difference of a value, in steps of a byte, and pixels at the edge that are not compared.
struct Near {
    levels: u8,
    margin: usize,
}

const EXACT: Near = Near { levels: 0, margin: 0 };
/// Both round, at different places.
const ROUNDED: Near = Near { levels: 1, margin: 0 };

type Case = (&'static str, Near, Result<Box<dyn Augment>>);

fn case(name: &'static str, near: Near, augment: Result<impl Augment + 'static>) -> Case {
    (name, near, augment.map(|augment| Box::new(augment) as Box<dyn Augment>))
}

#[derive(Debug)]
struct Always(Symmetry);

impl Augment for Always {
    fn name(&self) -> &str {
        "always"
    }

    fn draw(&self, draw: &mut gradwise_augment::Draw<'_>) -> Result<()> {
        draw.push(gradwise_augment::Step::Symmetry { symmetry: self.0 })
    }
}

fn resized(filter: Filter, height: usize, width: usize) -> Result<ResizeTo> {
    Ok(ResizeTo::exact(height, width)?.filter(filter))
}

fn rotated(interpolation: Interpolation) -> Result<Affine> {
    Ok(Affine::rotation(20.0)?.interpolation(interpolation))
}

fn padded(fill: Fill, top: usize) -> Result<Pad> {
    Ok(Pad::new(7, top, 2, 5, fill))
}

fn cases() -> Vec<Case> {
    let blue = Fill::Constant(Colour([0.2, 0.4, 0.6, 1.0]));
    vec![
        case("flip_horizontal", EXACT, Flip::horizontal(1.0)),
        case("flip_vertical", EXACT, Flip::vertical(1.0)),
        case("transpose", EXACT, Ok(Always(Symmetry::Transpose))),
        case("antitranspose", EXACT, Ok(Always(Symmetry::Antitranspose))),
        case("counterclockwise", EXACT, Ok(Always(Symmetry::Counterclockwise))),
        case("resize_nearest_small", EXACT, resized(Filter::Nearest, 13, 17)),
        case("resize_nearest_large", EXACT, resized(Filter::Nearest, 64, 72)),
        // Pillow rounds between the two directions, too.
        case("resize_box_small", ROUNDED, resized(Filter::Box, 13, 17)),
        case("resize_box_large", ROUNDED, resized(Filter::Box, 64, 72)),
        case("resize_bilinear_small", ROUNDED, resized(Filter::Bilinear, 13, 17)),
        case("resize_bilinear_large", ROUNDED, resized(Filter::Bilinear, 64, 72)),
        case("resize_bicubic_small", ROUNDED, resized(Filter::Bicubic, 13, 17)),
        case("resize_bicubic_large", Near { levels: 2, margin: 0 }, resized(Filter::Bicubic, 64, 72)),
        case("resize_lanczos_small", Near { levels: 2, margin: 0 }, resized(Filter::Lanczos, 13, 17)),
        case("resize_lanczos_large", Near { levels: 5, margin: 0 }, resized(Filter::Lanczos, 64, 72)),
        // At the edge, Pillow takes the nearest pixel where we mix with the fill.
        case("rotate_bilinear", Near { levels: 2, margin: 9 }, rotated(Interpolation::Bilinear)),
        case("equalize", ROUNDED, Equalize::new(1.0)),
        case("autocontrast", ROUNDED, AutoContrast::new(1.0)),
        case("posterize_3", EXACT, Posterize::new(3.0)),
        case("solarize_128", EXACT, Solarize::new(128.0 / 255.0)),
        case("invert", EXACT, Invert::new(1.0)),
        case("sharpness_2", ROUNDED, Sharpness::new(2.0)),
        case("brightness_1.4", ROUNDED, Brightness::new(1.4)),
        // Pillow rounds the mean to a whole number.
        case("contrast_1.6", Near { levels: 2, margin: 0 }, Contrast::new(1.6)),
        case("saturation_1.8", Near { levels: 2, margin: 0 }, Saturation::new(1.8)),
        case("grey", ROUNDED, Grey::new(1.0)),
        case("gaussian_blur_5_1.2", ROUNDED, GaussianBlur::new(1.2).and_then(|blur| blur.radius(2))),
        // torchvision cuts off where we round.
        case("hue_0.2", Near { levels: 2, margin: 0 }, Hue::new(0.2)),
        case("gamma_1.7", ROUNDED, Gamma::new(1.7)),
        case("pad_edge", EXACT, padded(Fill::Edge, 35)),
        case("pad_reflect", EXACT, padded(Fill::Reflect, 35)),
        case("pad_symmetric", EXACT, padded(Fill::Symmetric, 35)),
        case("pad_wrap", EXACT, padded(Fill::Wrap, 3)),
        case("pad_constant", EXACT, padded(blue, 35)),
        case("median_3", EXACT, MedianBlur::new(1.0)),
        case("median_5", EXACT, MedianBlur::new(2.0)),
        case("box_5", ROUNDED, BoxBlur::new(2.0)),
        case("grey_clahe_2_4x4", ROUNDED, Clahe::new(2.0).and_then(|clahe| clahe.tiles(4, 4))),
    ]
}

fn open(name: &str) -> Image {
    let path = Path::new(FOLDER).join(format!("{name}.png"));
    let image = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Image::try_from(image).unwrap()
}

/// The largest difference of a value that is not in the margin.
fn difference(a: &Image, b: &Image, margin: usize) -> u8 {
    let shape = a.shape();
    assert_eq!(shape, b.shape());
    let (a, b) = (a.as_u8().unwrap(), b.as_u8().unwrap());
    let mut largest = 0;
    for y in margin..shape.height - margin {
        for i in (y * shape.width + margin) * shape.channels..(y * shape.width + shape.width - margin) * shape.channels
        {
            largest = largest.max(a[i].abs_diff(b[i]));
        }
    }
    largest
}

#[test]
fn others_make_the_same_of_a_photograph() {
    if !Path::new(FOLDER).exists() {
        #[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
        {
            eprintln!("skipped: the pictures of other libraries are not part of this package ({FOLDER})");
        }
        return;
    }
    let (source, grey) = (open("source"), open("grey_source"));
    let mut wrong = Vec::new();
    for (name, near, augment) in cases() {
        let source = if name.starts_with("grey_") { &grey } else { &source };
        let ours = augment.and_then(|augment| augment.apply(source.as_ref(), Key::new(0))).unwrap();
        let found = difference(&ours, &open(name), near.margin);
        if found > near.levels {
            wrong.push(format!("{name}: {found} levels, {} allowed", near.levels));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let files = std::fs::read_dir(FOLDER).unwrap().count();
    assert_eq!(files, cases().len() + 2, "a picture that is compared with nothing");
}
