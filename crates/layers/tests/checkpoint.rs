//! What is made again in backward: the same gradients to the bit, in less memory.

use gradwise_layers::*;
use ndarray::{ArrayD, IxDyn};

/// Loss, gradients and running statistics of one training step.
#[derive(PartialEq, Debug)]
struct Step<T> {
    loss: T,
    grads: Vec<Option<ArrayD<T>>>,
    buffers: Vec<ArrayD<T>>,
}

/// One step, with the memory that the workspace holds afterwards. A tape that keeps its values makes nothing again.
fn step<T: Real, M: Module<T> + Clone>(model: &M, x: &ArrayD<T>, workspace: &mut Workspace<T>, keep: bool) -> Step<T> {
    let (mut grads, mut updates) = (Grads::new(), Updates::new());
    let mut tape = Tape::new(workspace, Mode::train(3, 5));
    tape.watch(model);
    if keep {
        tape.keep_values();
    }
    let x = tape.input(x);
    let y = model.forward(&mut tape, x).unwrap();
    let square = tape.mul(y, y).unwrap();
    let loss = tape.mean(square, Axes::All).unwrap();
    let value = *tape.value(loss).first().unwrap();
    tape.take_updates(&mut updates);
    if keep {
        // Twice, the plain way: it starts anew.
        tape.backward(loss).unwrap();
        tape.backward(loss).unwrap();
    } else {
        tape.backward_freeing(loss).unwrap();
    }
    tape.take_grads(&mut grads).unwrap();
    drop(tape);
    let mut model = model.clone();
    updates.apply(&mut model);
    let mut buffers = Vec::new();
    model.visit(|_, p| buffers.push(p.value.clone()));
    let step = Step { loss: value, grads: (0..grads.len()).map(|i| grads.get(i).cloned()).collect(), buffers };
    workspace.reclaim(&mut grads);
    updates.clear(&mut |array| workspace.scratch().give_array(array));
    step
}

fn input<T: Real>(shape: &[usize]) -> ArrayD<T> {
    Normal::new(0.3, 1.0).unwrap().array(shape, Key::new(9)).unwrap()
}

/// A linear layer, batch norm, ReLU and dropout, as one type.
#[derive(Clone, Params)]
struct Block<T> {
    linear: Linear<T>,
    norm: BatchNorm1d<T>,
    #[params(skip)]
    dropout: Dropout,
}

impl<T: Real> Block<T> {
    fn new(width: usize, key: u64) -> Self {
        Block {
            linear: Linear::new(width, width, Key::new(key)).unwrap(),
            norm: BatchNorm1d::new(width).unwrap().with_relu(),
            dropout: Dropout::new(0.3).unwrap(),
        }
    }
}

impl<T: Real> Module<T> for Block<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let y = self.linear.forward(tape, x)?;
        let y = self.norm.forward(tape, y)?;
        let y = tape.scope("dropout", |tape| self.dropout.forward(tape, y))?;
        tape.add(x, y)
    }
}

/// Eight blocks, of which `wrapped` says how they are; the first one's weight is read again outside at the end.
#[derive(Clone, Params)]
struct Deep<T> {
    blocks: Vec<Block<T>>,
    #[params(skip)]
    wrapped: Wrapped,
}

#[derive(Clone, Copy, Debug)]
enum Wrapped {
    Not,
    Each,
    Halves,
    Nested,
}

fn blocks<'p, T: Real>(tape: &mut Tape<'p, T>, x: Var, blocks: &'p [Block<T>], each: bool) -> Result<Var> {
    blocks.iter().try_fold(x, |x, block| {
        if each { tape.checkpoint(|tape| block.forward(tape, x)) } else { block.forward(tape, x) }
    })
}

impl<T: Real> Module<T> for Deep<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let (first, second) = self.blocks.split_at(self.blocks.len() / 2);
        let y = match self.wrapped {
            Wrapped::Not => blocks(tape, x, &self.blocks, false)?,
            Wrapped::Each => blocks(tape, x, &self.blocks, true)?,
            Wrapped::Halves => {
                let y = tape.checkpoint(|tape| blocks(tape, x, first, false))?;
                tape.checkpoint(|tape| blocks(tape, y, second, false))?
            }
            Wrapped::Nested => tape.checkpoint(|tape| {
                let y = tape.checkpoint(|tape| blocks(tape, x, first, true))?;
                blocks(tape, y, second, true)
            })?,
        };
        self.blocks[0].linear.forward(tape, y)
    }
}

fn segments_change_nothing<T: Real>() {
    let deep = |wrapped| Deep { blocks: (0..8).map(|i| Block::<T>::new(6, i)).collect(), wrapped };
    let x = input(&[10, 6]);
    let expected = step(&deep(Wrapped::Not), &x, &mut Workspace::new(), true);
    assert!(expected.grads.iter().flatten().all(|grad| grad.iter().any(|g| *g != T::zero())));
    for wrapped in [Wrapped::Not, Wrapped::Each, Wrapped::Halves, Wrapped::Nested] {
        let mut workspace = Workspace::new();
        for keep in [false, true, false] {
            assert_eq!(step(&deep(wrapped), &x, &mut workspace, keep), expected, "{wrapped:?}, keeping {keep}");
        }
    }
}

#[test]
fn segments_change_no_bit_of_the_step() {
    segments_change_nothing::<f32>();
    segments_change_nothing::<f64>();
}

/// A chain of convolutions with batch norms and shortcuts, large enough for what is cheap to be made again; with the
/// shortcut added in the pass of the block's last norm, or by itself.
fn convolutions(segment: usize, fused: bool) -> Chain<f32> {
    let mut chain = Chain::seeded(Key::new(1))
        .then(Conv2d::config(1, 4, 3).padding(1).without_bias())
        .then(BatchNorm2d::new(4).unwrap().with_relu());
    for _ in 0..4 {
        let body = Chain::seeded(Key::new(2))
            .then(Conv2d::config(4, 4, 1).without_bias())
            .then(BatchNorm2d::new(4).unwrap().with_relu())
            .then(Conv2d::config(4, 4, 1).without_bias());
        chain = if fused {
            chain.then(Residual::new(body.build().unwrap()).normed(BatchNorm2d::new(4).unwrap().with_relu()))
        } else {
            let body = body.then(BatchNorm2d::new(4).unwrap());
            chain.then(Residual::new(body.build().unwrap())).then(Relu)
        };
    }
    chain.build().unwrap().checkpoint_every(segment)
}

/// Chains hold boxes, which cannot be cloned; two of one recipe are alike.
#[derive(Params)]
struct Recipe(Chain<f32>, #[params(skip)] usize, #[params(skip)] bool);

impl Recipe {
    fn new(segment: usize, fused: bool) -> Self {
        Recipe(convolutions(segment, fused), segment, fused)
    }
}

impl Clone for Recipe {
    fn clone(&self) -> Self {
        Recipe::new(self.1, self.2)
    }
}

impl Module<f32> for Recipe {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, f32>, x: Var) -> Result<Var> {
        tape.scope("0", |tape| self.0.forward(tape, x))
    }
}

#[test]
fn what_is_cheap_is_made_again_and_segments_take_less_still() {
    // 4 channels of 2 x 256 x 128 are 1 MiB.
    let x = input(&[2, 1, 256, 128]);
    for fused in [false, true] {
        let run = |segment, keep| {
            let mut workspace = Workspace::new();
            let result = step(&Recipe::new(segment, fused), &x, &mut workspace, keep);
            assert_eq!(step(&Recipe::new(segment, fused), &x, &mut workspace, keep), result);
            (result, workspace.scratch().free_bytes())
        };
        let (expected, all) = run(0, true);
        let (result, cheap) = run(0, false);
        assert_eq!(result, expected, "fused: {fused}");
        // In place of 26 outputs (18 if fused) those of the nine convolutions are kept, and of two or three blocks.
        assert!(cheap * 10 < all * if fused { 8 } else { 6 }, "fused: {fused}, {cheap} of {all}");
        for segment in [2, 4] {
            let (result, bytes) = run(segment, false);
            assert_eq!(result, expected, "fused: {fused}");
            assert!(bytes < cheap * 9 / 10, "fused: {fused}, {bytes} of {cheap}");
        }
    }
}

#[test]
fn a_long_row_of_what_is_cheap_takes_no_longer_a_layer() {
    // Each value could be made from the one before, and is read by backward; asking all of them for each would take forever.
    let x = input(&[1 << 18]);
    let run = |keep| {
        let mut workspace = Workspace::<f32>::new();
        let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
        if keep {
            tape.keep_values();
        }
        let x = tape.variable(&x);
        let mut y = x;
        for _ in 0..100 {
            let next = tape.relu(y).unwrap();
            tape.release(y);
            y = next;
        }
        let loss = tape.sum(y, Axes::All).unwrap();
        tape.release(y);
        tape.backward_freeing(loss).unwrap();
        let grad = tape.grad(x).unwrap().to_owned();
        drop(tape);
        (grad, workspace.scratch().free_bytes())
    };
    let (expected, all) = run(true);
    let (grad, cheap) = run(false);
    assert_eq!(grad, expected);
    assert!(cheap * 3 < all, "{cheap} of {all}");
}

#[test]
fn a_frozen_part_may_be_made_again_too() {
    // Batch norms that follow the batch, before a layer that learns: small, large enough to be made again, and within a segment.
    for (width, wrap) in [(4, false), (1 << 16, false), (4, true)] {
        let model = || {
            let mut norms = Chain::new();
            for _ in 0..2 {
                norms = norms.with(BatchNorm1d::new(width).unwrap().with_relu());
            }
            norms.visit_mut(|_, p| p.freeze());
            let body = norms.with(LayerNorm::new(&[width]).unwrap());
            if wrap { Chain::new().with(Checkpoint::new(body)) } else { body }
        };
        let x = input(&[4, width]);
        let run = |keep| {
            let (model, mut workspace, mut grads) = (model(), Workspace::<f32>::new(), Grads::new());
            let mut tape = Tape::new(&mut workspace, Mode::train(3, 5));
            tape.watch(&model);
            if keep {
                tape.keep_values();
            }
            let x = tape.input(&x);
            let y = model.forward(&mut tape, x).unwrap();
            let square = tape.square(y).unwrap();
            let loss = tape.sum(square, Axes::All).unwrap();
            tape.backward(loss).unwrap();
            tape.take_grads(&mut grads).unwrap();
            (0..grads.len()).map(|i| grads.get(i).cloned()).collect::<Vec<_>>()
        };
        let grads = run(true);
        assert_eq!(grads.iter().flatten().count(), 2, "those of the layer norm");
        assert_eq!(run(false), grads, "width {width}, in a segment: {wrap}");
    }
}

#[test]
fn a_wrapper_leaves_paths_and_errors_as_they_are() {
    let chain = |wrap: bool| {
        let body =
            Chain::seeded(Key::new(1)).then(Linear::<f32>::config(3, 4)).then(Linear::config(5, 3)).build().unwrap();
        if wrap { Chain::new().with(Checkpoint::new(body)) } else { Chain::new().with(body) }
    };
    assert_eq!(chain(true).paths(), chain(false).paths());
    let x = input(&[2, 3]);
    let error = |wrap| {
        let (model, mut workspace) = (chain(wrap), Workspace::new());
        let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
        tape.watch(&model);
        let x = tape.input(&x);
        model.forward(&mut tape, x).unwrap_err().to_string()
    };
    assert_eq!(error(true), error(false));
    assert!(error(true).starts_with("0.1: "), "{}", error(true));
}

#[test]
fn what_was_made_inside_is_gone() {
    let x = ArrayD::<f64>::ones(IxDyn(&[3]));
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let x = tape.variable(&x);
    let mut inside = None;
    let y = tape
        .checkpoint(|tape| {
            let z = tape.exp(x)?;
            inside = Some(z);
            tape.square(z)
        })
        .unwrap();
    let error = tape.add(y, inside.unwrap()).unwrap_err();
    assert!(matches!(error, Error::Freed { .. }), "{error}");
    let loss = tape.sum(y, Axes::All).unwrap();
    tape.backward(loss).unwrap();
    let expected = 2.0 * 2.0_f64.exp();
    assert!(tape.grad(x).unwrap().iter().all(|g| (g - expected).abs() < 1e-12));

    // A part that records nothing is none.
    let (one, mut workspace) = (ArrayD::<f64>::ones(IxDyn(&[])), Workspace::new());
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let x = tape.variable(&one);
    assert_eq!(tape.checkpoint(|_| Ok(x)).unwrap(), x);
    tape.backward(x).unwrap();
}

#[test]
fn evaluation_with_a_segment_is_evaluation() {
    let model = Chain::new().with(Checkpoint::new(Block::<f32>::new(6, 1)));
    let plain = Chain::new().with(Block::<f32>::new(6, 1));
    let x = input(&[4, 6]);
    let mut workspace = Workspace::new();
    assert_eq!(predict(&model, &x, &mut workspace).unwrap(), predict(&plain, &x, &mut workspace).unwrap());
}
