//! Images a second.
use gradwise_augment::*;
use std::time::Instant;
fn main() -> Result<()> {
    let parts: Vec<(&str, Part)> = vec![
        ("flip", std::sync::Arc::new(Flip::horizontal(1.0)?)),
        ("translate", std::sync::Arc::new(Translate::fraction(0.1, 0.1)?)),
        ("noise", std::sync::Arc::new(GaussianNoise::new(0.0, 0.1)?)),
        ("speckle", std::sync::Arc::new(Speckle::new(0.0, 0.1)?)),
        ("s&p", std::sync::Arc::new(RandomSaltAndPepper::new((0.01, 0.06), (0.4, 0.6))?)),
        (
            "pipe",
            std::sync::Arc::new(
                Sequence::new()
                    .then(Flip::horizontal(0.5)?)
                    .then(Translate::fraction(0.1, 0.1)?)
                    .then(GaussianNoise::new(0.0, 0.05)?),
            ),
        ),
        ("rotate", std::sync::Arc::new(Turn)),
    ];
    for (size, c) in [(28, 1), (32, 3), (224, 3)] {
        for (name, part) in &parts {
            for kind in [Kind::U8, Kind::F32] {
                let shape = Shape::interleaved(size, size, c);
                let image = Image::black(shape, kind)?;
                let mut out = Image::black(shape, kind)?;
                let mut buffers = Buffers::default();
                let n = if size == 224 { 100 } else { 2000 };
                let mut best = f64::MAX;
                for round in 0..8 {
                    let t = Instant::now();
                    for i in 0..n {
                        part.apply_into(image.as_ref(), Key::new(round).sample(i), out.as_mut(), &mut buffers)?;
                    }
                    best = best.min(t.elapsed().as_secs_f64() / n as f64);
                }
                println!("{size:4} {name:10} {kind:?} {:10.0}/s", 1.0 / best);
            }
        }
    }
    Ok(())
}
#[derive(Debug)]
struct Turn;
impl Augment for Turn {
    fn name(&self) -> &str {
        "turn"
    }
    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let s = draw.shape();
        let a = draw.random().between(-15.0, 15.0);
        let map = Map::rotation(a).about(s.width as f64 / 2.0, s.height as f64 / 2.0);
        draw.push(Step::Warp(Warp {
            map,
            height: s.height,
            width: s.width,
            interpolation: Interpolation::Bilinear,
            fill: Fill::BLACK,
        }))
    }
}
