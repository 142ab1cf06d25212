"""What a case is, how its numbers are drawn, and how cases become a file.

A case is a PyTorch function, its inputs and its options. Running it gives the output, and, for a cotangent drawn like the inputs, the
gradient of `sum(output * cotangent)` by every input: enough to check a forward and a backward pass.
"""

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import numpy as np
import safetensors.numpy
import torch

# RandomState is numpy's frozen generator: its streams do not change between versions.
Random = np.random.RandomState
Spec = Callable[[Random], np.ndarray]


def rounded(values) -> np.ndarray:
    """Numbers that an f32 holds exactly, so that f32 and f64 tests start from the same inputs."""
    return np.asarray(values, np.float32).astype(np.float64)


def normal(*shape, scale=1.0, shift=0.0) -> Spec:
    """Normally distributed numbers."""
    return lambda random: rounded(shift + scale * random.standard_normal(shape))


def uniform(low, high, *shape) -> Spec:
    """Uniform numbers: where a function has a domain."""
    return lambda random: rounded(random.uniform(low, high, shape))


def ties(*shape) -> Spec:
    """Small whole numbers, many of them equal: for conventions about equal elements."""
    return lambda random: rounded(random.randint(-1, 2, shape))


def values(rows) -> Spec:
    """These very numbers."""
    return lambda random: rounded(rows)


def integers(bound, *shape) -> Spec:
    """Indices below a bound."""
    return lambda random: random.randint(0, bound, shape).astype(np.int64)


def indices(rows) -> Spec:
    """These very indices."""
    return lambda random: np.asarray(rows, np.int64)


def probabilities(*shape) -> Spec:
    """Rows that sum to 1 (to the precision of f32)."""
    return lambda random: rounded(random.dirichlet(np.ones(shape[-1]), shape[:-1]))


@dataclass
class Case:
    """`function(*inputs, **arguments, **options)`, under a name whose part before the first dot names the operation.

    Options are written into the file, as text, for the tests to read; arguments are not. Whole-number inputs are indices: they get
    no gradient. Numbers named in `constants` get none either, because they are no inputs of the operation on our side.
    """

    name: str
    function: Callable
    inputs: list[Spec]
    arguments: dict = field(default_factory=dict)
    constants: tuple[int, ...] = ()
    options: dict = field(default_factory=dict)

    def run(self) -> dict[str, np.ndarray]:
        random = seeded(self.name)
        arrays = [spec(random) for spec in self.inputs]
        tensors = [torch.from_numpy(array) for array in arrays]
        differentiable = [
            tensor.requires_grad_()
            for i, tensor in enumerate(tensors)
            if tensor.is_floating_point() and i not in self.constants
        ]
        output = self.function(*tensors, **self.arguments, **self.options)
        result = {}
        for i, tensor in enumerate(tensors):
            role = "input" if any(tensor is d for d in differentiable) else "constant" if i in self.constants else "index"
            n = sum(key.startswith(role) for key in result)
            result[f"{role}.{n}"] = arrays[i]
        result["output"] = output
        result |= gradients(output, differentiable, random)
        return result


def case(name, function, *inputs, constants=(), arguments=None, **options) -> Case:
    """A case, in the order in which one says it."""
    return Case(name, function, list(inputs), arguments or {}, constants, options)


def seeded(name: str) -> Random:
    """A case's own generator: adding a case leaves all others as they are."""
    return Random(zlib.crc32(name.encode()))


def gradients(output, inputs, random) -> dict[str, np.ndarray]:
    """A cotangent for the output, and the gradients of the inputs for it."""
    cotangent = rounded(random.standard_normal(output.shape))
    grads = torch.autograd.grad(output, inputs, torch.from_numpy(cotangent), materialize_grads=True)
    return {"cotangent": cotangent} | {f"grad.{i}": grad for i, grad in enumerate(grads)}


def text(value) -> str:
    """An option as the reader of the tests takes it: words, numbers, and lists of numbers with commas."""
    if isinstance(value, (tuple, list)):
        return ",".join(text(v) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def smallest(array) -> np.ndarray:
    """The array as f32 where that loses nothing, as for everything that was drawn: it halves the files."""
    array = array.detach().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
    array = np.ascontiguousarray(array).reshape(array.shape)
    if array.dtype == np.float64 and (array.astype(np.float32) == array).all():
        return array.astype(np.float32)
    return array


def write(path: Path, results: dict[str, tuple[dict, dict]], made_by: str | None = None) -> None:
    """Writes the options and arrays of cases by name.

    An array is stored as `case/role`, a case's options as the metadata entry of its name; `made by` is PyTorch unless told otherwise. The library writes the metadata in an
    order of its own each time; sorted, the same cases give the same bytes.
    """
    metadata, arrays = {"made by": made_by or f"torch {torch.__version__.split('+')[0]}"}, {}
    for name, (options, roles) in results.items():
        metadata[name] = " ".join(f"{key}={text(value)}" for key, value in options.items() if value is not None)
        for role, array in roles.items():
            arrays[f"{name}/{role}"] = smallest(array)
    raw = safetensors.numpy.save(arrays, metadata)
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.dumps(json.loads(raw[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header + raw[start:])


def write_cases(path: Path, cases: list[Case]) -> None:
    """Runs cases and writes them."""
    names = [c.name for c in cases]
    assert len(set(names)) == len(names), f"a name is used twice in {path.name}"
    write(path, {c.name: (c.options, c.run()) for c in cases})
