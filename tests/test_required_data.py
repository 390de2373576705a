"""Tests on real data that is not there: skipped on somebody's machine, a failure where nobody looks at what was skipped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("variable", "ended"), [("", "1 skipped"), ("CI", "1 error"), ("REQUIRE_DATA", "1 error")])
def test_without_the_data(variable, ended):
    clean = {key: value for key, value in os.environ.items() if key not in ("CAE_DATA_DIR", "CI", "REQUIRE_DATA")}
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-n0", "-m", "real_data"]
    environment = clean | ({variable: "1"} if variable else {})
    command += ["tests/test_pca.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=120)
    assert ended in done.stdout.splitlines()[-1]
    assert "python -m cae_core train --dataset mnist --download" in done.stdout
    assert done.returncode == (1 if variable else 0)
