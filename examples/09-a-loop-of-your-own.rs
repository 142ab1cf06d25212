//! A training loop without the trainer: the tape, the optimizer, and what goes between them, in the open.

use gradwise::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digits = digits::<f32>();
    let mut parts = digits.train_test(&stratified_split(digits.labels(), 0.2, 0)?)?;
    let scaler = StandardScaler::fit(Per::All, parts.train.inputs())?;
    scaler.transform(parts.train.inputs_mut())?;
    scaler.transform(parts.test.inputs_mut())?;

    let mut model: Chain<f32> = models::mlp(&[64, 48, 10], Key::new(0))?;
    let mut batches = Batches::new(parts.train.len(), 64)?.shuffled(0);
    let mut optimizer = Optimizer::new(Adam::default(), Constant::new(3e-3)?);

    // What outlives the steps: the tape's memory, gradients, new values for running statistics, the batch.
    let mut workspace = Workspace::new();
    let (mut grads, mut updates) = (Grads::new(), Updates::new());
    let mut batch = Batch::default();

    let (seed, mut step) = (0, 0);
    for epoch in 0..6 {
        let mut sum = 0.0;
        for _ in 0..batches.per_epoch() {
            parts.train.gather(batches.next_batch(), &mut batch)?;
            workspace.reclaim(&mut grads);

            let mut tape = Tape::new(&mut workspace, Mode::train(seed, step));
            tape.watch(&model); // names for errors, and the order of gradients
            let x = tape.input(&batch.inputs);
            let logits = model.forward(&mut tape, x)?;
            let loss = tape.softmax_cross_entropy(logits, &batch.targets)?;
            sum += tape.value(loss).sum() * batch.len() as f32;
            tape.backward(loss)?;
            tape.take_grads(&mut grads)?;
            tape.take_updates(&mut updates);
            drop(tape); // it borrows the parameters that are updated now

            optimizer.apply(&mut model, &mut grads)?;
            updates.apply(&mut model);
            step += 1;
        }
        println!("epoch {epoch}  loss {:.4}", sum / parts.train.len() as f32);
    }

    let logits = predict(&model, parts.test.inputs(), &mut workspace)?;
    let best = |row: ndarray::ArrayViewD<'_, f32>| {
        (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("there are ten classes")
    };
    let right = logits.outer_iter().zip(parts.test.labels()).filter(|(row, label)| best(row.view()) == **label).count();
    println!("{right} of {} test digits are right", parts.test.len());
    assert!(right * 10 > parts.test.len() * 9);
    Ok(())
}
