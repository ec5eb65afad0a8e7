"""The project's code evaluates no input, unpickles nothing, and gives no input to a shell."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.compiler import COMPILED, PROJECT
from pipeline.specs import spec as specs
from pipeline.specs import worker_pools

FOLDERS = ("pipeline", "components", "serving", "benchmarks", "scripts", "notebooks")
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {
    "os.system",
    "os.popen",
    "np.load",
    "numpy.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.load_all",
    "tempfile.mktemp",
    "keras.models.load_model",
    "tf.keras.models.load_model",
    "keras.config.enable_unsafe_deserialization",
    "shutil.unpack_archive",
    "importlib.import_module",
}
"""Calls that are not made at all: each can run what a file says, or leave its folder."""
UNSAFE = {"shell": True, "allow_pickle": True, "safe_mode": False, "verify": False}
"""Arguments that are not given with such a value."""
SAFE_LOADERS = {"SAFE_LOADER", "yaml.SafeLoader", "yaml.CSafeLoader"}
EXTRACTING = {"extractall", "extract"}


def faults(source: str) -> Iterator[str]:
    """What a module does that the project does not."""
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
            yield from (f"line {line}: imports {name}" for name in names & MODULES)
        elif isinstance(node, ast.Call):
            yield from (f"line {line}: {fault}" for fault in _of_call(node))


def _of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name in CALLS | METHODS or name.rpartition(".")[2] in EXTRACTING:
        yield f"calls {name}"
    keywords = {each.arg: each.value for each in call.keywords if each.arg}
    if name == "yaml.load" and _text(keywords.get("Loader")) not in SAFE_LOADERS:
        yield "calls yaml.load without a safe loader"
    for argument, value in keywords.items():
        if argument in UNSAFE and _text(value) == str(UNSAFE[argument]):
            yield f"calls {name} with {argument}={UNSAFE[argument]}"


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else "(none)"


MODULE_FILES = sorted(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))


def test_every_folder_with_code_is_looked_at() -> None:
    found = {path.relative_to(PROJECT).parts[0] for path in PROJECT.glob("[!.]*/**/*.py")}
    assert found - {"tests", "build", "data"} <= set(FOLDERS)
    assert len(MODULE_FILES) > 100


def test_no_module_runs_its_input() -> None:
    found = {
        str(path.relative_to(PROJECT)): list(faults(path.read_text())) for path in MODULE_FILES
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("path", sorted(COMPILED.rglob("*.yaml")), ids=lambda path: path.name)
def test_the_shell_that_starts_a_step_is_given_no_input_as_its_command(path: Path) -> None:
    commands = [
        command
        for executor in specs.load(path)["deploymentSpec"]["executors"].values()
        if "container" in executor
        for command in shell_commands(executor["container"])
    ]
    assert commands
    assert not any("{{" in command for command in commands)


def shell_commands(container: specs.Spec) -> Iterator[str]:
    """What a container gives to ``sh`` as a command, also that of a job that it starts."""
    pools = worker_pools.read(container)
    own = container if pools is None else worker_pools.alone(pools)
    words = [*own.get("command", []), *own.get("args", [])]
    for option, command in itertools.pairwise(words):
        if option in ("-c", "-ec"):
            yield command


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "os.system(command)",
        "subprocess.run(command, shell=True)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "load(path, allow_pickle=True)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "keras.models.load_model(path)",
        "load_model(path, safe_mode=False)",
        "requests.get(url, verify=False)",
        "tar.extractall(folder)",
    ],
)
def test_the_look_finds_it(source: str) -> None:
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "yaml.load(text, Loader=SAFE_LOADER)",
        "re.compile(pattern)",
        "subprocess.run(command)",
        "tar.extractfile(member)",
    ],
)
def test_the_look_lets_pass_what_is_safe(source: str) -> None:
    assert list(faults(source)) == []
