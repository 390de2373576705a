"""What is known of a network before it is built."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cae_core.config import Entry


@dataclass(frozen=True)
class Architecture(Entry):
    """A registry line of `ARCHITECTURES`; `make(config, image_shape)` builds the network.

    Attributes:
        published: the settings it was published with, as of `RunConfig`; where the source is silent, what it needs.
        equations: what it computes, in LaTeX.
        takes: settings of which it takes only some values, with these.
        sees: "image", or "grey": then what it is shown of images in colour is their luma, and colour is what it gives.
        fixed_code: the code's size follows from the image's; `bottleneck` changes nothing.
        has_switches: pooling remembers where each maximum was, and these places pass to the decoder beside the code.
        own: designed for this app; `published` is then its recipe.
        variational: the code of an image is a distribution, `(mean, log_variance)`; looked at, it is the mean.
        binarises: it learns from images whose every pixel is drawn black or white, anew in each step, and is measured on
            `corruptions.binarised` ones; whoever looks at it may show it any image.
        keeps_k: only the k largest numbers of a code stay.
        stages: pairs of layers that can be trained alone, before the whole.
        solve: for a network without training steps, what computes its weights: `solve(model, x)` with all training images.
        forward: how it is computed in NumPy, so that trained ones can be looked at without TensorFlow: `encode(net, x)`,
            images to codes, or to a tuple of them and the switches of each pooling, or of means and log-variances, and
            `decode(net, z, *switches)`, codes to logits; `net` is a `forward.Layers` with its weights. None for one
            that is only written in Keras.
    """

    published: Mapping[str, Any] = field(default_factory=dict)
    equations: tuple[str, ...] = ()
    takes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sees: str = "image"
    fixed_code: bool = False
    has_switches: bool = False
    own: bool = False
    variational: bool = False
    binarises: bool = False
    keeps_k: bool = False
    stages: int = 0
    solve: Callable[..., None] | None = None
    forward: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    @property
    def file(self) -> Path:
        """Where its code stands."""
        return Path(inspect.getfile(getattr(self.make, "func", self.make)))  # a variant of a network is a partial
