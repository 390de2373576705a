"""What `run.json` says of a run: of a network's, of a stack's, and what both have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from cae_core.architectures import num_epochs
from cae_core.config import RunConfig, StackConfig
from cae_core.datasets import DATASETS
from cae_core.validation import code_size

CAN_GO_ON = ("interrupted", "stopped")
"""States of a run that can be taken up again."""

AT_WORK = ("waiting", "running")
"""States of a run that a process is at work on."""


class RunError(ValueError):
    """A run that cannot be found, read or saved; the message names it and says what to do."""


@dataclass(frozen=True, kw_only=True)
class AnyRun:
    """What a run of every kind has.

    Attributes:
        path: the run's folder.
        config: what was trained.
        seconds: spent training.
        created: UTC time of the end, or of the last writing so far, ISO 8601.
        state: a key of `schema.STATES`.
        message: why it failed, else "".
        step: steps done.
        num_steps: steps of the whole run.
        origin: `{"run": name, "step": step}` of the weights it started from; None for freshly drawn ones.
        owner: whose it is, an opaque mark; "" for everybody's, such as those from the command line.
        title: what its owner calls it; any text, to be shown as text.
    """

    kind: ClassVar[str]

    path: Path
    config: RunConfig | StackConfig
    seconds: float
    created: str
    state: str = "finished"
    message: str = ""
    step: int = 0
    num_steps: int = 0
    origin: Mapping[str, Any] | None = None
    owner: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def is_trained(self) -> bool:
        """Whether there is something to look at, and nobody is changing it."""
        return self.step > 0 and self.state not in AT_WORK

    @property
    def can_go_on(self) -> bool:
        return self.state in CAN_GO_ON

    @property
    def label(self) -> str:
        """What people see: its title, else its name."""
        return self.title or self.name


@dataclass(frozen=True, kw_only=True)
class Run(AnyRun):
    """A network's.

    Attributes:
        image_shape: `(H, W, C)`.
        code_size: numbers in one image's code.
        parameters: trainable weights.
        metrics: by condition, such as "clean" or "gaussian 0.5", the figures of `evaluation.evaluate` on the test split;
            empty until the run is over.
        num_train: images it was trained on.
        epochs: epochs finished.
        versions: of Python and the libraries.
    """

    kind = "network"

    image_shape: tuple[int, int, int]
    code_size: int
    parameters: int
    metrics: Mapping[str, Mapping[str, float]]
    num_train: int
    epochs: int
    versions: Mapping[str, str]

    @property
    def num_epochs(self) -> int:
        """Epochs of the whole run, with those in which a layer was trained alone."""
        return num_epochs(self.config)


@dataclass(frozen=True, kw_only=True)
class StackRun(AnyRun):
    """A stack's and its two classifiers'.

    Attributes:
        figures: when it is finished, by arm the share of test images misread, as "pretrained" and "random", and the scores
            of `linear_probe.scores` under "features".
    """

    kind = "stack"
    metrics: ClassVar[Mapping[str, Mapping[str, float]]] = MappingProxyType({})  # it is judged by what it misreads
    parameters: ClassVar[int] = 0

    figures: Mapping[str, Any]

    @property
    def code_size(self) -> int:
        """How many numbers the last layer's maps have together."""
        return code_size(self.config, DATASETS[self.config.dataset].image_shape)


KINDS: dict[str, type[AnyRun]] = {of.kind: of for of in (Run, StackRun)}
"""By the "kind" in `run.json`; without one it is a network."""
