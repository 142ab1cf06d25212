"""Layers with their parameters, and small models of them.

A layer's case holds what `state_dict` names its parameters and buffers (`param.weight`), the gradients of the parameters
(`param_grad.weight`) and of the input, and the buffers after each training step (`step.1.running_mean`).
"""

import torch
from torch import nn

from case import gradients, integers, normal, rounded, seeded


class HardSigmoid(nn.Module):
    """Written out: the gradient of PyTorch's own has its sixth in single precision."""

    def forward(self, x):
        return nn.functional.relu6(x + 3) / 6


class Recurrent(nn.Module):
    """A recurrent layer of PyTorch under our names, whose output is the hidden states after every step."""

    NAMES = {"input_weight": "weight_ih_l0", "hidden_weight": "weight_hh_l0", "input_bias": "bias_ih_l0", "hidden_bias": "bias_hh_l0"}

    def __init__(self, kind, inputs, units, bias=True):
        super().__init__()
        layer = kind(inputs, units, bias=bias, batch_first=True).double()
        self.layer = [layer]  # Not a part: its parameters are these.
        for ours, theirs in self.NAMES.items():
            if hasattr(layer, theirs):
                setattr(self, ours, nn.Parameter(getattr(layer, theirs).detach().clone()))

    def forward(self, x):
        values = {theirs: getattr(self, ours) for ours, theirs in self.NAMES.items() if hasattr(self, ours)}
        return torch.func.functional_call(self.layer[0], values, (x,))[0]


class Attention(nn.Module):
    def __init__(self, width, heads, causal=False):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.heads, self.causal = heads, causal

    def forward(self, x):
        q, k, v = (layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.output(y.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    def __init__(self, width, heads, hidden, norm_last=False):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads)
        self.expand, self.contract = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm_last = norm_last

    def forward(self, x):
        mlp = lambda x: self.contract(nn.functional.gelu(self.expand(x)))
        for norm, f in ((self.norm1, self.attention), (self.norm2, mlp)):
            x = norm(x + f(x)) if self.norm_last else x + f(norm(x))
        return x


class Maxout(nn.Module):
    def forward(self, x):
        return x.unflatten(1, (-1, 2)).amax(2)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(channels, channels // reduction), nn.Linear(channels // reduction, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean((2, 3))))))[..., None, None]


class Separable(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Reparametrized(nn.Module):
    """A layer with a weight that is made of its own."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        weight = self.make(self.layer.weight)
        return torch.func.functional_call(self.layer, {"weight": weight}, (x,))


class WeightNorm(Reparametrized):
    def __init__(self, layer):
        super().__init__(layer)
        self.gain = nn.Parameter(torch.ones(layer.weight.shape[0]))

    def make(self, v):
        return torch._weight_norm(v, self.gain.reshape(-1, *[1] * (v.dim() - 1)), 0)


class WeightStandardization(Reparametrized):
    def make(self, v):
        return nn.functional.layer_norm(v.flatten(1), [v[0].numel()], eps=1e-5).reshape(v.shape)


class SpectralNorm(Reparametrized):
    """As the first `torch.nn.utils.spectral_norm`, in the order of the paper."""

    def __init__(self, layer):
        super().__init__(layer)
        self.register_buffer("left", torch.ones(layer.weight.shape[0]))
        self.register_buffer("right", torch.ones(layer.weight[0].numel()))

    def make(self, weight):
        rows = weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self.right = nn.functional.normalize(rows.T @ self.left, dim=0)
                self.left = nn.functional.normalize(rows @ self.right, dim=0)
        return weight / (self.left @ rows @ self.right)


# Layer and input by name; the options are written again in the test, which builds the same layer.
LAYERS = {
    "linear": (lambda: nn.Linear(4, 3), normal(5, 4)),
    "linear.no_bias": (lambda: nn.Linear(4, 3, bias=False), normal(5, 4)),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2), normal(2, 4, 9)),
    "conv2d": (lambda: nn.Conv2d(3, 4, 3, padding=1), normal(2, 3, 5, 6)),
    "conv2d.options": (lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), normal(2, 4, 7, 6)),
    "conv2d.no_bias": (lambda: nn.Conv2d(3, 4, 3, bias=False), normal(2, 3, 5, 6)),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), normal(2, 4, 4, 3)),
    "conv_transpose1d": (lambda: nn.ConvTranspose1d(4, 6, 3, stride=3, padding=1, output_padding=2, dilation=2, groups=2), normal(2, 4, 5)),
    "batch_norm1d.features": (lambda: nn.BatchNorm1d(4), normal(6, 4, scale=2.0, shift=3.0)),
    "batch_norm1d.sequences": (lambda: nn.BatchNorm1d(4), normal(3, 4, 5, scale=2.0, shift=3.0)),
    "batch_norm2d": (lambda: nn.BatchNorm2d(3), normal(2, 3, 4, 5, scale=2.0, shift=3.0)),
    "batch_norm2d.options": (lambda: nn.BatchNorm2d(3, eps=1e-3, momentum=0.3), normal(2, 3, 4, 5, scale=2.0, shift=3.0)),
    "batch_norm2d.plain": (lambda: nn.BatchNorm2d(3, affine=False), normal(2, 3, 4, 5, scale=2.0, shift=3.0)),
    "layer_norm": (lambda: nn.LayerNorm(5), normal(2, 3, 5, scale=2.0, shift=3.0)),
    "layer_norm.two_axes": (lambda: nn.LayerNorm((3, 5), eps=1e-3), normal(2, 3, 5, scale=2.0, shift=3.0)),
    "group_norm": (lambda: nn.GroupNorm(2, 4), normal(2, 4, 3, 5, shift=1.0)),
    "instance_norm": (lambda: nn.GroupNorm(4, 4), normal(2, 4, 3, 5, shift=1.0)),
    "rms_norm": (lambda: nn.RMSNorm(5, eps=1e-6), normal(2, 3, 5, scale=2.0)),
    "max_pool2d": (lambda: nn.MaxPool2d(3, stride=2, padding=1), normal(2, 3, 7, 6)),
    "max_pool2d.ceil": (lambda: nn.MaxPool2d((2, 4), stride=(2, 3), ceil_mode=True), normal(2, 3, 7, 6)),
    "avg_pool2d": (lambda: nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), normal(2, 3, 7, 6)),
    "max_pool1d": (lambda: nn.MaxPool1d(3, stride=2, padding=1), normal(2, 3, 9)),
    "avg_pool1d": (lambda: nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False), normal(2, 3, 9)),
    "adaptive_avg_pool2d": (lambda: nn.AdaptiveAvgPool2d((3, 2)), normal(2, 3, 7, 5)),
    "adaptive_max_pool2d": (lambda: nn.AdaptiveMaxPool2d((3, 2)), normal(2, 3, 7, 5)),
    "global_avg_pool2d": (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), normal(2, 3, 4, 5)),
    "flatten": (lambda: nn.Flatten(), normal(2, 3, 4, 5)),
    "relu": (lambda: nn.ReLU(), normal(3, 4)),
    "sigmoid": (lambda: nn.Sigmoid(), normal(3, 4)),
    "tanh": (lambda: nn.Tanh(), normal(3, 4)),
    "gelu": (lambda: nn.GELU(), normal(3, 4)),
    "gelu_tanh": (lambda: nn.GELU(approximate="tanh"), normal(3, 4)),
    "silu": (lambda: nn.SiLU(), normal(3, 4)),
    "mish": (lambda: nn.Mish(), normal(3, 4)),
    "softplus": (lambda: nn.Softplus(threshold=60), normal(3, 4)),
    "softsign": (lambda: nn.Softsign(), normal(3, 4)),
    "log_sigmoid": (lambda: nn.LogSigmoid(), normal(3, 4)),
    "selu": (lambda: nn.SELU(), normal(3, 4)),
    "hard_sigmoid": (lambda: HardSigmoid(), normal(3, 4, scale=3.0)),
    "hard_swish": (lambda: nn.Hardswish(), normal(3, 4, scale=3.0)),
    "leaky_relu": (lambda: nn.LeakyReLU(0.1), normal(3, 4)),
    "elu": (lambda: nn.ELU(0.5), normal(3, 4)),
    "clamp": (lambda: nn.ReLU6(), normal(3, 4, scale=5.0)),
    "dropout": (lambda: nn.Dropout(0.5).eval(), normal(3, 4)),
    "softmax": (lambda: nn.Softmax(1), normal(3, 4)),
    "prelu": (lambda: nn.PReLU(4), normal(3, 4)),
    "prelu.images": (lambda: nn.PReLU(3), normal(2, 3, 4, 5)),
    "glu": (lambda: nn.GLU(1), normal(2, 6, 3)),
    "maxout": (lambda: Maxout(), normal(3, 6)),
    "squeeze_excite": (lambda: SqueezeExcite(4, 2), normal(2, 4, 3, 3)),
    "separable_conv2d": (lambda: Separable(3, 4), normal(2, 3, 5, 4)),
    "upsample2d.nearest": (lambda: nn.Upsample(scale_factor=(2, 3)), normal(2, 2, 3, 4)),
    "upsample2d.bilinear": (lambda: nn.Upsample(scale_factor=(2, 3), mode="bilinear"), normal(2, 2, 3, 4)),
    "simple_rnn": (lambda: Recurrent(nn.RNN, 3, 4), normal(2, 5, 3)),
    "lstm": (lambda: Recurrent(nn.LSTM, 3, 4), normal(2, 5, 3)),
    "lstm.no_bias": (lambda: Recurrent(nn.LSTM, 2, 3, bias=False), normal(1, 3, 2)),
    "gru": (lambda: Recurrent(nn.GRU, 3, 4), normal(2, 5, 3)),
    "attention": (lambda: Attention(6, 2), normal(2, 4, 6)),
    "attention.causal": (lambda: Attention(6, 3, causal=True), normal(2, 4, 6)),
    "transformer": (lambda: Transformer(6, 2, 8), normal(2, 4, 6)),
    "transformer.norm_last": (lambda: Transformer(6, 2, 8, norm_last=True), normal(2, 4, 6)),
    "weight_norm.linear": (lambda: WeightNorm(nn.Linear(4, 3)), normal(5, 4)),
    "weight_norm.conv2d": (lambda: WeightNorm(nn.Conv2d(3, 4, 3)), normal(2, 3, 4, 5)),
    "weight_standardization": (lambda: WeightStandardization(nn.Conv2d(3, 4, 3)), normal(2, 3, 4, 5)),
    "spectral_norm": (lambda: SpectralNorm(nn.Linear(4, 3)), normal(5, 4)),
}  # fmt: skip


class Residual(nn.Module):
    """`body(x) + shortcut(x)`."""

    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


# Each has a batch norm, so that training and evaluation, running statistics and shared gradients all come in.
MODELS = {
    "conv_net": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(3, 4, 3, padding=1), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 3),
        ),
        normal(4, 1, 8, 8),
    ),
    "residual_net": (
        lambda: nn.Sequential(
            Residual(nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4)), nn.Conv2d(2, 4, 1, stride=2)),
            nn.ReLU(),
            Residual(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Tanh()), nn.Identity()),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
        ),
        normal(4, 2, 6, 6),
    ),
}  # fmt: skip


def draw(module, random):
    """Gives every parameter and buffer a value of its own, so that no two can be taken for each other."""
    with torch.no_grad():
        for name, p in module.state_dict().items():
            if p.is_floating_point():
                value = random.standard_normal(p.shape) * 0.5 + (1.0 if name.endswith("weight") and p.dim() == 1 else 0.0)
                p.copy_(torch.from_numpy(rounded(abs(value) + 0.5 if name.endswith("running_var") else value)))


def state(module, prefix):
    """The parameters and buffers by their names; the count of batches is PyTorch's own affair."""
    return {
        f"{prefix}.{name}": p.clone() for name, p in module.state_dict().items() if not name.endswith("num_batches_tracked")
    }


def buffers(module, prefix):
    return {key: p for key, p in state(module, prefix).items() if "running_" in key or key.endswith((".left", ".right"))}


def run_layer(name, make, spec):
    random = seeded(f"layer {name}")
    module = make().double()
    draw(module, random)
    x = torch.from_numpy(spec(random)).requires_grad_()
    roles = {"input": x} | state(module, "param")
    roles["evaluated"] = module.eval()(x)
    if name != "dropout":
        module.train()
    output = roles["output"] = module(x)
    roles |= buffers(module, "step.1")
    parameters = dict(module.named_parameters())
    grads = gradients(output, [x, *parameters.values()], random)
    roles |= {"cotangent": grads["cotangent"], "input_grad": grads["grad.0"]}
    roles |= {f"param_grad.{p}": grads[f"grad.{i + 1}"] for i, p in enumerate(parameters)}
    # The statistics of a second batch are mixed into those of the first.
    module(torch.from_numpy(spec(seeded(f"layer {name}, second batch"))))
    second = buffers(module, "step.2")
    if second:
        roles |= {"second_input": spec(seeded(f"layer {name}, second batch"))} | second
    return roles


def layers():
    return {name: ({}, run_layer(name, *layer)) for name, layer in LAYERS.items()}


def train(name, make, spec, steps=5):
    """A model's first steps with momentum on cross-entropy: losses, and all parameters and buffers before and after."""
    random = seeded(f"model {name}")
    model = make().double()
    draw(model, random)
    inputs, classes = spec(random), integers(3, 4)(random)
    roles = {"input": inputs, "index": classes} | state(model, "param")
    options = {"lr": 0.05, "momentum": 0.9, "label_smoothing": 0.1, "steps": steps}
    optimizer = torch.optim.SGD(model.parameters(), lr=options["lr"], momentum=options["momentum"])
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        logits = model(torch.from_numpy(inputs))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(classes), label_smoothing=options["label_smoothing"])
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            roles["logits"] = logits
            roles |= {f"param_grad.{p}": value.grad.clone() for p, value in model.named_parameters()}
        optimizer.step()
    roles |= {"losses": torch.stack(losses)} | state(model, "after")
    roles["evaluated"] = model.eval()(torch.from_numpy(inputs))
    return options, roles


def models():
    return {name: train(name, *model) for name, model in MODELS.items()}


FILES = {"layers": layers, "models": models}
