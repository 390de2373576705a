"""Losses and their gradients by the logit of one pixel, in closed form: where they saturate.

A pixel is the sigmoid p of its logit l, its target t. By the chain rule, with dp/dl = p (1 − p),

    BCE  = −t log p − (1 − t) log(1 − p) = log(1 + e^l) − t l        dBCE/dl = p − t
    MSE  = (p − t)²                                                  dMSE/dl = 2 (p − t) p (1 − p)

The slope of BCE grows with the error and ends at 1; that of MSE falls back to 0 where the pixel is **saturated**, near 0
or 1, however wrong it is there. Source: Bishop, Pattern Recognition and Machine Learning, 2006, sections 4.3.2 and 5.2.
"""

import numpy as np

from cae_core.config import lookup

SURE, WRONG = 0.1, 0.5
"""A pixel is sure if it is at most SURE from 0 or from 1, and wrong if it is more than WRONG from its target."""


def sigmoid(logits: np.ndarray | float) -> np.ndarray:
    """1 / (1 + e^−l), for any size of l."""
    return np.exp(-np.logaddexp(0, -np.asarray(logits, dtype=np.float64)))


_VALUES = {
    "bce": lambda t, logits: np.logaddexp(0, logits) - t * logits,
    "mse": lambda t, logits: np.square(sigmoid(logits) - t),
}
_SLOPES = {"bce": lambda t, p: p - t, "mse": lambda t, p: 2 * (p - t) * p * (1 - p)}


def value(loss: str, target: np.ndarray | float, logits: np.ndarray | float) -> np.ndarray:
    """The loss of a pixel. BCE's formula goes on outside [0, 1], where it is no loss any more: it has no least value.

    Args:
        loss: "bce" or "mse".
        target: t, any shape that goes with the logits'.
        logits: l.
    """
    return lookup(_VALUES, "loss with a closed form", loss)(target, np.asarray(logits, dtype=np.float64))


def slope(loss: str, target: np.ndarray | float, logits: np.ndarray | float) -> np.ndarray:
    """dL/dl of a pixel, by which training moves the logit; arguments as `value`."""
    return lookup(_SLOPES, "loss with a closed form", loss)(target, sigmoid(logits))


def sure_and_wrong(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Which pixels are `SURE` and `WRONG`, of x's shape: bool."""
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    return ((x_hat <= SURE) | (x_hat >= 1 - SURE)) & (np.abs(x_hat - x) > WRONG)


def mean_slope(loss: str, x: np.ndarray, x_hat: np.ndarray) -> float | None:
    """Mean |dL/dl| over the pixels that are sure and wrong; None if there is none.

    Args:
        loss: "bce" or "mse".
        x: targets.
        x_hat: what the network gives, sigmoids in [0, 1], of x's shape.
    """
    chosen = sure_and_wrong(x, x_hat)
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    return float(np.abs(_SLOPES[loss](x[chosen], x_hat[chosen])).mean()) if chosen.any() else None
