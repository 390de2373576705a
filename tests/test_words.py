"""How the app, its command line, its exports, README and docstrings write: one rule a test, which lists every offender."""

import ast
import re
from pathlib import Path

import pytest

from cae_core.architectures import ARCHITECTURES

ROOT = Path(__file__).parent.parent
PYTHON = [ROOT / "app.py", *sorted((ROOT / "cae_core").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))]
WORDS = [ROOT / "README.md", *sorted((ROOT / ".readme").glob("*.md")), *sorted((ROOT / "pages/words").glob("*.md"))]
UNSEEN = re.compile(r"""style="[^"]*"|(?:max-)?width: ?[\d{}]+%|%\{[^}]*\}|https?://\S+|`[^`\n]*`|\$[^$]*\$""")
"""Style sheets, Plotly's templates, addresses, code and formulas."""
PRESSED = re.compile(r"(?i)\b(press|click|button|sidebar|slider)\b|\bthe (Train|Runs|Draw|Denoise) page\b")
ON_A_PAGE = {"inputs/drawing.py", "export/projector.py", "jobs/__init__.py", "stacking/trainer.py"}
"""Modules that speak to a page's visitor only, or say in docstrings who calls them."""


def spelt(node):
    """A string as it reads, with {} for each value put in; with {%} where its form writes a per cent sign by itself."""
    if isinstance(node, ast.Constant):
        return node.value
    parts = []
    for part in node.values:
        form = spelt(part.format_spec) if isinstance(part, ast.FormattedValue) and part.format_spec else ""
        parts.append(part.value if isinstance(part, ast.Constant) else "{%}" if form.endswith("%") else "{}")
    return "".join(parts)


def strings(tree):
    """Every string of a module with its line, f-strings whole."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
        if is_text or isinstance(node, ast.JoinedStr):
            yield node.lineno, spelt(node)


@pytest.fixture(scope="module")
def texts():
    """Every string and every line of README and of the explanations: where, and what."""
    every = [
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in PYTHON
        for line, text in strings(ast.parse(path.read_text(encoding="utf-8")))
    ]
    for path in WORDS:
        lines = path.read_text(encoding="utf-8").splitlines()
        every += [(f"{path.relative_to(ROOT)}:{number}", line) for number, line in enumerate(lines, 1)]
    assert len(every) > 3000
    return every


def offenders(texts, rule):
    """The parts that break a rule, with what stands around them; what nobody reads as words is left out."""
    broken = []
    for where, text in texts:
        text = UNSEEN.sub("", text)
        broken += [f"{where}: {text[max(0, m.start() - 25) : m.end() + 15]!r}" for m in re.finditer(rule, text)]
    return broken


RULES = {
    "per cent with a space, 77.5 %": (r"[\d}]%|\{%\}|\d ?percent\b", ["77.5%", "{%} right"], ["77.5 %", "{} %"]),
    "per pixel, not a pixel": (
        r"(?<!\bof )(?<!\bto )(?<!\bthan )(?<!\bthat )(?<!\bwhere )(?<!\bhalf )(?<!\bso )\ba pixel\b",
        ["squared error a pixel", "{} a pixel, less"],
        ["the numbers of a pixel", "half a pixel off"],
    ),
    "×, not x": (
        r"[\d})\]] ?x ?[\d{(]|\b[a-z]+ x \d",
        ["28x28", "{} x {}", "factor x 1/7"],
        ["28 × 28", "x = 3", "|x̂ − x|"],
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_one_way_of_writing(texts, rule):
    pattern, wrong, right = RULES[rule]
    assert all(offenders([("", text)], pattern) for text in wrong)
    assert not any(offenders([("", text)], pattern) for text in right)
    assert offenders(texts, pattern) == []


def test_a_terminal_is_never_told_to_press_a_button():
    told = [
        f"{path.relative_to(ROOT)}:{line}: {text[:80]!r}"
        for path in PYTHON
        if path.is_relative_to(ROOT / "cae_core") and path.relative_to(ROOT / "cae_core").as_posix() not in ON_A_PAGE
        for line, text in strings(without_docstrings(ast.parse(path.read_text(encoding="utf-8"))))
        if PRESSED.search(text)
    ]
    assert told == []


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            said = [n for n in node.body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
            node.body = [n for n in node.body if n not in said]
    return tree


def test_a_network_has_one_name():
    """No table of a page gives networks other names than the registry does."""
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {key.value} is {value.value!r}"
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value in ARCHITECTURES
        if isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and value.value != ARCHITECTURES[key.value].label
    ]
    assert named == []
    labels = [entry.label for entry in ARCHITECTURES.values()]
    assert len(set(labels)) == len(labels)


AXES = {
    "", "{}, log scale", "epoch", "z₁", "z₂", "principal plane, across", "principal plane, up", "{}, across", "{}, up",
    "numbers in the code", "squared error", "labelled images", "test images misread, %", "read right, %",
    "step of fine-tuning", "step of its layer", "½ squared error", "logit l, the pixel is its sigmoid",
    "share of silent units", "mean |z|", "loss", "slope dL/dl",
}  # fmt: skip
"""Every name of an axis that is no loss's or component's own; those come from `losses.axis` and `pca.axis`."""


def test_an_axis_has_one_name():
    """Every axis's title and every pair of axes is one of `AXES`, or a name that is handed on."""
    found = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            titles = []
            if isinstance(node, ast.Dict):
                pairs = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
                titles = [v for k, v in pairs.items() if k == "text" and set(pairs) == {"text"}]
            elif isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "axes" for target in node.targets):
                titles = node.value.elts if isinstance(node.value, ast.Tuple) else []
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("measured", "lines"):
                titles = [n for n in node.args if isinstance(n, ast.Tuple) for n in n.elts] + node.args[2:3]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "loss_axis":
                titles = node.args[1:2]
            texts = [n for n in titles if isinstance(n, ast.JoinedStr) or isinstance(getattr(n, "value", None), str)]
            found += [(f"{path.relative_to(ROOT)}:{n.lineno}", spelt(n)) for n in texts]
    assert len(found) > 12
    assert [(where, axis) for where, axis in found if axis not in AXES] == []
