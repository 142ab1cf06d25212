//! Less memory for more time: of a deep net, only what lies between its segments is kept for the backward pass, and the rest is
//! computed again when that comes to it. No number changes by it.

use gradwise::layers;
use gradwise::prelude::*;
use std::time::Instant;

/// Twenty-four convolutions of 16 channels, each with batch norm and ReLU, and a linear layer.
fn deep() -> Result<Chain<f32>, Error> {
    let mut chain = Chain::seeded(Key::new(0));
    for i in 0..24 {
        let inputs = if i == 0 { 1 } else { 16 };
        chain = chain
            .then(layers::Conv2d::config(inputs, 16, 3).padding(1).without_bias())
            .then(BatchNorm2d::new(16)?.with_relu());
    }
    chain.then(GlobalAvgPool2d).then(Flatten).then(layers::Linear::config(16, 10)).build()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let steps = if std::env::var_os("GRADWISE_QUICK").is_some() { 3 } else { 20 };
    let digits = digits::<f32>();
    let mut batch = Batch::default();
    digits.gather(&(0..256).collect::<Vec<_>>(), &mut batch)?;

    println!("{:<34} {:>9} {:>12} {:>10}", "", "memory", "time a step", "last loss");
    let (mut megabytes, mut losses) = (Vec::new(), Vec::new());
    // Of n layers, segments of √n hold the least at a time: seven of some fifty.
    for segment in [0, 24, 8, 2] {
        let mut model = deep()?.checkpoint_every(segment);
        let optimizer = Optimizer::new(Sgd::with_momentum(0.9)?, Constant::new(0.05)?);
        let mut trainer =
            Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0).threads(available_threads())?;
        let mut loss = trainer.step(&mut model, &batch)?.loss;
        let begin = Instant::now();
        for _ in 0..steps {
            loss = trainer.step(&mut model, &batch)?.loss;
        }
        let milliseconds = begin.elapsed().as_secs_f64() * 1e3 / f64::from(steps);
        let memory = trainer.workspace().scratch().free_bytes() as f64 / 1e6;
        let name = if segment == 0 { "all is kept".to_owned() } else { format!("a checkpoint every {segment} layers") };
        println!("{name:<34} {memory:>6.1} MB {milliseconds:>9.1} ms {loss:>10.6}");
        megabytes.push(memory);
        losses.push(loss);
    }
    assert!(losses.iter().all(|loss| loss.to_bits() == losses[0].to_bits()), "segments change no bit");
    assert!(megabytes[2] < 0.6 * megabytes[0], "segments save memory");
    Ok(())
}
