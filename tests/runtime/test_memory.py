"""Too little memory for TensorFlow is said before it is loaded; looking goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from cae_core.runtime import memory

MB = 1_000_000
MEMINFO = "MemTotal: 999999 kB\nMemAvailable: {} kB\nSwapFree: {} kB\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Puts files under /proc and under the control groups' folder."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "available_addresses", lambda: None)

    def put(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return put


def test_nothing_is_refused_where_nobody_can_tell(machine):
    memory.check()
    assert memory.available() is None


@pytest.mark.parametrize(("free", "swap", "fits"), [(700_000, 0, True), (300_000, 400_000, True), (300_000, 0, False)])
def test_the_machines_memory(machine, free, swap, fits):
    machine({"proc/meminfo": MEMINFO.format(free, swap)})
    assert memory.available() == (free + swap) / 1000
    if fits:
        memory.check()
        return
    with pytest.raises(memory.TooLittle, match=r"needs about 600 MB .* 300 MB are left .* close other programs or use"):
        memory.check()


NAMES = {2: ("max", "current", "inactive_file"), 1: ("limit_in_bytes", "usage_in_bytes", "total_inactive_file")}
"""Version of the control groups to the files' endings, and to what of the use is only kept of files."""


@pytest.mark.parametrize(("version", "path"), [(2, ""), (2, "/app.slice"), (1, ""), (1, "/docker/abc")])
def test_a_containers_memory_without_what_is_only_kept_of_files(machine, version, path):
    limit, used, kept = NAMES[version]
    group = f"cgroup{'/memory' * (version == 1)}{path}/memory."
    machine({"proc/meminfo": MEMINFO.format(20_000_000, 0)})
    machine({"proc/self/cgroup": f"12:cpu:/x\n{'0:' if version == 2 else '3:memory'}:{path or '/'}\n"})
    assert memory.available() == 20_000
    machine({group + limit: f"{690 * MB}\n", group + used: f"{200 * MB}\n", group + "stat": f"rss 1\n{kept} {50 * MB}\n"})
    assert memory.available() == 540
    with pytest.raises(memory.TooLittle, match="540 MB"):
        memory.check()
    machine({group + limit: "max\n"})  # there is no limit
    assert memory.available() == 20_000


PROBE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (690_000_000,) * 2)
from cae_core import runtime
from cae_core.inference import reconstruction
ten = reconstruction.sample("strokes", "gaussian", 0.5, seed=0)
(result,) = reconstruction.reconstruct(ten, ["strokes-b32-bce-mixed"])
assert result.figures["mse"] < ten.noisy_figures["mse"] / 4
try:
    runtime.ready(60)
except RuntimeError as error:
    print(error, "tensorflow" in sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of addresses")
def test_under_a_real_limit_networks_are_looked_at_and_training_is_refused():
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=root, capture_output=True, encoding="utf-8", timeout=120)
    assert done.stdout.startswith("Training needs about 2,500 MB of memory for TensorFlow, and "), done.stderr
    assert done.stdout.endswith("False\n")
