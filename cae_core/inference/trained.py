"""The trained network that shows what an architecture can do."""

from __future__ import annotations

from cae_core import runs
from cae_core.pretrained import NETWORK, name_of, vae_name


def find(architecture: str, dataset: str, owner: str) -> runs.Run | None:
    """The trained run to show a network by: the shipped one, else the visitor's newest; None if there is none.

    Args:
        architecture: which network.
        dataset: the shipped run is of this data set; of the visitor's own, those of it come first.
        owner: the visitor's mark.
    """
    named = {NETWORK: name_of(dataset, 32, "bce", "mixed"), "vae": vae_name(dataset, 2)}
    shipped = named.get(architecture, f"{dataset}-{architecture}")
    if (runs.PRETRAINED_DIR / shipped).is_dir():
        return runs.read(runs.PRETRAINED_DIR / shipped)
    own = [run for run in runs.networks(runs.runs_dir()) if run.config.architecture == architecture and run.is_trained]
    own = [run for run in own if run.owner in ("", owner)]
    return max(own, key=lambda run: (run.config.dataset == dataset, run.created), default=None)
