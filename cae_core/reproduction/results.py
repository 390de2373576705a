"""Results of the reproductions, shipped with the app as one readable file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cae_core import runs
from cae_core.metrics import mean_and_spread
from cae_core.reproduction.registry import CARDS
from cae_core.runs import storage
from cae_core.runs.schema import SECONDS, number, reason

SHIPPED = runs.PRETRAINED_DIR / "reproductions.json"
"""Made by `python -m cae_core reproduce CARD --ship`."""


@dataclass(frozen=True)
class Result:
    """What came out of a card.

    Attributes:
        values: by claim's label, one value a seed.
        seconds: spent training, all runs together.
        made: UTC date.
        versions: of Python and the libraries.
        command: what makes it again.
    """

    values: Mapping[str, tuple[float, ...]]
    seconds: float
    made: str
    versions: Mapping[str, str]
    command: str

    @property
    def means(self) -> dict[str, float]:
        """By claim's label, the mean over seeds."""
        return {label: mean_and_spread(values)[0] for label, values in self.values.items()}


def shipped() -> tuple[dict[str, Result], list[str]]:
    """The results that ship with the app, by card, and a sentence for each that cannot be read."""
    try:
        entries = json.loads(storage.read(SHIPPED))
        if not isinstance(entries, dict):
            raise ValueError("it is not a mapping of cards to results")
    except FileNotFoundError:
        return {}, []
    except Exception as error:  # a damaged file fails in more ways than can be listed
        return {}, [f"{SHIPPED.name} is damaged ({reason(error)}): its results are left out. {_mend('CARD')}"]
    results, damaged = {}, []
    for name in [name for name in CARDS if name in entries]:
        try:
            results[name] = _result(entries[name])
        except Exception as error:
            damaged.append(f"The result of {name} in {SHIPPED.name} is damaged ({reason(error)}). {_mend(name)}")
    return results, damaged


def ship(name: str, result: Result) -> None:
    """Puts a card's result among those that ship; the others stay as they are.

    Raises:
        ValueError: the file is damaged and would lose what is in it.
    """
    kept, damaged = shipped()
    if damaged:
        raise ValueError(f"{damaged[0]} Nothing was written; mend or remove the file first.")
    kept = kept | {name: result}
    ordered = {card: dataclasses.asdict(kept[card]) for card in CARDS if card in kept}
    storage.write(SHIPPED, (json.dumps(ordered, indent=1) + "\n").encode())


def _result(entry: Mapping[str, Any]) -> Result:
    figure = number(-1e30, 1e30)
    values = {
        str(label): tuple(float(figure(label, value)) for value in of_seeds) for label, of_seeds in entry["values"].items()
    }
    if not all(values.values()):
        raise ValueError("a claim has no value")
    versions = {str(what): str(version) for what, version in entry["versions"].items()}
    texts = {key: str(entry[key]) for key in ("made", "command")}
    return Result(values, SECONDS("seconds", entry["seconds"]), versions=versions, **texts)


def _mend(card: str) -> str:
    return f"To make it again: python -m cae_core reproduce {card} --ship."
