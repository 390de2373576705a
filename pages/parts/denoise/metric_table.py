"""The table of figures: every metric of each row of pictures, and how it changed against what came before."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from cae_core.metrics import METRICS
from pages.parts.glossary import glossary


def draw(
    rows: Sequence[tuple[str, Mapping[str, float] | None]], before: tuple[str, Mapping[str, float]] | None = None
) -> None:
    """Every metric of each row, and how it changed against "before", which is the first row where there is such a thing.

    Args:
        rows: label and figures as of `metrics.summary`; None while they are being computed.
        before: the same of what the others were made from, if that differs from what they are held against.
    """
    head = "".join(
        f'<th scope="col">{glossary.marked(name.upper())}<br><small>{_direction(m)}</small></th>'
        for name, m in METRICS.items()
    )
    body = ""
    for label, values in [before, *rows] if before else rows:
        cells = ""
        for name, metric in METRICS.items():
            if values is None:
                cells += "<td>…</td>"
                continue
            has_changed = before is not None and values is not before[1]
            change = _change(name, before[1][name], values[name], metric.higher_is_better) if has_changed else ""
            cells += f"<td>{_number(name, values[name])}{change}</td>"
        body += f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'
    st.html(f'<table class="figures"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>')


def _direction(metric) -> str:
    unit = f"<span>{metric.unit}, </span>" if metric.unit else ""
    return unit + ("more is better" if metric.higher_is_better else "less is better")


def _number(name: str, value: float) -> str:
    return f"{value:.1f}" if name == "psnr" else f"{value:.3f}" if name in ("ssim", "bce") else f"{value:.4f}"


def _change(name: str, before: float, after: float, higher_is_better: bool) -> str:
    # Decibels and SSIM are differences by nature; errors are told as a share of what they were.
    if name in ("psnr", "ssim"):
        text = f"{after - before:+.1f} dB" if name == "psnr" else f"{after - before:+.3f}"
    else:
        text = f"{(after / before - 1) * 100:+.0f} %"
    better = (after > before) == higher_is_better and after != before
    verdict = "" if better or after == before else " worse"
    return f' <small class="{"better" if better else ""}">{text.replace("-", "−")}{verdict}</small>'
