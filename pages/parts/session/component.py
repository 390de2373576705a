"""A component of the browser's: a script that draws what Python says, and always ends with the newest."""

import json
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts.session import state

# Two runs that come while the browser still loads the script both wait for it, and the older one may be called last.
NEWEST = """
let newest = 0;
export default function (given) {
  if (given.data.at < newest) return;
  newest = given.data.at;
  const { parentElement, setStateValue, setTriggerValue } = given;
  return draw({ data: JSON.parse(given.data.json), parentElement, setStateValue, setTriggerValue });
}
"""


def mount(
    name: str, script: str, data: dict[str, Any], *, looks: dict[str, Any] | None = None, **on_change: Callable
) -> None:
    """Puts a component on the page, one of each name; the same data is not sent twice.

    Args:
        name: also its key, under which `state.said` gives what it sends.
        script: JavaScript with a function `draw({ data, parentElement, setStateValue, setTriggerValue })`.
        data: what JSON can hold.
        looks: what `st.components.v2.component` takes beside the script, such as `html`.
        on_change: callbacks `on_<event>_change`.
    """
    before, at = state.kept(f"component_{name}", (None, 0))
    if data != before:
        at = max(time.time(), at + 0.001)  # grows over a restart of the server, too, and when the clock is set back
        state.keep(f"component_{name}", (data, at))
    # As text: of a list or a mapping Streamlit would ask pandas whether it is a table, and load it for that.
    sent = {"json": json.dumps(data), "at": at}
    st.components.v2.component(name, js=script + NEWEST, **(looks or {}))(data=sent, key=name, **on_change)
