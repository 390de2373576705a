"""Addresses that people guess, type, embed and hand on; and who one is in a frame on another site."""

import functools
import hashlib
import http.server
import json
import shutil
import threading
from urllib.parse import parse_qsl, urlsplit

import pytest

from cae_core import runs
from pages.parts.session import component

pytestmark = pytest.mark.browser

NO_STORAGE = """
Object.defineProperty(Document.prototype, "cookie", { get: () => "", set: () => {} });
Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("denied", "SecurityError"); } });
"""


@pytest.fixture
def course(tmp_path, server):
    """The address of a page on another site that has the app in a frame, at the link behind the #."""
    frame = '<iframe width="1200" height="700"></iframe>'
    script = f'<script>document.querySelector("iframe").src = "{server.root}" + location.hash.slice(1)</script>'
    (tmp_path / "index.html").write_text(f"<title>Course</title>{frame}{script}", encoding="utf-8")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://localhost:{site.server_port}/index.html"
        site.shutdown()


def test_first_page_opens_at_the_address_that_anybody_would_guess(visit, server):
    visitor = visit(server)
    for link in ("denoise/?noise_factor=0.8", "denoise?noise_factor=0.7", "denoise"):
        visitor.open(link).whole()
        assert visitor.page.get_by_role("dialog").count() == 0
        assert visitor.link["noise_factor"] == (link.partition("=")[2] or "0.5")
        assert visitor.page.locator("[aria-current=page]").all_inner_texts() == ["Denoise"]
    visitor.page.get_by_role("link", name="Runs").click()
    visitor.page.get_by_role("heading", name="Which settings made the difference?").wait_for()


def test_what_others_put_into_an_address_stays(visit, server):
    others = [("embed", "true"), ("embed_options", "dark_theme"), ("embed_options", "show_padding"), ("lti", "a b&c")]
    visitor = visit(server, "?embed=true&embed_options=dark_theme&embed_options=show_padding&noise_factor=0.8&lti=a+b%26c")
    visitor.whole()

    def parts():
        query = parse_qsl(urlsplit(visitor.page.evaluate("location.href")).query, keep_blank_values=True)
        return [part for part in query if part in others], dict(query)["noise_factor"]

    assert parts() == (others, "0.8")
    visitor.press("Noise factor", "ArrowRight").wait_for_link(noise_factor="0.85")
    assert parts() == (others, "0.85")
    visitor.page.reload()
    visitor.whole()
    assert parts() == (others, "0.85")


def test_link_of_more_parts_than_streamlit_reads_is_used_all_the_same(visit, expect, server):
    visitor = visit(server, "?" + "&".join(f"key{i}=1" for i in range(1_100)) + "&noise_factor=0.8").whole()
    visitor.wait_for_link(noise_factor="0.8")
    expect(visitor.page.get_by_test_id("stAlert")).to_contain_text("more")


def test_run_stays_its_owners_in_a_frame_on_another_site(browser, expect, server, course):
    context = browser.new_context()
    page = context.new_page()
    page.goto(course + "#runs?embed=true")
    page.frame_locator("iframe").locator("h1").wait_for()
    page.frames[1].wait_for_function("() => document.cookie.startsWith('cae_visitor=')")
    token = page.frames[1].evaluate("document.cookie.split('=')[1]")
    run = shutil.copytree(next(runs.PRETRAINED_DIR.glob("strokes-b2-*")), server.runs / "framed")
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
    owned = {**settings, "name": "framed", "owner": hashlib.sha256(token.encode()).hexdigest()[:16]}
    (run / "run.json").write_text(json.dumps(owned), encoding="utf-8")
    page.goto("about:blank")
    page.goto(course + "#runs?embed=true&runs=framed")  # a new session, that knows nothing but what the browser tells
    expect(page.frame_locator("iframe").get_by_role("button", name="Delete")).to_be_visible()
    context.close()
    shutil.rmtree(run)


def test_page_says_that_nothing_can_be_kept_where_the_browser_keeps_nothing(browser, expect, server):
    context = browser.new_context()
    context.add_init_script(NO_STORAGE)
    page = context.new_page()
    page.goto(server.root + "denoise?embed=true")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("until you reload it")
    assert alert.get_by_role("link").get_attribute("href") == server.root + "denoise"
    context.close()


def test_a_component_ends_with_what_it_was_told_last(browser):
    page = browser.new_page()
    script = "function draw({ data }) { window.drawn = data.value; }" + component.NEWEST
    page.evaluate(
        """async script => {
          const { default: run } = await import("data:text/javascript," + encodeURIComponent(script));
          for (const [at, value] of [[2, "new"], [1, "old"]]) run({ data: { at, json: JSON.stringify({ value }) } });
        }""",
        script,
    )
    assert page.evaluate("window.drawn") == "new"
    page.close()
