"""Parameters of a notebook: read from the command line, and set in a cell of their own, as papermill does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

#: The tags of cells, as in https://papermill.readthedocs.io/en/latest/usage-parameterize.html.
_GIVEN = "parameters"
_INJECTED = "injected-parameters"
_PYTHON_WORDS = {"True": True, "False": False, "None": None}


class NotPython(Exception):
    """Without papermill only notebooks in Python have parameters."""


def read(text: str) -> Any:
    """Give the value that is meant on a command line: JSON, or True, False or None, else the text as it is."""
    if text in _PYTHON_WORDS:
        return _PYTHON_WORDS[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def inject(notebook: NotebookNode, parameters: Mapping[str, Any], kernel: str) -> NotebookNode:
    """Give the notebook with a cell that sets the parameters, behind the one that is tagged `parameters`, or on top.

    papermill writes that cell where it is installed: for it knows more languages. Raises NotPython.
    """
    if not parameters:
        return notebook
    try:
        from papermill.parameterize import parameterize_notebook  # type: ignore[import-untyped]  # noqa: PLC0415  it need not be there
    except ImportError:
        return _inject(notebook, parameters)
    language = _language(notebook)
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])  # papermill counts on it
    notebook.metadata.setdefault("papermill", {})
    given: NotebookNode = parameterize_notebook(notebook, dict(parameters), kernel_name=kernel, language=language)
    return given


def _inject(notebook: NotebookNode, parameters: Mapping[str, Any]) -> NotebookNode:
    if _language(notebook) != "python":
        raise NotPython(f"parameters of a notebook in {_language(notebook)} take papermill: `pip install papermill`")
    source = "\n".join(["# Parameters", *(f"{name} = {_literal(value)}" for name, value in parameters.items())])
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [_INJECTED]})  # type: ignore[no-untyped-call]
    cells = [old for old in notebook.cells if _INJECTED not in _tags(old)]
    at = next((index + 1 for index, old in enumerate(cells) if _GIVEN in _tags(old)), 0)
    notebook.cells = [*cells[:at], cell, *cells[at:]]
    return notebook


def _literal(value: Any) -> str:
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'  # inf and nan are no literals
    return repr(value)


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", ()))


def _language(notebook: NotebookNode) -> str:
    metadata = notebook.metadata
    told = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    return str(told or "python").lower()
