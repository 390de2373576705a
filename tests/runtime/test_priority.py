"""The priority of the threads that compute."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMPUTES = """
import contextlib, pathlib, threading
from cae_core import runtime

def used():
    threads = {}
    for task in pathlib.Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            stat = (task / "stat").read_text().rpartition(")")[2].split()
            threads[task.name] = int(stat[11]) + int(stat[12]), int(stat[16])
    return threads

assert runtime.ready(600)
import tensorflow as tf
before, x = used(), tf.ones((1500, 1500))
for _ in range(10):
    x = x @ x / 1500
x.numpy()
del before[str(threading.main_thread().native_id)]
print({nice for task, (ticks, nice) in used().items() if task in before and ticks > before[task][0] + 5})
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_what_computes_gives_way_to_hands():
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "2"}  # with one, the thread that asks computes, too
    program = [sys.executable, "-c", COMPUTES]
    ran = subprocess.run(program, capture_output=True, encoding="utf-8", cwd=ROOT, env=environment, check=True)
    assert ran.stdout.strip() == "{10}"
