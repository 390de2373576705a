"""Streamlit's controls, each of which begins in the browser with the value that its key has in the session.

Streamlit sends a value that a page assigned only with the run that assigned it. Where a second run follows before the
browser has drawn the first, it draws both at once, and the control begins at its default: so the default is the value.
A control whose label is a word of the glossary explains it, unless its `help` says something else.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.glossary import glossary
from pages.parts.session import state


def _begins_with_its_value(draw: Callable[..., Any], argument: str) -> Callable[..., Any]:
    def control(label: str, *places: Any, key: str, **more: Any) -> Any:
        value = state.value(key)
        more.setdefault("help", glossary.meaning(label))
        return draw(label, *places, key=key, **({} if value is None else {argument: value}), **more)

    return control


def _one_of(draw: Callable[..., Any]) -> Callable[..., Any]:
    control = _begins_with_its_value(draw, "default")
    return lambda label, options, **more: control(label, tuple(options), required=True, **_called(options), **more)


def _called(options: Collection[Any]) -> dict[str, Any]:
    """How options are shown that are keys of what they are called."""
    return {"format_func": options.get} if isinstance(options, Mapping) else {}


slider = _begins_with_its_value(st.slider, "value")
number_input = _begins_with_its_value(st.number_input, "value")
text_input = _begins_with_its_value(st.text_input, "value")
toggle = _begins_with_its_value(st.toggle, "value")
pills = _one_of(st.pills)
segmented_control = _one_of(st.segmented_control)
multiselect = _begins_with_its_value(st.multiselect, "default")


def select_slider(label: str, options: Sequence[Any], *, key: str, **more: Any) -> Any:
    more.setdefault("help", glossary.meaning(label))
    return st.select_slider(label, options, value=state.value(key), key=key, **more)


def selectbox(label: str, options: Collection[Any], *, key: str, **more: Any) -> Any:
    more.setdefault("help", glossary.meaning(label))
    more |= _called(options)
    return st.selectbox(label, tuple(options), index=list(options).index(state.value(key)), key=key, **more)
