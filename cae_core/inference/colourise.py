"""Colourisation: grey pictures through a network that predicts their colours, and how good its guesses are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cae_core import colours, runs
from cae_core.architectures import ARCHITECTURES, Network, restore
from cae_core.colours import luma
from cae_core.runs import Run, RunError

SHORT, MULTIPLE = 48, 8
"""Pixels of the shorter side that a picture is scaled to, the size that the networks were trained on; and what both sides
are multiples of, for the networks halve them three times."""


@dataclass(frozen=True, eq=False)
class Coloured:
    """What one run makes of images.

    Attributes:
        run: the trained network's run.
        x_hat: `(n, H, W, 3)` float32 in [0, 1], its guess.
        figures: mean squared error of the chroma against the true colours, as "chroma", and of predicting grey, as
            "chroma_grey"; empty where nobody knows the true ones.
    """

    run: Run
    x_hat: np.ndarray
    figures: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A picture of any size made ready for the networks.

    Attributes:
        small: `(1, h, w, 3)` float32 in [0, 1], its shorter side 48 pixels, both multiples of 8.
        luma: `(H, W, 1)` float32 in [0, 1], the picture's own luma in its own size.
    """

    small: np.ndarray
    luma: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """What the networks get, `(1, h, w, 1)`."""
        return luma(self.small)


def colour(run: Run, x: np.ndarray, known: bool = True) -> Coloured:
    """Images of any allowed size through a run's network; it is only shown their luma.

    Args:
        run: a trained run.
        x: `(n, H, W, 3)` float32 in [0, 1], H and W multiples of 8.
        known: whether the colours of x are the true ones, to compare with.

    Raises:
        RunError: the network colours nothing, or its weights are missing or damaged.
    """
    if ARCHITECTURES[run.config.architecture].sees != "grey":
        raise RunError(
            f"The run {run.label!r} is a network {run.config.architecture}, which gives back grey: choose another."
        )
    x_hat = _network(run, x.shape[1:3]).reconstruct(luma(x))
    errors = {"chroma": colours.error(x, x_hat).mean(), "chroma_grey": colours.error_of(x, 0.0).mean()} if known else {}
    return Coloured(run, x_hat, {name: float(error) for name, error in errors.items()})


def _network(run: Run, size: tuple[int, int]) -> Network:
    """The run's network for images of this height and width: convolutions have the same weights at any size."""
    trained = runs.model(run)
    if trained.image_shape[:2] == tuple(size):
        return trained
    return _resized(run, tuple(size))


@runs.kept(8)
def _resized(run: Run, size: tuple[int, int]) -> Network:
    return restore(run.config, (*size, 3), runs.weights(run))


def fit(rgb: np.ndarray) -> Fitted:
    """A picture scaled so that its shorter side has 48 pixels, proportions kept to the nearest multiple of 8.

    The networks know things at the size at which they saw them, so a large photograph is not given to them as it is, nor in
    pieces, in which nothing could be recognised.

    Args:
        rgb: `(h, w, 3)` float32 in [0, 1], of any size.
    """
    height, width = rgb.shape[:2]
    scale = SHORT / min(height, width)
    size = [max(SHORT, MULTIPLE * round(side * scale / MULTIPLE)) for side in (width, height)]
    image = Image.fromarray(np.rint(rgb * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return Fitted(np.asarray(image).astype(np.float32)[None] / np.float32(255), luma(rgb))


def on(fitted: Fitted, x_hat: np.ndarray) -> np.ndarray:
    """The guessed chroma on the picture's own luma, in its own size: the eye sees colour less sharply than light and dark.

    Args:
        fitted: the picture.
        x_hat: `(1, h, w, 3)` float32, the guess for its small copy.

    Returns:
        `(H, W, 3)` float32 in [0, 1].
    """
    height, width = fitted.luma.shape[:2]
    channels = np.moveaxis(colours.chroma(np.clip(x_hat[0], 0, 1)), -1, 0).astype(np.float32)
    large = [Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR) for channel in channels]
    return colours.with_chroma(fitted.luma, np.stack([np.asarray(channel) for channel in large], axis=-1)).astype(
        np.float32
    )
