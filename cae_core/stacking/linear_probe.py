"""Linear probe: how well a linear classifier reads the encoder's features as they are, against pixels and PCA.

A linear classifier can do nothing but weigh the numbers that it is given, so it says what they hold in plain sight. At
the same size the comparison is of what the numbers are, not of how many there are: a code of k numbers is held against PCA
with k components, and both against a few.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cae_core import pca
from cae_core.config import StackConfig
from cae_core.datasets import DATASETS, as_float, load
from cae_core.stacking.phases import choose_labelled, learnt_from
from cae_core.training import split_held_out

FEW = 100
"""Numbers that every kind of features is cut down to, by PCA of them, so that all are of one size."""

PENALTIES = (1e-3, 1e-4, 1e-5, 1e-6)
"""Weights of the squared weights in the loss, from strong to weak; one is chosen on held-out images."""

ITERATIONS = 150
MEMORY = 10

FITTED_ON = 10_000
"""Images without labels that principal components are computed from."""


def softmax_loss(
    weights: np.ndarray, x: np.ndarray, y: np.ndarray, classes: int, penalty: float
) -> tuple[float, np.ndarray]:
    """Multinomial logistic regression: mean cross-entropy in nats plus penalty / 2 times the squared weights.

    Args:
        weights: `((d + 1) * classes,)` float64; the last row, of biases, has no penalty.
        x: `(n, d)` features.
        y: `(n,)` classes.
        classes: how many there are.
        penalty: see above.

    Returns:
        The loss and its gradient, of the shape of `weights`. Bishop, Pattern Recognition and Machine Learning, 2006, eq.
        4.108 and 4.109.
    """
    w = weights.reshape(-1, classes)
    scores = (x @ w[:-1].astype(x.dtype) + w[-1].astype(x.dtype)).astype(float)
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -float(np.mean(np.log(np.maximum(p[rows, y], 1e-300)))) + penalty / 2 * float(np.sum(w[:-1] ** 2))
    p[rows, y] -= 1
    p /= len(y)
    slope = np.empty_like(w)
    slope[:-1] = (x.T @ p.astype(x.dtype)) + penalty * w[:-1]
    slope[-1] = p.sum(axis=0)
    return loss, slope.reshape(-1)


def minimise(function: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray) -> np.ndarray:
    """Where a convex function is small: L-BFGS with backtracking (Nocedal and Wright, Numerical Optimization, 2006, 7.2).

    Args:
        function: of a point, its value and gradient.
        start: the first point, `(n,)` float64.
    """
    point, steps = start.copy(), []
    value, slope = function(point)
    for _ in range(ITERATIONS):
        direction, factors = -slope, []
        for s, t, r in reversed(steps):
            factors.append(r * (s @ direction))
            direction = direction - factors[-1] * t
        if steps:
            s, t, _ = steps[-1]
            direction = direction * ((s @ t) / (t @ t))
        for (s, t, r), factor in zip(steps, reversed(factors), strict=True):
            direction = direction + (factor - r * (t @ direction)) * s
        length, descent = (1.0 if steps else min(1.0, 1.0 / max(1e-12, float(np.abs(slope).sum())))), slope @ direction
        for _ in range(20):
            there = point + length * direction
            new_value, new_slope = function(there)
            if new_value <= value + 1e-4 * length * descent:
                break
            length /= 2
        else:
            break
        s, t = there - point, new_slope - slope
        if s @ t > 1e-12:
            steps = [*steps, (s, t, 1 / (s @ t))][-MEMORY:]
        is_done = value - new_value < 1e-6 * max(1.0, abs(value)) or np.abs(new_slope).max() < 1e-6
        point, value, slope = there, new_value, new_slope
        if is_done:
            break
    return point


def linear_error(
    train: tuple[np.ndarray, np.ndarray], held_out: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
) -> float:
    """The share of test images that a linear classifier misreads.

    Args:
        train: features `(n, d)` float32 and classes `(n,)` to learn from.
        held_out: the same to choose the penalty by.
        test: the same to be judged by, looked at once.
    """
    x, y = train
    classes = int(max(y.max(), held_out[1].max())) + 1
    middle = x.mean(axis=0)
    scale = np.sqrt(np.mean(np.sum((x - middle) ** 2, axis=1))) / 10 or 1.0  # one for all, so that PCA's order stays
    x, others = (x - middle) / scale, [((features - middle) / scale, classes_) for features, classes_ in (held_out, test)]
    weights, fits = np.zeros((x.shape[1] + 1) * classes), []
    for penalty in PENALTIES:  # each begins where the one before ended
        weights = minimise(lambda w, penalty=penalty: softmax_loss(w, x, y, classes, penalty), weights)
        fits.append((_misread(weights, *others[0]), len(fits), weights))
    return _misread(min(fits, key=lambda fit: fit[:2])[2], *others[1])


def _misread(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    w = weights.reshape(x.shape[1] + 1, -1)
    return float(np.mean(np.argmax(x @ w[:-1] + w[-1], axis=1) != y))


def scores(
    encoders: Mapping[str, Callable[[np.ndarray], np.ndarray]], config: StackConfig, counts: Sequence[int], seed: int
) -> dict[int, dict[str, dict[str, float]]]:
    """How well a linear classifier reads each kind of features on the test split.

    Args:
        encoders: by name in `config.FEATURES`, what makes features `(n, ...)` of images `(n, H, W, C)` float32 in [0, 1].
        config: its dataset and num_train say which images there are.
        counts: numbers of labelled images to learn from.
        seed: which.

    Returns:
        By count and kind: "size" and "error" of all its numbers, "few_error" of the first `FEW` principal components of
        them, and for pixels "same_error", of as many components as the encoder has numbers, where pixels have more.
    """
    train, test = load(config.dataset, "train"), load(config.dataset, "test")
    x, y = learnt_from(config, train.x, train.y)
    _, x_held_out = split_held_out(train.x, 0)
    chosen = {count: choose_labelled(y, count, seed) for count in counts}
    most = chosen[max(counts)]  # fewer labels are a part of more
    classes = (train.y[-len(x_held_out) :], test.y)
    by_count: dict[int, dict[str, dict[str, float]]] = {count: {} for count in counts}
    code = None
    for kind, encode in encoders.items():
        parts = [_flat(encode, images) for images in (x[most], x_held_out, test.x)]
        size = parts[0].shape[1]
        code = code or size
        features = {"error": parts}
        cuts = {"few_error": FEW} | ({"same_error": code} if kind == "pixels" else {})
        if cuts := {name: cut for name, cut in cuts.items() if cut < min(size, len(x))}:
            fitted = pca.fit(_flat(encode, x[:FITTED_ON]), max(cuts.values()))
            features |= {name: [fitted.truncate(cut).encode(part) for part in parts] for name, cut in cuts.items()}
        for count, which in chosen.items():
            own = np.searchsorted(most, which)
            by_count[count][kind] = {"size": size} | {
                name: linear_error((learnt[own], y[which]), *zip(others, classes, strict=True))
                for name, (learnt, *others) in features.items()
            }
    return by_count


def error_of(encode: Callable[[np.ndarray], np.ndarray], dataset: str) -> float:
    """The share of test images that a linear classifier misreads which has learnt from all training images.

    Args:
        encode: as of `scores`.
        dataset: whose images; the held-out ones choose the penalty.
    """
    train, test = load(dataset, "train"), load(dataset, "test")
    splits = [split_held_out(part, len(part)) for part in (train.x, train.y)]
    pairs = [(_flat(encode, x), y) for x, y in (*zip(*splits, strict=True), (test.x, test.y))]
    says_something = pairs[0][0].any(axis=0)  # what is 0 for all training images has no weight, and costs time
    return linear_error(*((features[:, says_something], y) for features, y in pairs))


def _flat(encode: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    parts = [np.asarray(encode(as_float(x[start : start + 500]))) for start in range(0, len(x), 500)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts])


def encoders(config: StackConfig, stack: Any) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """The three kinds of features, the first being the trained stack's."""
    import tensorflow as tf

    from cae_core.stacking.network import Networks

    entry = DATASETS[config.dataset]
    fresh = Networks(config, stack.image_shape, len(entry.class_names)).stack
    return {
        "encoder": tf.function(stack.encoders.pooled, reduce_retracing=True, autograph=False),
        "untrained": tf.function(fresh.encoders.pooled, reduce_retracing=True, autograph=False),
        "pixels": lambda x: x,
    }


MOST_LABELS = 1_000
"""Labels that a visitor's own stack is scored with at most: more take minutes."""


def of_stack(config: StackConfig, stack: Any) -> dict[str, Any]:
    """`scores` of a trained stack with its own labels, as many of them as are quickly learnt from, under "labels"."""
    labels = min(config.labels, MOST_LABELS)
    return {"labels": labels, **scores(encoders(config, stack), config, [labels], config.seed)[labels]}
