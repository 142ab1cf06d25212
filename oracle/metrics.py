"""Metrics, by scikit-learn: each case is a batch, and what scikit-learn makes of it.

scikit-learn has no expected calibration error; it is written out here, over the bins of Guo et al. 2017, and for two classes compared
with scikit-learn's calibration curve first.
"""

import warnings

import numpy as np
import sklearn
from sklearn import calibration
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from case import rounded, seeded

MADE_BY = f"scikit-learn {sklearn.__version__}"

BINS = 10


def softmax(logits):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


def calibration_error(confidence, right, weights):
    """Mean and largest gap over bins that are closed above."""
    bins = np.clip(np.ceil(confidence * BINS), 1, BINS)
    gaps = []
    for b in np.unique(bins):
        inside = bins == b
        weight = weights[inside].sum()
        if weight > 0:
            gap = abs((weights * (right - confidence))[inside].sum()) / weight
            gaps.append((weight, gap))
    total = sum(weight for weight, _ in gaps)
    return sum(weight * gap for weight, gap in gaps) / total, max(gap for _, gap in gaps)


def expected(values):
    return {f"expected.{name}": np.float64(value) for name, value in values.items()}


def classes(name, n, k, step=None, weighted=False, never=None, missing=None):
    """Logits of `k` classes: in steps, so that many are equal; with weights; one class never predicted, or without samples."""
    random = seeded(name)
    scores = random.standard_normal((n, k))
    labels = random.randint(0, k, n)
    scores[np.arange(n), labels] += 1
    if missing is not None:
        labels[labels == missing] = (missing + 1) % k
    if never is not None:
        scores[:, never] -= 9
    scores = rounded(np.round(scores / step) * step if step else scores)
    weights = rounded(random.uniform(0, 2, n)) if weighted else np.ones(n)
    if weighted:
        weights[:3] = 0
    w = {"sample_weight": weights}
    # `argmax` takes the first of several largest, as we do.
    predicted, all_labels = scores.argmax(axis=1), list(range(k))
    values = {"accuracy": sk.accuracy_score(labels, predicted, **w)}
    # scikit-learn breaks ties the other way round, in favour of the higher class.
    if step is None:
        values["top_2"] = sk.top_k_accuracy_score(labels, scores, k=2, labels=all_labels, **w)
    probabilities = softmax(scores)
    values["log_loss"] = sk.log_loss(labels, probabilities, labels=all_labels, **w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for average in ["micro", "macro", "weighted"]:
            # Classes that are neither there nor predicted are left out.
            options = {"average": average, "zero_division": 0, **w}
            values[f"precision.{average}"] = sk.precision_score(labels, predicted, **options)
            values[f"recall.{average}"] = sk.recall_score(labels, predicted, **options)
            values[f"f1.{average}"] = sk.f1_score(labels, predicted, **options)
            values[f"f2.{average}"] = sk.fbeta_score(labels, predicted, beta=2, **options)
        for c, (p, r, f) in enumerate(zip(*sk.precision_recall_fscore_support(
            labels, predicted, labels=all_labels, zero_division=np.nan, **w)[:3])):
            values |= {f"precision_{c}": p, f"recall_{c}": r, f"f1_{c}": f}
    present = [c for c in all_labels if (labels == c).any()]
    hot = label_binarize(labels, classes=all_labels)
    if missing is None:
        for average in ["micro", "macro", "weighted"]:
            values[f"roc.{average}"] = sk.roc_auc_score(hot, scores, average=average, **w)
            values[f"pr.{average}"] = sk.average_precision_score(hot, scores, average=average, **w)
    else:
        rocs = [sk.roc_auc_score(hot[:, c], scores[:, c], **w) for c in present]
        values["roc.macro"] = np.mean(rocs)
    values["ece"], values["mce"] = calibration_error(probabilities.max(axis=1), predicted == labels, weights)
    options = {"classes": k, "bins": BINS}
    return options, {"scores": scores, "labels": labels, "weights": weights} | expected(values)


def binary(name, n, step=None, weighted=False, share=0.5):
    """Logits of one question."""
    random = seeded(name)
    labels = (random.uniform(size=n) < share).astype(np.int64)
    scores = 1.5 * random.standard_normal(n) + labels
    scores = rounded(np.round(scores / step) * step if step else scores)
    weights = rounded(random.uniform(0, 2, n)) if weighted else np.ones(n)
    w = {"sample_weight": weights}
    predicted = (scores >= 0).astype(np.int64)
    precision, recall, _ = sk.precision_recall_curve(labels, scores, **w)
    probabilities = 1 / (1 + np.exp(-scores))
    values = {
        "accuracy": sk.accuracy_score(labels, predicted, **w),
        "precision": sk.precision_score(labels, predicted, **w),
        "recall": sk.recall_score(labels, predicted, **w),
        "specificity": sk.recall_score(labels, predicted, pos_label=0, **w),
        "f1": sk.f1_score(labels, predicted, **w),
        "f05": sk.fbeta_score(labels, predicted, beta=0.5, **w),
        "matthews": sk.matthews_corrcoef(labels, predicted, **w),
        "roc": sk.roc_auc_score(labels, scores, **w),
        "pr": sk.average_precision_score(labels, scores, **w),
        "pr_lines": sk.auc(recall, precision),
    }
    values["ece"], values["mce"] = calibration_error(probabilities, labels, weights)
    if not weighted:
        true, confidence = calibration.calibration_curve(labels, probabilities, n_bins=BINS)
        counts = np.histogram(probabilities, BINS, (0, 1))[0]
        curve = (np.abs(true - confidence) * counts[counts > 0]).sum() / n
        assert abs(curve - values["ece"]) < 1e-12, name
    return {"bins": BINS}, {"scores": scores, "labels": labels, "weights": weights} | expected(values)


def several(name, n, k):
    """Several labels at once."""
    random = seeded(name)
    labels = rounded(random.uniform(size=(n, k)) < 0.4)
    scores = rounded(random.standard_normal((n, k)) + labels)
    weights = rounded(random.uniform(0, 2, n))
    values = {"f1": sk.f1_score(labels, scores >= 0, average="micro", sample_weight=weights)}
    for average in ["micro", "macro", "weighted"]:
        values[f"roc.{average}"] = sk.roc_auc_score(labels, scores, average=average, sample_weight=weights)
        values[f"pr.{average}"] = sk.average_precision_score(labels, scores, average=average, sample_weight=weights)
    return {"classes": k}, {"scores": scores, "targets": labels, "weights": weights} | expected(values)


def numbers(name, n, k, weighted=False):
    """Predictions of several numbers a sample."""
    random = seeded(name)
    targets = rounded(10 + random.standard_normal((n, k)))
    scores = rounded(targets + 0.5 * random.standard_normal((n, k)))
    weights = rounded(random.uniform(0, 2, n)) if weighted else np.ones(n)
    w = {"sample_weight": weights}
    mse = sk.mean_squared_error(targets, scores, **w)
    values = {
        "mse": mse,
        # scikit-learn's own takes the mean of each output's root.
        "rmse": np.sqrt(mse),
        "mae": sk.mean_absolute_error(targets, scores, **w),
        "r2": sk.r2_score(targets, scores, **w),
    }
    return {}, {"scores": scores, "targets": targets, "weights": weights} | expected(values)


def metrics():
    cases = [
        (classes, "classes.plain", 40, 4, {}),
        (classes, "classes.weighted", 40, 3, {"weighted": True}),
        (classes, "classes.ties", 40, 3, {"step": 0.5, "weighted": True}),
        (classes, "classes.never", 30, 4, {"never": 2}),
        (classes, "classes.missing", 30, 4, {"missing": 1}),
        (binary, "binary.plain", 40, {}),
        (binary, "binary.weighted", 40, {"weighted": True}),
        (binary, "binary.ties", 40, {"step": 0.5, "weighted": True}),
        (binary, "binary.rare", 60, {"share": 0.1}),
        (several, "several.plain", 30, 3, {}),
        (numbers, "numbers.plain", 25, 1, {}),
        (numbers, "numbers.weighted", 25, 3, {"weighted": True}),
    ]
    return {name: make(name, *rest, **options) for make, name, *rest, options in cases}


FILES = {"metrics": metrics}
