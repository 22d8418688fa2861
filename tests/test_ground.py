from __future__ import annotations

import functools
import operator
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

import amoexplore as amo
from amoexplore import errors
from amoexplore.columns import SETTINGS, WIDGETS

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_module_can_be_imported() -> None:
    """Nothing that a module needs is missing among the files and the dependencies of what is installed."""
    names = [
        module.name for module in pkgutil.walk_packages(amo.__path__, "amoexplore.") if "__main__" not in module.name
    ]
    script = f"import importlib; [importlib.import_module(name) for name in {names}]"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
    assert "amoexplore.sandbox.app" in names


def test_environment_yml_is_pyproject() -> None:
    """Conda users get what pip users get: the same packages within the same bounds."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    wanted = {*project["dependencies"], *extras["lab"], *extras["keyring"], *extras["dask"]}
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    assert {*wanted, f"python{project['requires-python']}", "pip"} == {x for x in listed if isinstance(x, str)}


def test_environment_yml_is_for_pip() -> None:
    """What conda hands on to pip is something that pip takes."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    requirements = next(x for x in listed if isinstance(x, dict))["pip"]
    assert requirements == ["--editable ."]


def test_notebooks_are_in_the_wheel() -> None:
    """Each notebook, and nothing else that lies beside them, is packed by its name."""
    packed = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert packed == {f"notebooks/{path.name}": f"amoexplore/notebooks/{path.name}" for path in NOTEBOOKS}


def test_what_is_tested_is_the_wheel() -> None:
    """Where the wheel is to be tested, nothing comes from the checkout, and no file of its package is missing."""
    is_wheel, where = bool(os.environ.get("AMOEXPLORE_WHEEL")), Path(amo.__file__).parent
    assert (where.parent == ROOT) is not is_wheel
    packed = {f"notebooks/{path.name}" for path in NOTEBOOKS} if is_wheel else set()
    assert files_of(where) == files_of(ROOT / "amoexplore") | packed


def files_of(folder: Path) -> set[str]:
    """Return the paths of what lies in a folder, but for what Python, Jupyter and systems leave there."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in files if not any(part.startswith((".", "__py")) for part in path.parts)}


def test_dependencies_are_bounded() -> None:
    """Every dependency that users get has a lowest and a first untested version."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *extras["lab"], *extras["keyring"], *extras["dask"]]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+", requirement)


def test_constraints_are_names_and_versions() -> None:
    """Constraints name no host, no path and no file, and pin all that the project names."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    named = {
        re.split(r"[<>=]", r)[0]
        for r in [*PYPROJECT["project"]["dependencies"], *functools.reduce(operator.iadd, extras, [])]
    }
    assert {name for name in named if not name.startswith("amoexplore")} <= pinned


def test_version_is_the_changelogs() -> None:
    """The newest version in the changelog is the package's."""
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == PYPROJECT["project"]["version"] == version("amoexplore")


def test_readme_code_gives_what_it_shows(tmp_path: Path) -> None:
    """The first Python block of the README prints, line for line, the block that follows it."""
    code, shown = re.search(r"```python\n(.*?)```\n+```text\n(.*?)```", README, re.DOTALL).groups()  # type: ignore[union-attr]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert shown == done.stdout
    assert len(code.strip().splitlines()) == 8


@pytest.mark.parametrize("name", amo.__all__)
def test_public_names_are_documented(name: str) -> None:
    """Each public name stands in the architecture's map of names."""
    assert f"`{name}`" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_commands_are_documented() -> None:
    """Each command of amoexplore and each target that make offers stands in the README."""
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = re.findall(r"""add_parser\(\s*"(\w+)\"""", (ROOT / "amoexplore" / "cli.py").read_text(encoding="utf-8"))
    assert len(targets) > 5
    assert len(commands) > 2
    for name in (*(f"amoexplore {command}" for command in commands), *(f"make {target}" for target in targets)):
        assert name in README


def test_frames_are_documented() -> None:
    """The architecture shows each column of both frames with its dtype."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for name, dtype in [*WIDGETS.items(), *SETTINGS.items()]:
        assert re.search(rf"\| `{name}` \| {dtype} \|", text), name


def test_error_tree_is_drawn() -> None:
    """Each error stands in the tree of the module's docstring."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, (Exception, Warning))
    ]
    assert all(re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "") for kind in kinds)
    assert all(issubclass(kind, (errors.AmoError, Warning)) for kind in kinds)
