"""How the app, its command line, its exports, README and docstrings write: one rule a test, which lists every offender."""

import ast
import functools
import re
from pathlib import Path

import pytest

from cae_core.architectures import ARCHITECTURES
from pages.parts.glossary import glossary

ROOT = Path(__file__).parent.parent
PYTHON = [ROOT / "app.py", *sorted((ROOT / "cae_core").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))]
WORDS = [
    ROOT / "README.md",
    *(file for place in (".readme", ".deploy", "pages/words") for file in ROOT.glob(f"{place}/**/*.md")),
]
UNSEEN = re.compile(r"""style="[^"]*"|(?:max-)?width: ?[\d{}]+%|%\{[^}]*\}|https?://\S+|`[^`\n]*`|\$[^$]*\$""")
"""Style sheets, Plotly's templates, addresses, code and formulas."""
PRESSED = re.compile(r"(?i)\b(press|click|button|sidebar|slider)\b|\bthe (Train|Runs|Draw|Denoise) page\b")
ON_A_PAGE = {"inputs/drawing.py", "export/projector.py", "jobs/__init__.py", "jobs/worker.py", "stacking/trainer.py"}
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


@functools.cache
def nodes(path):
    """Every node of a module."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def strings(path, docstrings=True):
    """Every string of a module: where, and what, f-strings whole."""
    inside = {id(part) for node in nodes(path) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    if not docstrings:
        inside |= {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
    for node in nodes(path):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (is_text or isinstance(node, ast.JoinedStr)) and (id(node) not in inside or not is_text):
            yield where(path, node), spelt(node)


def where(path, node):
    return f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.fixture(scope="module")
def texts():
    """Every string and every line of README: where, and what."""
    every = [text for path in PYTHON for text in strings(path)]
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
    "per class, not a class": (
        r"\b(?:a|one) (?:line|mapping|code|image|curve|step|mosaic|number|colour|row|column|folder) "
        r"an? (?:class|epoch|layer|channel|image|run|page)\b",
        ["one line an epoch", "one colour a class"],
        ["one line per epoch", "a line of an epoch"],
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
    core = [path for path in PYTHON if path.is_relative_to(ROOT / "cae_core")]
    core = [path for path in core if path.relative_to(ROOT / "cae_core").as_posix() not in ON_A_PAGE]
    spoken = [text for path in core for text in strings(path, docstrings=False)]
    assert [(place, text) for place, text in spoken if PRESSED.search(text)] == []


def test_a_network_has_one_name():
    """No table of a page gives networks other names than the registry does."""
    labels = {name: entry.label for name, entry in ARCHITECTURES.items()}
    pairs = [
        (path, getattr(key, "value", None), getattr(value, "value", None))
        for path in PYTHON
        for node in nodes(path)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    named = [pair for pair in pairs if pair[1] in labels and isinstance(pair[2], str)]
    assert [(path.name, name, label) for path, name, label in named if label != labels[name]] == []
    assert len(set(labels.values())) == len(labels)


AXES = {
    "", "{}, log", "epoch", "z₁", "z₂", "principal plane, across", "principal plane, up", "{}, across", "{}, up",
    "numbers in the code", "squared error", "labelled images", "test images misread, %", "read right, %",
    "step of fine-tuning", "step of its layer", "½ squared error", "logit l, the pixel is its sigmoid",
    "share of silent units", "mean |z|", "loss", "slope dL/dl", "number of the code", "KL in nats", "bytes per image, log",
    "rate, nats per image", "distortion, nats per image",
}  # fmt: skip
"""Every name of an axis that is no loss's or component's own; those come from `losses.axis` and `pca.axis`."""


def test_an_axis_has_one_name():
    """Every axis's title and every pair of axes is one of `AXES`, or a name that is handed on."""
    axes = []
    for path in PYTHON:
        for node in nodes(path):
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
            axes += [(where(path, n), spelt(n)) for n in texts]
    assert len(axes) > 12
    assert [(place, axis) for place, axis in axes if axis not in AXES] == []


def test_the_glossary_says_each_word_once_and_shortly():
    every = glossary.words()
    forms = [form.lower() for word in every for form in word.forms]
    assert sorted({form for form in forms if forms.count(form) > 1}) == []
    assert [word.name for word in every if not 20 < len(word.meaning) <= 200 or word.meaning[-1] not in ".”"] == []
    assert [word.name for word in every if re.search(r"[*_`<>$\[\]]", word.meaning)] == []  # Markdown in a control's help
    lines = (ROOT / "pages/words/glossary.md").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.startswith("- ")]) == sum(
        f"- **{word.name}**" in "\n".join(lines) for word in every
    )


OF_COMPUTERS = {
    "PNG", "JPEG", "BMP", "GIF", "HTML", "JSON", "HDF5", "URL", "MB", "NEW", "README", "MD5", "IDX", "ITU-R", "BT",
    "MMM", "YYYY", "HH",
}  # fmt: skip
"""Abbreviations that are no trade's, or stand in the name of a standard."""


def test_every_abbreviation_of_a_page_is_in_the_glossary():
    """What no dictionary has needs its meaning; sources name journals and conferences."""
    known = {part for word in glossary.words() for form in word.forms for part in form.split()}
    texts = [text for path in PYTHON if "pages" in path.parts for text in strings(path, docstrings=False)]
    files = [path for path in sorted((ROOT / "pages/words").glob("*.md")) if path.stem != "glossary"]
    texts += [(path.name, path.read_text(encoding="utf-8")) for path in files]
    left_out = r"(?s)\*Sources:\*.*?(?=\n\n|\n#|\Z)|```.*?```"
    bare = [(where, re.sub(left_out, "", text)) for where, text in texts if " " in text]
    used = {(m[0], where) for where, text in bare for m in re.finditer(ABBREVIATION, UNSEEN.sub("", text))}
    assert sorted(pair for pair in used if pair[0] not in OF_COMPUTERS | known) == []


ABBREVIATION = r"(?<![\w-])[A-Z]+[a-z]?[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*(?![\w])"


@pytest.mark.parametrize(
    ("html", "word"),
    [
        ("MSE<br><small>per pixel</small>", "MSE"), ("Silent units", "Silent units"), ("Luma error", "Luma"),
        ("<b>MSE</b>", None), ("deep", None), ("decode", None), ("Recoded", None), ("z₁", "z₁"),
        ("held-out loss", "held-out"),
    ],
)  # fmt: skip
def test_a_word_of_the_trade_is_marked_where_it_stands(html, word):
    marked = glossary.marked(html)
    assert re.findall(r">([^<]*)</span>", marked) == ([word] if word else [])
    assert re.sub(r'<span class="word"[^>]*>(.*?)</span>', r"\1", marked) == html
