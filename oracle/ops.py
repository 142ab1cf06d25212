"""Cases of the operations of `gradwise-tensor`, file by file."""

import numpy as np
import torch
import torch.nn.functional as F

from case import case, indices, integers, normal, ties, uniform, values

# A function is evaluated near zero, in its tails, and far beyond: where a careless formula overflows or cancels.
GRID = values(
    [-800.0, -90.0, -30.0, -8.5, -4.0, -2.25, -1.0, -0.5, -0.1, -1e-3, -1e-8, 1e-8, 1e-3, 0.1, 0.5, 1.0, 2.25, 4.0, 8.5, 30.0, 90.0]
)
# The same without what overflows by right.
CALM = values([-8.5, -4.0, -2.25, -1.0, -0.5, -0.1, -1e-3, -1e-8, 1e-8, 1e-3, 0.1, 0.5, 1.0, 2.25, 4.0, 8.5])
POSITIVE = values([1e-6, 1e-3, 0.1, 0.5, 1.0, 2.25, 4.0, 90.0, 1e6])
WITH_ZERO = values([-2.0, -1.0, 0.0, 1.0, 2.0])

# What products and convolutions can apply to their result.
ACTIVATIONS = {"identity": lambda x: x, "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def elementwise():
    yield case("neg", torch.neg, GRID)
    yield case("abs", torch.abs, GRID)
    yield case("abs.zero", torch.abs, WITH_ZERO)
    yield case("square", torch.square, GRID)
    yield case("sqrt", torch.sqrt, POSITIVE)
    yield case("rsqrt", torch.rsqrt, POSITIVE)
    yield case("exp", torch.exp, CALM)
    yield case("expm1", torch.expm1, CALM)
    yield case("ln", torch.log, POSITIVE)
    yield case("log1p", torch.log1p, POSITIVE)
    yield case("sin", torch.sin, CALM)
    yield case("cos", torch.cos, CALM)
    yield case("reciprocal", torch.reciprocal, POSITIVE)
    yield case("erf", torch.erf, CALM)
    yield case("scale", lambda x, factor: x * factor, CALM, factor=-2.5)
    yield case("add_scalar", lambda x, term: x + term, CALM, term=-2.5)
    yield case("pow_scalar.cube", torch.pow, CALM, exponent=3.0)
    yield case("pow_scalar.negative", torch.pow, POSITIVE, exponent=-2.0)
    yield case("pow_scalar.fraction", torch.pow, POSITIVE, exponent=1.7)
    yield case("pow_scalar.zero", torch.pow, CALM, exponent=0.0)
    yield case("tanh", torch.tanh, GRID)
    yield case("sigmoid", torch.sigmoid, GRID)
    yield case("log_sigmoid", F.logsigmoid, GRID)
    yield case("relu", torch.relu, GRID)
    yield case("relu.zero", torch.relu, WITH_ZERO)
    yield case("leaky_relu", F.leaky_relu, GRID, negative_slope=0.01)
    yield case("leaky_relu.zero", F.leaky_relu, WITH_ZERO, negative_slope=0.2)
    yield case("elu", F.elu, GRID, alpha=1.0)
    yield case("elu.alpha", F.elu, GRID, alpha=0.3)
    yield case("gelu", F.gelu, GRID)
    yield case("gelu_tanh", F.gelu, GRID, arguments={"approximate": "tanh"})
    yield case("silu", F.silu, GRID)
    yield case("mish", F.mish, GRID)
    # PyTorch goes over to y = x at a threshold; far enough, that is exact.
    yield case("softplus", F.softplus, GRID, arguments={"threshold": 60.0})
    yield case("softsign", F.softsign, GRID)
    yield case("selu", F.selu, GRID)
    # Written out: the gradient of PyTorch's own has its sixth in single precision.
    yield case("hard_sigmoid", lambda x: F.relu6(x + 3) / 6, GRID)
    yield case("hard_swish", F.hardswish, GRID)
    yield case("clamp", torch.clamp, GRID, min=-1.0, max=2.0)
    yield case("clamp.at_bounds", torch.clamp, WITH_ZERO, min=-1.0, max=1.0)


def arithmetic():
    functions = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}
    for name, function in functions.items():
        yield case(name, function, normal(2, 3), uniform(0.5, 2, 2, 3))
        yield case(f"{name}.rows", function, normal(2, 3, 4), uniform(0.5, 2, 4))
        yield case(f"{name}.both", function, normal(3, 1), uniform(0.5, 2, 2, 1, 4))
        yield case(f"{name}.scalar", function, normal(), uniform(0.5, 2, 2, 3))
    yield case("pow", torch.pow, uniform(0.2, 3, 3, 4), normal(4))
    yield case("pow.zero", torch.pow, values([0.0, 0.0, 2.0]), values([0.0, 2.0, 0.0]))
    yield case("maximum", torch.maximum, normal(3, 4), normal(4))
    yield case("maximum.ties", torch.maximum, ties(4, 5), ties(4, 5))
    yield case("minimum", torch.minimum, normal(3, 1), normal(3, 4))
    yield case("minimum.ties", torch.minimum, ties(4, 5), ties(4, 5))


def matrix_products():
    def product(a, b, transpose_a=False, transpose_b=False):
        return (a.mT if transpose_a else a) @ (b.mT if transpose_b else b)

    yield case("matmul", product, normal(3, 4), normal(4, 5))
    yield case("matmul.tn", product, normal(4, 3), normal(4, 5), transpose_a=True)
    yield case("matmul.nt", product, normal(3, 4), normal(5, 4), transpose_b=True)
    yield case("matmul.tt", product, normal(4, 3), normal(5, 4), transpose_a=True, transpose_b=True)
    yield case("matmul.batched", product, normal(2, 3, 4), normal(2, 4, 5))
    yield case("matmul.batched_nt", product, normal(2, 3, 4), normal(2, 5, 4), transpose_b=True)
    yield case("matmul.shared_right", product, normal(2, 3, 4), normal(4, 5))
    yield case("matmul.shared_left", product, normal(3, 4), normal(2, 4, 5))
    yield case("matmul.broadcast", product, normal(2, 1, 3, 4), normal(5, 4, 2))
    yield case("matmul.one", product, normal(1, 1), normal(1, 1))
    # Beyond one block of the kernel in every direction.
    yield case("matmul.large", product, normal(19, 37), normal(37, 23))

    def linear(x, weight, bias=None, activation="identity"):
        return ACTIVATIONS[activation](F.linear(x, weight, bias))

    for name in ACTIVATIONS:
        yield case(f"linear.{name}", linear, normal(5, 4), normal(3, 4), normal(3), activation=name)
    yield case("linear.no_bias", linear, normal(5, 4), normal(3, 4))
    yield case("linear.one_sample", linear, normal(1, 4), normal(3, 4), normal(3))
    yield case("linear.sequence", linear, normal(2, 3, 4), normal(5, 4), normal(5), activation="relu")


def convolutions():
    def activated(function):
        return lambda x, weight, bias, activation, **options: ACTIVATIONS[activation](function(x, weight, bias, **options))

    image, weight, bias = normal(2, 4, 6, 5), normal(6, 4, 3, 2), normal(6)
    yield case("conv2d", F.conv2d, image, weight, bias)
    yield case("conv2d.no_bias", F.conv2d, image, weight)
    yield case("conv2d.stride", F.conv2d, image, weight, bias, stride=(2, 1))
    yield case("conv2d.padding", F.conv2d, image, weight, bias, padding=(1, 2))
    yield case("conv2d.dilation", F.conv2d, image, weight, bias, dilation=(2, 3))
    yield case("conv2d.groups", F.conv2d, image, normal(6, 2, 3, 2), bias, groups=2)
    yield case("conv2d.depthwise", F.conv2d, image, normal(4, 1, 3, 3), normal(4), padding=(1, 1), groups=4)
    yield case("conv2d.multiplier", F.conv2d, image, normal(8, 1, 3, 3), normal(8), stride=(2, 2), groups=4)
    yield case("conv2d.pointwise", F.conv2d, image, normal(5, 4, 1, 1), normal(5))
    yield case("conv2d.pointwise_stride", F.conv2d, image, normal(5, 4, 1, 1), normal(5), stride=(2, 2))
    yield case("conv2d.whole", F.conv2d, image, normal(3, 4, 6, 5), normal(3))
    yield case("conv2d.all", F.conv2d, image, normal(6, 2, 2, 3), bias, stride=(2, 3), padding=(3, 1), dilation=(3, 2), groups=2)
    for name in ("relu", "sigmoid", "tanh"):
        yield case(f"conv2d.{name}", activated(F.conv2d), image, weight, bias, padding=(1, 0), activation=name)
    yield case("conv2d.one_sample", F.conv2d, normal(1, 1, 5, 5), normal(2, 1, 3, 3), normal(2), padding=(1, 1))

    line, weight, bias = normal(2, 4, 9), normal(6, 4, 3), normal(6)
    yield case("conv1d", F.conv1d, line, weight, bias)
    yield case("conv1d.stride", F.conv1d, line, weight, bias, stride=(2,))
    yield case("conv1d.padding", F.conv1d, line, weight, bias, padding=(2,))
    yield case("conv1d.dilation", F.conv1d, line, weight, bias, dilation=(3,))
    yield case("conv1d.all", F.conv1d, line, normal(6, 2, 3), stride=(2,), padding=(2,), dilation=(2,), groups=2)

    yield case("conv1d.tanh", activated(F.conv1d), line, weight, bias, activation="tanh")

    image, weight, bias = normal(2, 4, 4, 3), normal(4, 6, 3, 2), normal(6)
    yield case("conv_transpose2d", F.conv_transpose2d, image, weight, bias)
    yield case("conv_transpose2d.stride", F.conv_transpose2d, image, weight, bias, stride=(2, 3))
    yield case("conv_transpose2d.padding", F.conv_transpose2d, image, weight, bias, padding=(1, 1))
    yield case("conv_transpose2d.dilation", F.conv_transpose2d, image, weight, bias, dilation=(2, 2))
    yield case("conv_transpose2d.relu", activated(F.conv_transpose2d), image, weight, bias, activation="relu")
    yield case("conv_transpose2d.groups", F.conv_transpose2d, image, normal(4, 3, 3, 2), bias, groups=2)
    yield case("conv_transpose2d.output_padding", F.conv_transpose2d, image, weight, bias, stride=(2, 3), output_padding=(1, 2))
    yield case(
        "conv_transpose2d.all", F.conv_transpose2d, image, normal(4, 3, 3, 2), bias,
        stride=(2, 3), padding=(1, 2), output_padding=(1, 1), dilation=(2, 3), groups=2,
    )  # fmt: skip
    yield case(
        "conv_transpose1d", F.conv_transpose1d, normal(2, 4, 5), normal(4, 3, 3), bias,
        stride=(3,), padding=(1,), output_padding=(2,), dilation=(2,), groups=2,
    )  # fmt: skip


def pools():
    image = normal(2, 2, 7, 6)
    yield case("max_pool2d", F.max_pool2d, image, kernel_size=(2, 2))
    yield case("max_pool2d.overlapping", F.max_pool2d, image, kernel_size=(3, 2), stride=(1, 1))
    yield case("max_pool2d.padding", F.max_pool2d, image, kernel_size=(3, 2), stride=(2, 2), padding=(1, 1))
    yield case("max_pool2d.dilation", F.max_pool2d, image, kernel_size=(2, 3), stride=(1, 2), dilation=(3, 2))
    yield case("max_pool2d.ceil", F.max_pool2d, image, kernel_size=(2, 4), stride=(2, 3), ceil_mode=True)
    yield case("max_pool2d.ties", F.max_pool2d, ties(2, 2, 7, 6), kernel_size=(3, 3), stride=(2, 1))
    yield case("avg_pool2d", F.avg_pool2d, image, kernel_size=(2, 2))
    yield case("avg_pool2d.overlapping", F.avg_pool2d, image, kernel_size=(3, 2), stride=(1, 1))
    for count in (True, False):
        name = "counted" if count else "uncounted"
        padded = {"stride": (2, 2), "padding": (1, 1), "count_include_pad": count}
        yield case(f"avg_pool2d.{name}", F.avg_pool2d, image, kernel_size=(3, 2), **padded)
        yield case(f"avg_pool2d.ceil_{name}", F.avg_pool2d, image, kernel_size=(3, 3), ceil_mode=True, **padded)
    yield case("max_pool1d", F.max_pool1d, normal(2, 3, 9), kernel_size=(3,), stride=(2,), padding=(1,))
    yield case("avg_pool1d", F.avg_pool1d, normal(2, 3, 9), kernel_size=(3,), stride=(2,), padding=(1,), count_include_pad=False)
    for name, size in {"one": (1, 1), "uneven": (3, 4), "same": (7, 6), "larger": (8, 9)}.items():
        yield case(f"adaptive_avg_pool2d.{name}", F.adaptive_avg_pool2d, image, output_size=size)
        yield case(f"adaptive_max_pool2d.{name}", F.adaptive_max_pool2d, image, output_size=size)
    yield case("adaptive_max_pool2d.ties", F.adaptive_max_pool2d, ties(2, 2, 7, 6), output_size=(3, 4))
    yield case("global_avg_pool", lambda x: x.mean((2, 3)), image)


def norms():
    def batch_norm(x, weight=None, bias=None, epsilon=1e-5, relu=False):
        y = F.batch_norm(x, None, None, weight, bias, training=True, eps=epsilon)
        return torch.relu(y) if relu else y

    def inference(x, mean, variance, weight=None, bias=None, epsilon=1e-5, relu=False):
        # Written out: PyTorch's own function gives the statistics no gradient.
        def channels(p):
            return p.reshape(-1, *[1] * (x.dim() - 2))

        y = (x - channels(mean)) / torch.sqrt(channels(variance) + epsilon)
        y = y if weight is None else y * channels(weight) + channels(bias)
        return torch.relu(y) if relu else y

    affine = normal(3, shift=1.0), normal(3)
    for name, shape in {"features": (5, 3), "sequences": (2, 3, 4), "images": (2, 3, 4, 5), "one_sample": (1, 3, 4, 5)}.items():
        x = normal(*shape, scale=2.0, shift=3.0)
        yield case(f"batch_norm.{name}", batch_norm, x, *affine)
        yield case(f"batch_norm.{name}_plain", batch_norm, x, epsilon=1e-3)
        yield case(f"batch_norm.{name}_relu", batch_norm, x, *affine, relu=True)
        statistics = normal(3, shift=3.0), uniform(0.5, 5, 3)
        yield case(f"batch_norm_inference.{name}", inference, x, *statistics, *affine)
        yield case(f"batch_norm_inference.{name}_plain", inference, x, *statistics, epsilon=1e-3)
        yield case(f"batch_norm_inference.{name}_relu", inference, x, *statistics, *affine, relu=True)

    def layer_norm(x, weight=None, bias=None, axes=1, epsilon=1e-5):
        return F.layer_norm(x, x.shape[-axes:], weight, bias, epsilon)

    x = normal(2, 4, 5, scale=2.0, shift=3.0)
    yield case("layer_norm.rows", layer_norm, x, normal(5), normal(5), axes=1)
    yield case("layer_norm.two_axes", layer_norm, x, normal(4, 5), normal(4, 5), axes=2)
    yield case("layer_norm.plain", layer_norm, x, axes=1, epsilon=1e-3)

    def rms_norm(x, weight=None, axes=1, epsilon=1e-6):
        return F.rms_norm(x, x.shape[-axes:], weight, epsilon)

    yield case("rms_norm.rows", rms_norm, x, normal(5), axes=1)
    yield case("rms_norm.two_axes", rms_norm, x, normal(4, 5), axes=2, epsilon=1e-3)
    yield case("rms_norm.plain", rms_norm, x, axes=1)

    def group_norm(x, weight=None, bias=None, groups=1, epsilon=1e-5):
        return F.group_norm(x, groups, weight, bias, epsilon)

    for groups in (1, 2, 4):
        yield case(f"group_norm.{groups}", group_norm, normal(2, 4, 3, 5, shift=1.0), normal(4), normal(4), groups=groups)
    yield case("group_norm.features", group_norm, normal(3, 6), normal(6), normal(6), groups=2)
    yield case("group_norm.plain", group_norm, normal(2, 4, 5), groups=2, epsilon=1e-3)


def softmaxes():
    for name, function in {"softmax": torch.softmax, "log_softmax": torch.log_softmax}.items():
        for axis in range(3):
            yield axis_case(f"{name}.axis{axis}", function, normal(2, 3, 4, scale=3.0), axis)
        yield axis_case(f"{name}.extreme", function, values([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4], [88.0, 89.0, 90.0]]), 1)
        yield axis_case(f"{name}.one_class", function, normal(3, 1), 1)


def axis_case(name, function, x, axis):
    """A function along an axis, which PyTorch calls `dim`."""
    return case(name, lambda x, axis: function(x, dim=axis), x, axis=axis)


def reductions():
    def reduced(function):
        return lambda x, axes, keep, **options: function(x, dim=axes, keepdim=keep, **options)

    def prod(x, dim, keepdim):
        for axis in sorted(dim, reverse=True):
            x = x.prod(axis, keepdim)
        return x

    functions = {
        "sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin,
        "log_sum_exp": torch.logsumexp, "prod": prod,
    }  # fmt: skip
    x = normal(2, 3, 4)
    for axes, keep in [((0,), False), ((1,), True), ((2,), False), ((0, 2), False), ((1, 2), True), ((0, 1, 2), False)]:
        name = "".join(map(str, axes))
        for op, function in functions.items():
            yield case(f"{op}.axes{name}", reduced(function), x, axes=axes, keep=keep)
        for ddof in (0, 1):
            yield case(
                f"variance.axes{name}_{ddof}",
                lambda x, axes, keep, ddof: torch.var(x, axes, correction=ddof, keepdim=keep),
                x, axes=axes, keep=keep, ddof=ddof,
            )  # fmt: skip
    for op in ("max", "min"):
        yield case(f"{op}.ties", reduced(functions[op]), ties(3, 4, 5), axes=(0, 2), keep=False)
    yield case("prod.zeros", reduced(prod), values([[0.0, 2.0, 3.0], [0.0, 0.0, 5.0], [1.0, 2.0, 4.0]]), axes=(1,), keep=False)
    # Results that an f32 holds well: the gradient is taken relative to them.
    extreme = values([[1e4, 0.0, -1e4], [720.0, 0.0, -1.0], [100.0, 100.0, 99.0], [-100.0, -100.0, -100.0]])
    yield case("log_sum_exp.extreme", reduced(torch.logsumexp), extreme, axes=(1,), keep=False)
    # Farther out PyTorch itself loses digits.
    far = normal(4, 6, shift=1e3)
    yield case("variance.far", lambda x, axes, keep, ddof: torch.var(x, axes, correction=ddof), far, axes=(1,), keep=False, ddof=1)


def shapes():
    def pad(x, before, after, mode="constant", value=0.0):
        if mode == "constant":
            # PyTorch counts the axes from the last.
            return F.pad(x, [n for pair in zip(before[::-1], after[::-1]) for n in pair], value=value)
        # Its other modes pad at most as many axes as an image has; taking rows by their indices pads any, and is as differentiable.
        for axis, (left, right) in enumerate(zip(before, after)):
            rows = np.pad(np.arange(x.shape[axis]), (left, right), mode)
            x = x.index_select(axis, torch.from_numpy(rows))
        return x

    yield case("pad", pad, normal(2, 3), before=(1, 0), after=(2, 1))
    yield case("pad.value", pad, normal(2, 3, 2), before=(0, 1, 2), after=(1, 0, 0), value=-1.5)
    for mode in ("reflect", "edge", "wrap"):
        yield case(f"pad.{mode}", pad, normal(3, 4), before=(2, 1), after=(1, 3), mode=mode)
    # PyTorch's own, where it has one.
    yield case("pad.reflect_image", lambda x, before, after, mode: F.pad(x, (1, 3, 2, 1), mode), normal(1, 1, 4, 4),
               before=(0, 0, 2, 1), after=(0, 0, 1, 3), mode="reflect")  # fmt: skip
    yield case("concat.first", lambda *x, axis: torch.cat(x, axis), normal(2, 3), normal(1, 3), axis=0)
    yield case("concat.last", lambda *x, axis: torch.cat(x, axis), normal(2, 3), normal(2, 1), normal(2, 2), axis=1)
    yield case("stack", lambda *x, axis: torch.stack(x, axis), normal(2, 3), normal(2, 3), axis=1)
    yield case("gather.first", lambda x, index, axis: x.index_select(axis, index), normal(4, 3), indices([3, 0, 3, 1]), axis=0)
    yield case("gather.last", lambda x, index, axis: x.index_select(axis, index), normal(2, 3, 4), indices([3, 3, 0]), axis=2)
    yield case("pick", lambda x, index: x.gather(1, index[:, None])[:, 0], normal(5, 4), integers(4, 5))
    yield case("slice", lambda x, axis, start, end, step: x[:, start:end:step], normal(2, 7, 3), axis=1, start=1, end=6, step=2)
    yield case("flip", lambda x, axes: x.flip(axes), normal(2, 3, 4), axes=(0, 2))
    yield case("permute", lambda x, axes: x.permute(axes), normal(2, 3, 4), axes=(2, 0, 1))
    yield case("reshape", lambda x, shape: x.reshape(shape), normal(2, 3, 4), shape=(4, 6))
    yield case("broadcast_to", lambda x, shape: x.broadcast_to(shape), normal(3, 1), shape=(2, 3, 4))

    def embedding(table, index, padding=None):
        return F.embedding(index, table, padding_idx=padding)

    yield case("embedding", embedding, normal(5, 3), integers(5, 4))
    yield case("embedding.repeated", embedding, normal(5, 3), indices([[1, 1, 4], [1, 0, 4]]))
    yield case("embedding.padding", embedding, normal(5, 3), indices([[0, 2, 2], [3, 0, 0]]), padding=2)


FILES = {
    "elementwise": elementwise,
    "arithmetic": arithmetic,
    "products": matrix_products,
    "convolutions": convolutions,
    "pools": pools,
    "norms": norms,
    "softmax": softmaxes,
    "reductions": reductions,
    "shapes": shapes,
}
