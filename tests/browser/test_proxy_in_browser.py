"""Two copies of the app behind a real nginx, by the configuration that ships, and by one that sends visitors in turn."""

import io
import re
import shutil
import subprocess
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from live import ROOT, free_port
from PIL import Image

pytestmark = pytest.mark.browser

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
BASE = "lab/autoencoders"
TRAIN = (
    "train?architecture=dense&optimizer=adam&learning_rate=0.003&schedule=constant&num_train=600&epochs=1000&batch_size=50"
)


@pytest.fixture
def proxies(start, tmp_path):
    """Addresses of the same two copies: by the configuration that ships, under a path of their own; and in turn."""
    if NGINX is None:
        pytest.skip("there is no nginx (apt-get install nginx-light)")
    copies = [start(STREAMLIT_SERVER_BASE_URL_PATH=BASE, CAE_RUNS_DIR=str(tmp_path / "runs")) for _ in range(2)]
    text = (ROOT / ".deploy/nginx.conf").read_text(encoding="utf-8").replace("location / {", f"location /{BASE}/ {{")
    for port, copy in zip(("8501", "8502"), copies, strict=True):
        text = text.replace(f":{port};", f":{urlsplit(copy.root).port};")
    sticky, in_turn = free_port(), free_port()
    shared, upstream, server = re.split(r"(?=^upstream|^server)", text, flags=re.MULTILINE)
    server = server.replace("listen 80;", f"listen 127.0.0.1:{sticky};")
    careless = (upstream + server).replace("hash $visitor", "# hash").replace("add_header", "# add_header")
    careless = (
        careless.replace("autoencoders {", "turns {")
        .replace("//autoencoders;", "//turns;")
        .replace(f":{sticky};", f":{in_turn};")
    )
    paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log {tmp_path}/errors; events {{}} "
        f"http {{ access_log off; {paths}\n{shared}{upstream}{server}{careless} }}",
        encoding="utf-8",
    )
    nginx = subprocess.Popen([NGINX, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "errors"])
    yield [SimpleNamespace(root=f"http://127.0.0.1:{port}/{BASE}/") for port in (sticky, in_turn)]
    nginx.terminate()
    nginx.wait()


def a_one():
    """A picture of a digit, as a browser hands it over."""
    image, picture = Image.new("L", (60, 90), 255), io.BytesIO()
    image.paste(0, (26, 20, 34, 70))
    image.save(picture, "PNG")
    return {"name": "one.png", "mimeType": "image/png", "buffer": picture.getvalue()}


def test_two_copies_behind_a_proxy(proxies, visit, expect):
    sticky, in_turn = proxies
    visitor = visit(sticky, "draw?seed=7").idle()
    assert visitor.link["seed"] == "7"
    visitor.page.locator("input[type=file]").set_input_files(a_one())
    visitor.wait_for_link(ready="own")  # it was taken for a drawing
    visitor.open(TRAIN).idle().click("Train this network")
    stop = visitor.page.locator(".st-key-live_stop button:enabled")
    stop.wait_for()
    visitor.page.reload()
    stop.click()
    expect(visitor.page.get_by_text("Several copies of this app")).to_have_count(0)

    other = visit(in_turn, "draw").idle()
    for _ in range(8):  # now and then all that comes before the page is answered by one copy
        if other.page.get_by_text("Several copies of this app").count():
            break
        other.page.reload()
        other.idle()
    expect(other.page.get_by_text("Several copies of this app answer you in turn")).to_be_visible()
    other.errors.clear()  # what a copy was to answer that knew nothing of the question
