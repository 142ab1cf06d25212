//! Steppers as training loops see them: behind `dyn`, over any model, with several evaluations a step.

use gradwise_core::Path;
use gradwise_optim::ndarray::{ArrayD, arr1};
use gradwise_optim::{
    Adam, Constant, Grads, Optimizer, Param, Params, ParamsExt, Real, Result, Sgd, StepInfo, Stepper, Stored,
};

/// `f(x, y) = x² + 10 y²`, through `Params` alone, as a loop over any model would have it.
fn evaluate<T: Real, M: Params<T> + ?Sized>(model: &M, grads: &mut Grads<T>) -> Result<T> {
    let mut loss = T::zero();
    let mut arrays = Vec::new();
    model.visit(|_, p| {
        let factors = [T::of(1.0), T::of(10.0)];
        let weighted: Vec<T> = p.value.iter().zip(factors).map(|(&x, a)| a * x).collect();
        loss += p.value.iter().zip(&weighted).map(|(&x, &ax)| x * ax).sum();
        arrays.push(Some(arr1(&weighted).into_dyn() * T::of(2.0)));
    });
    *grads = Grads::from_arrays(model, arrays);
    Ok(loss)
}

fn start<T: Real>() -> Vec<Param<T>> {
    vec![Param::new(arr1(&[T::of(1.0), T::of(-1.0)]))]
}

fn train<T: Real, M: Params<T> + ?Sized>(model: &mut M, stepper: &mut dyn Stepper<T, M>, steps: u64) -> Vec<f64> {
    let mut losses = Vec::new();
    for step in 0..steps {
        let info = stepper.step(model, &mut |model, grads| evaluate(model, grads)).unwrap();
        assert_eq!(info.step, step);
        assert!(!stepper.grads().is_empty());
        losses.push(info.loss.as_f64());
    }
    losses
}

#[test]
fn one_loop_for_concrete_and_dynamic_models_and_both_types() {
    fn both<T: Real>() {
        let optimizer = || Optimizer::new(Adam::default(), Constant::new(0.05).unwrap());
        let mut concrete = start::<T>();
        let losses = train(&mut concrete, &mut optimizer(), 200);
        assert!(losses[199] < 1e-3 * losses[0]);

        let mut boxed: Box<dyn Params<T>> = Box::new(start::<T>());
        let mut stepper: Box<dyn Stepper<T, dyn Params<T>>> = Box::new(optimizer());
        assert_eq!(train(&mut *boxed, &mut *stepper, 200), losses);
        // Boxes and borrows of steppers are steppers.
        let mut again: Box<dyn Params<T>> = Box::new(start::<T>());
        let mut boxed_again: Box<dyn Stepper<T, dyn Params<T>>> = Box::new(optimizer());
        assert_eq!(train(&mut *again, &mut &mut boxed_again, 200), losses);
    }
    both::<f32>();
    both::<f64>();
}

/// Sharpness-aware minimization (Foret et al. 2021) around any optimizer: the gradient is taken a distance ρ uphill.
struct Sam<T: Real> {
    inner: Optimizer<T, Sgd>,
    rho: f64,
    grads: Grads<T>,
    before: Vec<ArrayD<T>>,
}

impl<T: Real, M: Params<T> + ?Sized> Stepper<T, M> for Sam<T> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        let Sam { inner, rho, grads, before } = self;
        let loss = eval(model, grads)?;
        let scale = T::of(*rho / grads.global_norm().max(1e-12));
        before.clear();
        let mut index = 0;
        model.visit_mut(|_, p| {
            before.push(p.value.clone());
            if let Some(grad) = grads.get(index) {
                p.value.scaled_add(scale, grad);
            }
            index += 1;
        });
        let uphill = eval(model, grads);
        let mut values = before.drain(..);
        model.visit_mut(|_, p| p.value = values.next().unwrap());
        uphill?;
        let applied = inner.apply(model, grads)?;
        Ok(StepInfo { step: applied.step, loss, learning_rate: applied.learning_rate, grad_norm: applied.grad_norm })
    }
    fn grads(&self) -> &Grads<T> {
        &self.grads
    }
    fn prepare(&mut self, model: &M) -> Result<()> {
        self.inner.prepare(model)
    }
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        Stepper::<T, M>::visit_state(&mut self.inner, f)
    }
}

#[test]
fn a_stepper_may_evaluate_twice() {
    let sam = |rho| Sam {
        inner: Optimizer::new(Sgd::new(), Constant::new(0.01).unwrap()),
        rho,
        grads: Grads::new(),
        before: Vec::new(),
    };
    let mut model = start::<f64>();
    let mut evaluations = 0;
    let info = sam(0.1).step(&mut model, &mut |model, grads| {
        evaluations += 1;
        evaluate(model, grads)
    });
    assert_eq!(evaluations, 2);
    assert_eq!(info.unwrap().loss, 11.0);
    // By hand: ĝ = (2, −20) / ‖·‖, x + ρ ĝ, gradient (2 x, 20 y) there, then one step of 0.01 from x.
    let norm = 404_f64.sqrt();
    let expected = [1.0 - 0.01 * 2.0 * (1.0 + 0.2 / norm), -1.0 + 0.01 * 20.0 * (1.0 + 2.0 / norm)];
    for (found, expected) in model[0].value.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12);
    }
    let losses = train(&mut model, &mut sam(0.01), 300);
    assert!(losses[299] < 1e-2 * losses[0]);

    // If the second evaluation fails, the model is as it was.
    let (mut failing, before, mut evaluations) = (sam(0.1), model.clone(), 0);
    let result = failing.step(&mut model, &mut |model, grads| {
        evaluations += 1;
        if evaluations == 2 { Err(gradwise_optim::Error::Other("lost".into())) } else { evaluate(model, grads) }
    });
    assert!(result.is_err());
    assert_eq!(model, before);
}

#[test]
fn a_stepper_needs_only_two_methods() {
    struct Still(Grads<f64>);
    impl<M: Params<f64> + ?Sized> Stepper<f64, M> for Still {
        fn step(
            &mut self,
            model: &mut M,
            eval: &mut dyn FnMut(&M, &mut Grads<f64>) -> Result<f64>,
        ) -> Result<StepInfo<f64>> {
            let loss = eval(model, &mut self.0)?;
            Ok(StepInfo { step: 0, loss, learning_rate: 0.0, grad_norm: self.0.global_norm() })
        }
        fn grads(&self) -> &Grads<f64> {
            &self.0
        }
    }
    let stepper: &mut dyn Stepper<f64, Vec<Param<f64>>> = &mut Still(Grads::new());
    stepper.measure_updates(true);
    let mut model = start();
    stepper.prepare(&model).unwrap();
    assert_eq!(stepper.step(&mut model, &mut |m, g| evaluate(m, g)).unwrap().loss, 11.0);
    assert!(stepper.update_norms().is_empty());
    stepper.visit_state(&mut |name, _| panic!("{name}")).unwrap();
}

#[test]
fn a_single_parameter_is_a_model() {
    let mut x = Param::new(arr1(&[1.0_f32, 1.0]));
    let mut optimizer = Optimizer::new(Sgd::new(), Constant::new(0.04).unwrap());
    assert!(train(&mut x, &mut optimizer, 100)[99] < 1e-3);
    x.each(Path::root(), &mut |path, _| assert_eq!(path.to_string(), ""));
}
