//! Compression.

use gradwise_augment::{Augment, Image, ImageRef, JpegCompression, Key, Kind, Shape};

/// A picture with slopes and an edge.
fn picture(shape: Shape) -> Vec<u8> {
    let at = |y: usize, x: usize, c: usize| (4 * y + 3 * x + 20 * c + if x > y { 60 } else { 0 }).min(255) as u8;
    let interleaved = shape == Shape::interleaved(shape.height, shape.width, shape.channels);
    let mut out = vec![0; shape.len().expect("small")];
    for (i, out) in out.iter_mut().enumerate() {
        let (place, c) = if interleaved {
            (i / shape.channels, i % shape.channels)
        } else {
            (i % (shape.height * shape.width), i / (shape.height * shape.width))
        };
        *out = at(place / shape.width, place % shape.width, c);
    }
    out
}

fn error(a: &[u8], b: &Image) -> f64 {
    let b = b.as_u8().expect("bytes");
    a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
}

#[test]
fn less_quality_is_less_like_the_image() {
    for shape in
        [Shape::interleaved(19, 26, 3), Shape::planar(3, 19, 26), Shape::interleaved(19, 26, 1), Shape::planar(1, 8, 5)]
    {
        let values = picture(shape);
        let errors = [100.0, 60.0, 10.0].map(|quality| {
            let jpeg = JpegCompression::new(quality).expect("a quality");
            error(&values, &jpeg.apply(ImageRef::new(shape, &values).expect("an image"), Key::new(0)).expect("it runs"))
        });
        assert!(errors[0] < 1.5 && errors[0] < errors[1] && errors[1] < errors[2] && errors[2] < 40.0, "{errors:?}");
    }
}

#[test]
fn layouts_and_types_are_alike() {
    let (shape, planar) = (Shape::interleaved(16, 24, 3), Shape::planar(3, 16, 24));
    let jpeg = JpegCompression::new(50.0).expect("a quality");
    let run = |image: ImageRef<'_>| jpeg.apply(image, Key::new(0)).expect("it runs");
    let values = picture(shape);
    let a = run(ImageRef::new(shape, &values).expect("an image"));
    let b = run(ImageRef::new(planar, &picture(planar)).expect("an image"));
    let floats: Vec<f32> = values.iter().map(|&x| f32::from(x) / 255.0).collect();
    let c = run(ImageRef::new(shape, &floats).expect("an image"));
    let (a, b, c) = (a.as_u8().expect("bytes"), b.as_u8().expect("bytes"), c.as_f32().expect("floats"));
    for i in 0..a.len() {
        assert_eq!(a[i], b[i % 3 * 16 * 24 + i / 3]);
        assert!((f32::from(a[i]) - c[i] * 255.0).abs() < 1e-3);
    }
}

#[test]
fn what_cannot_be_compressed() {
    assert!(JpegCompression::new(0.0).is_err() && JpegCompression::new(101.0).is_err());
    assert!(JpegCompression::new((50.2, 50.8)).is_err(), "no whole number");
    let jpeg = JpegCompression::new((40.0, 100.0)).expect("a range");
    for shape in [Shape::interleaved(8, 8, 2), Shape::planar(4, 8, 8), Shape::interleaved(1, 70_000, 1)] {
        assert!(jpeg.plan(shape, Kind::U8, Key::new(0)).is_err(), "{shape}");
    }
    let image = Image::black(Shape::interleaved(1, 1, 3), Kind::F32).expect("an image");
    assert!(jpeg.apply(image.as_ref(), Key::new(0)).is_ok());
}
