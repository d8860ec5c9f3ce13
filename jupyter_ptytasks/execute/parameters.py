"""Parameters of a notebook: parsed from the command line and set in a cell of their own, like papermill's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

#: Tags of cells, as in https://papermill.readthedocs.io/en/latest/usage-parameterize.html.
_GIVEN = "parameters"
_INJECTED = "injected-parameters"


class NotPython(Exception):
    """Parameters of a notebook in another language need papermill."""


def inject(notebook: NotebookNode, parameters: Mapping[str, Any], kernel: str) -> NotebookNode:
    """Return the notebook with a cell that sets the parameters, after the one tagged `parameters`, or at the top.

    If papermill is installed it writes that cell, since it supports more languages.

    Raises:
        NotPython: the notebook is in another language, and papermill is not installed.
    """
    if not parameters:
        return notebook
    try:
        from papermill.parameterize import parameterize_notebook  # type: ignore[import-untyped]  # noqa: PLC0415  optional
    except ImportError:
        return _inject(notebook, parameters)
    language = _language(notebook)
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])  # papermill requires it
    notebook.metadata.setdefault("papermill", {})
    given: NotebookNode = parameterize_notebook(notebook, dict(parameters), kernel_name=kernel, language=language)
    return given


def _inject(notebook: NotebookNode, parameters: Mapping[str, Any]) -> NotebookNode:
    if _language(notebook) != "python":
        raise NotPython(f"parameters of a notebook in {_language(notebook)} need papermill: `pip install papermill`")
    source = "\n".join(["# Parameters", *(f"{name} = {_literal(value)}" for name, value in parameters.items())])
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [_INJECTED]})  # type: ignore[no-untyped-call]
    cells = [old for old in notebook.cells if _INJECTED not in _tags(old)]
    at = next((index + 1 for index, old in enumerate(cells) if _GIVEN in _tags(old)), 0)
    notebook.cells = [*cells[:at], cell, *cells[at:]]
    return notebook


def _literal(value: Any) -> str:
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'  # inf and nan have no literals
    return repr(value)


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", ()))


def _language(notebook: NotebookNode) -> str:
    metadata = notebook.metadata
    told = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    return str(told or "python").lower()
