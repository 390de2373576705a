"""What a stack's folder holds beside what every run's does, read; and a visitor's last stack.

    checkpoint-STEP.npz   every weight, and what else it takes to go on exactly from there
    seen.npz              the last pictures and curves, so that they can be shown again without its networks
    predictions.npz       what both classifiers read in every test image, when it is finished

Nothing in it can execute code when loaded.
"""

import contextlib

import numpy as np

from cae_core import runs
from cae_core.config import StackConfig
from cae_core.datasets import DATASETS
from cae_core.runs import StackRun, storage
from cae_core.stacking.progress import StackProgress
from cae_core.validation import code_size


def latest(owner: str) -> StackRun | None:
    """The visitor's stack that was written last; damaged ones are passed over."""
    own = [run for run in runs.every(runs.runs_dir())[0] if isinstance(run, StackRun) and run.owner == owner]
    return max(own, key=lambda stack: (stack.created, stack.name), default=None)


def most_unpacked(config: StackConfig) -> int:
    """Bytes that a stack's weights take with what its optimizer knows of each, at most."""
    entry = DATASETS[config.dataset]
    reads = (entry.image_shape[2], *config.maps)
    layers = sum(below * maps * kernel**2 for below, maps, kernel in zip(reads, config.maps, config.kernels, strict=False))
    dense = code_size(config, entry.image_shape) * max(config.hidden, len(entry.class_names))
    return storage.MOST_UNPACKED + 4 * 3 * (3 * layers + 2 * dense)


def progress(stack: StackRun) -> StackProgress | None:
    """The last pictures of a stack; None where there are none yet, or they are damaged."""
    with contextlib.suppress(Exception):  # a damaged archive fails in more ways than can be listed
        last = StackProgress.from_arrays(storage.read_arrays(stack.path / "seen.npz"))
        last.check(DATASETS[stack.config.dataset].image_shape, stack.config.layers)
        return last
    return None


def predictions(stack: StackRun) -> dict[str, np.ndarray]:
    """By arm, the class `(n,)` uint8 read in every test image; {} where that is not known."""
    with contextlib.suppress(Exception):
        classes_read = storage.read_arrays(stack.path / "predictions.npz")
        classes = len(DATASETS[stack.config.dataset].class_names)
        if all(read.dtype == np.uint8 and read.ndim == 1 and read.max() < classes for read in classes_read.values()):
            return classes_read
    return {}
