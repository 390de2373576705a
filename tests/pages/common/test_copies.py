"""Several copies of the app behind one address are noticed, and nothing else is taken for them."""

import asyncio
from http.cookies import SimpleCookie

import pytest

from pages.parts.session import copies

HERE = copies.name("app.example")
COOKIES = {
    "this copy's own mark": ({HERE + "mine": "150.5"}, False),
    "another's": ({HERE + "mine": "150.5", HERE + "theirs": "120.25"}, True),
    "that of the server before a restart": ({HERE + "theirs": "99.9"}, False),
    "that of an app at another port of the same machine": ({copies.name("app.example:8502", "theirs"): "120"}, False),
    "none": ({}, False),
    "nonsense": ({HERE + "a": "", HERE + "b": "nan", HERE + "c": "1e999", HERE + "d": "1.2.3", HERE + "e": "٣"}, False),
}


@pytest.mark.parametrize("which", COOKIES)
def test_which_cookies_are_other_copies(which):
    cookies, are_several = COOKIES[which]
    assert copies.are_several(cookies, HERE, "mine", started=100.0) is are_several


def answered(path, kind="http"):
    """The headers of the answer to a request, marked or not."""
    sent = []

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})

    async def keep(message):
        sent.append(message)

    scope = {"type": kind, "path": path, "headers": [(b"host", b"app.example")]}
    asyncio.run(copies.Marked(answer)(scope, None, keep))
    return sent[0]["headers"]


@pytest.mark.parametrize("path", ["/", "/draw", "/lab/_stcore/health", "/_stcore/host-config"])
def test_the_first_answers_of_two_copies_tell_them_apart(path, monkeypatch):
    before = copies.time.time()
    ((_, first), (_, mark)) = answered(path)
    assert first == b"y"
    (morsel,) = SimpleCookie(mark.decode()).values()
    monkeypatch.setattr(copies, "_COPY", "another")
    assert morsel.key.startswith(HERE)
    assert (morsel["path"], int(morsel["max-age"])) == ("/", copies.LASTS)
    assert copies.are_several({morsel.key: morsel.value}, HERE, "another", before - 1)


@pytest.mark.parametrize(("path", "kind"), [("/static/js/index.a1.js", "http"), ("/_stcore/stream", "websocket")])
def test_files_that_browsers_keep_stay_as_they_are(path, kind):
    assert answered(path, kind) == [(b"x", b"y")]
