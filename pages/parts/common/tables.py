"""Tables of figures, such as that of a network's layers."""

from collections.abc import Iterable, Sequence
from html import escape

import streamlit as st

from cae_core.inspection.summary import Layer
from pages.parts.glossary import glossary


def figures(heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], kind: str = "") -> None:
    """A table, of which all parts but the labels are HTML.

    Args:
        heads: of the columns, that of the labels first.
        rows: the label and the cells of each; a row without cells is the head of those that follow.
        kind: more classes of the table.
    """
    head = "".join(f'<th scope="col">{glossary.marked(text)}</th>' if text else "<th></th>" for text in heads)
    body = ""
    for label, cells in rows:
        scope = 'scope="row"' if cells else f'colspan="{len(heads)}" scope="rowgroup"'
        body += f"<tr><th {scope}>{glossary.marked(escape(label))}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    st.html(f'<table class="figures {kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def layers(every: Sequence[Layer]) -> None:
    """The table of a network's layers."""
    rows, part = [], ""
    for layer in every:
        if layer.part != part:
            part = layer.part
            rows.append((part.capitalize(), ()))
        cells = (glossary.marked(escape(layer.kind)), " × ".join(map(str, layer.shape)), f"{layer.parameters:,}")
        rows.append((layer.name, cells))
    figures(("layer", "what it does", "gives", "parameters"), rows, "layers")
