"""What ships the app: the lock file, the image's steps, the files that hosts read."""

import contextlib
import itertools
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cae_core.runtime import packages

ROOT = Path(__file__).parent.parent
DOCKERFILE, LOCK = ROOT / ".deploy/Dockerfile", ROOT / ".deploy/requirements.lock"
BASE = os.environ.get("BASE_IMAGE", "docker.io/library/python:3.12-slim")
"""Another where that cannot be fetched."""
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 300
DOCTOR = ["python", "-m", "cae_core", "doctor", "--json", "--port"]
"""Loads TensorFlow, reads the data sets and tries the runs' folder."""


def steps():
    """The Dockerfile's instructions: word, and what follows."""
    text = re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8")).replace("\\\n", " ")
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line]


def locked():
    """The versions and numbers of hashes of every package in the lock file; of the same in several versions, several."""
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", LOCK.read_text(encoding="utf-8")))
    matches = [(re.match(r"([\w-]+)==([\w.]+)", entry), entry.count("--hash=sha256:")) for entry in entries]
    return [(match[1], match[2], hashes) for match, hashes in matches]


def test_the_lock_file_has_what_is_required_with_a_hash_for_each():
    required = packages.required((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert len(required) == 5
    assert all(hashes for _, _, hashes in locked())
    for name, bounds in [*required.items(), ("tensorflow-cpu", required["tensorflow"])]:
        versions = [version for locked_name, version, _ in locked() if locked_name == name]
        assert versions, name
        assert [version for version in versions if not packages.allows(bounds, version)] == []


@pytest.mark.slow
def test_the_lock_file_fits_together_on_every_python():
    """A package of each is there as a wheel, and all that they ask for is in the file."""
    command = ["uv", "pip", "compile", "--no-config", "--quiet", "--generate-hashes", "--only-binary", ":all:"]

    def resolve(version, machine):
        run([*command, "--python-version", version, "--python-platform", f"{machine}-manylinux_2_28", LOCK])

    with ThreadPoolExecutor() as pool:  # each mostly waits for the package index
        kinds = itertools.product(("3.11", "3.12", "3.13"), ("x86_64", "aarch64"))
        list(pool.map(resolve, *zip(*kinds, strict=True)))


def run(command, **more):
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE, **more)
    assert done.returncode == 0, f"{command}: {(done.stdout + done.stderr)[-3000:]}"
    return done.stdout.strip()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@contextlib.contextmanager
def serving(command, port, **more):
    """A server that has answered that it is well, and its first page's text."""
    server = subprocess.Popen(command, **more)
    try:
        end = time.monotonic() + PATIENCE
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < end and server.poll() is None:
            with contextlib.suppress(OSError), direct.open(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                break
            time.sleep(0.1)
        yield direct.open(f"http://127.0.0.1:{port}/", timeout=30).read().decode()
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.slow
def test_the_images_steps_carried_out_in_a_bare_environment(tmp_path):
    """Not by pip, but by uv, which reads the same lock file and takes a tenth of its time."""

    def here(text):
        return re.sub(r"(?<![\w.-])/(app|data)\b", lambda match: str(tmp_path / match[1]), text)

    venv = tmp_path / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", venv])
    kept = {key: os.environ[key] for key in ("UV_CACHE_DIR", "SSL_CERT_FILE") if key in os.environ}
    cache = {"UV_CACHE_DIR": str(Path.home() / ".cache/uv")} | kept
    environment = {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), **cache}
    folder, user, ran = tmp_path, "root", []
    for word, rest in steps():
        if word == "RUN" and "useradd" in rest:
            (tmp_path / "data").mkdir()
        elif word == "RUN":
            by_uv = rest.replace("python -m pip install --no-cache-dir", f"uv pip install --no-config --python {venv}")
            run(["sh", "-ec", here(by_uv)], cwd=folder, env=environment)
            ran.append(rest)
        elif word == "WORKDIR":
            folder = Path(here(rest))
            folder.mkdir()
        elif word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, folder / target)
                else:
                    (folder / target).mkdir(exist_ok=True)
                    shutil.copy(ROOT / source, folder / target)
        elif word == "ENV":
            environment |= dict(part.split("=", 1) for part in shlex.split(here(rest)))
        elif word == "USER":
            user = rest
        elif word == "CMD":
            command = json.loads(rest)
        elif word == "HEALTHCHECK":
            health = json.loads(rest.partition("CMD ")[2])
        else:
            assert word in ("ARG", "FROM", "VOLUME", "EXPOSE"), word
    assert user not in ("root", "0")
    assert any("--require-hashes" in step for step in ran)
    port = environment["STREAMLIT_SERVER_PORT"] = free_port()
    with serving(command, port, cwd=folder, env=environment) as page:
        assert "<title>" in page
        run(health, env=environment)
        report = json.loads(run([*DOCTOR, free_port()], cwd=folder, env=environment))
    assert subprocess.run(health, env=environment, capture_output=True, timeout=60).returncode != 0
    texts = {finding["about"]: finding["text"] for finding in report["findings"]}
    versions = {name: version for name, version, _ in locked()}
    assert texts["tensorflow"].startswith(f"{versions['tensorflow-cpu']}, ")
    assert texts["runs"].startswith(f"{tmp_path}/data/runs can be written to")
    assert report["works"]


def builder():
    """The first program at hand that builds images and runs them here."""
    for tool in ("docker", "podman"):
        if shutil.which(tool) and subprocess.run([tool, "info"], capture_output=True, timeout=60).returncode == 0:
            return tool
    pytest.skip("neither docker nor podman works here")


@pytest.mark.slow
def test_the_image_is_built_and_answers():
    tool, port = builder(), free_port()
    if subprocess.run([tool, "pull", BASE], capture_output=True, timeout=PATIENCE).returncode:
        pytest.skip(f"{tool} cannot fetch {BASE}; BASE_IMAGE may name another")
    run([tool, "build", "--build-arg", f"PYTHON={BASE}", "-f", DOCKERFILE, "-t", "autoencoders-test", ROOT])
    container = f"autoencoders-{port}"
    inside, asks = [tool, "exec", container], json.loads(dict(steps())["HEALTHCHECK"].partition("CMD ")[2])
    named = ["--name", container, "--network=host", "-e", f"STREAMLIT_SERVER_PORT={port}"]
    try:
        with serving([tool, "run", *named, "autoencoders-test"], port) as page:
            assert "<title>" in page
            run([*inside, *asks])
            assert run([*inside, "id", "-u"]) == dict(steps())["USER"]
            run([*inside, *DOCTOR, free_port()])
    finally:
        subprocess.run([tool, "rm", "--force", container], capture_output=True, timeout=60)


def test_what_hosts_read_names_the_images_port_and_the_readmes_commands():
    port = dict(steps())["EXPOSE"]
    space = (ROOT / ".deploy/space/README.md").read_text(encoding="utf-8").split("---\n")[1]
    fields = dict(line.split(": ", 1) for line in space.splitlines())
    assert (fields["sdk"], fields["app_port"]) == ("docker", port)
    assert len(fields["short_description"]) <= 60
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["forwardPorts"] == [int(port)]
    shell = re.search(r"```sh\n(.*?)```", README, re.DOTALL)[1].splitlines()
    assert [container["postCreateCommand"], container["postAttachCommand"]] == shell
