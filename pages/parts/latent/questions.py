"""Questions of the Latent page."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from cae_core import datasets, runs
from cae_core.latent import embedding, gaps, generate, posterior
from cae_core.pretrained import name_of, vae_name
from cae_core.runtime.caching import cached
from pages.parts.common import show
from pages.parts.latent import number_view, selection
from pages.parts.latent.plane_view import NOTHING
from pages.parts.lesson.question import Question, questions_of

HOLES = {"strokes": ("-59.96", "3.84"), "mnist": ("-89.68", "154.5")}
"""A spot of the plane of two numbers with codes around and none near, by data set."""


QUIZ_SIZE, SAMPLED = 8, (2, 3, 6, 8, 9)
"""Numbers of the code of the network whose ten pictures are guessed at, and which of them are samples, from 1."""


def _sharper(now: Mapping[str, Any]) -> str:
    few, many = (runs.network(name_of(now["dataset"], size, "bce", "clean")).metrics["clean"]["mse"] for size in (8, 64))
    return f"and the error {few / many:.1f} times smaller: MSE {few:.4f} and {many:.4f} over the test set"


def _gaps(*kinds: tuple[str, str, str]) -> Callable[[Mapping[str, Any]], str]:
    """What no class claims of pictures: their name, the network's after the data set's, and where the codes are from."""

    def measured(now: Mapping[str, Any]) -> str:
        shares = [(name, gaps.of_samples(runs.network(f"{now['dataset']}-{run}"), source)) for name, run, source in kinds]
        return "no class claims " + show.listed([f"{show.percent(share.unclaimed)} of {name}" for name, share in shares])

    return measured


def _mostly(now: Mapping[str, Any]) -> str:
    share = gaps.of_samples(runs.network(name_of(now["dataset"], 2, "bce", "clean")), "prior")
    return f"mostly class {share.most}: {show.percent(share.most_share)} of {gaps.SAMPLES} samples"


def _silent(now: Mapping[str, Any]) -> str:
    codes = embedding.encode(runs.network(now["run"][0]), now["dataset"], now["points"])
    order = posterior.numbers(codes.run, codes.dataset).order
    loud, quiet = np.ptp(number_view.walks(codes, [int(order[0]), int(order[-1])]), axis=1)
    return f"no pixel changes by more than {quiet.max():.2g}; by the loudest, one by {loud.max():.2g}"


def questions(dataset: str) -> dict[str, Question]:
    """The questions, for the shipped models of a data set of digits."""
    first = {"run": (), "trained_on": "clean", "loss": "bce", "points": 2000, **NOTHING}
    return questions_of(
        "latent",
        {
            "sharper": _sharper,
            "sampled": _gaps(("samples", "vae-b8", "prior"), ("test images, encoded and decoded", "vae-b8", "images")),
            "plain_prior": _mostly,
            "fitted": _gaps(("these", "b32-bce-clean", "fitted"), ("the variational network's", "vae-b32", "prior")),
            "silent": _silent,
        },
        no_labels={**first, "bottleneck": 2, "part": "neighbours"},
        much_room={**first, "bottleneck": 32, "components": "1-2", "part": "neighbours"},
        sharper={**first, "bottleneck": 64, "components": "1-2", "part": "neighbours"},
        other_side={**first, "bottleneck": 16, "components": "4-5"},
        half_way={**first, "bottleneck": 16, "components": "1-2", "part": "interpolate", "image_a": 0, "image_b": 1},
        no_code={**first, "bottleneck": 2, "spot": HOLES[dataset]},
        sampled={**first, "run": (vae_name(dataset, QUIZ_SIZE),), "part": "generate"},
        plain_prior={**first, "bottleneck": 2, "part": "generate", "drawn_from": "prior"},
        fitted={**first, "bottleneck": 32, "part": "generate", "drawn_from": "fitted"},
        silent={**first, "run": (vae_name(dataset, 32),), "part": "numbers"},
    )


@cached(most=2)
def ten(dataset: str) -> np.ndarray:
    """Ten pictures of a variational network, `(10, H, W, C)` float32: `SAMPLED` ones, the others of test images."""
    network = runs.model(runs.network(vae_name(dataset, QUIZ_SIZE)))
    is_sampled = np.isin(np.arange(1, 11), SAMPLED)
    z = np.empty((10, QUIZ_SIZE), np.float32)
    z[is_sampled] = generate.draw(QUIZ_SIZE, sum(is_sampled), seed=0)
    z[~is_sampled] = network.encode(datasets.as_float(datasets.load(dataset, "test").x[: sum(~is_sampled)]))
    return network.decode(z)


def quiz(dataset: str) -> None:
    """The ten pictures, for a question."""
    try:
        images = ten(dataset)
    except runs.RunError as error:
        st.error(show.plain(str(error)))
        return
    cells = [(str(number), image, f"picture {number}") for number, image in enumerate(images, 1)]
    st.html(f'<div class="chosen"><div class="tiles small">{selection.tiles(cells)}</div></div>')
