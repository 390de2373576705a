"""What a visitor has set: read from a link once, kept in the session, written back into the address bar.

The only module that touches `st.session_state` and the query string. Each page declares its settings as `Setting`s; a
setting's key is the widget's key, the URL parameter's name and the name in JSON and on the command line.
"""

from __future__ import annotations

import difflib
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.setting import Setting, text

# Streamlit's own binding of widgets to the URL writes labels and leaves defaults out, so a link would change its meaning
# with the wording, or on a machine with another default data set. replaceState keeps one history entry a page, and
# happens in the browser, so that no rerun ever sees an address older than its widgets.
_ADDRESS = """
export default function ({ data }) {
  const url = new URL(window.location.href);
  if (url.search !== "?" + data.query) {
    url.search = data.query;
    window.history.replaceState(window.history.state, "", url);
  }
}
"""


MOST = 400
"""Characters of a link's part that are looked at: more is never needed, and an error repeats it."""


def open_page(page: str, settings: Mapping[str, Setting]) -> list[str]:
    """Puts every setting into the session before the page's widgets are made, from the link on the first run.

    Args:
        page: the page's name; arriving on it anew reads the link again.
        settings: by key.

    Returns:
        A sentence for each part of the link that could not be used, until something is changed.
    """
    arrived = st.session_state.get("_page") != page
    if arrived:
        st.session_state["_page"] = page
        # While another page is shown, the session forgets what only this one has a control for.
        written = st.session_state.get("_written", {})
        st.session_state.update({key: written[key] for key in settings if key in written})
        st.session_state["_problems"] = _read_link(settings)
    st.session_state.update(st.session_state.pop("_next", {}))
    last = {} if arrived else st.session_state.get("_last", {})
    for key, setting in settings.items():
        # The session forgets a key after a run that did not draw its widget. Only then is it assigned: what is assigned
        # is sent to the browser, where it would undo what a quick hand has moved in the meantime.
        value = st.session_state.get(key, last.get(key, setting.default))
        if key not in st.session_state or not setting.allows(value):
            st.session_state[key] = value if setting.allows(value) else setting.default
    now = {key: st.session_state[key] for key in settings}
    if not arrived and now != last:
        st.session_state["_problems"] = []
    st.session_state["_last"] = now
    return st.session_state["_problems"]


def _read_link(settings: Mapping[str, Setting]) -> list[str]:
    problems = []
    for key, given in st.query_params.items():
        key, given = key[:MOST], given[:MOST]
        if key not in settings:
            near = difflib.get_close_matches(key, settings, n=1)
            problems.append(f"There is no setting {key!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
            continue
        try:
            st.session_state[key] = settings[key].parse(key, given)
        except ValueError as error:
            problems.append(str(error))
    return problems


def values(settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Every setting as it is now."""
    return {key: st.session_state[key] for key in settings}


def change(**new: Any) -> None:
    """Sets some settings; for callbacks of buttons, which run before the widgets are made."""
    st.session_state.update(new)


def change_next_run(**new: Any) -> None:
    """Sets some settings from the next run on, for code that runs after the widgets are made."""
    st.session_state["_next"] = new


def first_time(what: str, value: Any) -> bool:
    """Whether `value` differs from the one given for `what` in the session's last run."""
    before, st.session_state[f"_{what}"] = st.session_state.get(f"_{what}"), value
    return before != value


def matches(some: Mapping[str, Any]) -> bool:
    """Whether these settings are as given now."""
    return all(key in st.session_state and text(st.session_state[key]) == text(value) for key, value in some.items())


_KNOWN = """
export default function ({ data }) {
  if (!document.cookie.split("; ").some(cookie => cookie.startsWith(data.cookie + "=")))
    document.cookie = `${data.cookie}=${data.token}; path=/; max-age=31536000; SameSite=Strict`;
}
"""
_COOKIE = "cae_visitor"


def visitor() -> str:
    """An opaque mark of this visitor, the same in every tab and after closing them, that nobody else can have.

    The browser keeps a random token as a cookie; what is handed on, and written to disk with runs, is its hash.
    """
    kept = st.context.cookies.get(_COOKIE)
    token = st.session_state.get("_token") or (isinstance(kept, str) and kept) or secrets.token_urlsafe(16)
    st.session_state["_token"] = token
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def address() -> str:
    """Where the visitor's browser is on the network; "" for this machine."""
    return st.context.ip_address or ""


def keep_visitor() -> None:
    """Has the browser keep the token; at the end of a page that makes things which belong to somebody."""
    visitor()
    st.components.v2.component("visitor", js=_KNOWN)(
        data={"cookie": _COOKIE, "token": st.session_state["_token"]}, key="visitor"
    )


def write_address(settings: Mapping[str, Setting]) -> None:
    """Puts every setting into the browser's address, so that copying it copies the page as it is."""
    from urllib.parse import urlencode

    st.session_state["_written"] = {**st.session_state.get("_written", {}), **values(settings)}
    query = urlencode({key: text(st.session_state[key]) for key in settings})
    st.components.v2.component("address", js=_ADDRESS)(data={"query": query}, key="address")


def said(component: str, event: str) -> Any:
    """What a component of that key has just sent, for the event's callback: whatever the browser likes, so check it."""
    sent = st.session_state.get(component)
    return sent.get(event) if isinstance(sent, Mapping) else None


def keep(name: str, value: Any) -> None:
    """Keeps something that is no setting, such as a drawing, until the visitor closes the page."""
    st.session_state[f"_kept_{name}"] = value


def kept(name: str, default: Any = None) -> Any:
    """What was kept under this name."""
    return st.session_state.get(f"_kept_{name}", default)
