"""Optimizers over ten steps, clipping, and schedules.

The gradient of step `t` is `noise[t] + curvature * w`: a quadratic function, and noise that keeps the steps from settling.
"""

import warnings
from unittest import mock

import numpy as np
import torch
from torch.optim import lr_scheduler

import references
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
    "adagrad.default": (torch.optim.Adagrad, {"lr": 0.1}),
    "adagrad.options": (torch.optim.Adagrad, {"lr": 0.3, "initial_accumulator_value": 0.1, "eps": 1e-3, "weight_decay": 0.05}),
    "adagrad.inverse_time": (torch.optim.Adagrad, {"lr": 0.3, "lr_decay": 0.2}),
    "adadelta.default": (torch.optim.Adadelta, {"lr": 1.0}),
    "adadelta.options": (torch.optim.Adadelta, {"lr": 0.5, "rho": 0.6, "eps": 1e-2, "weight_decay": 0.05}),
    "rmsprop.default": (torch.optim.RMSprop, {"lr": 0.01}),
    "rmsprop.decay": (torch.optim.RMSprop, {"lr": 0.05, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.05}),
    "rmsprop.centered": (torch.optim.RMSprop, {"lr": 0.01, "centered": True, "alpha": 0.7, "eps": 0.1}),
    "rmsprop.momentum": (torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.9, "alpha": 0.9}),
    "rmsprop.both": (torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.5, "centered": True, "alpha": 0.7, "eps": 0.1, "weight_decay": 0.05}),
    "adamax.default": (torch.optim.Adamax, {"lr": 0.01}),
    "adamax.options": (torch.optim.Adamax, {"lr": 0.1, "betas": (0.8, 0.7), "eps": 1e-3, "weight_decay": 0.05}),
    "nadam.default": (torch.optim.NAdam, {"lr": 0.01}),
    "nadam.options": (torch.optim.NAdam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05, "momentum_decay": 0.1}),
    "nadam.decoupled": (torch.optim.NAdam, {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    # Ten steps are enough for either side of the bound, the second moment being trusted or not.
    "radam.default": (torch.optim.RAdam, {"lr": 0.01}),
    "radam.options": (torch.optim.RAdam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05}),
    "radam.decoupled": (torch.optim.RAdam, {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    "rprop.default": (torch.optim.Rprop, {"lr": 0.01}),
    "rprop.options": (torch.optim.Rprop, {"lr": 0.1, "etas": (0.3, 2.0), "step_sizes": (0.05, 0.3)}),
    "adafactor.default": (torch.optim.Adafactor, {"lr": 0.01}),
    "adafactor.options": (torch.optim.Adafactor, {"lr": 0.5, "beta2_decay": -0.5, "eps": (0.1, 0.2), "d": 1.5, "weight_decay": 0.05}),
    "adafactor.vector": (torch.optim.Adafactor, {"lr": 0.1, "eps": (1e-8, 1e-3)}),
    "adafactor.matrices": (torch.optim.Adafactor, {"lr": 0.1, "eps": (1e-8, 1e-3), "weight_decay": 0.05}),
    "muon.default": (torch.optim.Muon, {"lr": 0.02}),
    "muon.upright": (torch.optim.Muon, {"lr": 0.02, "momentum": 0.8, "nesterov": False, "weight_decay": 0.3}),
    "muon.adamw": (torch.optim.Muon, {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}),
}  # fmt: skip

# Shapes of their own: vectors, matrices in a batch, and more rows than columns.
SHAPES = {"adafactor.vector": (5,), "adafactor.matrices": (2, 3, 4), "muon.upright": (5, 3)}


def problem(name):
    """Starting weights, curvature and noise."""
    random = seeded(name)
    shape = SHAPES.get(name, SHAPE)
    start = rounded(random.standard_normal(shape))
    curvature = rounded(random.uniform(0.1, 2, shape))
    # Gradients that shrink and grow again tell AMSGrad from Adam.
    sizes = (STEPS,) + (1,) * len(shape)
    noise = rounded(random.standard_normal((STEPS, *shape)) * random.choice([0.1, 3.0], sizes))
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
    # Muon rounds matrices to 16 bits before it orthogonalizes them; here, its own code computes in 64.
    with mock.patch.object(torch, "bfloat16", torch.float64):
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


def without_torch():
    """Rules that PyTorch does not have, by other implementations."""
    results = {}
    for name, (rule, options) in references.RULES.items():
        start, curvature, noise = problem(name)
        w, weights, averages = start.copy(), [], []
        step = rule(w, **options)
        for t in range(STEPS):
            w, average = step(w, noise[t] + curvature * w)
            weights.append(w)
            averages.append(average)
        roles = {"start": start, "curvature": curvature, "noise": noise, "weights": np.stack(weights)}
        if averages[0] is not None:
            roles["averages"] = np.stack(averages)
        results[name] = (options, roles)
    return results


def rosenbrock(w):
    x, y = w
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def quadratic(w):
    return 0.5 * (w * w * torch.arange(1.0, 1.0 + len(w))).sum() + torch.cos(w).sum()


def steps_of_lbfgs():
    """L-BFGS: where it is after each step, the loss each step began with, and how many evaluations there were."""
    results = {}
    for name, function, start, steps, options in [
        ("lbfgs.rosenbrock", rosenbrock, (-1.2, 1.0), 4, {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 9}),
        ("lbfgs.quadratic", quadratic, (3.0, -2.0, 1.0, 5.0, -4.0), 4, {"line_search_fn": "strong_wolfe", "max_iter": 3, "history_size": 2}),
        ("lbfgs.fixed", quadratic, (3.0, -2.0, 1.0, 5.0, -4.0), 4, {"max_iter": 4, "lr": 0.5}),
    ]:  # fmt: skip
        w = torch.tensor(start, requires_grad=True)
        optimizer = torch.optim.LBFGS([w], **options)

        def closure():
            optimizer.zero_grad()
            loss = function(w)
            loss.backward()
            return loss

        weights, losses, evaluations = [], [], []
        for _ in range(steps):
            losses.append(float(optimizer.step(closure)))
            weights.append(w.detach().clone())
            evaluations.append(float(optimizer.state[w]["func_evals"]))
        roles = {"start": np.array(start), "weights": torch.stack(weights)}
        roles |= {"losses": np.array(losses), "evaluations": np.array(evaluations)}
        results[name] = (options, roles)
    return results


def averages():
    """Averages of weights that walk at random: torch.optim.swa_utils."""
    results = {}
    for name, options in [("equal", {}), ("exponential", {"decay": 0.9})]:
        random = seeded(f"average.{name}")
        walk = rounded(np.cumsum(random.standard_normal((STEPS, 4)), 0))
        model = torch.nn.Module()
        model.w = torch.nn.Parameter(torch.zeros(4))
        function = torch.optim.swa_utils.get_ema_multi_avg_fn(0.9) if options else torch.optim.swa_utils.get_swa_multi_avg_fn()
        average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=function)
        means = []
        for w in walk:
            model.w.data.copy_(torch.from_numpy(w))
            average.update_parameters(model)
            means.append(average.module.w.detach().clone())
        results[f"average.{name}"] = (options, {"walk": walk, "averages": torch.stack(means)})
    return results


# For how many steps schedules are compared, and how often.
LONG, EVERY = 1000, 25

# Our schedule over many steps: PyTorch's, its options, and the rate it starts from.
LONG_SCHEDULES = {
    "step": (lr_scheduler.StepLR, {"step_size": 130, "gamma": 0.3}, 0.2),
    "multi_step": (lr_scheduler.MultiStepLR, {"milestones": (30, 400, 775), "gamma": 0.3}, 0.2),
    "exponential": (lr_scheduler.ExponentialLR, {"gamma": 0.997}, 0.2),
    "cosine": (lr_scheduler.CosineAnnealingLR, {"T_max": 1000, "eta_min": 0.01}, 0.2),
    "warm_up": (lr_scheduler.LinearLR, {"start_factor": 0.1, "total_iters": 300}, 0.2),
    "one_cycle": (lr_scheduler.OneCycleLR, {"max_lr": 0.2, "total_steps": 1000}, 0.2),
    "polynomial.line": (lr_scheduler.PolynomialLR, {"total_iters": 900}, 0.2),
    "polynomial.power": (lr_scheduler.PolynomialLR, {"total_iters": 900, "power": 2.5}, 0.2),
    "restarts": (lr_scheduler.CosineAnnealingWarmRestarts, {"T_0": 130}, 0.2),
    "restarts.stretch": (lr_scheduler.CosineAnnealingWarmRestarts, {"T_0": 60, "T_mult": 2, "eta_min": 0.01}, 0.2),
    "cyclic.equal": (lr_scheduler.CyclicLR, {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 70, "step_size_down": 110}, 0.2),
    "cyclic.halving": (lr_scheduler.CyclicLR, {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 70, "mode": "triangular2"}, 0.2),
    "cyclic.exponential": (
        lr_scheduler.CyclicLR,
        {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 70, "mode": "exp_range", "gamma": 0.998, "base_momentum": 0.7},
        0.2,
    ),
}  # fmt: skip


def long_schedules():
    results = {}
    for name, (schedule, options, rate) in LONG_SCHEDULES.items():
        values = values_of(lambda o: schedule(o, **options), rate, LONG)
        results[f"{name}.long"] = ({"rate": rate, "every": EVERY} | options, {key: v[::EVERY] for key, v in values.items()})
    # Those that PyTorch has not, by any function of the step.
    formulas = {
        "inverse_time": ({"decay": 0.02}, lambda t: 0.2 / (1 + 0.02 * t)),
        "inverse_sqrt": ({"offset": 40}, lambda t: 0.2 * min(t / 40, (40 / max(t, 1)) ** 0.5)),
    }
    for name, (options, function) in formulas.items():
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        scheduler = lr_scheduler.LambdaLR(optimizer, function)
        rates = []
        for _ in range(LONG):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        results[f"{name}.long"] = ({"rate": 0.2, "every": EVERY} | options, {"rates": np.array(rates[::EVERY])})
    return results


def plateaus():
    """The rate after each of a row of measures."""
    results = {}
    for name, options in [
        ("default", {"patience": 2}),
        ("cooldown", {"patience": 1, "factor": 0.5, "cooldown": 3, "min_lr": 0.03}),
        ("absolute", {"patience": 1, "factor": 0.5, "threshold": 0.3, "threshold_mode": "abs"}),
        ("maximize", {"patience": 1, "factor": 0.5, "threshold": 0.05, "mode": "max"}),
    ]:
        random = seeded(f"plateau.{name}")
        trend = np.exp(-np.arange(60) / 15)
        measures = rounded((1 - trend if options.get("mode") == "max" else trend) + 1 + 0.1 * random.standard_normal(60))
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.2)
        # PyTorch leaves a rate alone that would change by less than 1e-8.
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **options)
        rates = []
        for measure in measures:
            scheduler.step(measure)
            rates.append(optimizer.param_groups[0]["lr"])
        results[f"plateau.{name}"] = ({"rate": 0.2} | options, {"measures": measures, "rates": np.array(rates)})
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


def steppers():
    return steps_of_lbfgs() | averages()


FILES = {
    "rules": rules,
    "references": without_torch,
    "steppers": steppers,
    "clipping": clipping,
    "schedules": schedules,
    "long_schedules": long_schedules,
    "plateaus": plateaus,
}
