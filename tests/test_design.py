"""The rules of the house, held by reading the imports: arrows run one way, and heavy things load late."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "cae_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
PROJECT = [ROOT / "app.py", *CORE, *PAGES]
HEAVY = {"keras", "tensorflow"}


def name(path):
    return str(path.relative_to(ROOT))


EVERY = pytest.mark.parametrize("path", PROJECT, ids=name)


def tree(path):
    return ast.parse(path.read_text())


def imported(path):
    """Every module a file imports, at its top or inside a function, by its dotted name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} has a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] in ("import_module", "__import__"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def tops(path):
    return {module.split(".")[0] for module in imported(path)}


def dotted(node):
    """`np.random.seed` of the expression that spells it, else ""."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


@EVERY
def test_what_is_private_is_used_by_its_own_module_only(path):
    nodes = list(ast.walk(tree(path)))
    froms = [
        node for node in nodes if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("cae_core", "pages")
    ]
    ours = {alias.name for node in froms for alias in node.names}
    spelt = [dotted(node).split(".") for node in nodes if isinstance(node, ast.Attribute)]
    private = [".".join(parts) for parts in spelt if parts[0] in ours and any(part.startswith("_") for part in parts)]
    assert private == []
    assert not {one for one in ours if one.startswith("_")}


def test_there_is_something_to_read():
    assert len(CORE) > 15
    assert len(PAGES) >= 3


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_knows_no_web_page(path):
    assert not tops(path) & {"streamlit", "pages", "app"}


@pytest.mark.parametrize("path", [ROOT / "app.py", *PAGES], ids=name)
def test_pages_know_no_keras(path):
    assert not tops(path) & HEAVY
    networks = {f"cae_core.architectures.{file.stem}" for file in (ROOT / "cae_core/architectures").glob("*.py")}
    assert not networks & set(imported(path))


@EVERY
def test_only_what_is_required_is_imported(path):
    known = {"streamlit", "tensorflow", "keras", "numpy", "plotly", "PIL", "cae_core", "pages"}
    assert not tops(path) - known - set(sys.stdlib_module_names)


@EVERY
def test_threads_start_in_one_place(path):
    starts = {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "start_new_thread", "Process"}
    called = {dotted(node.func).split(".")[-1] for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    assert not called & starts or name(path) in ("cae_core/backend.py", "cae_core/jobs.py")


@pytest.mark.parametrize("path", [ROOT / "app.py", *PAGES], ids=name)
def test_only_one_module_touches_the_session_and_the_address(path):
    attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert not attributes & {"session_state", "query_params"} or name(path) == "pages/state.py"


DOORS = {"submit", "submit_together", "submit_in_order", "resume", "enter", "start"}
"""What enters training in the queue, of `jobs.Jobs` and `rerunning`."""


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_who_enters_the_queue_says_from_where(path):
    """A browser without a cookie is a new visitor every time: only the address binds it."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    doors = [call for call in calls if call.func.attr in DOORS and re.match(r"jobs\.|rerunning\.", ast.unparse(call.func))]
    assert [ast.unparse(call) for call in doors if "state.address()" not in ast.unparse(call)] == []


@EVERY
def test_nothing_executes_what_it_reads(path):
    assert not tops(path) & {"pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
    called = {dotted(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    assert not called & {"eval", "exec", "compile", "os.system"}
    keywords = {k.arg: k.value for node in ast.walk(tree(path)) if isinstance(node, ast.Call) for k in node.keywords}
    if "allow_pickle" in keywords:
        assert keywords["allow_pickle"].value is False


GLOBAL_DRAWS = {"seed", "rand", "randn", "randint", "random", "normal", "uniform", "choice", "shuffle", "permutation"}


@pytest.mark.parametrize("path", CORE, ids=name)
def test_no_random_number_comes_from_a_global_generator(path):
    assert "random" not in tops(path)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            assert not called.endswith(("set_random_seed", "set_seed"))
            for library in ("np.random.", "numpy.random.", "tf.random.", "keras.random."):
                assert not (called.startswith(library) and called.removeprefix(library) in GLOBAL_DRAWS), called


@EVERY
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) < (200 if path in PAGES else 300)


@EVERY
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(tree(path))


LIGHT = ["architectures", "datasets", *(path.stem for path in sorted((ROOT / "cae_core").glob("*.py")))]
LIGHT += [
    f"stacking.{path.stem}" for path in sorted((ROOT / "cae_core" / "stacking").glob("*.py")) if path.stem != "network"
]
"""Every module of the core but the networks' own files."""


def test_what_pages_read_loads_no_keras():
    """The first paint waits for these imports; TensorFlow would add five seconds."""
    lines = "\n".join(f"import cae_core.{module}" for module in LIGHT)
    probe = f"import sys\n{lines}\nprint(sorted({HEAVY | {'streamlit'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
