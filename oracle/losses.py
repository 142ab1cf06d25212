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


def reduced(function):
    """A loss of single samples with our reductions."""

    def loss(*inputs, reduction="mean", **options):
        return {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}[reduction](function(*inputs, **options))

    return loss


def hinge(scores, targets, reduction="none", squared=False):
    """PyTorch has none on plain scores."""
    short = (1 - targets * scores).clamp(min=0)
    return short**2 if squared else short


def binary_focal(logits, targets, reduction="none", gamma=2.0, alpha=None):
    """As torchvision writes `sigmoid_focal_loss`."""
    p = torch.sigmoid(logits)
    wrong = 1 - (p * targets + (1 - p) * (1 - targets))
    loss = binary(logits, targets) * wrong**gamma
    return loss if alpha is None else (alpha * targets + (1 - alpha) * (1 - targets)) * loss


def focal(logits, classes, weight=None, gamma=2.0):
    log = F.log_softmax(logits, 1).gather(1, classes[:, None])[:, 0]
    scale = 1 if weight is None else weight[classes]
    return -scale * (1 - log.exp()) ** gamma * log


def multi_margin(scores, classes, margin=1.0, squared=False):
    return F.multi_margin_loss(scores, classes, p=2 if squared else 1, margin=margin, reduction="none")


def cosine_embedding(a, b, alike, margin=0.0):
    """Written out: PyTorch's own adds 1e-12 to the squared lengths."""
    cosine = F.cosine_similarity(a, b)
    return torch.where(alike == 1, 1 - cosine, (cosine - margin).clamp(min=0))


def triplet_margin(a, p, n, margin=1.0):
    return F.triplet_margin_loss(a, p, n, margin=margin, eps=0.0, reduction="none")


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
        signs = lambda random: (2 * random.randint(0, 2, (5, 3)) - 1).astype(float)
        yield each("hinge", by_sample(hinge), logits, signs, constants=(1,), squared=False)
        yield each("hinge.squared", by_sample(hinge), logits, signs, constants=(1,), squared=True)
        yield each("binary_focal", by_sample(binary_focal), logits, targets, constants=(1,), gamma=2.0)
        yield each("binary_focal.alpha", by_sample(binary_focal), logits, targets, constants=(1,), gamma=1.5, alpha=0.25)
        yield each("binary_focal.plain", by_sample(binary_focal), logits, targets, constants=(1,), gamma=0.0)

        scores, classes, soft = normal(5, 4, scale=2.0), integers(4, 5), probabilities(5, 4)
        yield each("focal", reduced(focal), scores, classes, gamma=2.0)
        yield each("focal.weights", reduced(focal), scores, classes, uniform(0.2, 3, 4), constants=(2,), gamma=0.5)
        yield each("multi_margin", reduced(multi_margin), scores, classes, margin=1.0, squared=False)
        yield each("multi_margin.squared", reduced(multi_margin), scores, classes, margin=0.5, squared=True)
        yield each("kl_div", reduced(lambda x, t: F.kl_div(x, t, reduction="none").sum(1)), scores, soft, constants=(1,))
        zeros = values([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])
        yield each("kl_div.zeros", reduced(lambda x, t: F.kl_div(x, t, reduction="none").sum(1)), normal(2, 3), zeros, constants=(1,))
        a, b, c = normal(5, 3), normal(5, 3), normal(5, 3)
        yield each("cosine_similarity", reduced(lambda x, t: 1 - F.cosine_similarity(x, t)), a, b, constants=(1,))
        yield each("cosine_embedding", reduced(cosine_embedding), a, b, integers(2, 5), margin=0.2)
        yield each("triplet_margin", reduced(triplet_margin), a, b, c, margin=1.0)
        certain = values([[1e4, 1e4, -1e4, -1e4], [1e4, -1e4, 0.0, 0.0]])
        labels = values([[0.0, 1.0, 0.0, 1.0], [0.5, 0.5, 0.0, 1.0]])
        yield each("bce.extreme", by_sample(binary), certain, labels, constants=(1,))
        yield each("bce.extreme_weights", weighted_binary, certain, labels, values([0.5, 1.0, 2.0, 4.0]), constants=(1, 2))


FILES = {"losses": losses}
