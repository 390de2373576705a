"""One server and one browser for all browser tests, and a fresh visitor for each.

Without Playwright or Chromium the tests are skipped; where CI or REQUIRE_BROWSER is set, they fail.
"""

import contextlib
import os

import pytest
from live import FLAGS, PATIENCE, chromium, serve
from visitor import Visitor


def _missing(what):
    if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"{what}, and CI or REQUIRE_BROWSER asks for the browser tests")
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed (pip install -r tests/requirements.txt)")
    path = chromium()
    if path is None:
        _missing("there is no Chromium: install it or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def expect(browser):
    """Playwright's `expect`, patient."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE * 1000)
    return expect


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory):
    """A server that has been up for a while."""
    with serve(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def start(tmp_path):
    """`start(**environment)` launches a server for this test alone."""
    with contextlib.ExitStack() as servers:
        yield lambda **environment: servers.enter_context(serve(tmp_path, **environment))


@pytest.fixture
def visit(browser, start):  # after `start`, so that no page is open any more when its server goes
    """`visit(server, link, **context)` opens the app as a new visitor.

    When the test is over, every page that it opened must have asked no other host for anything and have logged no error.
    """
    visitors = []

    def visit(server, link="", **context):
        context = browser.new_context(**{"viewport": {"width": 1366, "height": 768}, **context})
        context.set_default_timeout(PATIENCE * 1000)
        visitors.append(Visitor(context, server.root))
        return visitors[-1].open(link)

    yield visit
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        assert visitor.foreign == [], "requests to other hosts"
        assert visitor.errors == [], "errors in the console"
