"""Results of the reproductions, shipped with the app as one readable file."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cae_core import runs
from cae_core.metrics import mean_and_spread
from cae_core.reproduction.registry import CARDS
from cae_core.runs import storage
from cae_core.runs.schema import SECONDS, mapping, number, reason, record, text

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


def _per_seed(name: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{name} is {value!r}, not a list of values")
    return tuple(float(number(-1e30, 1e30)(name, of_seed)) for of_seed in value)


_FIELDS = record({
    "values": mapping(_per_seed), "seconds": SECONDS, "made": text(80), "versions": mapping(text(80)), "command": text(200),
})  # fmt: skip


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
            results[name] = Result(**_FIELDS("", entries[name]))
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


def _mend(card: str) -> str:
    return f"To make it again: python -m cae_core reproduce {card} --ship."
