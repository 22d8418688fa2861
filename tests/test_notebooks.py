from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted(Path(__file__).parent.parent.joinpath("notebooks").glob("*.ipynb"))
MACHINE = re.compile(
    r"(?<![\w.])/(?:home|Users|root|tmp|work|opt|var|usr)/|[A-Z]:\\|(?:127\.0\.0\.1|localhost):[1-9]|ipykernel_\d"
)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    """Return each notebook in turn."""
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks() -> None:
    """The guard guards something."""
    assert "01_catalogue" in {path.stem for path in NOTEBOOKS}


def test_every_cell_ran_in_order(notebook: nbformat.NotebookNode) -> None:
    """Nbval passes a cell that never ran, so this sees that every code cell did, from top to bottom."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert list(range(1, len(counts) + 1)) == counts


def test_outputs_are_stored(notebook: nbformat.NotebookNode) -> None:
    """Nbval compares stored outputs only, so each cell that ends in an expression has one, and none is an error."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            last = cell.source.rstrip().splitlines()[-1]
            assert cell.outputs or re.match(r"\w+ = |import |from |\s", last), cell.source
            assert all(output.output_type != "error" for output in cell.outputs)


def test_no_widget_state(notebook: nbformat.NotebookNode) -> None:
    """Saved widget state can hold what was typed into a form."""
    assert "widgets" not in notebook.metadata


def test_no_machine_path(notebook: nbformat.NotebookNode) -> None:
    """No notebook tells where it was run."""
    assert not MACHINE.search(nbformat.writes(notebook))


def test_no_notebook_skips_its_check(notebook: nbformat.NotebookNode) -> None:
    """Every output is compared."""
    assert "NBVAL" not in nbformat.writes(notebook)


def test_no_user_of_the_sandbox(notebook: nbformat.NotebookNode) -> None:
    """A notebook takes its users from the account that it runs on: other accounts have others."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert not [source for source in sources if re.search(r"\b(504141|581651)\b", source)]
