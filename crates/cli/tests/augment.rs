//! Contact sheets as a person asks for them.

use image::{GrayImage, Luma, RgbImage};
use std::path::Path;
use std::process::{Command, Output};

fn gradwise(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradwise"));
    command.current_dir(folder).arg("augment").args(arguments).output().expect("it starts")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let image = RgbImage::from_fn(120, 80, |x, y| image::Rgb([x as u8, 2 * y as u8, 90]));
    image.save(folder.path().join("image.png")).unwrap();
    let pipeline = "[[augment]]\nkind = \"flip\"\nhorizontal = 1.0\n\n[[augment]]\nkind = \"translate\"\n\n[[augment]]\nkind = \"gaussian-noise\"\nstd = 0.1\n";
    std::fs::write(folder.path().join("pipeline.toml"), pipeline).unwrap();
    folder
}

fn opened(folder: &Path, name: &str) -> RgbImage {
    image::open(folder.join(name)).unwrap().into_rgb8()
}

#[test]
fn a_sheet_shows_the_image_and_what_the_pipeline_makes_of_it() {
    let folder = folder();
    let folder = folder.path();
    let arguments =
        ["image.png", "--pipeline", "pipeline.toml", "--grid", "3x2", "-o", "sheet.png", "--save", "plans.json"];
    let output = gradwise(folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    let sheet = opened(folder, "sheet.png");
    // Cells of 120 pixels with gaps of 8; the first is the image, the second is mirrored.
    assert_eq!(sheet.width(), 3 * 128 + 8);
    assert_eq!(sheet.get_pixel(8 + 10, 8 + 20).0, [10, 40, 90]);
    let red = |left: u32| (0..80).map(|y| f64::from(sheet.get_pixel(8 + 128 + left, 8 + y).0[0])).sum::<f64>() / 80.0;
    assert!((red(10) - 109.0).abs() < 15.0 && (red(109) - 10.0).abs() < 15.0, "{} {}", red(10), red(109));

    let again = gradwise(folder, &["image.png", "--replay", "plans.json", "--grid", "3x2", "-o", "again.png"]);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(opened(folder, "again.png"), sheet, "the same draws make the same sheet");
    // What was drawn for one size is not done to another.
    RgbImage::new(60, 80).save(folder.join("smaller.png")).unwrap();
    let refused = gradwise(folder, &["smaller.png", "--replay", "plans.json", "-o", "smaller-sheet.png"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(3) && told.contains("80 x 120, for which it was drawn"), "{told}");

    let other = gradwise(
        folder,
        &["image.png", "--pipeline", "pipeline.toml", "--grid", "3x2", "-o", "other.png", "--seed", "1"],
    );
    assert!(other.status.success());
    assert_ne!(opened(folder, "other.png"), sheet);
}

#[test]
fn images_of_sixteen_bits_and_of_one_channel_are_shown() {
    let folder = folder();
    let folder = folder.path();
    image::ImageBuffer::from_fn(40, 30, |x, _| Luma([x as u16 * 1000])).save(folder.join("deep.png")).unwrap();
    GrayImage::from_pixel(40, 30, Luma([7])).save(folder.join("grey.jpg")).unwrap();
    for image in ["deep.png", "grey.jpg"] {
        let output = gradwise(folder, &[image, "--pipeline", "pipeline.toml", "--grid", "2x1", "-o", "sheet.jpg"]);
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_pipeline_that_ends_with_a_mix_shows_the_samples_mixed() {
    let folder = folder();
    let folder = folder.path();
    for (mix, words) in [("mixup", "rest"), ("cutmix", "pixels")] {
        let text = format!(
            "augment = [{{ kind = \"invert\", p = 0.5 }}, {{ kind = \"{mix}\", alpha = 1, each-sample = true }}]\n"
        );
        std::fs::write(folder.join("mix.toml"), text).unwrap();
        let arguments = ["image.png", "--pipeline", "mix.toml", "--grid", "4x2", "-o", "mix.png", "--save", "mix.json"];
        let output = gradwise(folder, &arguments);
        assert!(output.status.success(), "{output:?}");
        let saved = std::fs::read_to_string(folder.join("mix.json")).unwrap();
        assert!(saved.contains("\"partner\""), "{words}: {saved}");
        let again = gradwise(folder, &["image.png", "--replay", "mix.json", "--grid", "4x2", "-o", "again.png"]);
        assert!(again.status.success(), "{again:?}");
        assert_eq!(opened(folder, "again.png"), opened(folder, "mix.png"));
    }
    // Samples of different sizes cannot be mixed.
    let text = "augment = [{ kind = \"symmetries\", of = [\"transpose\"], p = 0.5 }, { kind = \"mixup\", alpha = 1 }]";
    std::fs::write(folder.join("sizes.toml"), text).unwrap();
    let output = gradwise(folder, &["image.png", "--pipeline", "sizes.toml", "-o", "sizes.png"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && told.contains("of a mix: expected"), "{told}");
}

/// A PNG file whose header promises an image of that size, and nothing after it.
fn header(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    let mut chunk = b"IHDR".to_vec();
    chunk.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    chunk.extend([8, 2, 0, 0, 0]);
    let sum = chunk.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    file.extend(&chunk);
    file.extend((!sum).to_be_bytes());
    file
}

#[test]
fn what_is_wrong_is_told_in_one_line_with_its_place() {
    let folder = folder();
    let folder = folder.path();
    std::fs::write(folder.join("unknown.toml"), "[[augment]]\nkind = \"gausian-noise\"\nstd = 0.1\n").unwrap();
    std::fs::write(folder.join("negative.toml"), "[[augment]]\nkind = \"gaussian-noise\"\nstd = -1\n").unwrap();
    std::fs::write(folder.join("broken.toml"), "[[augment\n").unwrap();
    std::fs::write(folder.join("text.png"), "no image").unwrap();
    GrayImage::new(900, 40).save(folder.join("wide.png")).unwrap();
    std::fs::write(folder.join("plans.json"), "[{}]").unwrap();
    std::fs::write(folder.join("huge.png"), header(100_000, 100_000)).unwrap();
    RgbImage::from_fn(90, 90, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]))
        .save(folder.join("cut.jpg"))
        .unwrap();
    let whole = std::fs::read(folder.join("cut.jpg")).unwrap();
    std::fs::write(folder.join("cut.jpg"), &whole[..whole.len() * 2 / 3]).unwrap();
    std::fs::write(folder.join("large.toml"), "augment = [{ kind = \"center-crop\", height = 81, width = 8 }]")
        .unwrap();
    let cases: [(&[&str], i32, &str); 13] = [
        (&["huge.png", "--pipeline", "pipeline.toml", "-o", "a.png"], 3, "huge.png"),
        (&["cut.jpg", "--pipeline", "pipeline.toml", "-o", "a.png"], 3, "cut.jpg: a JPEG file that ends before"),
        (
            &["image.png", "--pipeline", "large.toml", "-o", "a.png"],
            3,
            "center crop: expected an image of at least 81 x 8",
        ),
        (&["image.png", "--pipeline", "unknown.toml", "-o", "a.png"], 3, "gaussian-noise"),
        (&["image.png", "--pipeline", "negative.toml", "-o", "a.png"], 3, "augment[0].std"),
        (&["image.png", "--pipeline", "broken.toml", "-o", "a.png"], 3, "broken.toml"),
        (&["image.png", "--pipeline", "nowhere.toml", "-o", "a.png"], 2, "nowhere.toml"),
        (&["nowhere.png", "--pipeline", "pipeline.toml", "-o", "a.png"], 2, "nowhere.png"),
        (&["text.png", "--pipeline", "pipeline.toml", "-o", "a.png"], 3, "text.png"),
        (&["image.png", "--replay", "plans.json", "-o", "a.png"], 3, "plans.json"),
        (&["image.png", "--pipeline", "pipeline.toml", "-o", "a.gif"], 2, "a.gif"),
        (&["image.png", "--pipeline", "pipeline.toml", "-o", "a.png", "--grid", "0x4"], 2, "0x4"),
        (
            &["wide.png", "--pipeline", "pipeline.toml", "-o", "a.png", "--grid", "64x64", "--cell", "4096"],
            2,
            "--cell 4096",
        ),
    ];
    for (arguments, code, words) in cases {
        let output = gradwise(folder, arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
        assert!(!folder.join("a.png").exists(), "{arguments:?} wrote a file");
    }
}
