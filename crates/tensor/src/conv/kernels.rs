//! The three kernels over arrays.

use super::gradients::{Gradients, gradients};
use super::problem::Problem;
use super::{Conv2dGeometry, filters, weight_grad as weights};
use crate::Activation;
use crate::dense::{Dense, overwrite};
use crate::gemm::{Bias, Epilogue, Tools};
use gradwise_core::{Error, Real, Result, Scratch, Serial, check_size};
use ndarray::{Array4, ArrayRef1, ArrayRef4};

const NAME: &str = "conv2d";

fn expect(what: &str, expected: &[usize], got: &[usize]) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::shape(NAME, format!("{what} {expected:?}"), got)) }
}

/// `y ← f(w ⋆ x + b)`, with `x [n, c, h, w]`, `w [o, c / groups, kh, kw]`, `b [o]` and `y [n, o, h', w']`.
///
/// Arrays that are not in standard layout are copied first.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit; see [`Conv2dGeometry::out_size`].
pub fn conv2d_into<T: Real>(
    geometry: Conv2dGeometry,
    x: &ArrayRef4<T>,
    weight: &ArrayRef4<T>,
    bias: Option<&ArrayRef1<T>>,
    activation: Activation,
    y: &mut ArrayRef4<T>,
    tools: &mut Tools<'_, T>,
) -> Result<()> {
    let problem = Problem::new(NAME, geometry, x.shape(), weight.shape())?;
    expect("an output", &problem.y_shape(), y.shape())?;
    if let Some(bias) = bias {
        expect("a bias", &[problem.out_channels], bias.shape())?;
    }
    let (x, weight) = (Dense::of(x, tools.scratch), Dense::of(weight, tools.scratch));
    let bias = bias.map(|bias| Dense::of(bias, tools.scratch));
    let epilogue = Epilogue::assign().then(bias.as_deref().map_or(Bias::None, Bias::PerRow), activation);
    let (pool, level) = (tools.pool, tools.level);
    overwrite(y, tools.scratch, |y, scratch| {
        filters::forward(&problem, &x, &weight, y, epilogue, &mut Tools { scratch, pool, level });
    });
    bias.into_iter().chain([x, weight]).for_each(|dense| dense.release(tools.scratch));
    Ok(())
}

/// [`conv2d_into`] a new array, on one thread, without an activation.
///
/// # Errors
/// As for [`conv2d_into`].
///
/// ```
/// use gradwise_tensor::{Conv2dGeometry, conv::conv2d};
/// use ndarray::Array4;
///
/// let (x, weight) = (Array4::<f32>::ones((1, 3, 5, 5)), Array4::ones((2, 3, 3, 3)));
/// let y = conv2d(Conv2dGeometry::new(), &x, &weight, None)?;
/// assert_eq!(y, Array4::from_elem((1, 2, 3, 3), 27.0));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn conv2d<T: Real>(
    geometry: Conv2dGeometry,
    x: &ArrayRef4<T>,
    weight: &ArrayRef4<T>,
    bias: Option<&ArrayRef1<T>>,
) -> Result<Array4<T>> {
    let problem = Problem::new(NAME, geometry, x.shape(), weight.shape())?;
    let [n, o, h, w] = problem.y_shape();
    check_size::<T>(NAME, &problem.y_shape())?;
    let mut y = Array4::zeros((n, o, h, w));
    let mut scratch = Scratch::default();
    let tools = &mut Tools::new(&mut scratch, &Serial);
    conv2d_into(geometry, x, weight, bias, Activation::Identity, &mut y, tools)?;
    Ok(y)
}

/// `∂x ← wᵀ ⋆ ∂y + β ∂x`, with the shapes of [`conv2d_into`]. With `β = 0`, `∂x` is not read.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn conv2d_input_grad<T: Real>(
    geometry: Conv2dGeometry,
    y_grad: &ArrayRef4<T>,
    weight: &ArrayRef4<T>,
    beta: T,
    x_grad: &mut ArrayRef4<T>,
    tools: &mut Tools<'_, T>,
) -> Result<()> {
    let problem = Problem::new(NAME, geometry, x_grad.shape(), weight.shape())?;
    expect("an output's gradient", &problem.y_shape(), y_grad.shape())?;
    let (grad, weight) = (Dense::of(y_grad, tools.scratch), Dense::of(weight, tools.scratch));
    with_dense(x_grad, beta, tools, |x_grad, tools| {
        filters::input_grad(&problem, &grad, &weight, x_grad, Epilogue::scaled(beta), tools);
    });
    [grad, weight].into_iter().for_each(|dense| dense.release(tools.scratch));
    Ok(())
}

/// `∂w ← ∂y ⋆ x + β ∂w`, with the shapes of [`conv2d_into`]. With `β = 0`, `∂w` is not read.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn conv2d_weight_grad<T: Real>(
    geometry: Conv2dGeometry,
    x: &ArrayRef4<T>,
    y_grad: &ArrayRef4<T>,
    beta: T,
    weight_grad: &mut ArrayRef4<T>,
    tools: &mut Tools<'_, T>,
) -> Result<()> {
    let problem = Problem::new(NAME, geometry, x.shape(), weight_grad.shape())?;
    expect("an output's gradient", &problem.y_shape(), y_grad.shape())?;
    let (x, grad) = (Dense::of(x, tools.scratch), Dense::of(y_grad, tools.scratch));
    with_dense(weight_grad, beta, tools, |weight_grad, tools| {
        weights::weight_grad(&problem, &x, &grad, weight_grad, beta, tools);
    });
    [x, grad].into_iter().for_each(|dense| dense.release(tools.scratch));
    Ok(())
}

/// [`conv2d_input_grad`] and [`conv2d_weight_grad`] together, with a `β` for each: in one pass over `∂y` where the convolution is
/// depthwise, 3 x 3, and moves pixel by pixel.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn conv2d_grads<T: Real>(
    geometry: Conv2dGeometry,
    [x, weight, y_grad]: [&ArrayRef4<T>; 3],
    betas: [T; 2],
    [x_grad, weight_grad]: [&mut ArrayRef4<T>; 2],
    tools: &mut Tools<'_, T>,
) -> Result<()> {
    let problem = Problem::new(NAME, geometry, x.shape(), weight.shape())?;
    expect("an output's gradient", &problem.y_shape(), y_grad.shape())?;
    expect("an input's gradient", x.shape(), x_grad.shape())?;
    expect("a weight's gradient", weight.shape(), weight_grad.shape())?;
    let [x, weight, grad] = [x, weight, y_grad].map(|array| Dense::of(array, tools.scratch));
    with_dense(x_grad, betas[0], tools, |x_grad, tools| {
        with_dense(weight_grad, betas[1], tools, |weight_grad, tools| {
            let input = Some((&*weight, x_grad, Epilogue::scaled(betas[0])));
            gradients(&problem, &grad, Gradients { input, weight: Some((&*x, weight_grad, betas[1])) }, tools);
        });
    });
    [x, weight, grad].into_iter().for_each(|dense| dense.release(tools.scratch));
    Ok(())
}

/// Runs `f` on the elements in standard order, which hold what was there before unless `β = 0`.
fn with_dense<T: Real>(
    array: &mut ArrayRef4<T>,
    beta: T,
    tools: &mut Tools<'_, T>,
    f: impl FnOnce(&mut [T], &mut Tools<'_, T>),
) {
    if let Some(slice) = array.as_slice_mut() {
        return f(slice, tools);
    }
    let mut buffer = tools.scratch.take(array.len());
    if beta != T::zero() {
        buffer.iter_mut().zip(array.iter()).for_each(|(to, &from)| *to = from);
    }
    f(&mut buffer, tools);
    array.iter_mut().zip(&buffer).for_each(|(to, &from)| *to = from);
    tools.scratch.give(buffer);
}
