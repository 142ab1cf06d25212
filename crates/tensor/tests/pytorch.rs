//! Every operation against PyTorch's numbers, values and gradients, in both precisions; see `oracle/README.md` of the workspace.

use gradwise_core::{Loss, Op, Real, Reduction, Result};
use gradwise_tensor::conv::{Conv1d, Conv1dGeometry, Conv2d, Conv2dGeometry, ConvTranspose1d, ConvTranspose2d};
use gradwise_tensor::loss::HingeError;
use gradwise_tensor::*;
use ndarray::ArrayD;

#[path = "../../../oracle/reader.rs"]
mod oracle;
use oracle::{Case, for_each, tolerance};

/// Output and gradients of an operation, for inputs in standard layout and for the same inputs in the opposite one.
fn check<T: Real>(case: &Case, op: &dyn Op<T>) {
    let inputs = case.arrays::<T>("input");
    let opposite: Vec<ArrayD<T>> = inputs.iter().map(opposite_layout).collect();
    for inputs in [inputs, opposite] {
        let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
        let mut eager = Eager::default().training(true);
        let (output, saved) = eager.forward(op, &views).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        case.check("output", &output, tolerance::<T>());
        let grads = eager.backward(op, &views, &output, &saved, &case.array("cotangent"));
        let grads = grads.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for (i, grad) in grads.iter().enumerate() {
            case.check(&format!("grad.{i}"), grad, tolerance::<T>());
        }
    }
}

/// The same elements, with the first axis innermost in memory.
fn opposite_layout<T: Real>(array: &ArrayD<T>) -> ArrayD<T> {
    array.t().as_standard_layout().into_owned().reversed_axes()
}

type Boxed<'a, T> = Box<dyn Op<T> + 'a>;

/// One test: each case of a file, by the operation that a function makes of it, which must be able to make one of every case.
macro_rules! agree {
    ($($(#[$doc:meta])* $test:ident: $file:literal, $cases:literal, $op:ident;)*) => {$(
        #[test]
        fn $test() {
            for_each($file, $cases, |case| {
                check::<f64>(case, &*$op(case).unwrap_or_else(|error| panic!("{}: {error}", case.name)));
                check::<f32>(case, &*$op(case).unwrap_or_else(|error| panic!("{}: {error}", case.name)));
            });
        }
    )*};
}

agree! {
    elementwise_functions_agree: "tensor/elementwise.safetensors", 40, elementwise;
    arithmetic_agrees: "tensor/arithmetic.safetensors", 22, arithmetic;
    products_agree: "tensor/products.safetensors", 18, product;
    convolutions_agree: "tensor/convolutions.safetensors", 31, convolution;
    pools_agree: "tensor/pools.safetensors", 24, pool;
    norms_agree: "tensor/norms.safetensors", 35, norm;
    softmax_agrees: "tensor/softmax.safetensors", 10, softmax;
    reductions_agree: "tensor/reductions.safetensors", 53, reduction;
    shape_operations_agree: "tensor/shapes.safetensors", 20, shape;
}

#[test]
fn losses_agree() {
    for_each("tensor/losses.safetensors", 129, |case| {
        loss::<f64>(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        loss::<f32>(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    });
}

fn unknown(case: &Case) -> ! {
    panic!("{}: the test knows no {}", case.name, case.kind())
}

fn elementwise<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    Ok(match case.kind() {
        "neg" => Box::new(Neg),
        "abs" => Box::new(Abs),
        "square" => Box::new(Square),
        "sqrt" => Box::new(Sqrt),
        "rsqrt" => Box::new(Rsqrt),
        "exp" => Box::new(Exp),
        "expm1" => Box::new(Expm1),
        "ln" => Box::new(Ln),
        "log1p" => Box::new(Log1p),
        "sin" => Box::new(Sin),
        "cos" => Box::new(Cos),
        "reciprocal" => Box::new(Reciprocal),
        "erf" => Box::new(Erf),
        "scale" => Box::new(Scale { factor: case.required("factor") }),
        "add_scalar" => Box::new(AddScalar { term: case.required("term") }),
        "pow_scalar" => Box::new(PowScalar { exponent: case.required("exponent") }),
        "tanh" => Box::new(Tanh),
        "sigmoid" => Box::new(Sigmoid),
        "log_sigmoid" => Box::new(LogSigmoid),
        "relu" => Box::new(Relu),
        "leaky_relu" => Box::new(LeakyRelu::new(case.required("negative_slope"))?),
        "elu" => Box::new(Elu::new(case.required("alpha"))?),
        "gelu" => Box::new(Gelu),
        "gelu_tanh" => Box::new(GeluTanh),
        "silu" => Box::new(Silu),
        "mish" => Box::new(Mish),
        "softplus" => Box::new(Softplus),
        "softsign" => Box::new(Softsign),
        "selu" => Box::new(Selu),
        "hard_sigmoid" => Box::new(HardSigmoid),
        "hard_swish" => Box::new(HardSwish),
        "clamp" => Box::new(Clamp::new(case.required("min"), case.required("max"))?),
        _ => unknown(case),
    })
}

fn arithmetic<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    Ok(match case.kind() {
        "add" => Box::new(Add),
        "sub" => Box::new(Sub),
        "mul" => Box::new(Mul),
        "div" => Box::new(Div),
        "pow" => Box::new(Pow),
        "maximum" => Box::new(Maximum),
        "minimum" => Box::new(Minimum),
        _ => unknown(case),
    })
}

fn activation(case: &Case) -> Activation {
    match case.option("activation") {
        None | Some("identity") => Activation::Identity,
        Some("relu") => Activation::Relu,
        Some("sigmoid") => Activation::Sigmoid,
        Some("tanh") => Activation::Tanh,
        Some(_) => unknown(case),
    }
}

fn product<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    Ok(match case.kind() {
        "matmul" => Box::new(MatMul { transpose_a: case.flag("transpose_a"), transpose_b: case.flag("transpose_b") }),
        "linear" => Box::new(Linear::new(activation(case))),
        _ => unknown(case),
    })
}

fn convolution<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    let groups = case.sizes::<1>("groups", 1)[0];
    let line = || {
        let [stride] = case.sizes("stride", 1);
        let [padding] = case.sizes("padding", 0);
        let [dilation] = case.sizes("dilation", 1);
        Conv1dGeometry::new().stride(stride)?.padding(padding).dilation(dilation)?.groups(groups)
    };
    let image = || {
        let (stride, padding) = (case.sizes("stride", 1), case.sizes("padding", 0));
        Conv2dGeometry::new().stride(stride)?.padding(padding).dilation(case.sizes("dilation", 1))?.groups(groups)
    };
    let activation = activation(case);
    Ok(match case.kind() {
        "conv1d" => Box::new(Conv1d::new(line()?).with_activation(activation)),
        "conv2d" => Box::new(Conv2d::new(image()?).with_activation(activation)),
        "conv_transpose1d" => {
            let [more] = case.sizes("output_padding", 0);
            Box::new(ConvTranspose1d::new(line()?).with_output_padding(more)?.with_activation(activation))
        }
        "conv_transpose2d" => {
            let more = case.sizes("output_padding", 0);
            Box::new(ConvTranspose2d::new(image()?).with_output_padding(more)?.with_activation(activation))
        }
        _ => unknown(case),
    })
}

fn pool<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    let ceil = case.flag("ceil_mode");
    let counted = case.option("count_include_pad") != Some("false");
    let geometry = || {
        let kernel = case.sizes("kernel_size", 1);
        let stride = if case.option("stride").is_some() { case.sizes("stride", 1) } else { kernel };
        let geometry = Pool2dGeometry::new(kernel)?.stride(stride)?.padding(case.sizes("padding", 0))?;
        Result::Ok(geometry.dilation(case.sizes("dilation", 1))?.ceil_mode(ceil))
    };
    let line =
        || [case.sizes::<1>("kernel_size", 1)[0], case.sizes::<1>("stride", 1)[0], case.sizes::<1>("padding", 0)[0]];
    Ok(match case.kind() {
        "max_pool2d" => Box::new(MaxPool2d::new(geometry()?)),
        "avg_pool2d" => Box::new(AvgPool2d::new(geometry()?).count_padding(counted)),
        "max_pool1d" => {
            let [kernel, stride, padding] = line();
            Box::new(MaxPool1d::new(kernel, stride, padding)?)
        }
        "avg_pool1d" => {
            let [kernel, stride, padding] = line();
            Box::new(AvgPool1d::new(kernel, stride, padding)?.count_padding(counted))
        }
        "adaptive_avg_pool2d" => Box::new(AdaptiveAvgPool2d::new(case.sizes("output_size", 1))?),
        "adaptive_max_pool2d" => Box::new(AdaptiveMaxPool2d::new(case.sizes("output_size", 1))?),
        "global_avg_pool" => Box::new(GlobalAvgPool),
        _ => unknown(case),
    })
}

fn norm<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    let epsilon = case.number("epsilon");
    let (epsilon, rms_epsilon) = (epsilon.unwrap_or(1e-5), epsilon.unwrap_or(1e-6));
    let axes = case.sizes::<1>("axes", 1)[0];
    Ok(match case.kind() {
        "batch_norm" => Box::new(BatchNorm::new(epsilon)?.with_relu(case.flag("relu"))),
        "batch_norm_inference" => Box::new(BatchNormInference::new(epsilon)?.with_relu(case.flag("relu"))),
        "layer_norm" => Box::new(LayerNorm::new(axes, epsilon)?),
        "rms_norm" => Box::new(RmsNorm::new(axes, rms_epsilon)?),
        "group_norm" => Box::new(GroupNorm::new(case.sizes::<1>("groups", 1)[0], epsilon)?),
        _ => unknown(case),
    })
}

fn softmax<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    let [axis] = case.sizes("axis", 0);
    Ok(match case.kind() {
        "softmax" => Box::new(Softmax { axis }),
        "log_softmax" => Box::new(LogSoftmax { axis }),
        _ => unknown(case),
    })
}

fn reduction<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    let axes: Vec<usize> = case.list("axes").unwrap_or_default();
    let keep = case.flag("keep");
    Ok(match case.kind() {
        "sum" => Box::new(Sum::new(axes, keep)),
        "mean" => Box::new(Mean::new(axes, keep)),
        "max" => Box::new(Max::new(axes, keep)),
        "min" => Box::new(Min::new(axes, keep)),
        "variance" => Box::new(Variance::new(axes, keep, case.required("ddof") as usize)),
        "log_sum_exp" => Box::new(LogSumExp::new(axes, keep)),
        "prod" => Box::new(Prod::new(axes, keep)),
        _ => unknown(case),
    })
}

fn shape<T: Real>(case: &Case) -> Result<Boxed<'_, T>> {
    let [axis] = case.sizes("axis", 0);
    let list = |key| case.list::<usize>(key).unwrap_or_default();
    Ok(match case.kind() {
        "pad" => {
            let mode = match case.option("mode") {
                None => PadMode::Constant(case.number("value").unwrap_or(0.0)),
                Some("reflect") => PadMode::Reflect,
                Some("edge") => PadMode::Edge,
                Some("wrap") => PadMode::Wrap,
                Some(_) => unknown(case),
            };
            let amounts: Vec<(usize, usize)> = list("before").into_iter().zip(list("after")).collect();
            Box::new(Pad::new(&amounts, mode))
        }
        "concat" => Box::new(Concat { axis }),
        "stack" => Box::new(Stack { axis }),
        "gather" => Box::new(Gather { axis, indices: case.indices("index.0").1 }),
        "pick" => Box::new(Pick { indices: case.indices("index.0").1 }),
        "slice" => {
            let [[start], [end], [step]] = ["start", "end", "step"].map(|key| case.sizes(key, 1));
            Box::new(Slice::along(axis, Span::from(start..end).step(step)?))
        }
        "flip" => Box::new(Flip::new(&list("axes"))),
        "permute" => Box::new(Permute::new(&list("axes"))?),
        "reshape" => Box::new(Reshape::new(&list("shape"))),
        "broadcast_to" => Box::new(BroadcastTo::new(&list("shape"))),
        "embedding" => {
            let (shape, indices) = case.indices("index.0");
            let embedding = Embedding::new(indices, shape)?;
            Box::new(case.list("padding").map_or(embedding, |padding| embedding.padding(padding[0])))
        }
        _ => unknown(case),
    })
}

fn loss<T: Real>(case: &Case) -> Result<()> {
    let reduction = match case.option("reduction") {
        Some("mean") => Reduction::Mean,
        Some("sum") => Reduction::Sum,
        Some("none") => Reduction::None,
        _ => unknown(case),
    };
    let constants = case.arrays::<T>("constant");
    // Weights come after the targets, if these are numbers and not classes.
    let weights =
        |position| case.arrays::<f64>("constant").get(position).map(|w: &ArrayD<f64>| w.iter().copied().collect());
    let weights = |position| -> Vec<f64> { weights(position).unwrap_or_default() };
    match case.kind() {
        "cross_entropy" => {
            let soft = case.name.contains(".soft");
            let targets = if soft { Targets::Soft(&constants[0]) } else { Targets::Classes(case.indices("index.0").1) };
            let weights = weights(usize::from(soft));
            let mut op = SoftmaxCrossEntropy::new(targets, reduction);
            op = op.label_smoothing(case.number("label_smoothing").unwrap_or(0.0))?;
            if !weights.is_empty() {
                op = op.class_weights(&weights)?;
            }
            if let Some(class) = case.list("ignore_index") {
                op = op.ignored(class[0]);
            }
            check(case, &op);
        }
        "mse" => check(case, &MeanSquaredError::new(&constants[0], reduction)),
        "mae" => check(case, &MeanAbsoluteError::new(&constants[0], reduction)),
        "huber" => check(case, &Huber::new(&constants[0], reduction, case.required("delta"))?),
        "bce" => {
            let weights = weights(1);
            let op = BinaryCrossEntropyWithLogits::new(&constants[0], reduction)?;
            if weights.is_empty() { check(case, &op) } else { check(case, &op.positive_weights(&weights)?) }
        }
        kind => other_loss(case, kind, &constants, &weights(0), reduction)?,
    }
    Ok(())
}

fn other_loss<T: Real>(
    case: &Case,
    kind: &str,
    constants: &[ArrayD<T>],
    weights: &[f64],
    reduction: Reduction,
) -> Result<()> {
    fn on<T: Real, Y: ?Sized>(case: &Case, loss: &impl Loss<T, Y>, targets: &Y, reduction: Reduction) -> Result<()> {
        check(case, &*loss.op(targets, reduction)?);
        Ok(())
    }
    let squared = case.flag("squared");
    match kind {
        "hinge" => on(case, &HingeLoss(HingeError { squared }), &*constants[0], reduction)?,
        "binary_focal" => {
            let loss = BinaryFocalLoss::new(case.required("gamma"))?;
            let loss = case.number("alpha").map_or(Ok(loss), |alpha| loss.alpha(alpha))?;
            on(case, &loss, &*constants[0], reduction)?;
        }
        "focal" => {
            let loss = FocalLoss::new(case.required("gamma"))?;
            let loss = if weights.is_empty() { loss } else { loss.class_weights(weights.to_vec())? };
            on::<T, _>(case, &loss, case.indices("index.0").1, reduction)?;
        }
        "multi_margin" => {
            let loss = MultiMarginLoss::new(case.required("margin"))?;
            let loss = if squared { loss.squared() } else { loss };
            on::<T, _>(case, &loss, case.indices("index.0").1, reduction)?;
        }
        "kl_div" => on(case, &KlDivLoss, &*constants[0], reduction)?,
        "cosine_similarity" => on(case, &CosineSimilarityLoss, &*constants[0], reduction)?,
        "cosine_embedding" => {
            let alike: Vec<bool> = case.indices("index.0").1.iter().map(|&alike| alike == 1).collect();
            check::<T>(case, &CosineEmbedding::new(&alike, case.required("margin"), reduction)?);
        }
        "triplet_margin" => check::<T>(case, &TripletMargin::new(case.required("margin"), reduction)?),
        _ => unknown(case),
    }
    Ok(())
}
