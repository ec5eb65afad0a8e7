"""The code that a step needs: the modules it imports, as they travel with the step.

Docstrings and comments stay behind. Lines keep their numbers, so that a traceback from a container
points at the source.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder that holds the packages."""
PACKAGES: Final = ("components", "serving")
TEMPLATES: Final = (".html", ".css", ".txt")
"""Files that travel along with the modules of their folder."""


def travelling(modules: Iterable[str]) -> dict[str, bytes]:
    """The files of some modules and of all that they import from ``PACKAGES``.

    Returns:
        Content by path, as ``components/decode/conversion.py``, sorted by path.

    Raises:
        FileNotFoundError: There is no such module.
    """
    found: dict[str, Path] = {}
    left = list(modules)
    while left:
        name = left.pop()
        if name in found:
            continue
        if (path := _file(name)) is None:
            raise FileNotFoundError(f"there is no module {name}")
        found[name] = path
        package = name.rpartition(".")[0]
        left += [package] if package and _file(package) else []
        left += imported(ast.parse(path.read_text()), name, is_package=path.stem == "__init__")
    files = {path: stripped(path.read_text()).encode() for path in found.values()}
    for folder in {path.parent for path in found.values() if path.stem != "__init__"}:
        templates = (path for path in folder.iterdir() if path.suffix in TEMPLATES)
        files |= {path: path.read_bytes() for path in templates}
    return {path.relative_to(ROOT).as_posix(): files[path] for path in sorted(files)}


def code_digest(*modules: str) -> str:
    """Hexadecimal SHA-256 of what travels for some modules: equal in a checkout and a container."""
    digest = hashlib.sha256()
    for name, content in travelling(modules).items():
        digest.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
    return digest.hexdigest()


def imported(tree: ast.AST, module: str = "", *, is_package: bool = False) -> list[str]:
    """The modules of ``PACKAGES`` that code imports, also lazily, except for type checking."""
    names: list[str] = []
    for node in _run_time_nodes(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module if is_package else module.rpartition(".")[0]
            base = resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    own = dict.fromkeys(name for name in names if name.split(".")[0] in PACKAGES)
    return [name for name in own if _file(name) is not None]


def stripped(source: str) -> str:
    """Python source without docstrings and comments, each statement on its line."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                last = node.end_lineno or node.lineno
                lines[node.lineno - 1 : last] = [""] * (last - node.lineno + 1)
                # A block needs a statement, and only a docstring may precede __future__.
                lines[node.lineno - 1] = " " * node.col_offset + '""'
    return "\n".join(lines).rstrip("\n") + "\n"


def _run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith("TYPE_CHECKING"):
        return
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from _run_time_nodes(child)


def _file(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((each for each in candidates if each.is_file()), None)
