"""Questions of the Runs page: comparisons to try, of runs that ship with the app."""

from collections.abc import Mapping
from typing import Any

from cae_core import runs
from cae_core.pretrained import name_of
from cae_core.sweeps import findings
from pages.parts.lesson.question import Question, questions_of


def _errors(now: Mapping[str, Any]) -> str:
    errors = [runs.network(name).metrics["clean"]["mse"] for name in now["runs"]]
    return f"MSE {', '.join(f'{error:.4f}' for error in errors[:-1])} and {errors[-1]:.4f} over the clean test set"


def _bytes(dataset: str) -> str:
    points = findings.find(dataset).points
    (code,) = [point for point in points if point.run == name_of(dataset, 32, "mse", "clean")]
    jpeg = min(
        (point for point in points if point.curve == "jpeg" and point.mse <= code.mse), key=lambda point: point.bytes
    )
    return f"32 bytes with MSE {code.mse:.4f}; JPEG {jpeg.bytes:.0f} bytes with {jpeg.mse:.4f}"


def _met(dataset: str) -> str:
    cells = [cell for cell in findings.find(dataset).cells if cell.run == name_of(dataset, 32, "mse", "clean")]
    half = {cell.kind: cell.mse for cell in cells if cell.factor == 0.5}
    return ", ".join(
        f"{kind.replace('_', ' ')} MSE {half[kind]:.4f}" for kind in ("gaussian", "salt_and_pepper", "masking")
    )


def questions(dataset: str) -> dict[str, Question]:
    """Comparisons of runs that ship with the app; a test holds each against what was measured."""

    def compared(*parts: tuple[int, str, str]) -> dict:
        return {"whose": "shipped", "runs": tuple(name_of(dataset, *part) for part in parts)}

    return questions_of(
        "runs",
        dict.fromkeys(("two_or_more", "wider", "bce_or_mse", "cost_of_practice"), _errors)
        | {"few_bytes": lambda now: _bytes(dataset), "unmet_noise": lambda now: _met(dataset)},
        two_or_more=compared((2, "mse", "clean"), (32, "mse", "clean")),
        wider=compared((8, "mse", "clean"), (32, "mse", "clean"), (128, "mse", "clean")),
        bce_or_mse=compared((32, "bce", "clean"), (32, "mse", "clean")),
        cost_of_practice=compared((32, "bce", "mixed"), (32, "bce", "clean")),
        few_bytes={"view": "sizes"},
        unmet_noise={"view": "robustness"},
    )
