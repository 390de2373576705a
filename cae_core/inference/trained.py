"""The trained network that shows what an architecture can do."""

from cae_core import datasets, runs
from cae_core.pretrained import NETWORK, name_of, vae_name


def find(architecture: str, dataset: str, owner: str) -> runs.Run | None:
    """The trained run to show a network by; None if there is none.

    The shipped one, else the visitor's newest, else one that ships for another data set in grey: what was learned from
    other digits shows more than weights that have learned nothing.

    Args:
        architecture: which network.
        dataset: the shipped run is of this data set; of the visitor's own, those of it come first.
        owner: the visitor's mark.
    """
    if (shipped := _shipped(architecture, dataset)) is not None:
        return shipped
    own = [run for run in runs.networks(runs.runs_dir()) if run.config.architecture == architecture and run.is_trained]
    if own := [run for run in own if run.owner in ("", owner)]:
        return max(own, key=lambda run: (run.config.dataset == dataset, run.created))
    return next(filter(None, (_shipped(architecture, other) for other in datasets.GREY)), None)


def _shipped(architecture: str, dataset: str) -> runs.Run | None:
    named = {NETWORK: name_of(dataset, 32, "bce", "mixed"), "vae": vae_name(dataset, 2)}
    name = named.get(architecture, f"{dataset}-{architecture}")
    return runs.read(runs.PRETRAINED_DIR / name) if (runs.PRETRAINED_DIR / name).is_dir() else None
