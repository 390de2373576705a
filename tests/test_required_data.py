"""Tests on real data that is not there: skipped on somebody's machine, a failure where nobody looks at what was skipped."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(("variable", "outcome"), [("", pytest.skip), ("CI", pytest.fail), ("REQUIRE_DATA", pytest.fail)])
def test_without_the_data(variable, outcome, request, monkeypatch):
    conftest = request.config.pluginmanager.get_plugin(str(HERE / "conftest.py"))
    monkeypatch.setattr(conftest, "DATA_DIR", None)
    for name in ("CI", "REQUIRE_DATA"):
        monkeypatch.setenv(name, "1" if name == variable else "")
    request.node.add_marker("real_data")
    with pytest.raises(outcome.Exception, match="python -m cae_core train --dataset mnist --download"):
        conftest.pytest_runtest_setup(request.node)
