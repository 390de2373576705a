"""How long what the settings would train takes, and how that is known."""

from collections.abc import Sequence

from cae_core import comparisons, datasets, training
from cae_core.architectures import ARCHITECTURES, num_epochs
from cae_core.config import RunConfig
from cae_core.training import duration
from pages.parts.common import show


def plan(configs: Sequence[RunConfig], compared: str = "") -> str:
    """In a line, as Markdown.

    Args:
        configs: of one run, or of several that differ in nothing that is said here.
        compared: what is compared, as of `recipes.KINDS`, whose shipped runs tell the pace too.
    """
    if not configs:
        return ""
    config, several = configs[0], f"{len(configs)} runs, each " if len(configs) > 1 else ""
    images, image_shape = training.num_images(config), datasets.DATASETS[config.dataset].image_shape
    if ARCHITECTURES[config.architecture].solve:
        return f"{images:,} images, computed at once"
    shipped = comparisons.runs_of(compared, config.dataset) if compared else []
    paces = [duration.pace(config, image_shape, shipped) for config in configs]
    took = "time not measured yet"
    if all(paces):
        whose = "on this machine" if all(pace.is_own for pace in paces) else "at the shipped run's pace"
        whose = whose.replace("run's", "runs'") if several else whose
        seconds = sum(pace.seconds(config, images) for pace, config in zip(paces, configs, strict=True))
        took = f"about **{show.seconds(max(1, seconds))}** {whose}"
    return f"{several}{num_epochs(config)} × {images:,} images, {took}"
