"""The rules of the house, held by reading the sources: arrows run one way, heavy things load late. One test a rule."""

import ast
import functools
import graphlib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from cae_core.sweeps import identity

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "cae_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
FRONT = [ROOT / "app.py", *PAGES]
PROJECT = [*FRONT, *CORE]
HEAVY = {"keras", "tensorflow"}


def name(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes(path, kind):
    return [node for node in ast.walk(tree(path)) if isinstance(node, kind)]


def dotted(node):
    """`np.random.seed` of the expression that spells it, else ""."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def calls(path):
    return {dotted(node.func) for node in nodes(path, ast.Call)}


@functools.cache
def imported(path):
    """Every module a file imports, at its top or inside a function, by its dotted name."""
    modules = {alias.name for node in nodes(path, ast.Import) for alias in node.names}
    for node in nodes(path, ast.ImportFrom):
        modules |= {"." * node.level + str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    for node in nodes(path, ast.Call):
        if dotted(node.func).split(".")[-1] in ("import_module", "__import__"):
            modules |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return modules


def tops(path):
    return {module.split(".")[0] for module in imported(path)}


def test_what_is_private_is_used_by_its_own_module_only():
    offenders = []
    for path in PROJECT:
        ours = {
            alias.name
            for node in nodes(path, ast.ImportFrom)
            if str(node.module).split(".")[0] in ("cae_core", "pages")
            for alias in node.names
        }
        spelt = [dotted(node).split(".") for node in nodes(path, ast.Attribute)]
        private = [".".join(parts) for parts in spelt if parts[0] in ours and any(part[0] == "_" for part in parts)]
        offenders += [(name(path), what) for what in [*private, *(one for one in ours if one[0] == "_" != one[1])]]
    assert offenders == []


def test_imports_are_absolute_and_of_what_is_required():
    known = {"streamlit", "starlette", "tensorflow", "keras", "numpy", "plotly", "PIL", "cae_core", "pages"}
    known |= {*sys.stdlib_module_names}
    optional = {"cae_core/cli/sweep.py": {"distributed"}}  # the engine for many machines, imported when it is asked for
    assert {name(path): tops(path) - known for path in PROJECT if tops(path) - known} == optional


def test_the_core_knows_no_web_page():
    assert [name(path) for path in CORE if tops(path) & {"streamlit", "pages", "app"}] == []


FLOORS = (
    "config colours runtime",
    "figures",
    "corruptions losses optimizers metrics pca datasets",
    "architectures inputs",
    "validation",
    "runs",
    "inspection latent",
    "training",
    "stacking",
    "jobs pretrained",
    "inference reproduction comparisons sweeps",
    "export cli",
    "__main__",
)
"""The rooms of the core, lowest first: each imports only from floors below its own."""


def room(module):
    return module.split(".")[1]


def test_arrows_between_rooms_run_downwards():
    floor = {place: number for number, places in enumerate(FLOORS) for place in places.split()}
    offenders = []
    for path in CORE:
        here = path.relative_to(ROOT / "cae_core").with_suffix("").parts[0]
        rooms = {room(module) for module in imported(path) if module.startswith("cae_core.")} - {here}
        offenders += [(name(path), there) for there in rooms if here != "__init__" and floor.get(there, 99) >= floor[here]]
    assert offenders == []


def test_the_identity_of_a_sweeps_run_covers_what_trains_it():
    """All that a trainer imports is hashed, or only keeps, shows or starts."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in CORE}
    reached, todo = set(), ["cae_core.training.run_trainer"]
    while todo:
        module = todo.pop()
        if module in modules and module not in reached:
            reached.add(module)
            todo += imported(modules[module])
    decides = {place.removesuffix(".py") for place in identity.DECIDES}
    assert {room(module) for module in reached if module != "cae_core"} - decides == {"latent", "runs", "runtime"}


def test_no_file_imports_itself_by_way_of_others():
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in PROJECT}
    arrows = {
        module: {other for other in imported(path) if other in modules and other != module and not module.startswith(other)}
        for module, path in modules.items()
    }
    order = graphlib.TopologicalSorter(arrows)
    order.prepare()  # a CycleError names the circle


def test_folders_hold_a_dozen_entries_at_the_most():
    """But for a file a network, a data set, a page."""
    a_file_each = {ROOT / room for room in ("cae_core/architectures", "cae_core/datasets", "pages")}
    folders = {path.parent for path in PROJECT} - {ROOT, *a_file_each}
    entries = {name(folder): [e for e in folder.iterdir() if e.suffix and e.stem != "__init__"] for folder in folders}
    assert [folder for folder in entries if len(entries[folder]) > 12] == []


def test_pages_know_no_keras():
    networks = {f"cae_core.architectures.{file.stem}" for file in (ROOT / "cae_core/architectures").glob("*.py")}
    assert [name(path) for path in FRONT if tops(path) & HEAVY or networks & imported(path)] == []


def test_threads_and_processes_start_in_three_places():
    starts = {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "start_new_thread", "Process", "Popen"}
    starting = {name(path) for path in PROJECT if {call.split(".")[-1] for call in calls(path)} & starts}
    assert starting == {f"cae_core/{file}.py" for file in ("runtime/__init__", "jobs/__init__", "jobs/worker")}


def test_what_is_kept_is_made_once_for_all_who_ask_at_the_same_moment():
    attributes = {path: {dotted(node) for node in nodes(path, ast.Attribute)} for path in PROJECT}
    keeping = {name(path) for path in PROJECT if attributes[path] & {"functools.cache", "functools.lru_cache"}}
    assert keeping == {"cae_core/config.py"}  # which imports nothing, and is quick


def test_one_module_touches_the_session_and_the_address():
    parts = {"session_state", "query_params"}
    assert [name(path) for path in FRONT if {node.attr for node in nodes(path, ast.Attribute)} & parts] == [
        "pages/parts/session/state.py"
    ]


def test_controls_are_drawn_by_one_module():
    """For a control of Streamlit's own may begin in the browser with another value than the session has."""
    kinds = ("slider", "select_slider", "number_input", "text_input", "toggle", "pills", "segmented_control", "multiselect")
    drawn = {f"st.{kind}" for kind in (*kinds, "selectbox", "checkbox", "radio")}
    allowed = {"pages/parts/common/widgets.py", "pages/parts/runs/actions.py"}  # the latter in a form, of no setting
    assert {name(path) for path in FRONT if calls(path) & drawn} <= allowed


def test_who_enters_the_queue_says_from_where():
    """A browser without a cookie is a new visitor every time: only the address binds it."""
    doors = {f"jobs.default().{door}" for door in ("submit", "enter", "resume")}
    entering = [(name(p), ast.unparse(c)) for p in PAGES for c in nodes(p, ast.Call) if isinstance(c.func, ast.Attribute)]
    entering = [(file, call) for file, call in entering if call.startswith((*doors, "rerunning.start("))]
    assert len(entering) >= 5
    assert [(file, call) for file, call in entering if "identity.address()" not in call] == []


def test_nothing_executes_what_it_reads():
    """But from the pipe to a process of its own."""
    unsafe = {"pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
    offenders = [name(path) for path in PROJECT if tops(path) & unsafe]
    offenders += [name(path) for path in PROJECT if calls(path) & {"eval", "exec", "compile", "os.system"}]
    keywords = [(name(path), k) for path in PROJECT for node in nodes(path, ast.Call) for k in node.keywords]
    offenders += [where for where, k in keywords if k.arg == "allow_pickle" and k.value.value is not False]
    assert offenders == ["cae_core/jobs/worker.py"]


READERS = {"read_text", "write_text", "run", "Popen", "check_output", "open"}
TEXT_MODES = {way + more for way in "rwax" for more in ("", "t", "+")}


def opens_text_as_it_comes(call):
    """Whether a call reads or writes text in whatever encoding the user's machine has; ruff sees only some of them."""
    function, keywords = dotted(call.func), {keyword.arg: keyword.value for keyword in call.keywords}
    last = call.func.attr if isinstance(call.func, ast.Attribute) else function
    if {"encoding", "force_zip64"} & set(keywords) or last not in READERS:
        return False
    if last != "open":
        return last.endswith("_text") or bool({"text", "universal_newlines"} & set(keywords))
    given = [*call.args[:2], *filter(None, [keywords.get("mode")])]  # the mode is the second of some, the first of others
    if any(getattr(argument, "value", None) in TEXT_MODES for argument in given):
        return True
    return (function == "open" and len(given) == 1) or bool({"newline", "errors"} & set(keywords))


def test_text_is_utf_8_on_every_machine():
    paths = [*PROJECT, *(ROOT / "tests").rglob("*.py")]
    every = [(path, call) for path in paths for call in nodes(path, ast.Call)]
    assert [(name(path), ast.unparse(call)) for path, call in every if opens_text_as_it_comes(call)] == []


def test_no_random_number_comes_from_a_global_generator():
    draws = {"seed", "rand", "randn", "randint", "random", "normal", "uniform", "choice", "shuffle", "permutation"}
    wrong = re.compile(rf"(np|numpy|tf|keras)\.random\.({'|'.join(draws)})|.*set_(random_)?seed")
    offenders = [name(path) for path in CORE if "random" in tops(path)]
    offenders += [(name(path), call) for path in CORE for call in calls(path) if wrong.fullmatch(call)]
    assert offenders == []


def test_files_stay_short_and_say_what_they_are_for():
    assert [name(path) for path in PROJECT if not ast.get_docstring(tree(path))] == []
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PROJECT}
    assert {file: count for file, count in lines.items() if count >= (200 if file.startswith("pages") else 300)} == {}


def test_what_pages_read_loads_no_keras():
    """The first paint waits for these imports; TensorFlow would add five seconds."""
    made_of_keras_layers = {"cae_core/architectures/layers.py", "cae_core/stacking/network.py", "cae_core/__main__.py"}
    light = [path.relative_to(ROOT).with_suffix("") for path in CORE if name(path) not in made_of_keras_layers]
    probe = "\n".join(f"import {'.'.join(module.parts).removesuffix('.__init__')}" for module in light)
    probe = f"import sys\n{probe}\nprint(sorted({HEAVY | {'streamlit'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")


VAGUE = {"found", "made", "seen", "told", "said", "one", "shown", "drawn"}
"""Names that say how a value came about, or nothing, in the place of what it is."""


def bound(path):
    """Every name that a file binds and its line, but for attributes, module-level functions and classes' own members."""
    members = {id(part) for node in nodes(path, ast.ClassDef) for part in node.body}
    targets = {id(node.target) for node in nodes(path, ast.AnnAssign) if id(node) in members}
    outside = members | {id(node) for node in tree(path).body}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in targets:
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif (
            isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.FunctionDef) and id(node) not in outside
        ):
            yield node.name, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node.lineno


def test_a_local_is_named_for_what_it_holds():
    offenders = [(name(path), line, word) for path in PROJECT for word, line in bound(path) if word in VAGUE]
    assert offenders == []


def test_something_was_read():
    assert Counter(path.relative_to(ROOT).parts[0] for path in PROJECT)["cae_core"] > 50
