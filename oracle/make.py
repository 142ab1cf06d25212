"""Makes the files that the tests compare gradwise with PyTorch by: see README.md beside it."""

from pathlib import Path

import torch

import losses
import metrics
import modules
import ops
import optimizers
from case import write, write_cases

HERE = Path(__file__).parent


def main():
    # The order of sums must not depend on the machine's number of cores.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_default_dtype(torch.float64)
    for name, cases in (ops.FILES | losses.FILES).items():
        write_cases(HERE / "tensor" / f"{name}.safetensors", list(cases()))
    for folder, files in {"layers": modules.FILES, "optim": optimizers.FILES}.items():
        for name, results in files.items():
            write(HERE / folder / f"{name}.safetensors", results())
    for name, results in metrics.FILES.items():
        write(HERE / "metrics" / f"{name}.safetensors", results(), metrics.MADE_BY)


if __name__ == "__main__":
    main()
