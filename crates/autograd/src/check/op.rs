//! Checking one operation, without a tape.

use super::numeric::{compare, draw};
use super::{Check, Failure, Report, same_bits};
use gradwise_core::{
    ArrayViewD, At, Cx, Key, Loss, Needs, Op, Pool, Reduction, Result, Saved, Scratch, Serial, Slot, ndarray,
};
use ndarray::{ArrayD, IxDyn};

/// One operation on one set of inputs.
struct Subject<'a> {
    check: &'a Check,
    op: &'a dyn Op<f64>,
    wanted: Vec<bool>,
}

/// A pool of three threads, made anew for each job: slow and obvious. Jobs are split however small they are.
struct Three;

impl Pool for Three {
    fn threads(&self) -> usize {
        3
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for i in 0..n {
                scope.spawn(move || task(i));
            }
        });
    }
    fn min_work(&self) -> usize {
        1
    }
}

impl Subject<'_> {
    fn cx<'c>(&self, scratch: &'c mut Scratch<f64>, pool: &'c dyn Pool) -> Cx<'c, f64> {
        Cx { scratch, pool, training: self.check.training, key: Key::new(self.check.seed), first_sample: 0 }
    }

    /// Forward into an output whose elements are all `fill` before, as are those of the scratch memory.
    fn forward(&self, inputs: &[ArrayViewD<'_, f64>], fill: f64, pool: &dyn Pool) -> Result<(ArrayD<f64>, Saved<f64>)> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|x| x.shape()).collect();
        let mut out = ArrayD::from_elem(self.op.out_shape(&shapes)?, fill);
        let mut saved = Saved::default();
        let mut scratch = Scratch::poisoned(fill);
        self.op.forward(inputs, &mut out, &mut saved, &mut self.cx(&mut scratch, pool))?;
        Ok((out, saved))
    }

    /// Backward into slots whose elements are all `fill` before, as are those of the scratch memory, for the inputs that are wanted.
    fn backward(
        &self,
        inputs: &[ArrayViewD<'_, f64>],
        (output, saved): (&ArrayD<f64>, &Saved<f64>),
        grad: &ArrayD<f64>,
        wanted: &[bool],
        (fill, first): (f64, bool),
        pool: &dyn Pool,
    ) -> Result<Vec<Option<ArrayD<f64>>>> {
        let mut arrays: Vec<Option<ArrayD<f64>>> = inputs
            .iter()
            .zip(wanted)
            .map(|(x, wanted)| wanted.then(|| ArrayD::from_elem(IxDyn(x.shape()), fill)))
            .collect();
        let mut slots: Vec<Option<Slot<'_, f64>>> =
            arrays.iter_mut().map(|a| a.as_mut().map(|a| Slot { grad: &mut **a, first })).collect();
        let mut scratch = Scratch::poisoned(fill);
        let at = At { inputs, output, grad, saved };
        self.op.backward(at, &mut slots, &mut self.cx(&mut scratch, pool))?;
        drop(slots);
        Ok(arrays)
    }

    fn breaks(&self, what: impl Into<String>) -> Failure {
        Failure::Contract { op: self.op.name(), what: what.into() }
    }
}

pub(super) fn check(check: &Check, op: &dyn Op<f64>, inputs: &[ArrayD<f64>]) -> Result<Report, Failure> {
    let wanted: Vec<bool> = (0..inputs.len()).map(|i| check.checks(i)).collect();
    let subject = Subject { check, op, wanted };
    let views: Vec<ArrayViewD<'_, f64>> = inputs.iter().map(|x| x.view()).collect();
    let (output, saved) = subject.forward(&views, 0.0, &Serial)?;
    let cotangent = ArrayD::from_shape_fn(IxDyn(output.shape()), draw(Key::new(check.seed).with_str("cotangent")));
    let gradients =
        subject.backward(&views, (&output, &saved), &cotangent, &subject.wanted, (f64::NAN, true), &Serial)?;

    contract(&subject, inputs, (&output, &saved), &cotangent, &gradients)?;

    let mut inputs = inputs.to_vec();
    compare(check, &mut inputs, &gradients, &[], &mut |inputs| {
        let views: Vec<ArrayViewD<'_, f64>> = inputs.iter().map(|x| x.view()).collect();
        let (output, _) = subject.forward(&views, 0.0, &Serial)?;
        Ok(weighted_sum(&output, &cotangent))
    })
}

/// `Σ vᵢ fᵢ`, and `Σ |vᵢ fᵢ|`, to which its rounding error is relative.
pub(super) fn weighted_sum(output: &ArrayD<f64>, cotangent: &ArrayD<f64>) -> (f64, f64) {
    output.iter().zip(cotangent).fold((0.0, 0.0), |(sum, abs), (y, v)| (sum + y * v, abs + (y * v).abs()))
}

/// The promises of the trait's docs, one by one.
fn contract(
    subject: &Subject<'_>,
    inputs: &[ArrayD<f64>],
    (output, saved): (&ArrayD<f64>, &Saved<f64>),
    cotangent: &ArrayD<f64>,
    gradients: &[Option<ArrayD<f64>>],
) -> Result<(), Failure> {
    let op = subject.op;
    let views: Vec<ArrayViewD<'_, f64>> = inputs.iter().map(|x| x.view()).collect();
    let wanted = &subject.wanted[..];
    let forward_saved = (output, saved);

    let (again, _) = subject.forward(&views, f64::NAN, &Serial)?;
    if !same_bits(&again, output) {
        return Err(subject.breaks(
            "forward leaves elements of its output unwritten, or reads them or scratch memory before writing",
        ));
    }

    let (threaded, threaded_saved) = subject.forward(&views, f64::NAN, &Three)?;
    if !same_bits(&threaded, output) {
        return Err(subject.breaks("forward gives other bits on three threads than on one"));
    }
    let threaded =
        subject.backward(&views, (&threaded, &threaded_saved), cotangent, wanted, (f64::NAN, true), &Three)?;
    for (i, (a, b)) in threaded.iter().zip(gradients).enumerate() {
        if let (Some(a), Some(b)) = (a, b)
            && !same_bits(a, b)
        {
            return Err(subject.breaks(format!("backward gives other bits for input {i} on three threads than on one")));
        }
    }

    // The second write adds: to 3 here.
    let added = subject.backward(&views, forward_saved, cotangent, wanted, (3.0, false), &Serial)?;
    for (i, (sum, gradient)) in added.iter().zip(gradients).enumerate() {
        if let (Some(sum), Some(gradient)) = (sum, gradient) {
            if gradient.iter().any(|g| g.is_nan()) {
                let what = format!(
                    "backward does not assign all of the gradient of input {i}, or reads scratch memory before writing"
                );
                return Err(subject.breaks(what));
            }
            if !close(sum, &(gradient + 3.0), 1e-12) {
                return Err(subject.breaks(format!("backward does not add to the gradient of input {i} when asked to")));
            }
        }
    }

    // Each slot alone.
    if inputs.len() > 1 {
        for i in (0..inputs.len()).filter(|&i| wanted[i]) {
            let only: Vec<bool> = (0..inputs.len()).map(|j| i == j).collect();
            let alone = subject.backward(&views, forward_saved, cotangent, &only, (f64::NAN, true), &Serial)?;
            if let (Some(alone), Some(gradient)) = (&alone[i], &gradients[i])
                && !close(alone, gradient, 1e-12)
            {
                return Err(subject.breaks(format!("the gradient of input {i} differs when it alone is asked for")));
            }
        }
    }

    // What backward says it does not need, it does not read.
    let Needs { inputs: needs_inputs, output: needs_output } = op.needs();
    let needed: Vec<bool> = (0..inputs.len()).map(|k| needs_inputs && op.needs_input(k, inputs.len())).collect();
    if needed.contains(&false) || !needs_output {
        let blank = |x: &ArrayD<f64>| ArrayD::from_elem(x.raw_dim(), f64::NAN);
        let blanks: Vec<ArrayD<f64>> = inputs.iter().map(blank).collect();
        let read = views.iter().zip(&blanks).zip(&needed);
        let read: Vec<ArrayViewD<'_, f64>> = read.map(|((x, b), n)| if *n { x.view() } else { b.view() }).collect();
        let blank_output = ArrayD::from_elem(output.raw_dim(), f64::NAN);
        let got = subject.backward(
            &read,
            (if needs_output { output } else { &blank_output }, saved),
            cotangent,
            wanted,
            (f64::NAN, true),
            &Serial,
        )?;
        if got.iter().zip(gradients).any(|(a, b)| matches!((a, b), (Some(a), Some(b)) if !same_bits(a, b))) {
            return Err(subject.breaks("backward reads what `needs` says it does not"));
        }
    }

    // Any layout of the inputs.
    for (layout, arrays) in [("transposed", layouts(inputs, transposed)), ("reversed", layouts(inputs, reversed))] {
        let views: Vec<ArrayViewD<'_, f64>> = arrays.iter().zip(inputs).map(|(a, x)| as_given(layout, a, x)).collect();
        let (strided, strided_saved) = subject.forward(&views, f64::NAN, &Serial)?;
        if !close(&strided, output, 1e-10) {
            return Err(subject.breaks(format!("forward gives another result for inputs in {layout} layout")));
        }
        let got = subject.backward(&views, (&strided, &strided_saved), cotangent, wanted, (f64::NAN, true), &Serial)?;
        for (i, (a, b)) in got.iter().zip(gradients).enumerate() {
            if let (Some(a), Some(b)) = (a, b)
                && !close(a, b, 1e-8)
            {
                return Err(subject.breaks(format!("the gradient of input {i} differs for inputs in {layout} layout")));
            }
        }
    }
    Ok(())
}

fn layouts(inputs: &[ArrayD<f64>], f: fn(&ArrayD<f64>) -> ArrayD<f64>) -> Vec<ArrayD<f64>> {
    inputs.iter().map(f).collect()
}

/// The array's transpose, in memory.
fn transposed(x: &ArrayD<f64>) -> ArrayD<f64> {
    x.t().as_standard_layout().into_owned()
}

/// The array with every axis reversed, in memory.
fn reversed(x: &ArrayD<f64>) -> ArrayD<f64> {
    let mut view = x.view();
    (0..x.ndim()).for_each(|axis| view.invert_axis(ndarray::Axis(axis)));
    view.as_standard_layout().into_owned()
}

/// A view of what `transposed` or `reversed` made that equals the array it was made from.
fn as_given<'a>(layout: &str, made: &'a ArrayD<f64>, original: &ArrayD<f64>) -> ArrayViewD<'a, f64> {
    if layout == "transposed" {
        return made.t();
    }
    let mut view = made.view();
    (0..original.ndim()).for_each(|axis| view.invert_axis(ndarray::Axis(axis)));
    view
}

fn close(a: &ArrayD<f64>, b: &ArrayD<f64>, tolerance: f64) -> bool {
    let scale = b.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
    a.shape() == b.shape()
        && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * scale || a == b || (a.is_nan() && b.is_nan()))
}

pub(super) fn check_loss<Y: ?Sized>(
    options: &Check,
    loss: &dyn Loss<f64, Y>,
    predictions: &ArrayD<f64>,
    targets: &Y,
) -> Result<Report, Failure> {
    let mut report = Report { compared: 0, worst: 0.0 };
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        let op = loss.op(targets, reduction)?;
        report = report.merge(check(options, &*op, std::slice::from_ref(predictions))?);
    }
    Ok(report)
}
