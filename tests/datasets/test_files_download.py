"""Downloads, from a server on this machine: what arrives, what is said when it does not, and what is left behind."""

import concurrent.futures
import functools
import gzip
import http.server
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from tiny_set import STEMS, check_equal, idx_bytes, make_arrays, npz_bytes, published, small_set, tree, write_folder

from cae_core.datasets import files
from cae_core.datasets.files import DownloadError, FileSet


class Server(http.server.ThreadingHTTPServer):
    """Serves `bodies` by path. `cut` is a path whose body breaks off half way; `gate`, if set, holds answers back."""

    def __init__(self):
        self.bodies, self.cut, self.gate, self.requests = {}, "", None, []
        super().__init__(("127.0.0.1", 0), Handler)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 (the name http.server calls)
        path = self.path.lstrip("/")
        self.server.requests.append(path)
        if self.server.gate:
            self.server.gate.wait(timeout=30)
        if path not in self.server.bodies:
            self.send_error(404)
            return
        body = self.server.bodies[path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if path == self.server.cut else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def one_file(server):
    return offer(server, {"tiny-set.npz": npz_bytes(make_arrays())})


@pytest.fixture
def four_files(server):
    return offer(server, {f"{STEMS[name]}.gz": gzip.compress(idx_bytes(array)) for name, array in make_arrays().items()})


KINDS = pytest.mark.parametrize("kind", ["one_file", "four_files"])


def offer(server, bodies):
    server.bodies |= bodies
    return small_set(urls=tuple(map(server.url, bodies)), download_bytes=sum(map(len, bodies.values())), md5=published())


def check_fails(tiny: FileSet, root: Path, *said: str) -> None:
    before = tree(root)
    with pytest.raises(DownloadError) as caught:
        tiny.download()
    mend = f"get {', '.join(tiny.urls)} by hand, to be put into {tiny._targets(root)[0].parent}."
    for part in ("Tiny could not be downloaded", "check the connection and try again", mend, *said):
        assert part in str(caught.value)
    assert tree(root) == before
    assert not tiny.on_machine()


@pytest.mark.parametrize(
    ("kind", "files_there"),
    [
        ("one_file", ["tiny-set.npz"]),
        ("four_files", ["tiny-set", *(f"tiny-set/{stem}.gz" for stem in sorted(STEMS.values()))]),
    ],
)
def test_download_is_checked_put_in_place_and_not_done_again(root, server, kind, files_there, request):
    tiny, reports = request.getfixturevalue(kind), []
    tiny.download(lambda *report: reports.append(report))
    assert tree(root) == files_there
    check_equal(tiny, make_arrays())
    fractions = [fraction for fraction, _ in reports]
    assert len(server.requests) == len(reports) - 1 == len(tiny.urls)
    assert fractions == sorted(fractions)
    assert fractions[-2] <= 0.99
    assert reports[-1] == (1.0, "Tiny: ready")
    assert all(text.startswith("Tiny: 0.0 of 0.0 MB") for _, text in reports[:-1])
    tiny.download(lambda *report: reports.append(report))
    assert len(server.requests) == len(tiny.urls)
    assert reports[-2:] == [(1.0, "Tiny: ready")] * 2


@pytest.mark.parametrize("is_set", [True, False])
def test_download_goes_where_keras_looks_unless_cae_data_dir_can_be_written_to(root, one_file, monkeypatch, is_set):
    (root / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("CAE_DATA_DIR", str(root / "file" / "below") if is_set else "")
    one_file.download()
    assert tree(root.parent / "keras") == ["datasets", "datasets/tiny-set.npz"]
    check_equal(one_file, make_arrays())
    assert tree(root) == ["file"]


@KINDS
def test_missing_or_cut_file(root, server, kind, request):
    tiny = request.getfixturevalue(kind)
    last = tiny.urls[-1].rpartition("/")[2]
    body, server.cut = server.bodies[last], last
    check_fails(tiny, root, f"after {len(body) // 2} of {len(body)} bytes", last)
    del server.bodies[last]
    check_fails(tiny, root, "404")


def test_nobody_answers(root):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there, but not listening itself
        check_fails(small_set(urls=(f"http://127.0.0.1:{silent.getsockname()[1]}/tiny-set.npz",)), root, "efused")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>Please log in</html>", "tiny-set.npz: File is not a zip file"),
        (npz_bytes({**make_arrays(), "x_test": np.zeros((1, 4, 4), np.uint8)}), "(1, 4, 4)"),
        (npz_bytes(make_arrays(seed=1)), "x_train is not the published one"),
        (npz_bytes({**make_arrays(), "y_test": make_arrays()["y_test"][::-1]}), "y_test is not the published one"),
        (bytes(100_000), "expected"),  # more than was promised
    ],
)
def test_wrong_content_is_not_kept(root, server, one_file, body, said, monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", 1000)
    server.bodies["tiny-set.npz"] = body
    check_fails(one_file, root, said)


def test_files_that_cannot_be_moved_into_place_and_an_incomplete_folder(root, four_files):
    (root / "tiny-set").write_text("a file where the folder should be", encoding="utf-8")
    check_fails(four_files, root, "exists")
    (root / "tiny-set").unlink()
    write_folder(root / "tiny-set", make_arrays(), leave_out="y_train")
    four_files.download()
    check_equal(four_files, make_arrays())


def test_damaged_file_is_kept_until_it_can_be_replaced(root, server, one_file):
    (root / "tiny-set.npz").write_bytes(b"damaged")
    server.cut = "tiny-set.npz"
    with pytest.raises(DownloadError):
        one_file.download()
    assert (root / "tiny-set.npz").read_bytes() == b"damaged"
    server.cut = ""
    one_file.download()
    check_equal(one_file, make_arrays())
    assert tree(root) == ["tiny-set.npz"]


def test_visitor_who_leaves_leaves_nothing_behind(root, one_file):
    class Left(BaseException):
        """As Streamlit stops a script: no Exception."""

    def leave(fraction, text):
        raise Left

    with pytest.raises(Left):
        one_file.download(leave)
    assert tree(root) == []
    one_file.download()  # the lock is free again
    assert one_file.on_machine()


def two_at_once(tiny, report):
    """Two downloads in threads of their own; `report` is told the number of the thread, the fraction and the text."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        visits = [pool.submit(tiny.download, functools.partial(report, number)) for number in range(2)]
        for visit in visits:
            visit.result(timeout=60)


def test_two_visitors_at_once_download_once(root, server, one_file):
    server.gate, reports = threading.Event(), ([], [])

    def report(number, fraction, text):
        reports[number].append(fraction)
        if "waiting" in text:
            server.gate.set()

    two_at_once(one_file, report)
    assert server.requests == ["tiny-set.npz"]
    assert tree(root) == ["tiny-set.npz"]
    assert [fractions[-1] for fractions in reports] == [1.0, 1.0]


def test_two_processes_at_once_both_end_with_the_set(root, server, one_file, monkeypatch):
    """Another process does not share the lock: each then downloads for itself, and neither disturbs the other."""

    class NoLock:
        locked = staticmethod(lambda: False)
        __enter__ = __exit__ = lambda *_: None

    monkeypatch.setattr(files, "_downloading", NoLock())
    both_here = threading.Barrier(2)
    two_at_once(one_file, lambda number, fraction, text: both_here.wait(timeout=30) if fraction < 1 else None)
    assert server.requests == ["tiny-set.npz"] * 2
    assert tree(root) == ["tiny-set.npz"]
    check_equal(one_file, make_arrays())
