from pathlib import Path

from components.dataset.provenance import code_digest


def make(folder: Path, files: dict[str, str]) -> str:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return code_digest(folder)


def test_the_digest_is_that_of_names_and_bytes(tmp_path: Path) -> None:
    files = {"__init__.py": "", "trainer/model.py": "x = 1\n"}
    first = make(tmp_path / "a", files)
    assert first == make(tmp_path / "b", files)
    assert first != make(tmp_path / "c", {**files, "trainer/model.py": "x = 2\n"})
    assert first != make(tmp_path / "d", {"__init__.py": "", "trainer/other.py": "x = 1\n"})
    assert len(first) == 64


def test_what_is_not_embedded_does_not_count(tmp_path: Path) -> None:
    files = {"__init__.py": "", "trainer/model.py": "x = 1\n"}
    interfaces = {"component.py": "y = 2\n", "trainer/task.py": "z = 3\n"}
    checkout = {**files, **interfaces, "trainer/__pycache__/model.pyc": "z"}
    assert make(tmp_path / "checkout", checkout) == make(tmp_path / "container", files)
