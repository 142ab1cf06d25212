"""PyTorch's trainings beside `cargo xtask bench results`: the nets, data and recipes of `bench/src/results.rs`, said in PyTorch.

    python bench/results.py resnet20 FOLDER [--epochs N] [--seed N] [--threads N] [--images N]
    python bench/results.py mnist FOLDER …

It needs torch, numpy and pillow. A line of JSON after each epoch, as `gradwise-bench-results` prints them. First weights have the same
distributions, hyper-parameters the same values, augmentation the same odds; orders and draws are PyTorch's own.
"""

import argparse
import gzip
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

BATCH = 128
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
TEST_BATCH = 250


class Block(nn.Module):
    """Two 3x3 convolutions; the shortcut takes every second pixel and adds channels of zeros where a stage begins."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride, self.zeros = stride, outputs - inputs

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.zeros:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.zeros))
        return torch.relu(y + x)


def resnet20() -> nn.Module:
    """Three stages of three blocks."""
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs, stride in [(16, 1), (32, 2), (64, 2)]:
        for block in range(3):
            layers.append(Block(inputs, outputs, stride if block == 0 else 1))
            inputs = outputs
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    uniform(model[-1], 1.0)
    assert sum(p.numel() for p in model.parameters()) == 269_722
    return model


def mnist_net() -> nn.Module:
    """Three convolutions with batch norm, a hidden layer, dropout."""
    layers, inputs = [], 1
    for outputs in [16, 32, 64]:
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        inputs = outputs
    hidden, head = nn.Linear(64 * 3 * 3, 128), nn.Linear(128, 10)
    model = nn.Sequential(*layers, nn.Flatten(), hidden, nn.ReLU(), nn.Dropout(0.25), head)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            uniform(layer, 1.0)
    uniform(hidden, math.sqrt(2.0))
    uniform(head, 1.0)
    assert sum(p.numel() for p in model.parameters()) == 98_554
    return model


def uniform(layer: nn.Module, gain: float) -> None:
    """Weights uniform with variance gain² / inputs, biases zero."""
    bound = gain * math.sqrt(3.0 / layer.weight[0].numel())
    nn.init.uniform_(layer.weight, -bound, bound)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def pictures(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """A folder of pictures, one folder a class, in alphabetic order."""
    images, labels = [], []
    for label, name in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        for path in sorted(name.iterdir()):
            images.append(np.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous().float(), torch.tensor(labels)


def idx(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and labels of a part of MNIST."""
    def values(name: str, header: int) -> np.ndarray:
        return np.frombuffer(gzip.open(folder / f"{part}-{name}-ubyte.gz").read(), np.uint8, offset=header)

    images = torch.from_numpy(values("images-idx3", 16).reshape(-1, 1, 28, 28).copy()).float()
    return images, torch.from_numpy(values("labels-idx1", 8).astype(np.int64))


def crop_and_flip(images: torch.Tensor) -> torch.Tensor:
    """A crop of each image's size out of it with a margin of 4 zeros, and a flip of every second one."""
    n, _, height, width = images.shape
    padded = F.pad(images, (4, 4, 4, 4))
    rows = torch.randint(9, (n, 1)) + torch.arange(height)
    columns = torch.randint(9, (n, 1)) + torch.arange(width)
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    samples = torch.arange(n)[:, None, None]
    # Indexing with an axis between puts channels last.
    return padded[samples, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def evaluate(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Mean loss and accuracy."""
    model.eval()
    loss, right = 0.0, 0
    with torch.inference_mode():
        for x, y in zip(images.split(TEST_BATCH), labels.split(TEST_BATCH)):
            logits = model(x)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            right += (logits.argmax(1) == y).sum().item()
    model.train()
    return loss / len(labels), right / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=["resnet20", "mnist"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    if arguments.net == "resnet20":
        (x, y), (test_x, test_y) = pictures(arguments.folder / "train"), pictures(arguments.folder / "test")
        model, augment = resnet20(), crop_and_flip
    else:
        (x, y), (test_x, test_y) = idx(arguments.folder, "train"), idx(arguments.folder, "t10k")
        model, augment = mnist_net(), lambda images: images
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True, correction=0)
    x, test_x = (x - mean) / std, (test_x - mean) / std
    if arguments.images:
        n = max(1, min(arguments.images, len(y)))
        chosen = torch.arange(n) * len(y) // n
        x, y = x[chosen], y[chosen]

    steps = len(y) // BATCH
    optimizer = torch.optim.SGD(
        model.parameters(), LEARNING_RATE, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=arguments.epochs * steps, cycle_momentum=False
    )
    for epoch in range(arguments.epochs):
        begin, loss_sum = time.perf_counter(), 0.0
        order = torch.randperm(len(y))
        for indices in order[: steps * BATCH].split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(augment(x[indices])), y[indices])
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item()
        seconds = time.perf_counter() - begin
        test_loss, test_accuracy = evaluate(model, test_x, test_y)
        line = {"peer": f"torch{torch.__version__.split('+')[0]}", "net": arguments.net, "seed": arguments.seed}
        line |= {"threads": arguments.threads, "epoch": epoch, "train_loss": loss_sum / steps, "test_loss": test_loss}
        line |= {"test_accuracy": test_accuracy, "images": steps * BATCH, "seconds": round(seconds, 4)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
