"""The identity of a run of a sweep: a hash of its configuration and of the code that decides what comes of it."""

import hashlib
import json
from pathlib import Path

from cae_core.config import RunConfig
from cae_core.runtime import packages
from cae_core.runtime.caching import cached
from cae_core.training.run_trainer import RunTrainer

DECIDES = (
    "architectures", "config.py", "corruptions.py", "colours.py", "datasets", "inspection", "losses.py", "metrics.py",
    "optimizers.py", "pca.py", "training", "validation.py",
)  # fmt: skip
"""What of `cae_core` a run's weights and figures depend on; the rest shows runs, or keeps them."""
LIBRARIES = ("tensorflow", "keras", "numpy")


@cached()
def code_version(core: Path = Path(__file__).parents[1]) -> str:
    """A hash of those sources and of the libraries' versions, 16 hexadecimal digits: no git is needed to know it.

    Line ends do not matter, so that it is the same on every system.
    """
    digest = hashlib.sha256(json.dumps([packages.versions()[name] for name in LIBRARIES]).encode())
    files = [file for name in DECIDES for file in ([core / name] if name.endswith(".py") else (core / name).rglob("*.py"))]
    for file in sorted(files):
        digest.update(f"\0{file.relative_to(core).as_posix()}\0{file.read_text(encoding='utf-8')}".encode())
    return digest.hexdigest()[:16]


def name_of(config: RunConfig, code: str) -> str:
    """What the run of a configuration by a version of the code is called, such as "strokes-fast-b32-5f2c90ab41d07e66"."""
    decided = json.dumps([config.to_dict(), code], sort_keys=True)
    return f"{RunTrainer.stem(config)}-{hashlib.sha256(decided.encode()).hexdigest()[:16]}"
