"""The notebooks as they are committed: with pictures and outputs, without errors, and without traces of a machine.

That they run is tested by ``python -m notebooks``, which executes them.
"""

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 1_500_000  # bytes: a code host shows no larger file
# An absolute path stands alone; a slash inside a word, a formula, an address or a closing tag is none.
MACHINE = re.compile(
    r"""(?:^|[\s"'(=>])(/[a-z][\w.-]*/[\w.-]+|[A-Z]:\\Users|[^\s]*(?:site-packages|ipykernel_\d))""", re.M
)
METADATA = {"kernelspec", "language_info"}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def text(value):
    return "".join(value) if isinstance(value, list) else str(value)


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell["outputs"]]


def faults(notebook):
    """What is wrong with a notebook, as sentences."""
    found = []
    cells, results = code_cells(notebook), outputs(notebook)
    first = notebook["cells"][0]
    if first["cell_type"] != "markdown" or not text(first["source"]).startswith("# "):
        found.append("the first cell has no title")
    if "what you will learn" not in text(first["source"]).lower():
        found.append("the first cell does not say what you will learn")
    if not results:
        found.append("there are no outputs")
    if [cell["execution_count"] for cell in cells] != list(range(1, len(cells) + 1)):
        found.append("the cells were not run once, from the first to the last")
    if any(output["output_type"] == "error" for output in results):
        found.append("an output is an error")
    if any(output.get("name") == "stderr" for output in results):
        found.append("an output is a warning")
    kinds = {kind for output in results for kind in output.get("data", {})}
    if not kinds & {"image/png", "image/svg+xml"}:
        found.append("there is no picture")
    if set(notebook["metadata"]) - METADATA or any("execution" in cell["metadata"] for cell in cells):
        found.append("the metadata hold more than the kernel's name and language")
    for part in [*shown(notebook), *map(json.dumps, [notebook["metadata"]])]:
        found += [f"a path of a machine: {place.group(1)}" for place in MACHINE.finditer(part)]
    return found


def shown(notebook):
    """Sources and outputs, without the pictures that are only bytes."""
    kept = [text(cell["source"]) for cell in notebook["cells"]]
    for output in outputs(notebook):
        kept.append(text(output.get("text", "")))
        kept += [text(value) for kind, value in output.get("data", {}).items() if kind != "image/png"]
    return kept


def test_there_are_notebooks():
    assert PATHS


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook(path):
    assert faults(read(path)) == []
    assert path.stat().st_size < LARGEST
    assert re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem), "a name is a number and words: 02_layers_by_hand"


def test_numbers_are_unique():
    numbers = [path.stem[:2] for path in PATHS]
    assert len(numbers) == len(set(numbers))


def test_the_comparison_on_mnist_is_the_one_that_was_measured():
    path = FOLDER.parent / "benchmarks" / "mnist_frameworks.json"
    figures = json.loads(path.read_text(encoding="utf-8"))
    (notebook,) = (read(path) for path in PATHS if path.stem == "06_backpropagation_from_scratch")
    lines = [line for output in outputs(notebook) for line in text(output.get("text", "")).splitlines()]
    for objective in figures["objectives"].values():
        for name, score in objective["trained"].items():
            best = f"{objective['milliseconds'][name]['best']:.2f}"
            assert any(
                line.startswith(f"{name} ") and line.endswith(f" {score['accuracy']:.2%}") and best in line.split()
                for line in lines
            ), f"{name}: the notebook shows other figures than {path.name}; write it again"
            assert score["accuracy"] >= 0.98


def sample():
    """A notebook without fault."""
    return {
        "metadata": {"kernelspec": {"name": "python3"}},
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "# Title\n\n**What you will learn**"},
            {
                "cell_type": "code",
                "metadata": {},
                "execution_count": 1,
                "source": ["1"],
                "outputs": [{"output_type": "display_data", "data": {"image/png": "/abc/x", "text/plain": ["1"]}}],
            },
        ],
    }


def spoil_title(notebook):
    notebook["cells"][0]["source"] = "Title\n\n**What you will learn**"


def spoil_opening(notebook):
    notebook["cells"][0]["source"] = "# Title"


def spoil_outputs(notebook):
    notebook["cells"][1]["outputs"] = []


def spoil_order(notebook):
    notebook["cells"][1]["execution_count"] = 7


def spoil_result(notebook):
    notebook["cells"][1]["outputs"].append({"output_type": "error", "ename": "ValueError"})


def spoil_stream(notebook):
    notebook["cells"][1]["outputs"].append({"output_type": "stream", "name": "stderr", "text": "a warning"})


def spoil_picture(notebook):
    del notebook["cells"][1]["outputs"][0]["data"]["image/png"]


def spoil_metadata(notebook):
    notebook["cells"][1]["metadata"]["execution"] = {}


def spoil_path(notebook):
    notebook["cells"][1]["outputs"].append(
        {"output_type": "stream", "name": "stdout", "text": "a\nread /home/somebody/x"}
    )


SPOILERS = [
    (spoil_title, "no title"),
    (spoil_opening, "will learn"),
    (spoil_outputs, "no outputs"),
    (spoil_order, "from the first to the last"),
    (spoil_result, "error"),
    (spoil_stream, "warning"),
    (spoil_picture, "picture"),
    (spoil_metadata, "metadata"),
    (spoil_path, "/home/"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILERS, ids=lambda value: getattr(value, "__name__", ""))
def test_faults_are_found(spoil, words):
    notebook = sample()
    assert faults(notebook) == []
    spoil(notebook)
    assert any(words in fault for fault in faults(notebook)), faults(notebook)
