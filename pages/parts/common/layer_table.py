"""A network's layers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from cae_core.inspection.summary import Layer


def draw(rows: Sequence[Layer]) -> None:
    """The table of a network's layers."""
    head = "<tr><th>layer</th><th>what it does</th><th>gives</th><th>parameters</th></tr>"
    body, part = "", ""
    for layer in rows:
        if layer.part != part:
            part = layer.part
            body += f'<tr><th colspan="4" scope="rowgroup">{escape(part.capitalize())}</th></tr>'
        shape = " × ".join(map(str, layer.shape))
        cells = f"<td>{escape(layer.kind)}</td><td>{shape}</td><td>{layer.parameters:,}</td>"
        body += f'<tr><th scope="row">{escape(layer.name)}</th>{cells}</tr>'
    st.html(f'<table class="figures layers"><thead>{head}</thead><tbody>{body}</tbody></table>')
