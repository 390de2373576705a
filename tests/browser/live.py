"""The real server and a real browser, as a visitor has them; for the browser tests and the benchmarks.

Every server is a process of its own in a fresh environment: no CAE_DATA_DIR unless it is handed over, a Keras cache and a
folder for runs that are empty. So it opens with the data set that the program draws itself and asks nobody for anything.
"""

import base64
import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urljoin

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0  # seconds to wait for anything; far more than it takes, so that a busy machine fails nothing
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]


def chromium() -> str | None:
    """Where the browser is: CHROMIUM, else Debian's, else on the PATH; None when there is none."""
    if named := os.environ.get("CHROMIUM"):
        return named
    return next((path for path in ("/usr/bin/chromium", shutil.which("chromium")) if path and os.path.exists(path)), None)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`streamlit run app.py`, or another script, on a free port.

    Attributes:
        root: its address, with a slash at the end.
        launched: `time.perf_counter()` at the launch of the process.
        runs: the folder of its visitors' runs.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], script: str = "app.py") -> None:
        port = free_port()
        self.root = urljoin(f"http://127.0.0.1:{port}/", environment.get("STREAMLIT_SERVER_BASE_URL_PATH", "") + "/")
        self.log = folder / f"server-{port}.log"
        clean = {key: value for key, value in os.environ.items() if key != "CAE_DATA_DIR"}
        self.runs = folder / "runs"
        homes = {"KERAS_HOME": str(folder / "keras"), "CAE_RUNS_DIR": str(self.runs)}
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
        self._command = [*command, "--server.port", str(port)]
        self._environment = {**clean, **homes, **environment}
        self._launch()

    def _launch(self) -> None:
        self.launched = time.perf_counter()
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def start_again(self) -> Self:
        """Launches it once more at the same address with the same folders, and returns once it answers."""
        self._launch()
        return self.wait()

    def wait(self) -> Self:
        """Returns once it answers."""
        end = time.monotonic() + PATIENCE
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), direct.open(self.root + "_stcore/health", timeout=5):
                return self
            time.sleep(0.02)
        raise RuntimeError(f"The server did not answer. Its log:\n{self.log.read_text(encoding='utf-8')[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def serve(folder: Path, script: str = "app.py", **environment: str) -> Iterator[Server]:
    """A server of its own that is gone afterwards, whatever happens.

    Args:
        folder: for its log, its Keras cache and its runs.
        script: what Streamlit runs.
        environment: variables that it gets besides.
    """
    server = Server(folder, environment, script)
    try:
        yield server.wait()
    finally:
        server.stop()


def decode(src: str) -> np.ndarray:
    """The picture in a data URI, `(h, w, 3)` uint8."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(src.partition(",")[2]))).convert("RGB"))
