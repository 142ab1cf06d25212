"""Rules that PyTorch does not have: optax's where it has them, and otherwise the papers' formulas, written down once more in numpy.

Each is made with the weights and its options, and gives a function of weights and gradient that returns the new weights, and the average
to evaluate by if the rule keeps one.
"""

import jax
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)


def optax_rule(make):
    def rule(w, **options):
        transformation = make(**options)
        state = transformation.init(w)

        def step(w, grad):
            nonlocal state
            updates, state = transformation.update(grad, state, w)
            return np.asarray(w + updates), None

        return step

    return rule


def lion(lr, betas=(0.9, 0.99), weight_decay=0.0):
    return optax.lion(lr, *betas, weight_decay=weight_decay)


def lamb(lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0):
    return optax.lamb(lr, *betas, eps=eps, weight_decay=weight_decay)


def lars(lr, momentum=0.9, trust=0.001, nesterov=False):
    # Without weight decay: optax has the norm of the decayed gradient where the paper has the sum of two norms. And optax's Nesterov step
    # comes after its rate, which is the same for a constant rate.
    return optax.lars(lr, 0.0, trust_coefficient=trust, eps=1e-8, momentum=momentum, nesterov=nesterov)


def lars_with_decay(w, lr, weight_decay, momentum=0.9, trust=0.001):
    """You, Gitman and Ginsburg 2017, algorithm 1, with the rate outside of the velocity; the same for a constant rate."""
    velocity = np.zeros_like(w)

    def step(w, grad):
        nonlocal velocity
        norm, slope = np.linalg.norm(w), np.linalg.norm(grad)
        local = trust * norm / (slope + weight_decay * norm + 1e-8)
        velocity = momentum * velocity + local * (grad + weight_decay * w)
        return w - lr * velocity, None

    return step


def schedule_free_sgd(w, lr, momentum=0.9):
    return optax_schedule_free(w, optax.sgd(lr), lr, momentum)


def schedule_free_adamw(w, lr, momentum=0.9, beta2=0.999, eps=1e-8):
    # The base rule has no momentum of its own.
    return optax_schedule_free(w, optax.adam(lr, b1=0.0, b2=beta2, eps=eps), lr, momentum)


def optax_schedule_free(w, base, lr, momentum):
    transformation = optax.contrib.schedule_free(base, lr, b1=momentum)
    state = transformation.init(w)

    def step(w, grad):
        nonlocal state
        updates, state = transformation.update(grad, state, w)
        w = np.asarray(w + updates)
        return w, np.asarray(optax.contrib.schedule_free_eval_params(state, w))

    return step


def schedule_free_with_decay(w, lr, weight_decay, momentum=0.9):
    """Defazio et al. 2024, equations 2 to 4, with the decay at y."""
    z, x, weights = w.copy(), w.copy(), 0.0

    def step(y, grad):
        nonlocal z, x, weights
        z = z - lr * (grad + weight_decay * y)
        weights += lr**2
        c = lr**2 / weights
        x = (1 - c) * x + c * z
        return (1 - momentum) * z + momentum * x, x

    return step


# Our rule: another's, and the options of both.
RULES = {
    "lion.default": (optax_rule(lion), {"lr": 0.01}),
    "lion.options": (optax_rule(lion), {"lr": 0.05, "betas": (0.7, 0.8), "weight_decay": 0.3}),
    "lamb.default": (optax_rule(lamb), {"lr": 0.1}),
    "lamb.options": (optax_rule(lamb), {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    "lars.default": (optax_rule(lars), {"lr": 10.0}),
    "lars.options": (optax_rule(lars), {"lr": 2.0, "momentum": 0.5, "trust": 0.02, "nesterov": True}),
    "lars.decay": (lars_with_decay, {"lr": 2.0, "weight_decay": 0.3, "trust": 0.02}),
    "schedule_free_sgd.default": (schedule_free_sgd, {"lr": 0.3}),
    "schedule_free_sgd.options": (schedule_free_sgd, {"lr": 0.3, "momentum": 0.6}),
    "schedule_free_sgd.decay": (schedule_free_with_decay, {"lr": 0.3, "weight_decay": 0.2}),
    "schedule_free_adamw.default": (schedule_free_adamw, {"lr": 0.05}),
    "schedule_free_adamw.options": (schedule_free_adamw, {"lr": 0.05, "momentum": 0.6, "beta2": 0.8, "eps": 1e-3}),
}
