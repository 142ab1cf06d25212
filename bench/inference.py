"""PyTorch's outputs of ResNet-20 in evaluation, timed beside `cargo xtask bench resnet20_b128 --inference`.

    python bench/inference.py [--threads 1 2] [--budget SECONDS]

A line of JSON for each way (eager and compiled), batch size and number of threads. The net is that of the case: 272 474 parameters, in
`eval()` and under `torch.inference_mode()`.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet20() -> nn.Module:
    """Three stages of three blocks."""
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs, stride in [(16, 1), (32, 2), (64, 2)]:
        for block in range(3):
            layers.append(Block(inputs, outputs, stride if block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def milliseconds(model, x, budget: float) -> tuple[float, float]:
    """Median and tenth percentile of a call, after a warm-up that also compiles."""
    with torch.inference_mode():
        for _ in range(3):
            model(x)
        times, end = [], time.perf_counter() + budget
        while len(times) < 10 or time.perf_counter() < end:
            begin = time.perf_counter()
            model(x)
            times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times), sorted(times)[len(times) // 10]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--budget", type=float, default=3.0)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    eager = resnet20().eval()
    assert sum(p.numel() for p in eager.parameters()) == 272_474
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for batch in [128, 1]:
            torch.compiler.reset()
            x = torch.randn(batch, 3, 32, 32)
            last = x.to(memory_format=torch.channels_last)
            ways = {"eager": (eager, x), "channels_last": (eager, last), "compiled": (torch.compile(eager), x)}
            for way, (model, x) in ways.items():
                median, p10 = milliseconds(model, x, arguments.budget)
                line = {"peer": "pytorch", "case": "resnet20_b128", "inference": way, "batch": batch}
                print(json.dumps(line | {"threads": threads, "ms": round(median, 4), "ms_p10": round(p10, 4)}))


if __name__ == "__main__":
    main()
