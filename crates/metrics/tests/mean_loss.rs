//! A loss from outside as a metric.

use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Loss, Metric, Op, Real, Reduction, Result, Saved, Slot, arity,
};
use gradwise_metrics::MeanLoss;
use ndarray::{ArrayD, IxDyn, array};

/// The squared difference, for each entry. Asked for anything but one loss a sample it gives a scalar.
struct Squared<'a, T> {
    targets: &'a ArrayRefD<T>,
    reduction: Reduction,
}

impl<T: Real> Op<T> for Squared<'_, T> {
    fn name(&self) -> &'static str {
        "squared"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("squared", inputs)?;
        if x != self.targets.shape() {
            return Err(Error::shape("squared", format!("{:?}", self.targets.shape()), x));
        }
        Ok(if self.reduction == Reduction::None { IxDyn(x) } else { IxDyn(&[]) })
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        assert!(!cx.training);
        saved.array(&[3], cx.scratch).fill(T::one());
        out.assign(&(&inputs[0] - &self.targets.view()).mapv(|d| d * d));
        // An error that only the values show.
        if out.iter().any(|v| v.is_nan()) { Err(Error::NotFinite { op: "squared", got: f64::NAN }) } else { Ok(()) }
    }
    fn backward(&self, _: At<'_, T>, _: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        Err(Error::Other(String::from("a metric has no gradient")))
    }
}

/// The loss of it; `obeys` is whether it minds the reduction it is asked for.
struct SquaredLoss {
    obeys: bool,
}

impl<T: Real> Loss<T, ArrayRefD<T>> for SquaredLoss {
    fn name(&self) -> &'static str {
        "squared"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        let reduction = if self.obeys { reduction } else { Reduction::Mean };
        Ok(Box::new(Squared { targets, reduction }))
    }
}

fn check<T: Real>() {
    let array = |x: ArrayD<f64>| x.mapv(T::of);
    let mut loss = MeanLoss::new(SquaredLoss { obeys: true }, "validation_loss");
    let zeros = array(ArrayD::zeros(IxDyn(&[2, 2])));
    loss.update(&array(array![[1.0, 3.0], [2.0, 0.0]].into_dyn()), &*zeros, Some(&[1.0, 3.0])).unwrap();
    loss.update(&array(array![[4.0, 0.0]].into_dyn()), &*array(ArrayD::zeros(IxDyn(&[1, 2]))), None).unwrap();
    let expected = (5.0 + 3.0 * 2.0 + 8.0) / 5.0;
    assert_eq!((loss.name(), loss.value()), ("validation_loss", expected));

    // Errors of the shapes, the weights and the values: none leaves a trace.
    let nan = array(ArrayD::from_elem(IxDyn(&[2, 2]), f64::NAN));
    assert!(loss.update(&nan, &*array(ArrayD::zeros(IxDyn(&[2, 1]))), None).is_err());
    assert!(loss.update(&zeros, &*zeros, Some(&[1.0])).is_err());
    assert!(loss.update(&nan, &*zeros, None).is_err());
    assert_eq!(loss.value(), expected);
    loss.reset();
    assert!(loss.value().is_nan());

    let error = MeanLoss::new(SquaredLoss { obeys: false }, "loss").update(&zeros, &*zeros, None).unwrap_err();
    assert_eq!(error.to_string(), "squared: expected one loss for each sample, without a reduction, got shape []");
}

/// [`SquaredLoss`] that counts the first sample thrice, and leaves out the last of three.
struct Weighted(SquaredLoss);

const COUNTS: [f64; 3] = [3.0, 1.0, 0.0];

impl<T: Real> Loss<T, ArrayRefD<T>> for Weighted {
    fn name(&self) -> &'static str {
        "weighted"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        self.0.op(targets, reduction)
    }
    fn weight(&self, _: &ArrayRefD<T>, sample: usize) -> f64 {
        COUNTS[sample]
    }
}

#[test]
fn a_loss_with_weights_of_its_own_divides_by_their_sum() {
    let mut loss = MeanLoss::new(&Weighted(SquaredLoss { obeys: true }), "loss");
    let zeros = ArrayD::<f64>::zeros(IxDyn(&[3, 1]));
    // The losses are 6, 4 and 100, the first with its factor 3 in it.
    let predictions = array![[6_f64.sqrt()], [2.0], [10.0]].into_dyn();
    loss.update(&predictions, &*zeros, None).unwrap();
    assert!((loss.value() - (6.0 + 4.0) / 4.0).abs() < 1e-12);
    loss.reset();
    loss.update(&predictions, &*zeros, Some(&[0.0, 5.0, 1.0])).unwrap();
    assert_eq!(loss.value(), 4.0);
}

#[test]
fn any_loss_is_a_metric() {
    check::<f32>();
    check::<f64>();
}
