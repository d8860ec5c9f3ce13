"""The program of the far end: one file with core, ptyhost and relay, named by its hash; and its installation.

The other machine only needs Python and a shell. A line of Python reads the `installer` from the stream. This checks
whether the file exists and has the right hash, requests it if not, and runs it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import marshal
import os
import subprocess
import sys
import zipfile

from ..core import relay

_PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir))
_PARTS = ("core", "ptyhost", "relay")
#: The oldest Python that runs it.
PYTHON = (3, 9)
_MAIN = b"""\
import sys
if sys.argv[1] == "ptyhost":
    from jupyter_ptytasks.ptyhost.__main__ import run_one
    run_one(*sys.argv[2:])
elif sys.argv[1] == "job":
    from jupyter_ptytasks.ptyhost.batch import main
    main(*sys.argv[2:])
elif sys.argv[1] == "tidy":
    from jupyter_ptytasks.relay.programs import main
    main(*sys.argv[2:])
else:
    from jupyter_ptytasks.relay.agent import main
    main(*sys.argv[2:])
"""
#: Only double quotes, no exclamation mark, one line: sh, csh and fish all read it as the same argument.
LOADER = 'exec(eval(open(0,"rb",0,closefd=False).readline()))'
_COMPILE = """\
import marshal, sys
sources = marshal.load(sys.stdin.buffer)
codes = {path: marshal.dumps(compile(source, path, "exec", dont_inherit=True)) for path, source in sources.items()}
sys.stdout.buffer.write(marshal.dumps(codes))
"""
_INSTALLER = """\
import hashlib, os, sys

def say(word):
    os.write(1, {banner!r} + word + b"\\n")

def is_there():
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == {digest!r}
    except OSError:
        return False

if sys.version_info < {python}:
    say({unfit!r} + b" its Python is %d.%d; {oldest} is needed" % sys.version_info[:2])
    raise SystemExit
directory = os.path.join(os.path.expanduser("~"), ".cache", "ptytasks")
path = os.path.join(directory, {name!r})
if not is_there():
    say({want!r})
    data = b""
    while len(data) < {size} and (part := os.read(0, {size} - len(data))):
        data += part
    draft = path + "." + os.urandom(8).hex()
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        say({unfit!r} + b" the program cannot be written: " + os.fsencode(str(error)))
        raise SystemExit
    if not is_there():
        say({unfit!r} + b" the program did not arrive as it was sent")
        raise SystemExit
os.execv(sys.executable, [sys.executable, "-I", "-S", "-X", "utf8", path, "relay"])
"""


class Program:
    """The program: its bytes `data`, its `digest` (SHA-256, hexadecimal), and the line that installs and runs it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.digest = hashlib.sha256(data).hexdigest()
        self.name = f"{self.digest[:16]}.pyz"
        source = _INSTALLER.format(
            banner=relay.BANNER,
            want=relay.WANT,
            unfit=relay.UNFIT,
            digest=self.digest,
            name=self.name,
            size=len(data),
            python=PYTHON,
            oldest=".".join(map(str, PYTHON)),
        )
        self.installer = repr(source).encode() + b"\n"


@functools.lru_cache(maxsize=1)
def program() -> Program:
    """Return the program of this version. Blocking. Raises OSError."""
    sources = {"jupyter_ptytasks/__init__.py": b""}
    for part in _PARTS:
        for directory, below, names in os.walk(os.path.join(_PACKAGE, part)):
            below.sort()
            for name in sorted(names):
                path = os.path.join(directory, name)
                if name.endswith(".py"):
                    with open(path, "rb") as file:
                        sources[f"jupyter_ptytasks/{os.path.relpath(path, _PACKAGE)}"] = file.read()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN)
        for path, data in sources.items():
            _add(archive, path, data)
        for path, data in _compiled(sources).items():
            _add(archive, f"{path}c", data)
    return Program(target.getvalue())


def _compiled(sources: dict[str, bytes]) -> dict[str, bytes]:
    """Return the bytecode of modules, by path, for this version of Python: it starts in half the time, and with less
    memory. Other versions use the source (zipimport). Raises OSError.

    A separate process compiles them: in this one, the bytes would depend on what else is loaded (marshal), but the
    program is named by their hash.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-S", "-s", "-c", _COMPILE], input=marshal.dumps(sources), stdout=subprocess.PIPE, check=False,
        env={**env, "PYTHONHASHSEED": "0"},
    )  # fmt: skip
    if done.returncode != 0:
        raise OSError(f"{sys.executable} cannot compile the program for other machines")
    # An unchecked hash-based pyc (PEP 552): the bytecode is known to match the source.
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    return {path: head + code for path, code in marshal.loads(done.stdout).items()}  # noqa: S302  of our own process


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a file with a fixed date, so that the hash does not change."""
    archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
