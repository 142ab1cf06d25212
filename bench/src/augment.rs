//! Image augmentation: the cases that the peers' program times, under the same names.
//!
//! A case is a transform, a size and a type of value: `rotate_224_f32`. Images of 28 x 28 are grey, larger ones have colours; they are cut from a photograph where
//! one is given. Drawing the parameters is part of what is timed, as is writing the result into memory that is used again: each thread's results go to the
//! same place, one after the other, as the peers' do, whose results are freed before the next one is made.

use gradwise_augment::Value;
use gradwise_augment::{
    Affine, Augment, Buffers, ColourJitter, Count, ElasticTransform, Flip, GaussianBlur, GaussianNoise, ImageMut,
    ImageRef, Key, RandomErasing, RandomSaltAndPepper, Result, Sequence, Serial, Shape, ShotNoise, Speckle, Threads,
    Translate,
};
use std::sync::{Mutex, PoisonError};

/// The transforms, by the peers' names.
pub const TRANSFORMS: &[(&str, fn() -> Result<Box<dyn Augment>>)] = &[
    ("hflip", || boxed(Flip::horizontal(1.0)?)),
    ("vflip", || boxed(Flip::vertical(1.0)?)),
    ("translate", || boxed(Translate::fraction(0.1, 0.1)?)),
    ("rotate", || boxed(Affine::rotation((-15.0, 15.0))?)),
    ("affine", || boxed(affine()?.with_scale((0.9, 1.1))?.with_shear((-5.0, 5.0), (-5.0, 5.0))?)),
    ("gauss_noise", || boxed(GaussianNoise::new(0.0, 0.1)?)),
    ("salt_pepper", || boxed(RandomSaltAndPepper::new((0.01, 0.06), (0.4, 0.6))?)),
    // Normal factors of the same standard deviation as the peer's uniform ones.
    ("speckle", || boxed(Speckle::new(0.0, 0.1 / 3_f64.sqrt())?)),
    ("shot_noise", || boxed(ShotNoise::new((0.1, 0.3))?)),
    ("erasing", || boxed(RandomErasing::new(1.0)?)),
    ("color_jitter", || boxed(ColourJitter::new(0.2, 0.2, 0.2, 0.5)?)),
    ("blur", || boxed(GaussianBlur::new((0.1, 2.0))?)),
    ("elastic", || boxed(ElasticTransform::new(1.0, 50.0)?)),
    ("pipeline", || {
        let noise = GaussianNoise::new(0.0, 0.05)?;
        boxed(Sequence::new().then(Flip::horizontal(0.5)?).then(affine()?).then(noise))
    }),
];

fn boxed(augment: impl Augment + 'static) -> Result<Box<dyn Augment>> {
    Ok(Box::new(augment))
}

fn affine() -> Result<Affine> {
    use gradwise_augment::Shift;
    let shift = Shift::Fraction((-0.1, 0.1).into());
    Affine::rotation((-10.0, 10.0))?.with_translation(shift, shift)
}

/// The sizes of images, and how many there are in a batch.
pub const SIZES: [(usize, usize); 3] = [(28, 64), (32, 64), (224, 16)];

/// A batch of images, and where they go.
#[derive(Debug)]
pub struct Work<V> {
    shape: Shape,
    images: Vec<V>,
    n: usize,
    workers: Vec<Mutex<Worker<V>>>,
    round: u64,
}

/// What a thread has for itself.
#[derive(Debug)]
struct Worker<V> {
    target: Vec<V>,
    buffers: Buffers,
    result: Result<()>,
}

impl<V: Value> Work<V> {
    /// Images of a size, made by `value` from shares of white in `picture`: a photograph of red, green and blue, or a picture of waves.
    pub fn new(size: usize, n: usize, picture: &Picture, value: impl Fn(f32) -> V) -> Self {
        let channels = if size == 28 { 1 } else { 3 };
        let shape = Shape::interleaved(size, size, channels);
        let mut random = Key::new(0).random();
        let mut images = Vec::new();
        for _ in 0..n {
            let top = random.below((picture.height - size) as u32) as usize;
            let left = random.below((picture.width - size) as u32) as usize;
            for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
                let rgb = picture.pixel(top + y, left + x);
                if channels == 1 {
                    images.push(value((rgb[0] + rgb[1] + rgb[2]) / 3.0));
                } else {
                    images.extend(rgb.map(&value));
                }
            }
        }
        Work { shape, images, n, workers: Vec::new(), round: 0 }
    }

    /// Augments each image once, with draws of its own every time.
    ///
    /// # Errors
    /// The transform's.
    pub fn run(&mut self, augment: &dyn Augment, threads: usize) -> Result<()> {
        self.round += 1;
        let epoch = Key::new(1).epoch(self.round);
        let count = Count(threads);
        let threads: &dyn Threads = if threads > 1 { &count } else { &Serial };
        let (n, shape, len) = (self.n, self.shape, self.images.len() / self.n);
        let new =
            || Mutex::new(Worker { target: vec![V::default(); len], buffers: Buffers::default(), result: Ok(()) });
        self.workers.resize_with(threads.count(), new);
        let (images, workers) = (&self.images, &self.workers);
        threads.run(workers.len(), &|i| {
            let mut worker = workers[i].lock().unwrap_or_else(PoisonError::into_inner);
            let Worker { target, buffers, result } = &mut *worker;
            *result = (i * n / workers.len()..(i + 1) * n / workers.len()).try_for_each(|index| {
                let image = ImageRef::new(shape, &images[index * len..][..len])?;
                augment.apply_into(image, epoch.sample(index as u64), ImageMut::new(shape, target)?, buffers)
            });
        });
        let mut workers = self.workers.iter_mut();
        workers.try_for_each(|worker| worker.get_mut().unwrap_or_else(PoisonError::into_inner).result.clone())
    }

    /// The first image, to look at.
    ///
    /// # Errors
    /// None, as the values are as many as the shape says.
    pub fn first(&self) -> Result<ImageRef<'_>> {
        let len = self.images.len() / self.n;
        ImageRef::new(self.shape, &self.images[..len])
    }
}

/// What images are cut from.
#[derive(Debug)]
pub struct Picture {
    height: usize,
    width: usize,
    /// Red, green and blue as shares of white, pixel by pixel; none for waves.
    values: Vec<f32>,
}

impl Picture {
    /// A photograph's bytes, red, green and blue.
    pub fn new(height: usize, width: usize, bytes: &[u8]) -> Self {
        Picture { height, width, values: bytes.iter().map(|&x| f32::from(x) / 255.0).collect() }
    }

    /// Waves of several lengths, where there is no photograph.
    pub fn waves() -> Self {
        Picture { height: 427, width: 640, values: Vec::new() }
    }

    fn pixel(&self, y: usize, x: usize) -> [f32; 3] {
        if let Some(rgb) = self.values.get((y * self.width + x) * 3..).and_then(|rest| rest.first_chunk()) {
            return *rgb;
        }
        let (y, x) = (y as f32, x as f32);
        [0.11, 0.23, 0.05].map(|k| 0.5 + 0.25 * (k * x).sin() + 0.25 * (1.7 * k * y + 0.01 * x).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a thread's last result is another than its image. (An elastic field may be too weak to change a byte of one of them.)
    fn check<V: Value>(work: &mut Work<V>, augment: &dyn Augment, threads: usize, name: &str) {
        work.run(augment, threads).unwrap_or_else(|error| panic!("{name}: {error}"));
        let len = work.images.len() / work.n;
        let changed = work.workers.iter_mut().enumerate().any(|(i, worker)| {
            let last = (i + 1) * work.n / threads - 1;
            worker.get_mut().unwrap().target[..] != work.images[last * len..][..len]
        });
        assert!(changed, "{name}");
    }

    #[test]
    fn every_case_runs() {
        for (size, _) in SIZES {
            for (name, make) in TRANSFORMS {
                let augment = make().unwrap();
                check(&mut Work::new(size, 2, &Picture::waves(), |x| (x * 255.0) as u8), &*augment, 2, name);
                check(&mut Work::new(size, 2, &Picture::waves(), |x| x), &*augment, 1, name);
            }
        }
    }
}
