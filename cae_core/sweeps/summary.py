"""A sweep's finished runs together: which settings vary, and what came out for each combination, over all seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cae_core.metrics import mean_and_spread
from cae_core.runs import Run


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone.

    Attributes:
        values: of the settings that vary, in their order.
        runs: at least one.
    """

    values: tuple[Any, ...]
    runs: tuple[Run, ...]

    def figure(self, condition: str, name: str = "mse") -> tuple[float, float] | None:
        """`mean_and_spread` of a figure on the whole test set; None if no run has it."""
        figures = [run.metrics[condition][name] for run in self.runs if name in run.metrics.get(condition, {})]
        return mean_and_spread(figures) if figures else None


def varied(several: Sequence[Run]) -> list[str]:
    """The settings in which the runs differ, the seed left out."""
    configs = [run.config.to_dict() for run in several]
    return (
        [name for name in configs[0] if name != "seed" and len({config[name] for config in configs}) > 1] if configs else []
    )


def groups(several: Sequence[Run]) -> list[Group]:
    """Finished runs by what varies, in the order of its values."""
    names, of_values = varied(several), {}
    for run in several:
        if run.state == "finished":
            of_values.setdefault(tuple(getattr(run.config, name) for name in names), []).append(run)
    return [Group(values, tuple(of)) for values, of in sorted(of_values.items())]
