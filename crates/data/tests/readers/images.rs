//! Folders of pictures: order, sizes, bad files, and the same set on any number of threads.

use gradwise_data::{BadFiles, ImageFolder, Pixels};
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use std::path::Path;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for class in ["dog", "cat/more", "empty"] {
        std::fs::create_dir_all(at(class)).unwrap();
    }
    let red = RgbImage::from_fn(5, 4, |x, y| Rgb([200, x as u8, y as u8]));
    red.save(at("dog/b.png")).unwrap();
    GrayImage::from_pixel(5, 4, Luma([60])).save(at("dog/a.png")).unwrap();
    // A JPEG under another name.
    RgbImage::from_pixel(5, 4, Rgb([10, 120, 240])).save_with_format(at("cat/more/c.dat"), ImageFormat::Jpeg).unwrap();
    std::fs::write(at("cat/.hidden"), "no picture").unwrap();
    std::fs::write(at("notes.txt"), "of no class").unwrap();
    folder
}

fn told(folder: &ImageFolder) -> String {
    folder.read::<f32>(2).map(drop).unwrap_err().to_string()
}

#[test]
fn pictures_are_read_in_order() {
    let folder = folder();
    let list = ImageFolder::open(folder.path()).unwrap();
    assert_eq!((list.classes(), list.files().len()), (&["cat".to_owned(), "dog".into(), "empty".into()][..], 3));
    let (set, bad) = list.read::<f64>(1).unwrap();
    assert!(bad.is_empty());
    assert_eq!((set.inputs().shape(), set.labels(), set.n_classes()), (&[3, 3, 4, 5][..], &[0, 1, 1][..], 3));
    // Grey is three equal channels; planes are one after another, y before x.
    assert_eq!((set.inputs()[[1, 0, 0, 0]], set.inputs()[[1, 2, 3, 4]]), (60.0, 60.0));
    assert_eq!((set.inputs()[[2, 0, 3, 1]], set.inputs()[[2, 1, 3, 1]], set.inputs()[[2, 2, 3, 1]]), (200.0, 1.0, 3.0));
    assert!((set.inputs()[[0, 2, 1, 1]] - 240.0).abs() < 6.0);
    for threads in [2, 8] {
        assert_eq!(list.read::<f64>(threads).unwrap().0, set);
    }
    let (grey, _) = list.clone().pixels(Pixels::Grey).size(2, 3).unwrap().read::<f32>(2).unwrap();
    assert_eq!(grey.inputs().shape(), [3, 1, 2, 3]);
    assert_eq!(grey.inputs()[[1, 0, 1, 2]], 60.0);
}

#[test]
fn bad_files_are_refused_or_reported() {
    let folder = folder();
    let broken = folder.path().join("dog/aa.png");
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\n broken").unwrap();
    let list = ImageFolder::open(folder.path()).unwrap();
    assert!(told(&list).contains("aa.png: at byte 0: expected a PNG or JPEG picture, got "), "{}", told(&list));
    let (set, bad) = list.bad_files(BadFiles::Skip).read::<f32>(3).unwrap();
    assert_eq!((set.labels(), bad.len(), bad[0].path.as_path()), (&[0, 1, 1][..], 1, broken.as_path()));

    GrayImage::from_pixel(9, 4, Luma([60])).save(&broken).unwrap();
    let list = ImageFolder::open(folder.path()).unwrap();
    let message = "expected 4 x 5 pixels, as the first picture (or a size to bring all to), got 4 x 9";
    assert!(told(&list).ends_with(message), "{}", told(&list));
    assert_eq!(list.clone().size(4, 5).unwrap().read::<f32>(1).unwrap().0.labels(), [0, 1, 1, 1]);
    assert_eq!(list.clone().bad_files(BadFiles::Skip).read::<f32>(1).unwrap().1.len(), 1);
    assert!(list.read::<f32>(0).is_err() && list.clone().size(0, 5).is_err());

    let nothing = tempfile::tempdir().unwrap();
    std::fs::create_dir(nothing.path().join("class")).unwrap();
    let error = ImageFolder::open(nothing.path()).unwrap_err().to_string();
    assert!(error.contains("expected a file named anything in a folder of its class"), "{error}");
    assert!(ImageFolder::open(Path::new("no such folder")).is_err());
}

#[test]
fn classes_may_be_those_of_another_folder() {
    let folder = folder();
    let list = ImageFolder::open(folder.path()).unwrap().with_classes(&["dog", "bird", "cat"]).unwrap();
    let (set, _) = list.read::<f32>(1).unwrap();
    // The pictures stay in their order; a class without any does not matter.
    assert_eq!((set.labels(), set.n_classes(), set.class_name(1)), (&[2, 0, 0][..], 3, "bird".to_owned()));
    let error = list.with_classes(&["dog", "bird"]).unwrap_err().to_string();
    let expected = format!("image folder: class: expected one of dog, bird, got `cat` in {}", folder.path().display());
    assert_eq!(error, expected);
}
