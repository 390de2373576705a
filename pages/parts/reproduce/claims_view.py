"""Charts and tables of claims: all of them against their figures in one picture, and those of a card as a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from cae_core.corruptions import NOISE_KINDS
from cae_core.metrics import mean_and_spread
from cae_core.reproduction.claims import ORIGINS, UNITS, Card, Claim, target, verdict
from cae_core.reproduction.own_runs import Rerun
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.results import Result
from pages.parts.common import tables

LOW, HIGH = 0.7, 1.3
"""Ends of the picture's axis: ours as a share of the published figure."""
MARKS = {"reproduced": "✓", "better": "▼", "met": "✓", "missed": "✗", "measured": "·", "not run": "–"}
"""A sign beside each word, for colour alone tells not everybody."""


def percent(fraction: float) -> str:
    return f"{fraction * 100:.3g} %"


def _judged(card: Card, are_published: bool) -> list[Claim]:
    """Claims that are held against something: what somebody else published, or this project's own."""
    return [claim for claim in card.claims if claim.is_judged and claim.is_published == are_published]


def counts(results: Mapping[str, Result], are_published: bool) -> Counter:
    """How many published figures, or claims of this project's own, have which verdict; without a result "not run"."""
    return Counter(_said(name, claim, results)[0] for name, card in CARDS.items() for claim in _judged(card, are_published))


def outcome(name: str, result: Result | None) -> str:
    """How a card's figures came out, in a line."""
    words = Counter(
        _said(name, claim, {name: result} if result else {})[0] for claim in CARDS[name].claims if claim.is_judged
    )
    if not words:
        return "Figures: nothing to hold them against"
    return "Figures and why: " + ", ".join(f"{words[word]} {word}" for word in SHOWN if words[word])


def overview(results: Mapping[str, Result]) -> None:
    """Every claim that is held against something, a row each: ours as a share of it, and the band that counts."""
    groups = ""
    for are_published, title in GROUPS.items():
        groups += f'<h2>{escape(title)}</h2><div class="claims">'
        for name, card in CARDS.items():
            rows = "".join(_row(name, claim, results) for claim in _judged(card, are_published))
            groups += f"<section><h3>{escape(card.label)}</h3>{rows}</section>" if rows else ""
        groups += "</div>"
    verdicts = " ".join(f'<span class="verdict {word.replace(" ", "-")}">{MARKS[word]} {word}</span>' for word in SHOWN)
    key = (
        "Each dot is the figure obtained here, as a share of the figure it is compared with: the upright line. The axis "
        f"goes from {percent(LOW)} to {percent(HIGH)}; an arrow marks what lies further out, and less error is to the "
        "left. The band is what counts as reproduced, or met."
    )
    st.html(f'<div class="claim-groups">{groups}</div><p class="claims-key">{verdicts}<br>{key}</p>')


OWN = "This project’s own: measured in another way, a target to meet, or one run against another"
GROUPS = {True: "Published figures", False: OWN}
"""By whether somebody else published them."""
SHOWN = ("reproduced", "better", "met", "missed", "not run")


def _said(name: str, claim: Claim, results: Mapping[str, Result]) -> tuple[str, float | None]:
    """The verdict on a shipped value, and the value as a share of what it is held against."""
    result = results.get(name)
    value = result.means.get(claim.label) if result else None
    against = target(claim, result.means) if result else None
    if value is None or against is None:
        return "not run", None
    word = verdict(CARDS[name], claim, value, result.means)
    return word, value / against


def _row(name: str, claim: Claim, results: Mapping[str, Result]) -> str:
    card = CARDS[name]
    word, ratio = _said(name, claim, results)
    label = f"{claim.label} < {claim.below}" if claim.below else claim.label
    low, high = (0.0, 1.0) if claim.below else (0.0 if card.at_most else 1 - card.tolerance, 1 + card.tolerance)
    left, right = _place(low), _place(high)
    dot, off = "", "not run"
    if ratio is not None:
        beyond = " before" if ratio < LOW else " after" if ratio > HIGH else ""
        dot = f'<i class="dot{beyond} {word}" style="left: {_place(ratio):.1f}%"></i>'
        off = change(ratio)
    band = f'<i class="band" style="left: {left:.1f}%; width: {right - left:.1f}%"></i>'
    alt = f"{label}: {word}, {off}"
    return (
        f'<div class="claim"><span title="{escape(label, quote=True)}">{escape(label)}</span>'
        f'<span class="track" role="img" aria-label="{escape(alt, quote=True)}">{band}{dot}</span>'
        f'<span class="verdict {word.replace(" ", "-")}">{MARKS[word]} {escape(off)}</span></div>'
    )


def _place(ratio: float) -> float:
    """Per cent of the axis; what is beyond its ends is drawn there."""
    return 100 * (min(max(ratio, LOW), HIGH) - LOW) / (HIGH - LOW)


def change(ratio: float) -> str:
    """How far off a value is, with as many digits as mean something."""
    off = (ratio - 1) * 100
    if abs(off) < 0.05:
        return "0.0 %"
    return (f"{off:+.1f} %" if abs(off) < 9.95 else f"{off:+.0f} %").replace("-", "−")


def number(claim: Claim, value: float) -> str:
    return f"{value:.4f}" if claim.metric in ("mse", "bce") else f"{value:.2f}"


def table(name: str, result: Result | None, mine: Rerun | None) -> None:
    """A card's claims: what they are held against, as shipped, and the visitor's own where there are any."""
    card = CARDS[name]
    rows = []
    for claim in card.claims:
        shipped = _cell(card, claim, result.values.get(claim.label), result.means, bool(mine)) if result else _NONE
        cells = [_figure(claim), shipped]
        if mine:
            value = mine.values.get(claim.label)
            cells.append(_cell(card, claim, None if value is None else (value,), mine.values, True))
        rows.append((claim.label, cells))
    tables.figures(["", "figure", "shipped", *["yours"] * bool(mine)], rows, "claim-table")


_NONE = '<small class="verdict">– not run</small>'


def _figure(claim: Claim) -> str:
    if claim.figure is not None:
        return f"{number(claim, claim.figure)} <small>{ORIGINS[claim.origin]}</small>"
    return f"<small>none; to be less than “{escape(claim.below)}”</small>" if claim.below else "<small>none</small>"


def _cell(card: Card, claim: Claim, values: Sequence[float] | None, means: Mapping[str, float], is_brief: bool) -> str:
    """A value with its verdict: in a sign, a word and a number, or, where two stand side by side, without the word."""
    if not values:
        return _NONE
    mean, spread = mean_and_spread(tuple(values))
    text = number(claim, mean) + (f" ± {number(claim, spread)}" if len(values) > 1 else "")
    word = verdict(card, claim, mean, means)
    if word == "measured":
        return text
    off = escape(change(mean / target(claim, means)))
    outcome = f'<span class="unseen">{word},</span> {off}' if is_brief else f"{word}, {off}"
    return f'{text} <small class="verdict {word}">{MARKS[word]} {outcome}</small>'


def tolerance(card: Card) -> str:
    """What counts, in words."""
    units = " and ".join(dict.fromkeys(UNITS[claim.metric] for claim in card.claims))
    kind, factor = card.claims[0].noise  # the same for all
    noise = "" if kind == "none" else f" with {NOISE_KINDS[kind].label} noise {factor:g}"
    sentences = f"{units[0].upper()}{units[1:]} over the 10,000 test images{noise}. "
    if not any(claim.figure is not None for claim in card.claims):
        return sentences + (
            "No figure is published, so two runs are compared."
            if any(claim.below for claim in card.claims)
            else "No figure is published, so the result is shown without a verdict."
        )
    if any(claim.metric == "running" for claim in card.claims):
        sentences += "The running mean is over the images of the last epoch, while it trained on them. "
    share, own = percent(card.tolerance), any(claim.figure and not claim.is_published for claim in card.claims)
    published = any(claim.is_published for claim in card.claims)
    if card.at_most:
        sentences += "This figure is an upper limit: a result counts as met up to the figure itself" + (
            f" and {share}." if card.tolerance else "."
        )
    elif published:
        sentences += f"A result within {share} of the figure counts as reproduced, one with less error as better"
        sentences += "; this project's own count as met." if own else "."
    else:
        sentences += f"A result up to {share} above the figure counts as met."
    if any(claim.below or claim.figure is None for claim in card.claims):
        sentences += " Where no figure is published, runs are compared with one another."
    return sentences
