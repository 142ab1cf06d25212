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
    return {key: p for key, p in state(module, prefix).items() if "running_" in key}


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
