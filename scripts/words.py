"""Find words that users do not know in what they read: the README, docs/, and the strings of the programs.

`python scripts/words.py` prints every place and exits with 1 if there is one.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
#: What is said, and what to say; the first is a regular expression.
WORDS = {
    r"kindred": "caller's environment",
    r"admission": "authorization",
    r"sittings?": "session",
    r"catalogues?": "task directories",
    r"ladders?": "stop sequence",
    r"prelude": "terminal state",
    r"hang-?up": "SIGHUP",
    r"anew": "again",
    r"illegal move|illegal_move": "invalid state transition, invalid_state",
    r"somebody|nobody|whoever|who cannot": "you, a user, no one; or a noun",
    r"its time was up": "time limit reached",
    r"said wrong|it went wrong": "usage error, error",
    r"(?<!there )is no (?!longer|more|less|way|need|such|other)\w+": "is not a …",
    r"(?<!there )(?:is|are) none": "is not valid",
    r"colour\w*|behaviour\w*": "the American spelling",
}
_PATTERN = re.compile("|".join(f"(?:\\b(?:{word})\\b)" for word in WORDS), re.IGNORECASE)
#: Calls whose strings are read by users: help of click, errors.
_TOLD = {"echo", "option", "argument", "command", "UsageError", "ClickException", "BadParameter", "fail"}


def markdown() -> Iterator[tuple[Path, int, str]]:
    """Iterate over the lines of prose, without code."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        in_code = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                in_code = not in_code
            elif not in_code:
                yield path, number, re.sub(r"`[^`]*`", "", line)


def python() -> Iterator[tuple[Path, int, str]]:
    """Iterate over strings that are raised, printed, or shown as help; docstrings of the command line are help."""
    for path in sorted((ROOT / "jupyter_ptytasks").rglob("*.py")):
        tree = ast.parse(path.read_text())
        help_texts = "cli" in path.parts
        for node in ast.walk(tree):
            parts: list[ast.AST] = []
            if isinstance(node, ast.Raise) and node.exc is not None:
                parts = [node.exc]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _TOLD:
                parts = [node]
            elif isinstance(node, ast.keyword) and node.arg in ("help", "epilog", "state_message"):
                parts = [node.value]
            elif help_texts and isinstance(node, ast.FunctionDef) and node.decorator_list:
                parts = [node.body[0]]
            for part in parts:
                for text in ast.walk(part):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield path, text.lineno, text.value


def front_end() -> Iterator[tuple[Path, int, str]]:
    """Iterate over strings that are translated, and the titles of settings."""
    call = re.compile(r"trans\.(?:__|_n)\(\s*(['\"`])(.*?)(?<!\\)\1", re.DOTALL)
    for path in sorted((ROOT / "labextension" / "src").rglob("*.ts*")):
        if "__tests__" not in path.parts:
            source = path.read_text()
            for found in call.finditer(source):
                yield path, source.count("\n", 0, found.start()) + 1, found[2]
    for path in sorted((ROOT / "labextension" / "schema").glob("*.json")):
        for key, value in _texts(json.loads(path.read_text())):
            if key in ("title", "description"):
                yield path, 1, value


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, key)


def main() -> int:
    """Print what is found."""
    places = set()
    for read in (markdown, python, front_end):
        for path, line, text in read():
            for found in _PATTERN.finditer(text):
                better = next(better for word, better in WORDS.items() if re.fullmatch(word, found[0], re.IGNORECASE))
                places.add((str(path.relative_to(ROOT)), line, found[0], better))
    for place, line, word, better in sorted(places):
        print(f"{place}:{line}: {word!r}; better: {better}")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
