import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from components.dataset import code
from components.dataset.code import code_digest, stripped, travelling


def test_docstrings_and_comments_stay_behind_and_every_statement_stays_on_its_line() -> None:
    def statements(source: str) -> list[tuple[int, str]]:
        return [
            (node.lineno, ast.dump(node))
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.stmt)
            and not getattr(node, "body", None)
            and not isinstance(node, ast.Expr | ast.Pass)
        ]

    for path in code.ROOT.glob("components/**/*.py"):
        source = path.read_text()
        lean = stripped(source)
        assert statements(lean) == statements(source), path
        assert not re.search(r'"""[^"]|^\s*# ', lean, re.MULTILINE), path
    assert (
        stripped('text = "# no comment"  # one\n"""What it is."""\n')
        == 'text = "# no comment"\n""\n'
    )


def test_what_is_imported_travels_lazily_imported_modules_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "ROOT", tmp_path)
    files = {
        "components/__init__.py": "",
        "components/own/__init__.py": "",
        "components/own/start.py": "def f():\n    from . import lazy\n    return lazy\n",
        "components/own/lazy.py": "import components.other.used\n",
        "components/own/page.html": "<p>",
        "components/own/idle.py": "",
        "components/other/__init__.py": "",
        "components/other/used.py": (
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from components.other import types\n"
        ),
        "components/other/types.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert set(travelling(["components.own.start"])) == set(files) - {
        "components/own/idle.py",
        "components/other/types.py",
    }
    before = code_digest("components.own.start")
    (tmp_path / "components/own/idle.py").write_text("x = 1\n")
    (tmp_path / "components/own/lazy.py").write_text("import components.other.used  # a comment\n")
    assert code_digest("components.own.start") == before
    (tmp_path / "components/other/used.py").write_text("x = 1\n")
    assert code_digest("components.own.start") != before
    with pytest.raises(FileNotFoundError, match=r"components\.own\.gone"):
        travelling(["components.own.gone"])


def test_the_digest_in_a_container_is_that_of_the_checkout(tmp_path: Path) -> None:
    module = "components.train.trainer.job"
    for name, content in travelling([module, "components.dataset.code"]).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    program = f"from components.dataset.code import code_digest; print(code_digest({module!r}))"
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[0:0] = ['.']; {program}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == code_digest(module)
