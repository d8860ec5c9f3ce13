"""Names with numbers in a piece of text: `loss: 0.31`, `acc=9812/10000`, `Loss 6.9`, `'lr': '1e-4'`."""

from __future__ import annotations

import re

from . import names

_NAME = r"[A-Za-z][\w@+^*-]*(?:[./][\w@+^*-]+|'s(?=\s))*\.?"
#: Julia writes 0.5f0 and 1.0f-5.
_NUMBER = (
    r"[+-]?(?:[0-9]*\.[0-9]+f-?[0-9]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|nan|NaN|NAN|[iI]nf(?:inity)?|INF)"
)
_PAIR = re.compile(
    rf"(?<![\w.@/%?&#$<-])(?P<name>{_NAME}(?: (?!(?:nan|inf)\b){_NAME}){{0,3}})[\"']?(?: ?[(\[][^()\[\]]{{0,12}}[)\]])?"
    rf"(?:\s*(?P<sep>==?|:|->|→|\|)\s*|\s+)[\"'\[(]?(?:(?:(?:tf\.|torch\.)?[tT]ensor|np\.float[0-9]+|[aA]rray)\()?\s*"
    rf"(?P<number>{_NUMBER})(?:/(?P<of>[0-9]+))?(?![\w:/@]|\.[\w]|-\w|,[0-9]{{3}})"
)
#: Units that make a number a time, a size or a speed.
_UNIT = re.compile(
    r"[\"')\]]?\s?(?:[mnuµ]?s|secs?|seconds?|mins?|minutes?|[kKMGT]i?[Bb](?:it)?|[kMG]?Hz|[mk]?W|°C)(?![\w])"
    r"|\s?\w+/s\b"
)
#: "0,31" is not 0.
_MORE_DIGITS = re.compile(",[0-9]")
#: URLs and paths: their names and numbers are not metrics.
_ADDRESS = re.compile(r"\w+://\S+|(?<!\S)~?/\S+")
_SPLIT_WORDS = "|".join(names.SPLITS)
#: "Test: [0/48]  Loss: 6.9", "[valid] loss 0.2", "Epoch 3 | val | loss 0.2".
_SPLIT = re.compile(
    rf"\W*(?P<first>{_SPLIT_WORDS})(?![\w=-])(?!\s*[:=]\s*[0-9])|.{{0,60}}?[\[|(]\s*(?P<within>{_SPLIT_WORDS})\s*[\]|)]",
    re.IGNORECASE,
)
_BELONGS = names.BEFORE | names.KNOWN
_HINT = re.compile(r"[0-9]|nan|NaN|NAN|[iI]nf|INF")


def may_tell(text: str) -> bool:
    """Return whether there may be a name with a number; a quick check that rules out most lines."""
    return (":" in text or "=" in text or " " in text or "\t" in text) and _HINT.search(text) is not None


def pairs(text: str, *, is_placed: bool, is_named: bool) -> dict[str, float]:
    """Return the metrics in a piece of text with their values, each once.

    Args:
        is_placed: the text says which step it belongs to, so that unknown names count, too.
        is_named: the step is named by a word.
    """
    if "/" in text:
        text = _ADDRESS.sub(" ", text)
    found: list[tuple[str, str, float, bool]] = []
    for match in _PAIR.finditer(text):
        name = _name(match["name"])
        kind = names.kind(name)
        separator, number, of = match["sep"], match["number"], match["of"]
        if kind in ("step", "stop") or not _fits(kind, separator, number, of, match):
            continue
        value = float(number.replace("f", "e") if "." in number else number)
        if of is not None:
            if not float(of):
                continue
            value /= float(of)
        found.append((name, kind, value, _is_broken(number)))
    if not found:
        return {}
    knows = any(kind == "known" for _, kind, _, _ in found)
    prefix = _prefix(text)
    metrics: dict[str, float] = {}
    for name, kind, value, broken in found:
        if kind != "known" and not (broken and (knows or is_placed)) and not is_named:
            continue
        if (
            prefix
            and not names.words(name) & names.SPLITS.keys()
            and not name.lower().startswith(("val", "test", "eval"))
        ):
            name = f"{prefix}_{name}"  # noqa: PLW2901
        metrics.setdefault(name, value)
    return metrics


def _fits(kind: str, separator: str | None, number: str, of: str | None, match: re.Match[str]) -> bool:
    """Return whether what is around the name and the number makes it a value."""
    if not _is_broken(number) and _MORE_DIGITS.match(match.string, match.end("number")):
        return False
    if of is not None and kind not in ("known", "likely"):
        return False
    if separator is None or separator == "|":
        return kind in ("known", "likely") and (_is_broken(number) or of is not None)
    if kind == "known":
        return True
    if separator == "==" or _UNIT.match(match.string, match.end()):
        return False  # the version of a package, a time
    if (
        separator == ":"
        and not _is_broken(number)
        and match.string[match.start("sep") + 1 : match.start("sep") + 2].isdigit()
    ):
        return False  # a port, or a line of a file
    return kind == "other" or _is_broken(number) or of is not None


def _is_broken(number: str) -> bool:
    """Return whether a number is not written as an integer."""
    return not number.lstrip("+-").isdigit()


def _name(text: str) -> str:
    """Return the name at the end of a text, including the words before it that belong to it."""
    *before, last = text.split(" ")
    if before and last in ("is", "was", "of"):
        last = before.pop()  # "The loss is 0.3"
    chosen = [last]
    while before and (_bare(before[-1]).lower() in _BELONGS or before[-1].endswith("'s")):
        chosen.insert(0, before.pop())
    if before and before[-1].lower() == "time":
        chosen.insert(0, before.pop())  # "Time cost=9.1" is not a cost
    return "_".join(map(_bare, chosen))


def _bare(word: str) -> str:
    return word.removesuffix("'s").rstrip(".")


def _prefix(text: str) -> str:
    match = _SPLIT.match(text)
    return names.SPLITS[(match["first"] or match["within"]).lower()] if match else ""
