"""How strong the tests are: plants 40 faults, one at a time, and says which are caught.

`python -m tests.faults [WORD ...]` works on a copy of the project. For each fault the test files run first that are called
after its module, then, if those pass, the whole default suite. With words, only faults of files whose path has one of
them are planted; `--check` plants all and runs nothing.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = [
    ("cae_core/metrics.py", "weights / weights.sum()", "weights"),
    ("cae_core/colours.py", "60 * sector % 360", "60 * sector"),
    ("cae_core/corruptions.py", "xp.floor(at * (size - side + 1.0))", "xp.floor(at * (size - side))"),
    ("cae_core/losses.py", "logits)) ** 2, axis=(1, 2, 3))) / 2.0", "logits)) ** 2, axis=(1, 2, 3)))"),
    ("cae_core/optimizers.py", "0.95 * momentum + 0.05 * gradient)", "0.95 * momentum + gradient)"),
    ("cae_core/pca.py", "(part - self.mean) @", "part @"),
    ("cae_core/config.py", "{self.low:g} to {self.high:g}", "{self.high:g} to {self.low:g}"),
    ("cae_core/latent/manifold.py", "middles[::-1]", "middles"),
    ("cae_core/latent/neighbours.py", "distances[rows, start + rows] = np.inf", "distances[rows, rows] = np.inf"),
    ("cae_core/latent/embedding.py", "@ self.directions + self.origin)", "@ self.directions - self.origin)"),
    ("cae_core/latent/posterior.py", "variances @ (across * up) / a", "variances @ (across * up)"),
    ("cae_core/latent/gaps.py", "likeness.max(axis=1) >= least", "likeness.max(axis=1) <= least"),
    ("cae_core/latent/live_plane.py", "points @ (u @ vt)", "points @ (u @ vt).T"),
    ("cae_core/inspection/checkerboard.py", " - power[:, row, column]", ""),
    ("cae_core/inspection/loss_slopes.py", "t, p: 2 * (p - t) * p * (1 - p)", "t, p: (p - t) * p * (1 - p)"),
    ("cae_core/inspection/switches.py", "float((errors < others).mean())", "float((errors > others).mean())"),
    ("cae_core/inspection/activations.py", "z if coded > 1 else z[0]", "z if coded > 2 else z[0]"),
    ("cae_core/inference/novelty.py", "percentile >= UNLIKE", "percentile > UNLIKE"),
    ("cae_core/inference/colourise.py", "for side in (width, height)", "for side in (height, width)"),
    ("cae_core/inputs/drawing.py", "2, (picture.shape[1] - side) / 2", "2, 0"),
    ("cae_core/datasets/strokes.py", "astype(np.float32) - centre", "astype(np.float32)"),
    ("cae_core/figures/plotting.py", 'training["showlegend"] = len(curves) == 1', 'training["showlegend"] = True'),
    ("cae_core/figures/mosaics.py", "-most if values.min() < 0 else 0.0", "0.0"),
    ("cae_core/architectures/layers.py", "(0, 1, 4, 2, 5, 3)), (n, 2 * height", "(0, 1, 5, 2, 4, 3)), (n, 2 * height"),
    ("cae_core/architectures/blocks.py", "yield (seed * 1009 + layer) % 2**31", "yield seed % 2**31"),
    ("cae_core/architectures/network.py", "start + INFERENCE_BATCH] for", "start + INFERENCE_BATCH - 1] for"),
    ("cae_core/training/loop.py", "phase.rate((step - phase.first_step) / phase.steps)", "phase.rate(step / phase.steps)"),
    ("cae_core/training/objectives.py", "num_epochs(config) - config.epochs, config.epochs", "0, config.epochs"),
    ("cae_core/training/duration.py", "seconds_per_step * num_epochs(config)", "seconds_per_step"),
    ("cae_core/training/run_monitor.py", "self._stride *= 2", "self._stride += 2"),
    ("cae_core/jobs/scheduling.py", "if ours >= MOST_OF_ONE", "if ours > MOST_OF_ONE"),
    ("cae_core/jobs/job.py", "self.steps = max(0, self.steps - is_paused)", "self.steps = max(0, self.steps)"),
    ("cae_core/runs/manage.py", "== run.owner][KEPT:]", "== run.owner][KEPT + 1 :]"),
    ("cae_core/reproduction/claims.py", "(1 - card.tolerance) - slack", "(1 + card.tolerance) - slack"),
    ("cae_core/stacking/results.py", "_t_quantile(len(differences) - 1)", "_t_quantile(len(differences))"),
    ("cae_core/stacking/linear_probe.py", "p[rows, y] -= 1\n", "p[rows, y] -= 0.9\n"),
    ("cae_core/sweeps/identity.py", "json.dumps([config.to_dict(), code]", "json.dumps([config.to_dict()]"),
    ("cae_core/sweeps/findings.py", "rate / log(2) / 8", "rate / 8"),
    ("cae_core/export/projector.py", "MAX_NUMBERS // size", "MAX_NUMBERS // size + 1"),
    ("pages/denoise.py", '["seed"] + 1) % 10_000', '["seed"] + 1) % 9_999'),
    ("pages/parts/session/state.py", "and not is_drawn and", "and"),
    ("pages/parts/common/show.py", "{image_size / code_size:", "{code_size / image_size:"),
    ("pages/parts/denoise/metric_table.py", "(after > before) == higher_is_better", "(after > before) != higher_is_better"),
    ("pages/parts/latent/code_sliders.py", "fitted.components * spread[:, None]", "fitted.components"),
]  # fmt: skip
"""File, what stands there once, and the fault in its place: a sign, off by one, swapped, dropped, a default."""


def first_files(module: Path) -> list[str]:
    """The test files that are called after a module, or else those that name it; none that need a browser."""
    name = module.parent.name if module.stem == "__init__" else module.stem
    tests = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "browser" not in path.parts]
    called = [path for path in tests if name in path.stem]
    naming = [path for path in tests if re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))]
    return [str(path.relative_to(ROOT)) for path in called or naming]


def fails(copy: Path, files: list[str]) -> str:
    """The first test that fails in these files, or in the default suite if there are none; "" where all pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--tb=no", *files]
    done = subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8")
    failed = re.search(r"^(?:FAILED|ERROR) (tests/\S+)", done.stdout, re.MULTILINE)
    if done.returncode and not failed:
        raise SystemExit(f"The tests could not be run:\n{done.stdout}{done.stderr}")
    return failed[1] if failed else ""


def main(words: list[str]) -> None:
    is_check = "--check" in words
    words = [word for word in words if word != "--check"]
    chosen = [fault for fault in FAULTS if not words or any(word in fault[0] for word in words)]
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        for file, sound, fault in chosen:
            path, begun = copy / file, time.monotonic()
            text = path.read_text(encoding="utf-8")
            if text.count(sound) != 1:
                raise SystemExit(f"{file} has {sound!r} {text.count(sound)} times: write the fault anew.")
            path.write_text(text.replace(sound, fault), encoding="utf-8")
            by = "" if is_check else fails(copy, first_files(Path(file))) or fails(copy, [])
            path.write_text(text, encoding="utf-8")
            caught += bool(by)
            print(f"{by or 'NOT CAUGHT':100} {time.monotonic() - begun:5.0f} s  {file}", flush=True)
    print(f"{caught} of {len(chosen)} faults caught")


if __name__ == "__main__":
    main(sys.argv[1:])
