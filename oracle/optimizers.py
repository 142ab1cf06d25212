"""Optimizers over ten steps, clipping, and schedules.

The gradient of step `t` is `noise[t] + curvature * w`: a quadratic function, and noise that keeps the steps from settling.
"""

import warnings

import torch
from torch.optim import lr_scheduler

from case import rounded, seeded

SHAPE, STEPS = (2, 3), 10

# Our rule: PyTorch's optimizer, and the options of both.
RULES = {
    "sgd.plain": (torch.optim.SGD, {"lr": 0.1}),
    "sgd.decay": (torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.05}),
    "sgd.momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "sgd.momentum_decay": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    "sgd.dampening": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    "sgd.dampening_decay": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    "sgd.nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "sgd.nesterov_decay": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    "adam.default": (torch.optim.Adam, {"lr": 0.01}),
    "adam.options": (torch.optim.Adam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}),
    "adam.decay": (torch.optim.Adam, {"lr": 0.1, "weight_decay": 0.05}),
    "adam.amsgrad": (torch.optim.Adam, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5)}),
    "adam.amsgrad_decay": (torch.optim.Adam, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5), "weight_decay": 0.05}),
    "adamw.default": (torch.optim.AdamW, {"lr": 0.1}),
    "adamw.options": (torch.optim.AdamW, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    "adamw.amsgrad": (torch.optim.AdamW, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5), "weight_decay": 0.3}),
}


def problem(name):
    """Starting weights, curvature and noise."""
    random = seeded(name)
    start = rounded(random.standard_normal(SHAPE))
    curvature = rounded(random.uniform(0.1, 2, SHAPE))
    # Gradients that shrink and grow again tell AMSGrad from Adam.
    noise = rounded(random.standard_normal((STEPS, *SHAPE)) * random.choice([0.1, 3.0], (STEPS, 1, 1)))
    return start, curvature, noise


def train(name, optimizer, options, schedule=None):
    """Weights after each step, and the learning rate and momentum each step was made with."""
    start, curvature, noise = problem(name)
    w = torch.from_numpy(start.copy())
    optimizer = optimizer([w], **options)
    scheduler = schedule(optimizer) if schedule else None
    weights, rates = [], []
    for step in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        w.grad = torch.from_numpy(noise[step]) + torch.from_numpy(curvature) * w
        optimizer.step()
        if scheduler:
            scheduler.step()
        weights.append(w.clone())
    roles = {"start": start, "curvature": curvature, "noise": noise, "weights": torch.stack(weights)}
    return roles | {"rates": torch.tensor(rates, dtype=torch.float64)}


def rules():
    results = {name: (options, train(name, *rule)) for name, rule in RULES.items() for options in [rule[1]]}
    # Rates and momentum that change between the steps: whether the velocity contains the rate shows here.
    cycle = {"max_lr": 0.5, "total_steps": STEPS}

    def one_cycle(optimizer):
        return lr_scheduler.OneCycleLR(optimizer, **cycle)

    for name, optimizer, options in [
        ("sgd.one_cycle", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
        ("adamw.one_cycle", torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.05}),
    ]:
        results[name] = (options | cycle, train(name, optimizer, options, one_cycle))
    return results


def clipping():
    results = {}
    for name, scale, limit in [("clip.above", 5.0, 1.5), ("clip.below", 0.01, 1.5), ("clip.zero", 0.0, 1.5)]:
        random = seeded(name)
        roles, parameters = {}, []
        for i, shape in enumerate([(3, 4), (4,), ()]):
            roles[f"grad.{i}"] = rounded(scale * random.standard_normal(shape))
            parameters.append(torch.zeros(shape, dtype=torch.float64, requires_grad=True))
            parameters[-1].grad = torch.from_numpy(roles[f"grad.{i}"].copy())
        roles["norm"] = torch.nn.utils.clip_grad_norm_(parameters, limit)
        roles |= {f"clipped.{i}": p.grad for i, p in enumerate(parameters)}
        results[name] = ({"max_norm": limit}, roles)
    return results


# Our schedule: PyTorch's, its options, the rate it starts from, and for how many steps both are defined alike.
SCHEDULES = {
    "step": (lr_scheduler.StepLR, {"step_size": 4, "gamma": 0.3}, 0.2, 20),
    "multi_step": (lr_scheduler.MultiStepLR, {"milestones": (3, 4, 11), "gamma": 0.3}, 0.2, 20),
    "exponential": (lr_scheduler.ExponentialLR, {"gamma": 0.9}, 0.2, 20),
    "cosine": (lr_scheduler.CosineAnnealingLR, {"T_max": 15}, 0.2, 16),
    "cosine.end": (lr_scheduler.CosineAnnealingLR, {"T_max": 15, "eta_min": 0.01}, 0.2, 16),
    "warm_up": (lr_scheduler.LinearLR, {"start_factor": 0.1, "total_iters": 5}, 0.2, 20),
    "one_cycle": (lr_scheduler.OneCycleLR, {"max_lr": 0.2, "total_steps": 20}, 0.2, 20),
    "one_cycle.odd": (lr_scheduler.OneCycleLR, {"max_lr": 0.2, "total_steps": 17, "pct_start": 0.25}, 0.2, 17),
    "one_cycle.linear": (lr_scheduler.OneCycleLR, {"max_lr": 0.2, "total_steps": 20, "anneal_strategy": "linear"}, 0.2, 20),
    "one_cycle.options": (
        lr_scheduler.OneCycleLR,
        {"max_lr": 0.2, "total_steps": 20, "div_factor": 10.0, "final_div_factor": 100.0, "base_momentum": 0.7, "max_momentum": 0.9},
        0.2,
        20,
    ),
}  # fmt: skip


def values_of(schedule, rate, steps, momentum=0.9):
    """Rate and momentum at each step, as an optimizer sees them."""
    optimizer = torch.optim.SGD([torch.zeros(1, dtype=torch.float64)], lr=rate, momentum=momentum)
    scheduler = schedule(optimizer)
    group, rates, momenta = optimizer.param_groups[0], [], []
    for step in range(steps):
        rates.append(float(group["lr"]))
        momenta.append(float(group["momentum"]))
        if step + 1 < steps:
            optimizer.step()
            scheduler.step()
    return {"rates": torch.tensor(rates, dtype=torch.float64), "momenta": torch.tensor(momenta, dtype=torch.float64)}


def schedules():
    results = {}
    for name, (schedule, options, rate, steps) in SCHEDULES.items():
        results[name] = ({"rate": rate} | options, values_of(lambda o: schedule(o, **options), rate, steps))

    def warm_up_then_cosine(optimizer):
        parts = [lr_scheduler.LinearLR(optimizer, 0.1, total_iters=5), lr_scheduler.CosineAnnealingLR(optimizer, 12)]
        return lr_scheduler.SequentialLR(optimizer, parts, milestones=[5])

    with warnings.catch_warnings():
        # PyTorch warns of a call that its own SequentialLR makes.
        warnings.simplefilter("ignore")
        options = {"rate": 0.2, "start_factor": 0.1, "total_iters": 5, "T_max": 12}
        results["warm_up.cosine"] = (options, values_of(warm_up_then_cosine, 0.2, 18))
    return results


FILES = {"rules": rules, "clipping": clipping, "schedules": schedules}
