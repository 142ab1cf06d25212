//! Images of other crates are seen and handed over without a copy.

use gradwise_augment::{
    Augment, Batches, Count, Flip, GaussianNoise, Image, ImageMut, ImageRef, Key, Kind, Layout, Sequence, Serial,
    Shape, Translate,
};
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Luma, Rgb32FImage, RgbImage, Rgba32FImage, RgbaImage,
};
use ndarray::{Array2, Array3, Array4, Axis, s};

fn pipeline() -> Sequence {
    Sequence::new()
        .then(Flip::horizontal(1.0).unwrap())
        .then(Translate::pixels(2.0, 2.0).unwrap())
        .then(GaussianNoise::new(0.0, 0.1).unwrap())
}

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 151 % 251) as u8).collect()
}

#[test]
fn buffers_of_every_type_that_is_ours() {
    let (width, height) = (5, 4);
    let pixels = (width * height) as usize;
    let floats = |n: usize| -> Vec<f32> { bytes(n).into_iter().map(|x| f32::from(x) / 255.0).collect() };
    let all: [(DynamicImage, Kind, usize); 6] = [
        (GrayImage::from_raw(width, height, bytes(pixels)).unwrap().into(), Kind::U8, 1),
        (GrayAlphaImage::from_raw(width, height, bytes(2 * pixels)).unwrap().into(), Kind::U8, 2),
        (RgbImage::from_raw(width, height, bytes(3 * pixels)).unwrap().into(), Kind::U8, 3),
        (RgbaImage::from_raw(width, height, bytes(4 * pixels)).unwrap().into(), Kind::U8, 4),
        (Rgb32FImage::from_raw(width, height, floats(3 * pixels)).unwrap().into(), Kind::F32, 3),
        (Rgba32FImage::from_raw(width, height, floats(4 * pixels)).unwrap().into(), Kind::F32, 4),
    ];
    for (image, kind, channels) in all {
        let shape = Shape::interleaved(4, 5, channels);
        let view = ImageRef::try_from(&image).unwrap();
        assert_eq!((view.shape(), view.kind()), (shape, kind));
        let result = pipeline().apply(view, Key::new(1)).unwrap();

        let mut target = image.clone();
        let (mut buffers, key) = (Default::default(), Key::new(1));
        pipeline().apply_into(view, key, ImageMut::try_from(&mut target).unwrap(), &mut buffers).unwrap();
        assert_eq!(DynamicImage::try_from(result).unwrap(), target);

        let memory = image.as_bytes().as_ptr();
        let ours = Image::try_from(image.clone()).unwrap();
        assert_eq!(DynamicImage::try_from(ours).unwrap(), image);
        let ours = Image::try_from(image).unwrap();
        let back = DynamicImage::try_from(ours).unwrap();
        assert_eq!(back.as_bytes().as_ptr(), memory, "moved, not copied");
    }
}

#[test]
fn a_buffer_may_be_of_single_floating_values_or_larger_than_its_image() {
    let image = ImageBuffer::<Luma<f32>, _>::from_raw(2, 2, vec![0.25_f32; 4]).unwrap();
    assert_eq!(ImageRef::try_from(&image).unwrap().shape(), Shape::interleaved(2, 2, 1));
    let image = Image::try_from(GrayImage::from_raw(2, 2, vec![7; 100]).unwrap()).unwrap();
    assert_eq!(image.as_u8(), Some(&[7; 4][..]));
    let borrowed = ImageBuffer::<Luma<u8>, &[u8]>::from_raw(2, 2, &[1, 2, 3, 4, 5]).unwrap();
    assert_eq!(ImageRef::try_from(&borrowed).unwrap().shape(), Shape::interleaved(2, 2, 1));
}

#[test]
fn buffers_that_are_not_ours_are_refused() {
    let tells = |error: gradwise_augment::Error, part: &str| assert!(error.to_string().contains(part), "{error}");
    let mut deep = DynamicImage::new_rgb16(2, 2);
    tells(ImageRef::try_from(&deep).unwrap_err(), "got Rgb16");
    tells(ImageMut::try_from(&mut deep).unwrap_err(), "to_rgb8");
    tells(Image::try_from(DynamicImage::new_luma16(2, 2)).unwrap_err(), "got L16");
    tells(ImageRef::try_from(&RgbImage::new(0, 5)).unwrap_err(), "an image of 1 to");
    tells(Image::try_from(RgbImage::new(3, 0)).unwrap_err(), "an image of 1 to");

    let black = |shape, kind| Image::black(shape, kind).unwrap();
    tells(
        RgbImage::try_from(black(Shape::interleaved(2, 2, 4), Kind::U8)).unwrap_err(),
        "3 interleaved channels of U8",
    );
    tells(RgbImage::try_from(black(Shape::interleaved(2, 2, 3), Kind::F32)).unwrap_err(), "2 x 2 x 3 of F32");
    tells(RgbImage::try_from(black(Shape::planar(3, 2, 2), Kind::U8)).unwrap_err(), "planar");
    tells(DynamicImage::try_from(black(Shape::interleaved(2, 2, 1), Kind::F32)).unwrap_err(), "got 2 x 2 x 1 of F32");
    tells(DynamicImage::try_from(black(Shape::interleaved(2, 2, 5), Kind::U8)).unwrap_err(), "got 2 x 2 x 5 of U8");
    assert!(
        GrayImage::try_from(black(Shape::planar(1, 2, 2), Kind::U8)).is_ok(),
        "one channel lies the same in both layouts"
    );
}

#[test]
fn arrays_in_both_layouts() {
    let grey = Array2::from_shape_vec((4, 5), bytes(20)).unwrap();
    assert_eq!(ImageRef::from_array(grey.view(), Layout::Interleaved).unwrap().shape(), Shape::interleaved(4, 5, 1));
    assert_eq!(ImageRef::from_array(grey.view(), Layout::Planar).unwrap().shape(), Shape::planar(1, 4, 5));
    for (layout, axes) in [(Layout::Interleaved, (4, 5, 3)), (Layout::Planar, (3, 4, 5))] {
        let array = Array3::from_shape_vec(axes, bytes(60)).unwrap();
        let view = ImageRef::from_array(array.view(), layout).unwrap();
        assert_eq!(view.shape(), Shape { height: 4, width: 5, channels: 3, layout });
        let mut target = Array3::<u8>::zeros(axes);
        let into = ImageMut::from_array(target.view_mut(), layout).unwrap();
        pipeline().apply_into(view, Key::new(3), into, &mut Default::default()).unwrap();
        let result = pipeline().apply(view, Key::new(3)).unwrap();
        assert!(result.clone().into_array::<f32>().is_err());
        assert_eq!(result.into_array::<u8>().unwrap(), target);

        let memory = array.as_ptr();
        let back = Image::from_array(array, layout).unwrap().into_array::<u8>().unwrap();
        assert_eq!((back.as_ptr(), back.dim()), (memory, axes), "moved, not copied");
    }
    // What is left of an array after its first rows were cut off begins later in its memory.
    let mut array = Array3::from_shape_vec((4, 5, 3), bytes(60)).unwrap();
    array.slice_collapse(s![1..3, .., ..]);
    assert_eq!(Image::from_array(array, Layout::Interleaved).unwrap().as_u8(), Some(&bytes(60)[15..45]));
}

#[test]
fn arrays_that_cannot_be_seen_are_refused() {
    let array = Array3::<u8>::zeros((4, 5, 3));
    let permuted = array.view().permuted_axes([2, 0, 1]);
    let error = ImageRef::from_array(permuted, Layout::Planar).unwrap_err().to_string();
    assert!(error.contains("as_standard_layout") && error.contains("strides [1, 15, 3]"), "{error}");
    assert!(Image::from_array(array.clone().reversed_axes(), Layout::Planar).is_err());
    let mut steps = array.clone();
    assert!(ImageMut::from_array(steps.slice_mut(s![..;2, .., ..]), Layout::Interleaved).is_err());
    assert!(ImageRef::from_array(array.view().insert_axis(Axis(0)), Layout::Interleaved).is_err(), "four axes");
    assert!(ImageRef::from_array(Array3::<f32>::zeros((0, 5, 3)).view(), Layout::Interleaved).is_err());
}

#[test]
fn batches_of_arrays() {
    let keys: Vec<Key> = (0..6).map(|i| Key::new(4).sample(i)).collect();
    for (layout, axes) in [(Layout::Interleaved, (6, 4, 5, 3)), (Layout::Planar, (6, 3, 4, 5))] {
        let images = Array4::from_shape_vec(axes, bytes(360)).unwrap();
        let mut target = Array4::<u8>::zeros(axes);
        let mut batches = Batches::default();
        batches.run_arrays(&pipeline(), &images, &keys, &mut target, layout, &Count(2)).unwrap();
        for ((image, out), &key) in images.outer_iter().zip(target.outer_iter()).zip(&keys) {
            let view = ImageRef::from_array(image, layout).unwrap();
            assert_eq!(pipeline().apply(view, key).unwrap().into_array::<u8>().unwrap(), out);
        }
        let mut run = |images: &Array4<u8>, keys: &[Key]| {
            batches.run_arrays(&pipeline(), images, keys, &mut target, layout, &Serial).unwrap_err().to_string()
        };
        assert!(run(&images, &keys[1..]).contains("a first axis of 5"));
        let reversed = images.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
        assert!(run(&reversed, &keys).contains("standard order"));
    }
    // Grey images need no axis of channels.
    let images = Array3::<f32>::zeros((6, 4, 5));
    let mut target = images.clone();
    Batches::default().run_arrays(&pipeline(), &images, &keys, &mut target, Layout::Planar, &Serial).unwrap();
    assert_ne!(images, target);
}
