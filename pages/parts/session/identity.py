"""Identity of a visitor: an opaque mark in the browser, so that what they train is theirs in every tab and later."""

import hashlib
import re
import secrets
from urllib.parse import urlsplit

import streamlit as st
from streamlit import net_util

from pages.parts.session import component, state

# A frame on another site keeps no cookie but one of its own there, and that only by https; where there is neither, the
# token is kept beside the page, which has to tell it.
_REMEMBER = """
function draw({ data, setTriggerValue }) {
  const is_kept = () => document.cookie.split("; ").some(cookie => cookie.startsWith(data.cookie + "="));
  try {
    for (const where of ["SameSite=Strict", "SameSite=None; Secure; Partitioned"])
      if (!is_kept()) document.cookie = `${data.cookie}=${data.token}; path=/; max-age=31536000; ${where}`;
    if (is_kept()) return;
    const token = window.localStorage.getItem(data.cookie);
    if (!token) window.localStorage.setItem(data.cookie, data.token);
    else if (token !== data.token) setTriggerValue("token", token);
  } catch {
    if (!data.forgetful) setTriggerValue("forgetful", true);
  }
}
"""
_COOKIE = "cae_visitor"
_TOKEN = re.compile(r"[\w-]{16,64}")


def visitor() -> str:
    """An opaque mark of this visitor, the same in every tab and after closing them, that nobody else can have.

    The browser keeps a random token; what is handed on, and written to disk with runs, is its hash.
    """
    kept = st.context.cookies.get(_COOKIE)
    token = state.kept("token") or (isinstance(kept, str) and kept) or secrets.token_urlsafe(16)
    state.keep("token", token)
    return hashlib.sha256(token.encode()).hexdigest()[:16]


def address() -> str:
    """Where the visitor's browser is on the network; "" for this machine."""
    return st.context.ip_address or ""


def remember() -> None:
    """Has the browser keep the token."""

    def take_token() -> None:
        if isinstance(token := state.said("visitor", "token"), str) and _TOKEN.fullmatch(token):
            state.keep("token", token)

    visitor()
    data = {"cookie": _COOKIE, "token": state.kept("token"), "forgetful": is_forgotten()}
    component.mount(
        "visitor", _REMEMBER, data, on_token_change=take_token, on_forgetful_change=lambda: state.keep("forgotten", True)
    )


def is_forgotten() -> bool:
    """Whether the visitor's browser refuses to keep anything here, as it may in a frame on another site."""
    return state.kept("forgotten", False)


def root_for_others() -> str:
    """Where others in the network reach the app, with a slash at its end: as here, unless that is only this machine."""
    url = urlsplit(own_tab())
    host, colon, port = url.netloc.partition(":")
    if host in ("localhost", "127.0.0.1") and st.get_option("server.address") is None:
        host = net_util.get_internal_ip() or host
    return f"{url.scheme}://{host}{colon}{port}{url.path.rpartition('/')[0]}/"


def own_tab() -> str:
    """The app's address without what concerns only a frame."""
    return (st.context.url or "/").partition("?")[0]
