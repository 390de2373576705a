"""Questions of the Denoise page."""

from collections.abc import Callable, Mapping
from typing import Any

from cae_core import runs
from cae_core.pretrained import name_of
from pages.parts.lesson.question import questions_of

_NO_NOISE = {"run": (), "noise_factor": 0.0, "trained_on": "clean", "both_losses": False}
_GAUSSIAN = {"run": (), "noise_kind": "gaussian", "noise_factor": 0.5, "bottleneck": 32, "both_losses": False}


def _error(now: Mapping[str, Any], size: int, loss: str, trained_on: str, images: str, metric: str = "mse") -> float:
    """Mean error over the test set, as it was measured when the network was trained."""
    return runs.network(name_of(now["dataset"], size, loss, trained_on)).metrics[images][metric]


def _ratio(*networks: tuple[int, str, str, str]) -> Callable[[Mapping[str, Any]], str]:
    """The error of one as so many times that of the other, both as `_error` takes them."""

    def measured(now: Mapping[str, Any]) -> str:
        large, small = (_error(now, *network) for network in networks)
        return f"{large / small:.1f} times: MSE {large:.4f} and {small:.4f} over the test set"

    return measured


def _two_judges(now: Mapping[str, Any]) -> str:
    judged = []
    for metric, other, digits in (("mse", "bce", 4), ("bce", "mse", 3)):
        own, others = (_error(now, 8, loss, "clean", "clean", metric) for loss in (metric, other))
        name = metric.upper()
        judged.append(f"{name} {own:.{digits}f} trained with {name}, {others:.{digits}f} with {other.upper()}")
    return "; ".join(judged)


QUESTIONS = questions_of(
    "denoise",
    {
        "two_numbers": _ratio((2, "mse", "clean", "clean"), (32, "mse", "clean", "clean")),
        "two_judges": _two_judges,
        "never_saw_noise": _ratio((32, "bce", "clean", "gaussian 0.5"), (32, "bce", "mixed", "gaussian 0.5")),
        "wider_worse": _ratio((32, "bce", "clean", "gaussian 0.5"), (8, "bce", "clean", "gaussian 0.5")),
    },
    from_the_code={**_NO_NOISE, "bottleneck": 32, "loss": "bce"},
    two_numbers={**_NO_NOISE, "bottleneck": 2, "loss": "mse"},
    two_judges={**_NO_NOISE, "bottleneck": 8, "both_losses": True},
    never_saw_noise={**_GAUSSIAN, "trained_on": "clean", "loss": "bce"},
    wider_worse={**_GAUSSIAN, "trained_on": "clean", "loss": "bce"},
    too_much={**_GAUSSIAN, "noise_factor": 1.0, "trained_on": "mixed"},
)
