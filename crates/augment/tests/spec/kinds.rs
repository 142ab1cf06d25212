//! Every kind is read, built and written.

use super::{File, built};
use gradwise_augment::spec::{self, Described, DescribedMix, Registry, Spec};
use gradwise_augment::{
    Affine, AugMix, Augment, AutoAugment, AutoContrast, BoxBlur, Brightness, CenterCrop, ChannelDrop, ChannelShuffle,
    Clahe, CoarseDropout, Colour, ColourJitter, Contrast, CutMix, ElasticTransform, Equalize, Erased, Fill, Filter,
    Flip, Gamma, GaussianBlur, GaussianNoise, Grey, GridDropout, Hue, Interpolation, Invert, JpegCompression,
    LaplaceNoise, MedianBlur, Mix, MixChoice, MixUp, MotionBlur, Normalize, OneOf, Pad, Part, Partner, Perspective,
    PixelDropout, Posterize, RandAugment, RandomCrop, RandomErasing, RandomOrder, RandomResizedCrop,
    RandomSaltAndPepper, ResizeTo, Saturation, Sequence, Sharpness, Shift, ShotNoise, Solarize, SomeOf, Sometimes,
    Speckle, Symmetry, Translate, TrivialAugment, UniformNoise, UnsharpMask,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Does everything that a kind must stand, with its fields as TOML: reads, writes and builds them, and compares with what the constructor
/// makes.
fn check<D: Described>(seen: &mut BTreeSet<String>, fields: &str, expected: impl Augment + 'static) {
    seen.insert(D::KIND.to_owned());
    let text = format!("[[augment]]\nkind = \"{}\"\n{fields}\n", D::KIND);
    let file: File = toml::from_str(&text).expect(&text);
    let expected = format!("{:?}", Sequence::new().then(expected));
    let debug = |specs: &[Spec]| format!("{:?}", Registry::new().build("augment", specs).expect(&text));
    assert_eq!(debug(&file.augment), expected, "{text}");

    // To text and back, in two formats.
    let written = toml::to_string(&file).unwrap();
    assert_eq!(toml::from_str::<File>(&written).unwrap(), file, "{written}");
    let written = serde_json::to_string(&file).unwrap();
    assert_eq!(debug(&serde_json::from_str::<File>(&written).unwrap().augment), expected, "{written}");

    // Through the struct, with all its fields.
    let described: D = toml::from_str(fields).expect(&text);
    let whole = File { augment: vec![Spec::of(&described).unwrap()] };
    assert_eq!(debug(&whole.augment), expected, "{whole:?}");
    let written = toml::to_string(&whole).unwrap();
    assert_eq!(debug(&toml::from_str::<File>(&written).unwrap().augment), expected, "{written}");

    // No kind takes a field that it does not know.
    let error =
        built(&format!("[[augment]]\nfieldless = 1\nkind = \"{}\"\n{fields}\n", D::KIND)).unwrap_err().to_string();
    assert!(error.starts_with("augment[0].fieldless: there is no field `fieldless`"), "{error}");
}

/// The same of a kind that mixes batches.
fn check_mix<D: DescribedMix>(seen: &mut BTreeSet<String>, fields: &str, expected: impl Mix + 'static) {
    seen.insert(D::KIND.to_owned());
    let text = format!("[[augment]]\nkind = \"flip\"\n[[augment]]\nkind = \"{}\"\n{fields}\n", D::KIND);
    let file: File = toml::from_str(&text).expect(&text);
    let expected = format!("{expected:?}");
    let debug = |specs: &[Spec]| {
        let pipeline = Registry::new().pipeline("augment", specs).expect(&text);
        assert_eq!(format!("{:?}", pipeline.samples), format!("{:?}", built("[[augment]]\nkind = \"flip\"").unwrap()));
        format!("{:?}", pipeline.batch.expect("a mix"))
    };
    assert_eq!(debug(&file.augment), expected, "{text}");
    let written = toml::to_string(&file).unwrap();
    assert_eq!(toml::from_str::<File>(&written).unwrap(), file, "{written}");
    if !fields.contains("p =") {
        let described: D = toml::from_str(fields).expect(&text);
        let whole = [file.augment[0].clone(), Spec::of_mix(&described).unwrap()];
        assert_eq!(debug(&whole), expected, "{whole:?}");
    }
    // It has no place among samples, nor in a composition.
    let error = built(&text).unwrap_err().to_string();
    assert!(error.starts_with(&format!("augment[1].kind: `{}` mixes the samples of a batch", D::KIND)), "{error}");
    let inner = format!("augment = [{{ kind = \"sequence\", parts = [{{ kind = \"{}\" }}] }}]", D::KIND);
    let error = built(&inner).unwrap_err().to_string();
    assert!(error.starts_with(&format!("augment[0].parts[0].kind: `{}` mixes", D::KIND)), "{error}");
    let file: File = toml::from_str(&text.replace("kind = \"flip\"", "kind = \"flip\"\nhorizontl = 1")).unwrap();
    assert!(Registry::new().pipeline("augment", &file.augment).unwrap_err().to_string().contains("did you mean"));
    let file: File = toml::from_str(&format!("{text}fieldless = 1")).unwrap();
    let error = Registry::new().pipeline("augment", &file.augment).unwrap_err().to_string();
    assert!(error.starts_with("augment[1].fieldless: there is no field `fieldless`"), "{error}");
}

fn part(part: impl Augment + 'static) -> Part {
    Arc::new(part)
}

#[test]
fn every_kind() {
    let seen = &mut BTreeSet::new();
    let [grey, rgb] = [Fill::Constant(Colour::grey(0.5)), Fill::Constant(Colour([1.0, 0.5, 0.0, 1.0]))];

    check::<spec::Flip>(seen, "", Flip::horizontal(0.5).unwrap());
    check::<spec::Flip>(seen, "horizontal = 0.25", Flip::horizontal(0.25).unwrap());
    check::<spec::Flip>(seen, "vertical = 1", Flip::vertical(1.0).unwrap());
    // What users of other libraries write: the probability of the flip, and not of one that has its own.
    check::<spec::Flip>(seen, "p = 0.3", Flip::horizontal(0.3).unwrap());
    let rarely: Box<dyn Augment> = Box::new(Flip::vertical(0.5).unwrap());
    check::<spec::Flip>(seen, "vertical = 0.5\np = 0.2", Sometimes::new(0.2, rarely).unwrap());
    let both = Sequence::new().then(Flip::horizontal(0.5).unwrap()).then(Flip::vertical(0.1).unwrap());
    check::<spec::Flip>(seen, "horizontal = 0.5\nvertical = 0.1", both);
    check::<spec::Symmetries>(seen, "", Flip::any());
    let turns = [Symmetry::Clockwise, Symmetry::HalfTurn];
    check::<spec::Symmetries>(seen, "of = [\"clockwise\", \"half-turn\"]\np = 0.5", Flip::of(&turns, 0.5).unwrap());
    check::<spec::Translate>(seen, "", Translate::new(Shift::NONE, Shift::NONE).unwrap());
    let around = Translate::fraction(0.1, 0.2).unwrap().fill(Fill::Reflect);
    check::<spec::Translate>(seen, "x = 0.1\ny = [-0.2, 0.2]\nfill = \"reflect\"", around);
    let pixels = Translate::new(Shift::Pixels((1.0, 2.5).into()), Shift::WholePixels((-3.0, 3.0).into())).unwrap();
    let fields = "x = { pixels = [1, 2.5] }\ny = { whole-pixels = 3 }\nfill = 0.5\ninterpolation = \"bicubic\"";
    check::<spec::Translate>(seen, fields, pixels.fill(grey).interpolation(Interpolation::Bicubic));
    check::<spec::Affine>(seen, "", Affine::identity());
    let affine =
        Affine::rotation((-10.0, 10.0)).unwrap().with_scale((0.9, 1.1)).unwrap().with_ratio((0.9, 1.2)).unwrap();
    let shift = Shift::Fraction((-0.1, 0.1).into());
    let affine = affine.with_shear((-5.0, 5.0), (1.0, 2.0)).unwrap().with_translation(shift, Shift::NONE).unwrap();
    let fields = "rotation = 10\nscale = [0.9, 1.1]\nratio = [0.9, 1.2]\nshear-of-x = 5\nshear-of-y = [1, 2]\nx = { fraction = 0.1 }\n\
                  fill = [1, 0.5, 0]\ninterpolation = \"nearest\"";
    check::<spec::Affine>(seen, fields, affine.fill(rgb).interpolation(Interpolation::Nearest));
    check::<spec::Rotate>(seen, "rotation = 15\nfill = \"white\"", {
        Affine::rotation((-15.0, 15.0)).unwrap().fill(Fill::Constant(Colour::grey(1.0)))
    });
    check::<spec::Scale>(seen, "scale = [0.8, 1.25]", Affine::scaling((0.8, 1.25)).unwrap());
    check::<spec::Shear>(seen, "x = 10\nfill = \"edge\"", {
        Affine::identity().with_shear((-10.0, 10.0), 0.0).unwrap().fill(Fill::Edge)
    });
    check::<spec::Perspective>(seen, "distortion = [0.1, 0.3]", Perspective::new((0.1, 0.3)).unwrap());
    check::<spec::Perspective>(seen, "fill = \"wrap\"", Perspective::new(0.5).unwrap().fill(Fill::Wrap));
    check::<spec::Elastic>(seen, "alpha = [20, 50]\nfill = \"symmetric\"", {
        ElasticTransform::new((20.0, 50.0), 5.0).unwrap().fill(Fill::Symmetric)
    });

    check::<spec::RandomCrop>(seen, "height = 3\nwidth = 4", RandomCrop::new(3, 4).unwrap());
    let fields = "height = 8\nwidth = 8\nmargin = 2\nfill = \"reflect\"";
    check::<spec::RandomCrop>(seen, fields, RandomCrop::new(8, 8).unwrap().margin(2, Fill::Reflect));
    check::<spec::CenterCrop>(seen, "height = 5\nwidth = 3", CenterCrop::new(5, 3).unwrap());
    check::<spec::Pad>(seen, "all = 2\nleft = 0\nbottom = 5", Pad::new(0, 2, 2, 5, Fill::BLACK));
    let crop = RandomResizedCrop::new(6, 7).unwrap();
    check::<spec::RandomResizedCrop>(seen, "height = 6\nwidth = 7", crop.clone());
    check::<spec::RandomResizedCrop>(seen, "height = 6\nwidth = 7\nantialias = true", crop.clone().antialias(true));
    let fields = "height = 6\nwidth = 7\narea = [0.5, 1]\nratio = 1\ninterpolation = \"bicubic\"";
    let crop = crop.area((0.5, 1.0)).unwrap().ratio(1.0).unwrap().interpolation(Interpolation::Bicubic);
    check::<spec::RandomResizedCrop>(seen, fields, crop);
    check::<spec::Resize>(seen, "height = 5\nwidth = 6", ResizeTo::exact(5, 6).unwrap());
    check::<spec::Resize>(
        seen,
        "shorter = 7\nfilter = \"lanczos\"",
        ResizeTo::shorter(7).unwrap().filter(Filter::Lanczos),
    );
    check::<spec::Resize>(seen, "longer = 7\nantialias = false", ResizeTo::longer(7).unwrap().antialias(false));
    check::<spec::Normalize>(seen, "", Normalize::unit());
    let fields = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]";
    check::<spec::Normalize>(seen, fields, Normalize::imagenet());

    check::<spec::RandomErasing>(seen, "", RandomErasing::new(0.5).unwrap());
    let erasing = RandomErasing::new(1.0).unwrap().area((0.1, 0.2)).unwrap().ratio(1.0).unwrap();
    check::<spec::RandomErasing>(
        seen,
        "p = 1\narea = [0.1, 0.2]\nratio = 1\nwith = \"uniform\"",
        erasing.clone().with(Erased::Uniform),
    );
    let fields = "p = 1\narea = [0.1, 0.2]\nratio = 1\nwith = { colour = [1, 0, 0] }";
    check::<spec::RandomErasing>(seen, fields, erasing.with(Erased::Colour(Colour::rgb(1.0, 0.0, 0.0))));
    let coarse = CoarseDropout::new((1, 2), (0.1, 0.2), (0.1, 0.2)).unwrap();
    check::<spec::CoarseDropout>(seen, "", coarse.clone());
    check::<spec::CoarseDropout>(seen, "colour = 0.5", coarse.colour(Colour::grey(0.5)));
    let fields = "holes = [3, 5]\nheight = 0.1\nwidth = [0.1, 0.3]";
    check::<spec::CoarseDropout>(seen, fields, CoarseDropout::new((3, 5), 0.1, (0.1, 0.3)).unwrap());
    check::<spec::Cutout>(seen, "side = 0.25", CoarseDropout::cutout(0.25).unwrap());
    check::<spec::GridDropout>(seen, "unit = [4, 8]", GridDropout::new((4.0, 8.0), 0.5).unwrap());
    check::<spec::PixelDropout>(seen, "", PixelDropout::new(0.01).unwrap());
    let dropout = PixelDropout::new((0.0, 0.5)).unwrap().each_channel(true).with(Erased::Normal);
    check::<spec::PixelDropout>(seen, "rate = [0, 0.5]\neach-channel = true\nwith = \"normal\"", dropout);

    check::<spec::Brightness>(seen, "factor = [0.8, 1.2]", Brightness::new((0.8, 1.2)).unwrap());
    check::<spec::Contrast>(seen, "factor = 1.5", Contrast::new(1.5).unwrap());
    check::<spec::Saturation>(seen, "factor = [0, 1]", Saturation::new((0.0, 1.0)).unwrap());
    check::<spec::Hue>(seen, "turn = 0.1", Hue::new((-0.1, 0.1)).unwrap());
    check::<spec::Gamma>(seen, "exponent = [0.8, 1.25]", Gamma::new((0.8, 1.25)).unwrap());
    check::<spec::Solarize>(seen, "threshold = 0.5", Solarize::new(0.5).unwrap());
    check::<spec::Posterize>(seen, "bits = [3, 6]", Posterize::new((3.0, 6.0)).unwrap());
    let fields = "brightness = 0.4\ncontrast = 0.3\nsaturation = 0.2\nhue = 0.1";
    check::<spec::ColourJitter>(seen, fields, ColourJitter::new(0.4, 0.3, 0.2, 0.1).unwrap());
    check::<spec::Grey>(seen, "p = 0.2", Grey::new(0.2).unwrap());
    check::<spec::Invert>(seen, "", Invert::new(0.5).unwrap());
    check::<spec::ChannelDrop>(seen, "p = 1", ChannelDrop::new(1.0).unwrap());
    check::<spec::Equalize>(seen, "p = 1", Equalize::new(1.0).unwrap());
    let stretched = AutoContrast::new(0.5).unwrap().cutoff(0.01, 0.02).unwrap();
    check::<spec::AutoContrast>(seen, "cutoff = [0.01, 0.02]", stretched);
    check::<spec::Clahe>(seen, "limit = [1, 4]", Clahe::new((1.0, 4.0)).unwrap());
    check::<spec::Clahe>(seen, "limit = 2\ntiles = [2, 3]", Clahe::new(2.0).unwrap().tiles(2, 3).unwrap());
    check::<spec::ChannelShuffle>(seen, "", ChannelShuffle);

    check::<spec::GaussianNoise>(seen, "std = [0.02, 0.1]", GaussianNoise::new(0.0, (0.02, 0.1)).unwrap());
    let noise = GaussianNoise::new((0.0, 0.1), 0.1).unwrap().shared(true).clip(None).unwrap();
    check::<spec::GaussianNoise>(seen, "mean = [0, 0.1]\nstd = 0.1\nshared = true\nclip = false", noise);
    check::<spec::UniformNoise>(seen, "std = 0.1", UniformNoise::new(0.0, 0.1).unwrap());
    check::<spec::LaplaceNoise>(seen, "std = 0.1", LaplaceNoise::new(0.0, 0.1).unwrap());
    check::<spec::Speckle>(
        seen,
        "std = 0.1\nclip = [0, 2]",
        Speckle::new(0.0, 0.1).unwrap().clip(Some((0.0, 2.0))).unwrap(),
    );
    check::<spec::ShotNoise>(seen, "scale = [0.001, 0.1]", ShotNoise::new((0.001, 0.1)).unwrap());
    check::<spec::ShotNoise>(seen, "scale = 0.1\ngamma = 1", ShotNoise::new(0.1).unwrap().gamma(1.0).unwrap());
    check::<spec::SaltAndPepper>(seen, "amount = [0.01, 0.06]", RandomSaltAndPepper::new((0.01, 0.06), 0.5).unwrap());

    check::<spec::GaussianBlur>(seen, "sigma = [0.1, 2]", GaussianBlur::new((0.1, 2.0)).unwrap());
    let blur = GaussianBlur::new(1.0).unwrap().radius(2).unwrap().fill(Fill::Wrap);
    check::<spec::GaussianBlur>(seen, "sigma = 1\nradius = 2\nfill = \"wrap\"", blur);
    check::<spec::BoxBlur>(seen, "radius = [0, 2]", BoxBlur::new((0.0, 2.0)).unwrap());
    check::<spec::MedianBlur>(seen, "radius = 1", MedianBlur::new(1.0).unwrap());
    check::<spec::MedianBlur>(seen, "radius = 1\nfill = \"wrap\"", MedianBlur::new(1.0).unwrap().fill(Fill::Wrap));
    check::<spec::MotionBlur>(seen, "length = [3, 7]", MotionBlur::new((3.0, 7.0), (0.0, 180.0)).unwrap());
    check::<spec::Sharpness>(seen, "factor = [0.1, 1.9]", Sharpness::new((0.1, 1.9)).unwrap());
    check::<spec::UnsharpMask>(seen, "sigma = 1\namount = 0.5", UnsharpMask::new(1.0, 0.5).unwrap());

    check::<spec::Jpeg>(seen, "quality = [40, 100]", JpegCompression::new((40.0, 100.0)).unwrap());

    check::<spec::RandAugment>(seen, "", RandAugment::new(2, 9).unwrap());
    let policy = RandAugment::new(3, 4).unwrap().bins(11).unwrap().fill(Fill::Edge);
    check::<spec::RandAugment>(seen, "operations = 3\nmagnitude = 4\nbins = 11\nfill = \"edge\"", policy);
    check::<spec::TrivialAugment>(seen, "", TrivialAugment::new());
    check::<spec::AutoAugment>(seen, "found-on = \"cifar10\"\nfill = 0.5", AutoAugment::cifar10().fill(grey));
    check::<spec::AugMix>(seen, "", AugMix::new());
    let policy = AugMix::new().severity(5).unwrap().width(2).unwrap().depth(2, 4).unwrap().alpha(0.5).unwrap();
    let fields = "severity = 5\nwidth = 2\ndepth = [2, 4]\nalpha = 0.5\ngeometric = false";
    check::<spec::AugMix>(seen, fields, policy.geometric(false));

    let flip = || part(Flip::vertical(0.5).unwrap());
    let noise = || part(Speckle::new(0.0, 0.1).unwrap());
    let parts = "parts = [{ kind = \"flip\", vertical = 0.5 }, { kind = \"speckle\", std = 0.1 }]";
    check::<spec::Sequence>(seen, parts, Sequence::from_iter([flip(), noise()]));
    check::<spec::RandomOrder>(seen, parts, RandomOrder::from_iter([flip(), noise()]));
    check::<spec::SomeOf>(seen, &format!("{parts}\ncount = 1"), SomeOf::new(1, 1, [flip(), noise()]).unwrap());
    check::<spec::SomeOf>(seen, &format!("{parts}\ncount = [0, 2]"), SomeOf::new(0, 2, [flip(), noise()]).unwrap());
    check::<spec::OneOf>(seen, parts, OneOf::even([flip(), noise()]).unwrap());
    let weighted = OneOf::new([(2.0, flip()), (1.0, noise())]).unwrap();
    check::<spec::OneOf>(seen, &format!("{parts}\nweights = [2, 1]"), weighted);

    let up = MixUp::new(0.2).unwrap();
    check_mix::<spec::MixUp>(seen, "alpha = 0.2", up.clone());
    check_mix::<spec::MixUp>(seen, "alpha = 0.2\np = 0.25", Sometimes::mix(0.25, up.clone()).unwrap());
    let fields = "alpha = 0.2\neach-sample = true\npartner = \"roll\"";
    check_mix::<spec::MixUp>(seen, fields, up.clone().each_sample(true).partner(Partner::Roll));
    let cut = CutMix::new(1.0).unwrap();
    check_mix::<spec::CutMix>(seen, "alpha = 1\npartner = \"reverse\"", cut.clone().partner(Partner::Reverse));
    let choice = MixChoice::new(up.clone(), cut.clone(), 0.5).unwrap();
    check_mix::<spec::MixChoice>(seen, "mixup = { alpha = 0.2 }\ncutmix = { alpha = 1 }", choice);
    let fields = "mixup = { alpha = 0.2 }\ncutmix = { alpha = 1, each-sample = true }\ncut = 0.1";
    check_mix::<spec::MixChoice>(seen, fields, MixChoice::new(up, cut.each_sample(true), 0.1).unwrap());

    let registry = Registry::new();
    let missing: Vec<&str> = registry.kinds().chain(registry.mixes()).filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}

/// Every transform that the crate exports has a kind.
#[test]
fn no_transform_is_forgotten() {
    // What is exported beside the transforms, and what is made of them in Rust alone.
    let others = [
        "Range",
        "Erased",
        "Shift",
        "Part",
        "Sometimes",
        "from_fn",
        "part",
        "Mix",
        "Mixed",
        "Mixing",
        "Partner",
        "Rectangle",
        "Share",
        "soft_labels",
    ];
    // Kinds whose names are others than their types'.
    let named = |name: &str| match name {
        "ElasticTransform" => "elastic".to_owned(),
        "RandomSaltAndPepper" => "salt-and-pepper".to_owned(),
        "ResizeTo" => "resize".to_owned(),
        "JpegCompression" => "jpeg".to_owned(),
        "MixUp" => "mixup".to_owned(),
        "CutMix" => "cutmix".to_owned(),
        _ => {
            let dashed =
                name.chars().map(|c| if c.is_uppercase() { format!("-{}", c.to_lowercase()) } else { c.to_string() });
            dashed.collect::<String>().trim_start_matches('-').to_owned()
        }
    };
    let front = include_str!("../../src/lib.rs");
    let mut checked = 0;
    let registry = Registry::new();
    for module in ["transform", "compose", "policy", "mix"] {
        // As a list, and, behind a feature, alone.
        let start = format!("pub use {module}::");
        let lists = front.split(&start).skip(1).map(|list| list.split(';').next().unwrap());
        let names = lists.flat_map(|list| list.trim_matches(['{', '}']).split(',')).map(str::trim);
        for name in names.filter(|name| !name.is_empty() && !others.contains(name)) {
            let kind = named(name);
            assert!(
                registry.kinds().chain(registry.mixes()).any(|known| known == kind),
                "no kind `{kind}` for {name}: add it to src/spec/kinds"
            );
            checked += 1;
        }
    }
    assert!(checked >= 53, "{checked}");
}
