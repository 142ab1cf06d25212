"""Cases of the losses, under each reduction.

On our side a sample's loss is one number: losses of single elements are averaged over a sample's elements first. The mean over the batch
is then PyTorch's mean; the sum, and the losses of single samples, are written out here.
"""

import torch
import torch.nn.functional as F

from case import case, indices, integers, normal, probabilities, uniform, values

REDUCTIONS = ("mean", "sum", "none")


def cross_entropy(logits, targets, weight=None, reduction="mean", **options):
    return F.cross_entropy(logits, targets, weight, reduction=reduction, **options)


def by_sample(function):
    """An elementwise loss with our reductions: mean over the elements, then the reduction over the samples."""

    def loss(predictions, targets, reduction="mean", **options):
        losses = function(predictions, targets, reduction="none", **options).flatten(1).mean(1)
        return {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}[reduction](losses)

    return loss


def binary(logits, targets, positive_weight=None, reduction="none"):
    return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=positive_weight, reduction=reduction)


def weighted_binary(logits, targets, positive_weight, reduction="mean"):
    return by_sample(lambda x, t, reduction: binary(x, t, positive_weight, reduction))(logits, targets, reduction)


def losses():
    extreme = values([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [0.0, 0.0, 0.0], [1e4, 1e4, 1e4]])
    for reduction in REDUCTIONS:

        def each(name, function, *inputs, **options):
            return case(f"{name}.{reduction}", function, *inputs, reduction=reduction, **options)

        logits, classes, soft = normal(5, 4, scale=2.0), integers(4, 5), probabilities(5, 4)
        weight = uniform(0.2, 3, 4)
        yield each("cross_entropy.classes", cross_entropy, logits, classes)
        yield each("cross_entropy.classes_smooth", cross_entropy, logits, classes, label_smoothing=0.1)
        yield each("cross_entropy.classes_weights", cross_entropy, logits, classes, weight, constants=(2,))
        yield each("cross_entropy.classes_smooth_weights", cross_entropy, logits, classes, weight, constants=(2,), label_smoothing=0.1)
        yield each("cross_entropy.classes_ignored", cross_entropy, logits, indices([2, 0, 2, 3, 1]), ignore_index=2)
        yield each("cross_entropy.classes_ignored_weights", cross_entropy, logits, indices([2, 0, 2, 3, 1]), weight, constants=(2,), ignore_index=2)
        yield each("cross_entropy.soft", cross_entropy, logits, soft, constants=(1,))
        yield each("cross_entropy.soft_smooth", cross_entropy, logits, soft, constants=(1,), label_smoothing=0.3)
        yield each("cross_entropy.soft_weights", cross_entropy, logits, soft, weight, constants=(1, 2))
        yield each("cross_entropy.soft_smooth_weights", cross_entropy, logits, soft, weight, constants=(1, 2), label_smoothing=0.3)
        yield each("cross_entropy.extreme", cross_entropy, extreme, indices([0, 0, 1, 2]))
        yield each("cross_entropy.extreme_smooth", cross_entropy, extreme, indices([0, 0, 1, 2]), label_smoothing=0.1)
        yield each("cross_entropy.one_sample", cross_entropy, normal(1, 3), indices([1]))

        for name, shape in {"rows": (5, 3), "images": (2, 3, 4, 2), "column": (4, 1)}.items():
            pair = normal(*shape, scale=2.0), normal(*shape)
            yield each(f"mse.{name}", by_sample(F.mse_loss), *pair, constants=(1,))
            yield each(f"mae.{name}", by_sample(F.l1_loss), *pair, constants=(1,))
            yield each(f"huber.{name}", by_sample(F.huber_loss), *pair, constants=(1,), delta=0.75)
        yield each("mae.equal", by_sample(F.l1_loss), values([[1.0, 2.0]]), values([[1.0, 3.0]]), constants=(1,))
        yield each("huber.at_delta", by_sample(F.huber_loss), values([[1.0, 2.0, -1.0]]), values([[0.0, 0.0, 0.0]]), constants=(1,), delta=1.0)

        logits, targets = normal(5, 3, scale=2.0), uniform(0, 1, 5, 3)
        yield each("bce.soft", by_sample(binary), logits, targets, constants=(1,))
        yield each("bce.hard", by_sample(binary), logits, lambda random: random.randint(0, 2, (5, 3)).astype(float), constants=(1,))
        yield each("bce.weights", weighted_binary, logits, targets, uniform(0.2, 3, 3), constants=(1, 2))
        certain = values([[1e4, 1e4, -1e4, -1e4], [1e4, -1e4, 0.0, 0.0]])
        labels = values([[0.0, 1.0, 0.0, 1.0], [0.5, 0.5, 0.0, 1.0]])
        yield each("bce.extreme", by_sample(binary), certain, labels, constants=(1,))
        yield each("bce.extreme_weights", weighted_binary, certain, labels, values([0.5, 1.0, 2.0, 4.0]), constants=(1, 2))


FILES = {"losses": losses}
