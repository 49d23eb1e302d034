"""Floors, doors and bans, read from the imports. The one place where an arrow between siblings is drawn."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests import house, measures
from workbench import paradigms

PACKAGE = Path(__file__).resolve().parents[1] / "workbench"

FLOOR = {
    **dict.fromkeys(("vocabulary", "errors", "registry", "messages", "world"), 1),
    **dict.fromkeys(("delimited", "html_repr", "reading", "kernels"), 1),
    **dict.fromkeys(("decode", "decoding", "fitting", "paradigms", "signals", "control", "outcomes"), 2),
    **dict.fromkeys(("devices", "recording", "study", "analysis", "figures", "tables", "widgets"), 2),
    **dict.fromkeys(("stimulation", "physiology"), 2),
    **dict.fromkeys(("decoders", "live", "reports", "exchange", "hardware", "clinic", "statistics"), 3),
    **dict.fromkeys(("systems", "engine", "runs", "estimation"), 4),
    **dict.fromkeys(("dashboard", "__main__", "commands"), 5),
    **dict.fromkeys(("batch", "evaluation", "bench", "research", "stress", "conformance", "simulation"), 5),
}

ARROWS = {
    ("signals", "kernels"): "features are kernels with state",
    ("decoding", "signals"): "the decision path filters as the signal settings say",
    ("fitting", "decoding"): "a fit fills the arrays of the decision path",
    ("fitting", "signals"): "a fit is made on signals as they are filtered live",
    ("paradigms", "decoding"): "a choice is made of evidence that is summed as on the decision path",
    ("decode", "paradigms"): "the loop asks the paradigm's rule",
    ("decode", "signals"): "cues are placed on the sample axis as everywhere",
    ("recording", "signals"): "a stored run is read through the same time base as the live one",
    ("control", "stimulation"): "an order that stimulates passes its supervisor",
    ("devices", "control"): "a device goes through the safe state of its effector's profile",
    ("devices", "recording"): "a player reads recordings",
    ("devices", "physiology"): "a simulated participant has a body",
    ("devices", "stimulation"): "a simulated stimulator holds a programme",
    ("devices", "signals"): "an offline replay corrects stamps with the time base of the live road",
    ("analysis", "outcomes"): "endpoints know the direction of a measure",
    ("study", "stimulation"): "limits of stimulation are signed in the record",
    ("study", "tables"): "a study gives its tables",
    ("study", "outcomes"): "a form of a protocol may be an outcome measure",
    ("study", "analysis"): "one of the tables that a study gives is that of all outcomes",
    ("figures", "analysis"): "figures print limits beside the numbers",
    ("__main__", "commands"): "`python -m workbench` is `workbench`",
    ("commands", "batch"): "a command",
    ("commands", "bench"): "a command",
    ("commands", "evaluation"): "a command",
    ("commands", "stress"): "a command",
    ("commands", "conformance"): "a command",
    ("commands", "simulation"): "a command",
}

DOORS = {
    "numba": {"kernels"},
    "llvmlite": {"kernels"},
    "sqlalchemy": {"study"},
    "sqlite3": {"world", "study", "stress", "simulation"},
    "psycopg": {"world", "study"},
    "pylsl": {"devices"},
    "anywidget": {"widgets"},
    "ipywidgets": {"widgets"},
    "traitlets": {"widgets"},
    "voila": {"widgets"},
    "typst": {"reports"},
    "docx": {"reports"},
    "segno": {"reports"},
    "jinja2": {"reports"},
    "markupsafe": {"reports"},
    "zmq": {"world", "live", "engine", "simulation"},
    "greenlet": {"simulation"},
    "holidays": {"study"},
    "matplotlib": {"figures"},
    "pandas": {"tables", "recording", "research", "study"},
    "plotly": {"figures", "research"},
    "cryptography": {"study", "devices"},
    "distributed": {"batch"},
    "threadpoolctl": {"batch"},
    "pickle": set(),
    "joblib": set(),
}

KERNEL_BANS = {"scipy", "sklearn", "mne", "pandas", "pyriemann"}

WORLDLY = (
    "clinic",
    "control",
    "dashboard",
    "devices",
    "engine",
    "hardware",
    "live",
    "physiology",
    "recording",
    "reports",
    "runs",
    "stimulation",
    "study",
)
"""Rooms that meet time, chance, disk, network, processes through ``world`` alone, so that another can stand in."""

AROUND_THE_DOORS = re.compile(
    r"""^(time\.(?!strftime|gmtime|localtime|struct_time)\w+
    |datetime\.(now|utcnow|today)|date\.today
    |(secrets|random|np\.random|uuid)\.\w+
    |threading\.(Lock|RLock|Event|Condition|Semaphore|Barrier|Thread|Timer)|queue\.\w*Queue
    |os\.(open|fdopen|write|pwrite|ftruncate|truncate|fsync|replace|rename|link|symlink|unlink|remove|mkdir|makedirs
        |rmdir|utime|chmod|close)
    |open|.*\.(write_text|write_bytes|unlink|mkdir|touch|rename|rmdir|symlink_to|hardlink_to|chmod)
    |os\.(getpid|kill|killpg)|subprocess\.(Popen|run|call|check_\w+)|signal\.signal|socket\.gethostname
    |threading\.(current_thread|enumerate|active_count)
    |(shutil|tempfile|fcntl|mmap|msvcrt)\.\w+|sqlite3\.connect|psycopg\.connect|zmq\.(Context|curve_keypair|Poller)
    |socket\.(socket|create_connection))$""",
    re.VERBOSE,
)
NOW = {"time.gmtime": 0, "time.localtime": 0, "time.strftime": 1}
"""Functions that read the clock when they are called with so few arguments."""
TO_WRITE = re.compile(r"[wax]b?\+?|r\+b?|rb\+")
"""Modes in which :meth:`pathlib.Path.open` changes a file."""

STRICT = ("kernels", "signals", "decode", "decoding", "paradigms")
"""Rooms in which no product goes through BLAS or LAPACK and no logarithm through libm: the folder is the rule."""

BLAS = {"dot", "matmul", "einsum", "inner", "outer", "tensordot", "vdot", "linalg"}
LIBM = {"log", "exp", "log1p", "expm1", "log2", "log10", "sin", "cos", "tanh", "power"}
STRICT_EXCEPT = {
    "signals/design.py": "filter coefficients are designed once, stored and hashed",
}


def modules():
    """``(room, path, syntax tree)`` of every module of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if parts[0] in ("notebooks", "data_samples"):
            continue
        room = parts[0].removesuffix(".py")
        yield room, path, house.syntax(path)


def imports(tree):
    """Dotted names that a module imports, with whether the import runs when the module is imported."""
    inside = {
        id(node)
        for function in house.nodes(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if node is not function
    }
    for node in house.nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            top = id(node) not in inside
            if node.module == "workbench":
                yield from ((f"workbench.{alias.name}", top) for alias in node.names)
            else:
                yield node.module, top


@cache
def in_rooms():
    """The modules of all rooms, read when a test first asks, so that a worker that runs other tests never does."""
    return [(room, path, tree) for room, path, tree in modules() if room != "__init__"]


@cache
def imports_in_rooms():
    """Like :func:`in_rooms`, with the imports in the place of the tree."""
    return [(room, path, list(imports(tree))) for room, path, tree in in_rooms()]


def test_every_room_has_a_floor():
    assert {room for room, *_ in in_rooms()} <= set(FLOOR)


def test_imports_run_downward_and_siblings_meet_only_where_an_arrow_is_drawn():
    wrong = []
    for room, path, names in imports_in_rooms():
        for name, _ in names:
            parts = name.split(".")
            if parts[0] != "workbench" or len(parts) < 2 or parts[1] not in FLOOR or parts[1] == room:
                continue
            other = parts[1]
            level = FLOOR[room] - FLOOR[other]
            if level < 0 or (level == 0 and FLOOR[room] > 1 and (room, other) not in ARROWS):
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_one_door_for_each_outside_library(library):
    through = {room for room, _, names in imports_in_rooms() for name, _ in names if name.split(".")[0] == library}
    assert through <= DOORS[library]


def annotations(tree):
    """Every node that stands in an annotation, where naming ``threading.Event`` makes none."""
    for node in house.nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = [node.returns]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            own = [node.annotation]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Callable":
            own = [node.slice]
        else:
            continue
        yield from (part for found in own if found is not None for part in ast.walk(found))


def around_the_doors(tree):
    """What reads a clock, draws a number, writes or sends by another way than ``world``; reading is allowed.

    A function that is handed on (``default_factory=threading.Event``, ``clock=time.monotonic``) counts as called.
    """
    named_only = {id(node) for node in annotations(tree)}
    for node in house.nodes(tree):
        if id(node) in named_only:
            continue
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            name = ast.unparse(node)
            if AROUND_THE_DOORS.match(name) and not name.startswith("world."):
                yield node.lineno, name
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            texts = [
                value.value
                for value in (*node.args, *(keyword.value for keyword in node.keywords))
                if isinstance(value, ast.Constant) and isinstance(value.value, str)
            ]
            opened = name.endswith(".open") and not name.startswith("world.")
            if opened and any(TO_WRITE.fullmatch(text) for text in texts):
                yield node.lineno, f"{name} to write"
            if len(node.args) <= NOW.get(name, -1):
                yield node.lineno, f"{name} of now"


@pytest.mark.parametrize(
    "source",
    [
        "time.monotonic()",
        "wait(clock=time.monotonic)",
        "time.gmtime()",
        "time.strftime('%Y')",
        "datetime.now(UTC)",
        "field(default_factory=threading.Event)",
        "queue.Queue(3)",
        "secrets.token_hex(4)",
        "np.random.default_rng(1)",
        "open(path)",
        "path.open('ab')",
        "path.open(mode='w')",
        "path.write_text('')",
        "os.fsync(3)",
        "sqlite3.connect(path)",
        "zmq.Context()",
        "os.getpid()",
        "subprocess.Popen(command)",
        "signal.signal(number, handler)",
        "threading.current_thread()",
    ],
)
def test_each_way_around_the_doors_is_seen(source):
    assert list(around_the_doors(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "world.clock.monotonic()",
        "path.open('rb')",
        "def wait(event: threading.Event) -> None: ...",
        "time.gmtime(0)",
    ],
)
def test_doors_reading_and_annotations_are_allowed(source):
    assert not list(around_the_doors(ast.parse(source)))


@pytest.mark.parametrize("room", WORLDLY)
def test_time_chance_disk_and_network_are_met_through_their_doors_alone(room):
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for own, path, tree in in_rooms()
        if own == room
        for line, name in around_the_doors(tree)
    ]
    assert found == []


def test_nobody_holds_a_door_of_the_world_by_itself():
    bound = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for room, path, names in imports_in_rooms()
        for name, _ in names
        if name == "workbench.world"
        and path.name != "world.py"
        and room != "simulation"  # it makes the other doors
        and "from workbench.world import" in path.read_text(encoding="utf-8")
    ]
    assert bound == []


def test_kernels_know_nothing_of_us():
    for room, path, names in imports_in_rooms():
        if room == "kernels":
            for name, _ in names:
                own = name.startswith("workbench.") and not name.startswith("workbench.kernels")
                assert not own, f"{path.name} imports {name}; take its value as an argument"
                assert name.split(".")[0] not in KERNEL_BANS, f"{path.name} imports {name}"


DECIDES = {"devices", "study", "recording", "widgets", "control", "live", "engine", "runs", "stimulation"}
"""What runs live and replayed alike, and what is fitted for it, knows nothing of these."""
FORBIDDEN = [
    ("decode", DECIDES),
    ("decoders", DECIDES),
    ("decoding", DECIDES | {"fitting", "decoders"}),
    ("fitting", DECIDES | {"decoders"}),
    # The plan names what a session stimulates with, as it names the law.
    ("live", DECIDES - {"live", "control", "stimulation"} | {"signals"}),
    ("engine", {"runs", "widgets", "reports", "fitting"}),
    ("paradigms", DECIDES),
    ("stimulation", set(FLOOR) - {"stimulation", "vocabulary", "errors", "messages"}),
    ("study", {"kernels", "signals", "devices", "live", "decoders"}),
    ("outcomes", {"kernels", "signals", "devices", "live", "decoders", "study"}),
    ("analysis", {"live", "engine", "devices", "widgets"}),
    ("reports", {"live", "engine", "devices", "widgets"}),
    ("widgets", set(FLOOR) - {"widgets", "vocabulary", "errors", "html_repr", "messages"}),
]


@pytest.mark.parametrize(("room", "banned"), FORBIDDEN, ids=[room for room, _ in FORBIDDEN])
def test_bans_of_the_house(room, banned):
    for own, path, names in imports_in_rooms():
        if own == room:
            reached = {name.split(".")[1] for name, _ in names if name.startswith("workbench.")}
            assert not reached & banned, f"{path.name} reaches {reached & banned}"


def test_only_control_and_the_live_engine_know_how_to_make_a_command():
    for room, path, tree in in_rooms():
        made = [node.func for node in house.nodes(tree) if isinstance(node, ast.Call)]
        calls = {function.id for function in made if isinstance(function, ast.Name)}
        if room not in ("control", "recording", "devices", "vocabulary"):
            assert "Command" not in calls, f"{path.name} makes a Command"


ENTERS = {"analysis", "estimation", "outcomes", "runs", "statistics", "study", "systems"}
"""Rooms that work figures out which the record keeps or a report prints."""
ROUNDED = {
    "runs/held_out.py": "times of a grid, stored and compared as decimals",
    "runs/mapping/wizard.py": "currents of a ramp and responses, from which all else follows",
    "analysis/recovery.py": "published percentiles of a cohort, as they are handed on",
}
"""Where decimals are cut off all the same, and why."""


def test_a_figure_is_rounded_where_it_is_shown_alone():
    cut = {
        path.relative_to(PACKAGE).as_posix()
        for room, path, tree in in_rooms()
        for node in house.nodes(tree)
        if room in ENTERS and isinstance(node, ast.Call) and len(node.args) == 2
        if isinstance(node.func, ast.Name) and node.func.id == "round"
    }
    assert cut == set(ROUNDED)


def test_ground_truth_of_a_simulated_body_is_known_to_the_room_of_its_players_alone():
    knows = {room for room, _, names in imports_in_rooms() for name, _ in names if "workbench.physiology" in name}
    assert knows - {"physiology"} == {"devices"}


def strict_trees():
    for room, path, tree in in_rooms():
        name = path.relative_to(PACKAGE).as_posix()
        if room in STRICT and name not in STRICT_EXCEPT:
            yield name, tree


def test_no_blas_and_no_libm_on_the_decision_path():
    wrong = []
    for name, tree in strict_trees():
        for node in house.nodes(tree):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                wrong.append(f"{name}:{node.lineno} @")
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id in ("np", "numpy") and node.attr in BLAS | LIBM:
                    wrong.append(f"{name}:{node.lineno} np.{node.attr}")
                if node.value.id == "math" and node.attr in LIBM:
                    wrong.append(f"{name}:{node.lineno} math.{node.attr}")
    assert wrong == [], "kernels have their own: matmul in kernels.linalg, log and exp in kernels.evidence"


def test_a_decoder_file_defines_its_decoder_alone():
    """What decides stands in ``decoding``, which is strict; a decoder's file may use BLAS, for it learns.

    A table of settings, which has no methods, may stand beside it.
    """
    for path in (PACKAGE / "decoders").glob("[a-z]*.py"):
        classes = [
            node.name
            for node in house.syntax(path).body
            if isinstance(node, ast.ClassDef)
            and (not node.decorator_list or any(isinstance(part, ast.FunctionDef) for part in node.body))
        ]
        assert len(classes) == 1, f"{path.name} defines {classes}; move what decides to workbench/decoding"


def test_no_kernel_is_fast_at_the_price_of_its_bits():
    for room, path, tree in in_rooms():
        if room == "kernels":
            for node in house.nodes(tree):
                if isinstance(node, ast.keyword) and node.arg in ("fastmath", "parallel"):
                    assert isinstance(node.value, ast.Constant), path
                    assert node.value.value is False, path
                assert not (isinstance(node, ast.Attribute) and node.attr == "prange"), path


def test_kernels_import_where_scipy_is_not_installed():
    code = (
        "import sys\n"
        "class Ban:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('scipy', 'sklearn', 'mne', 'pandas'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Ban())\n"
        "import importlib, pkgutil, workbench.kernels as k\n"
        "names = [m.name for m in pkgutil.iter_modules(k.__path__)]\n"
        "[importlib.import_module(f'workbench.kernels.{n}') for n in names]\n"
        "print(len(names))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


HEAVY = ["sklearn", "mne", "pandas", "plotly", "pyriemann", "sqlalchemy", "matplotlib"]
HEAVY += ["scipy.signal", "scipy.linalg"]


def test_the_engine_starts_without_the_slow_libraries():
    code = "import sys, workbench.engine.process; print(*[m for m in sys.argv[1:] if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_a_study_opens_without_amplifier_software():
    code = (
        "import sys, workbench.study, workbench.outcomes, workbench.analysis;"
        "print(*[m for m in sys.argv[1:] if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "numba", "pylsl", "zmq", "mne", "workbench.kernels"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


REGISTRIES = {
    "decoders": "DECODER",
    "paradigms": "PARADIGM",
    "control": "EFFECTOR",
    "devices": "DEVICE",
    "outcomes": "OUTCOME",
    "systems": "SYSTEM",
    "commands": "COMMAND",
    "evaluation": "DATASET",
}


@pytest.mark.parametrize(("room", "constant"), REGISTRIES.items())
def test_every_file_of_a_registry_folder_defines_its_one_constant(room, constant):
    entries = [path for path in (PACKAGE / room).glob("*.py") if not path.name.startswith("_")]
    for path in [*entries, *(PACKAGE / room).glob("*/__init__.py")]:
        names = {
            target.id
            for node in house.syntax(path).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        remedy = "define it, or begin the file's name with an underscore"
        assert constant in names, f"{path.relative_to(PACKAGE)} defines no {constant}; {remedy}"


OUTERMOST = ("engine/process.py", "engine/server.py", "simulation/scheduler.py")
"""The engine's loop; the door: one message must not cost the next client its STOP; a virtual thread's end."""


def test_nothing_swallows_every_error_outside_the_engine_loop_and_its_door():
    wrong = []
    for _, path, tree in in_rooms():
        for node in house.nodes(tree):
            if isinstance(node, ast.ExceptHandler):
                names = {getattr(n, "id", "") for n in ast.walk(node.type)} if node.type else {"Exception"}
                passed_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                outermost = path.relative_to(PACKAGE).as_posix() in OUTERMOST
                if names & {"Exception", "BaseException"} and not outermost and not passed_on:
                    wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert wrong == []


SPAWNS = {
    "engine/supervision.py": "the supervisor itself",
    "live/_starting.py": "a client's process",
    "stress/lossless.py": "processes of a stress test",
}
"""Files of the rooms that run inside the engine which may start a thread by themselves, and why."""


THREADS = ("threading.Thread", "Timer", "clock.thread")


def test_threads_of_the_engine_are_started_through_its_supervisor():
    wrong = []
    for room, path, tree in in_rooms():
        name = path.relative_to(PACKAGE).as_posix()
        player = room == "devices" and (name.startswith(("devices/_play", "devices/sim", "devices/replay")))
        inside = room in ("engine", "live", "recording", "devices", "control", "decode")
        if not inside or name in SPAWNS or player:
            continue
        for node in house.nodes(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(THREADS):
                wrong.append(f"{name}:{node.lineno}")
    assert wrong == []


def test_every_thread_of_the_engine_has_a_time_within_which_it_must_report():
    wrong = []
    for room, path, tree in in_rooms():
        if room not in ("engine", "recording", "devices", "control"):
            continue
        for node in house.nodes(tree):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            spawns = name.split(".")[-1] in ("spawn", "_spawn") or name.endswith("supervisor.start")
            if spawns and "limit_s" not in {keyword.arg for keyword in node.keywords}:
                wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert wrong == []


@pytest.mark.parametrize("room", ["devices", "live", "signals"])
def test_no_public_name_is_also_the_name_of_another_module_of_its_room(room):
    package = importlib.import_module(f"workbench.{room}")
    names = {name for name in package._LAZY if not inspect.ismodule(getattr(package, name))}
    modules = {path.stem for path in (PACKAGE / room).iterdir()}
    assert names & modules == set()  # importing the module would replace what the name stands for


@cache
def bases_of_classes():
    """``{(module, class): [(module, class) or (None, name) of each base]}``, read from the syntax trees."""
    made = {}
    for _, path, tree in in_rooms():
        module = ".".join(("workbench", *path.relative_to(PACKAGE).with_suffix("").parts))
        own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in house.nodes(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in house.nodes(tree):
            if isinstance(node, ast.ClassDef):
                names = [
                    ast.unparse(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases
                ]
                made[module, node.name] = [
                    (module, name) if name in own else imported.get(name, (None, name)) for name in names
                ]
    return made


def ancestry(one, bases):
    """Length of the longest line of our own classes from a class upward, itself among them."""
    return 1 + max((ancestry(base, bases) for base in bases[one] if base in bases), default=0)


def is_error(one, bases):
    return any(
        name.endswith(("Error", "Exception")) or is_error((at, name), bases) for at, name in bases.get(one, ())
    )


DEEPEST = 3


def test_no_class_has_more_than_three_ancestors_of_ours_with_itself():
    bases = bases_of_classes()
    assert {("workbench.decoders.errp", "Errp"), ("workbench.errors", "BadSignal")} <= set(bases)
    assert ancestry(("workbench.decoders.errp", "Errp"), bases) == DEEPEST
    deep = {one for one in bases if ancestry(one, bases) > DEEPEST and not is_error(one, bases)}
    assert deep == set()


ENGLISH = {
    "batch": "a command",
    "bench": "a command",
    "commands": "the command line speaks English",
    "conformance": "a command",
    "evaluation": "a command",
    "exchange": "files of other systems, which a script reads",
    "research": "the interface of researchers' scripts",
    "simulation": "a command",
    "stress": "a command",
    "figures": "a picture that a script asks for; reports hand over what they have checked",
    **dict.fromkeys(
        (
            "analysis/__init__", "analysis/_change", "analysis/_components", "analysis/_implant",
            "analysis/_isncsci", "analysis/_patterns", "analysis/_repeats", "analysis/_responders",
            "analysis/_scores", "analysis/_splits", "analysis/_state",
        ),
        "endpoints of a study, which a script computes",
    ),
    **dict.fromkeys(("outcomes/_lines", "outcomes/isncsci/tables"), "files that `workbench score` reads"),
    **dict.fromkeys(
        (
            "outcomes/_scoring", "outcomes/_t_scores", "outcomes/_tables", "outcomes/_thresholds",
            "outcomes/eq5d5l", "outcomes/isncsci/classify", "outcomes/scar", "outcomes/scifap",
            "outcomes/sf36v2",
        ),
        "options and tables of norms, which a script or the command line names",
    ),
}  # fmt: skip
"""Rooms and modules whose errors may be sentences in English alone, and why no screen ever shows them."""


def errors_of_ours():
    """Names of the classes of :mod:`workbench.errors` and of all that derive from them."""
    bases, names, n = bases_of_classes(), {"WorkbenchError"}, 0
    while n < len(names):
        n = len(names)
        names |= {name for (_, name), above in bases.items() if names & {base for _, base in above}}
    return names


def written(value):
    """Whether an expression can be a text that is written in place instead of a message of the catalogue."""
    if isinstance(value, ast.IfExp):
        return written(value.body) or written(value.orelse)
    if isinstance(value, ast.BinOp | ast.BoolOp):
        return any(map(written, (value.left, value.right) if isinstance(value, ast.BinOp) else value.values))
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str) and bool(value.value)
    )


def errors_in_english(tree, names):
    """Lines where an error is made of a text: in place, by way of a variable or of a function beside it."""
    made = {}
    for node in house.nodes(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                made.setdefault(ast.unparse(target).removeprefix("self."), []).append(node.value)
        elif isinstance(node, ast.FunctionDef):
            returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
            made.setdefault(f"{node.name}()", []).extend(returned)
    for node in house.nodes(tree):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        # A bare `error` is what a reader of files calls the class that its caller chose.
        called = ast.unparse(node.func)
        if called.split(".")[-1] not in names and called != "error":
            continue
        said = node.args[0]
        name = ast.unparse(said.func) + "()" if isinstance(said, ast.Call) else ast.unparse(said)
        if any(map(written, [said, *made.get(name.removeprefix("self."), ())])):
            yield node.lineno


@pytest.mark.parametrize(
    "source",
    [
        "raise BadValue('no')",
        "raise errors.BadValue(f'no {x}')",
        "raise BadValue(Message('a.b') if x else 'no')",
        "def f():\n    why = 'no ' + x\n    raise BadValue(why)",
        "def f():\n    raise BadValue(why())\ndef why():\n    return f'no {x}'",
        "raise error(f'no {x}')",
    ],
)
def test_each_way_to_an_error_in_english_alone_is_seen(source):
    assert list(errors_in_english(ast.parse(source), {"BadValue"}))


def test_every_error_that_a_screen_may_show_is_a_message_in_every_language():
    names = errors_of_ours()
    assert {"BadValue", "RecordLocked", "TornChunk", "Undetermined"} <= names
    english = {}
    for room, path, tree in in_rooms():
        module = path.relative_to(PACKAGE).with_suffix("").as_posix()
        if lines := list(errors_in_english(tree, names)):
            english[room if room in ENGLISH else module] = (path.relative_to(PACKAGE).as_posix(), lines)
    assert {place: lines for place, lines in english.items() if place not in ENGLISH} == {}
    assert set(ENGLISH) == set(english), "no such error any more: leave the place out of ENGLISH"


COMPOSED = ("engine", "control")
"""Rooms whose classes are made of parts: none inherits from another, none reaches into another's private names."""


@pytest.mark.parametrize("room", COMPOSED)
def test_a_part_has_no_ancestor_of_ours_and_reaches_into_no_other_part(room):
    files = [(path, tree) for own, path, tree in in_rooms() if own == room]
    classes = {node.name for _, tree in files for node in house.nodes(tree) if isinstance(node, ast.ClassDef)}
    wrong = []
    for path, tree in files:
        modules = {alias.asname or alias.name for node in house.nodes(tree) if isinstance(node, ast.ImportFrom)
                   for alias in node.names}  # fmt: skip
        for node in house.nodes(tree):
            if isinstance(node, ast.ClassDef):
                wrong += [f"{path.name} {node.name}({b})" for b in map(ast.unparse, node.bases) if b in classes]
            private = isinstance(node, ast.Attribute) and re.match(r"_(?!_|replace$)", node.attr)
            if private and ast.unparse(node.value) not in {"self", "cls"} | modules:
                wrong.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    assert wrong == []


@pytest.mark.parametrize("room", COMPOSED)
def test_a_part_fits_in_a_head(room):
    wrong = []
    for own, path, tree in in_rooms():
        for node in house.nodes(tree) if own == room else ():
            if isinstance(node, ast.ClassDef):
                public = [m.name for m in node.body if isinstance(m, ast.FunctionDef) and m.name[0] != "_"]
                if len(public) > 17:
                    wrong.append(f"{path.name} {node.name} has {len(public)} public methods")
    assert wrong == []


GENERAL = ("engine", "reports", "dashboard")
"""Rooms that serve any system: what one paradigm or effector needs, its own file says."""


def test_engine_reports_and_dashboard_name_no_paradigm_no_effector_and_no_system():
    rooms = ("paradigms", "control", "systems")
    names = {path.stem for room in rooms for path in (PACKAGE / room).glob("[!_]*.py")}
    names |= {paradigms.load(name).hit_window for name in paradigms.available()} - {""}
    wrong = []
    for room, path, tree in in_rooms():
        for node in house.nodes(tree) if room in GENERAL else ():
            if isinstance(node, ast.Constant) and node.value in names:
                wrong.append(f"{path.name}:{node.lineno} {node.value}")
    assert wrong == []


def test_no_function_is_too_complex():
    assert [line for _, path, tree in in_rooms() for line in measures.complex_functions(path, tree)] == []


def public_functions(tree):
    """``(class or None, function)`` of every function and method that others call by name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
            yield None, node
        if isinstance(node, ast.ClassDef) and node.name[0] != "_":
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and (inner.name[0] != "_" or inner.name == "__init__"):
                    yield node, inner


def ancestors(one, bases):
    """Every class of ours that a class derives from."""
    for base in bases.get(one, ()):
        yield base
        yield from ancestors(base, bases)


def test_public_functions_of_three_arguments_and_more_name_their_parameters():
    """A method may leave them to one of its name in its room; without a docstring, to that which it overrides."""
    sections, bare, bases = set(), [], bases_of_classes()
    for room, path, tree in in_rooms():
        module = ".".join(("workbench", *path.relative_to(PACKAGE).with_suffix("").parts))
        for outer, function in public_functions(tree):
            arguments, name = function.args, function.name
            names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
            own, of_class = ast.get_docstring(function) or "", ast.get_docstring(outer) or "" if outer else ""
            if "Parameters" in own + (of_class if name == "__init__" else ""):
                sections |= {(room, name), (module, outer.name if outer else "", name)}
            elif len(names - {"self", "cls"}) >= 3:
                elsewhere = {(room, name)} if name != "__init__" else set()
                if outer and not own and name != "__init__":
                    elsewhere |= {(*one, name) for one in ancestors((module, outer.name), bases)}
                bare.append((elsewhere, f"{path.relative_to(PACKAGE)}:{function.lineno}"))
    assert [where for elsewhere, where in bare if not elsewhere & sections] == []


MOST_FLOORS = 8


def test_the_longest_way_down_is_at_most_eight_floors():
    assert max(house.floors().values()) <= MOST_FLOORS


def test_rooms_form_no_circle_and_the_picture_shows_them():
    assert house.circles() == []
    assert house.PICTURE.read_text(encoding="utf-8") == house.picture(), "draw it again: python -m tests.house"


def test_functions_stay_short():
    wrong = []
    for _, path, tree in in_rooms():
        for node in house.nodes(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno > 60:
                wrong.append(f"{path.name}:{node.lineno} {node.name} is over 60 lines")
    assert wrong == []


def test_the_tour_names_every_room():
    tour = (PACKAGE.parent / "docs" / "tour.md").read_text(encoding="utf-8")
    rooms = tour[tour.index("## Rooms") :]
    assert {room for room, *_ in in_rooms() if room != "__main__" and f"`{room}`" not in rooms} == set()


def test_the_tour_lists_rooms_from_the_ground_up():
    tour = (PACKAGE.parent / "docs" / "tour.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in tour[tour.index("## Rooms") :].splitlines() if line.startswith("| `")]
    place = {room: n for n, names in enumerate(rows) for room in re.findall(r"`(\w+)`", names)}
    wrong = [
        (room, below) for room in house.arrows() for below in house.arrows()[room] if place[below] > place[room]
    ]
    assert wrong == []
