"""The programs whose endings are recorded: name → files, and the command line that bash runs in their directory."""

# ruff: noqa: E501, ISC004  the lines of programs are theirs

from __future__ import annotations

#: The text that PyTorch and others print, as quoted in public issues; there is no GPU where this is recorded.
TORCH_NEW = (
    "CUDA out of memory. Tried to allocate 22.78 GiB. GPU 0 has a total capacity of 31.47 GiB of which 12.73 GiB is free. "
    "Including non-PyTorch memory, this process has 18.73 GiB memory in use. Of the allocated memory 9.08 GiB is allocated by "
    "PyTorch, and 9.35 GiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting "
    "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation."  # pytorch/pytorch#16417
)
TORCH_OLD = (
    "CUDA out of memory. Tried to allocate 2.26 GiB (GPU 0; 6.00 GiB total capacity; 781.59 MiB already allocated; 3.03 GiB "
    "free; 1.24 GiB reserved in total by PyTorch)"  # pytorch/pytorch#59778
)
JAX = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 34359738368 bytes."  # jax-ml/jax#13504

TRAIN = """import sys


def step(rate):
    if rate <= 0:
        raise ValueError(f"the learning rate must be positive, not {rate}")


def main():
    print("epoch 1: loss 0.51")
    step(float(sys.argv[1]))
    print("done")


main()
"""
ELASTIC = """import sys, textwrap
print("E1126 10:00:01.123000 4711 torch/distributed/elastic/multiprocessing/api.py:882] failed (exitcode: 1) local_rank: 0 "
      "(pid: 4712) of binary: /usr/bin/python3", file=sys.stderr)
class ChildFailedError(Exception): pass
ChildFailedError.__module__ = "torch.distributed.elastic.multiprocessing.errors"
raise ChildFailedError(textwrap.dedent('''
    ============================================================
    train.py FAILED
    ------------------------------------------------------------
    Failures:
      <NO_OTHER_FAILURES>
    ------------------------------------------------------------
    Root Cause (first observed failure):
    [0]:
      time      : 2026-11-26_10:00:01
      rank      : 0 (local_rank: 0)
      exitcode  : 1 (pid: 4712)
      error_file: <N/A>
      traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
    ============================================================'''))
"""


def raising(module: str, name: str, text: str) -> str:
    """Return a script that raises an exception of a library that is not installed."""
    return f"""def forward():
    raise type({name!r}, (RuntimeError,), {{"__module__": {module!r}}})({text!r})


forward()
"""


JULIA = """ERROR: LoadError: BoundsError: attempt to access 3-element Vector{Int64} at index [7]
Stacktrace:
 [1] throw_boundserror(A::Vector{Int64}, I::Tuple{Int64})
   @ Base ./essentials.jl:14
 [2] getindex
   @ ./essentials.jl:916 [inlined]
 [3] pick(i::Int64)
   @ Main /home/me/work/x.jl:2
 [4] top-level scope
   @ /home/me/work/x.jl:4
in expression starting at /home/me/work/x.jl:4
"""

PROGRAMS: dict[str, tuple[dict[str, str], str]] = {
    # -- Python: versions -------------------------------------------------------------------------------------------
    **{
        f"python{version}": ({"train.py": TRAIN}, f"python{version} train.py -1")
        for version in ("2.7", "3.8", "3.10", "3.12", "3.13")
    },
    "python_ok": ({"train.py": TRAIN}, "python3.12 train.py 1"),
    "python_module": ({"pack/__init__.py": "", "pack/__main__.py": TRAIN}, "python3.12 -m pack 0"),
    "python_c": ({}, "python3.12 -c 'import nothing_of_that_name'"),
    # -- Python: kinds of exceptions --------------------------------------------------------------------------------
    "during_handling": (
        {
            "load.py": "import json\ndef load(path):\n    try:\n        return open(path).read()\n    except OSError:\n"
            "        return json.loads('{')\nload('config.json')\n"
        },
        "python3.12 load.py",
    ),
    "raise_from": (
        {
            "load.py": "def load(path):\n    try:\n        return open(path).read()\n    except OSError as error:\n"
            "        raise RuntimeError('the configuration cannot be read') from error\nload('config.json')\n"
        },
        "python3.12 load.py",
    ),
    "notes": (
        {
            "x.py": "try:\n    raise KeyError('lr')\nexcept KeyError as error:\n    error.add_note('Hint: see config.yaml')\n"
            "    error.add_note('Known keys: rate, epochs')\n    raise\n"
        },
        "python3.12 x.py",
    ),
    "group": (
        {"x.py": "raise ExceptionGroup('two shards failed', [ValueError('shard 1'), OSError(5, 'I/O error')])\n"},
        "python3.12 x.py",
    ),
    "taskgroup": (
        {
            "x.py": "import asyncio\nasync def job(n):\n    await asyncio.sleep(0)\n    raise LookupError(f'no job {n}')\n"
            "async def main():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(job(1))\n"
            "        group.create_task(job(2))\nasyncio.run(main())\n"
        },
        "python3.12 x.py",
    ),
    "syntax": ({"x.py": "print('begins')\nfor i in range(3)\n    print(i)\n"}, "python3.12 x.py"),
    "syntax_imported": ({"x.py": "import helper\n", "helper.py": "def f(:\n    pass\n"}, "python3.12 x.py"),
    "indentation": ({"x.py": "def f():\nreturn 1\n"}, "python3.10 x.py"),
    "keyboard": (
        {"x.py": "import signal\ndef wait():\n    signal.raise_signal(signal.SIGINT)\nwait()\n"},
        "exec python3.12 x.py",
    ),
    "no_message": ({"x.py": "def check(x):\n    assert x\ncheck(0)\n"}, "python3.12 x.py"),
    "message_of_lines": (
        {
            "x.py": "raise RuntimeError('CUDA error: device-side assert triggered\\nCUDA kernel errors might be "
            "asynchronously reported at some other API call.\\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1')\n"
        },
        "python3.12 x.py",
    ),
    "in_library": ({"x.py": "import json\njson.loads('{bad}')\n"}, "python3.12 x.py"),
    "pandas": (
        {"x.py": "import pandas\nframe = pandas.DataFrame({'a': [1]})\nprint(frame['b'])\n"},
        "pydata x.py",
    ),
    "recursion": ({"x.py": "def f(n):\n    return f(n + 1)\nf(0)\n"}, "python3.12 x.py"),
    "sys_exit_text": ({"x.py": "import sys\nsys.exit('accuracy 0.41 is below 0.9')\n"}, "python3.12 x.py"),
    "argparse": (
        {
            "x.py": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', required=True)\np.parse_args()\n"
        },
        "python3.12 x.py",
    ),
    "click": (
        {"x.py": "import click\n@click.command()\n@click.option('--lr', type=float)\ndef f(lr): pass\nf()\n"},
        "pydata x.py --lr fast",
    ),
    # -- Python: below bars, in boxes, in workers --------------------------------------------------------------------
    "below_tqdm": (
        {
            "x.py": "from tqdm import trange\nfor i in trange(10):\n    if i == 4:\n        raise FloatingPointError('loss is nan')\n"
        },
        "pydata x.py",
    ),
    "beside_bar": (
        {
            "x.py": "import sys\nsys.stderr.write('\\r 40%|####      | 4/10 [00:01<00:02]')\nraise ValueError('bad batch')\n"
        },
        "python3.12 x.py",
    ),
    "rich": (
        {
            "x.py": "from rich.traceback import install\ninstall()\ndef f(n):\n    return 1 / n\ndef main():\n    f(0)\nmain()\n"
        },
        "pydata x.py",
    ),
    "loguru_caught": (
        {
            "x.py": "import sys\nfrom loguru import logger\ntry:\n    {}['a']\nexcept KeyError:\n"
            "    logger.exception('skipped')\nprint('2 of 3 files read')\nprint('checksum differs')\nprint('see report.txt')\n"
            "print('done')\nsys.exit(4)\n"
        },
        "pydata x.py",
    ),
    "ipython": ({"x.ipy": "def f(n):\n    return 1 / n\nf(0)\n"}, "pydata -m IPython --colors=NoColor x.ipy"),
    "hydra": (
        {"x.py": "import hydra\n@hydra.main(version_base=None)\ndef f(cfg):\n    raise ValueError('bad rate')\nf()\n"},
        "pydata x.py",
    ),
    "pool": (
        {
            "x.py": "from multiprocessing import Pool\ndef f(n):\n    return 1 // n\nif __name__ == '__main__':\n"
            "    with Pool(2) as pool:\n        print(pool.map(f, [1, 0]))\n"
        },
        "python3.12 x.py",
    ),
    "futures": (
        {
            "x.py": "from concurrent.futures import ProcessPoolExecutor\ndef f(n):\n    raise ValueError(f'bad shard {n}')\n"
            "if __name__ == '__main__':\n    with ProcessPoolExecutor(2) as pool:\n        list(pool.map(f, [1]))\n"
        },
        "python3.12 x.py",
    ),
    "broken_pool": (
        {
            "x.py": "import os, signal\nfrom concurrent.futures import ProcessPoolExecutor\ndef f(n):\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\nif __name__ == '__main__':\n    with ProcessPoolExecutor(1) as pool:\n"
            "        list(pool.map(f, [1]))\n"
        },
        "python3.12 x.py",
    ),
    "joblib": (
        {
            "x.py": "from joblib import Parallel, delayed\ndef f(n):\n    raise ValueError(f'bad fold {n}')\n"
            "Parallel(n_jobs=2)(delayed(f)(n) for n in range(3))\n"
        },
        "pydata x.py",
    ),
    "elastic": (
        {"train.py": TRAIN, "run.py": ELASTIC},
        "python3.12 train.py -1 2>&1 | sed 's/^/[rank0]: /'; python3.12 run.py",
    ),
    "ray": (
        {"train.py": TRAIN},
        "python3.12 train.py -1 2>&1 | sed 's/^/(train pid=4711, ip=10.0.0.7) /'; exit 1",
    ),
    "two_ranks": (
        {"train.py": TRAIN},
        "python3.12 train.py -1 2>&1 | sed 's/^/0: /' > a; python3.12 train.py -2 2>&1 | sed 's/^/1: /' > b;"
        " paste -d '\\n' a b; exit 1",
    ),
    "subprocess": (
        {
            "x.py": "import subprocess, sys\nsubprocess.run([sys.executable, 'train.py', '-1'], check=True)\n",
            "train.py": TRAIN,
        },
        "python3.12 x.py",
    ),
    "dataloader": (
        {
            "x.py": "import traceback\ntry:\n    [][3]\nexcept IndexError as error:\n    text = traceback.format_exc()\n"
            "raise IndexError('Caught IndexError in DataLoader worker process 0.\\nOriginal ' + text)\n"
        },
        "python3.12 x.py",
    ),
    "make": ({"Makefile": "all:\n\tpython3.12 train.py -1\n", "train.py": TRAIN}, "make"),
    "pipe_to_tee": ({"train.py": TRAIN}, "set -o pipefail; python3.12 train.py -1 2>&1 | tee log"),
    # -- what looks like a reason and is none -------------------------------------------------------------------------
    "caught_and_logged": (
        {
            "x.py": "import logging\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('batch 3 is skipped')\nprint('done')\n"
        },
        "python3.12 x.py",
    ),
    "caught_then_code": (
        {
            "x.py": "import logging, sys\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.exception('batch 3 is skipped')\n"
            "for n in range(30):\n    print(f'batch {n}: loss 0.5')\nsys.exit(3)\n"
        },
        "python3.12 x.py",
    ),
    "caught_then_error": (
        {
            "x.py": "import sys, traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()\n"
            "sys.exit('error: no model was good enough')\n"
        },
        "python3.12 x.py",
    ),
    "caught_then_same": (
        {
            "x.py": "import sys, traceback\nfor n in range(4):\n    print(f'batch {n}: loss {1 / (n + 2):.2f}')\n    if n == 2:\n"
            "        try:\n            1 / 0\n        except ZeroDivisionError:\n            traceback.print_exc()\n"
            "sys.exit('the loss is still too high')\n"
        },
        "python3.12 x.py",
    ),
    "deep": (
        {
            "x.py": "".join(f"def f{n}():\n    f{n + 1}()\n" for n in range(260))
            + "def f260():\n    raise LookupError('no such layer')\nf0()\n"
        },
        "python3.12 x.py",
    ),
    "thread": (
        {
            "x.py": "import sys, threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\n"
            "print('main goes on')\nsys.exit(5)\n"
        },
        "python3.12 x.py",
    ),
    "ignored": (
        {
            "x.py": "class A:\n    def __del__(self):\n        raise ValueError('in __del__')\na = A()\ndel a\nraise SystemExit(6)\n"
        },
        "python3.12 x.py",
    ),
    "mentions_error": ({}, "echo 'error rate: 0.02'; echo 'ERROR budget left: 98 %'; echo 'finished epoch 3'; exit 3"),
    "says_nothing": ({}, "exit 42"),
    "grep_nothing": ({"log": "all fine\n"}, "grep -c Traceback log"),
    # -- memory, disk ---------------------------------------------------------------------------------------------------
    "cuda": ({"x.py": raising("torch", "OutOfMemoryError", TORCH_NEW)}, "python3.12 x.py"),
    "cuda_old": ({"x.py": raising("builtins", "RuntimeError", TORCH_OLD)}, "python3.10 x.py"),
    "jax": ({"x.py": raising("jaxlib._jax", "XlaRuntimeError", JAX)}, "python3.12 x.py"),
    "numpy_memory": ({"x.py": "import numpy\nnumpy.ones((1 << 21, 1 << 21))\n"}, "pydata x.py"),
    "memory_error": ({"x.py": "bytearray(1 << 60)\n"}, "python3.12 x.py"),
    "kernel_oom": (
        {"x.py": "print('loading', flush=True)\nheld = []\nwhile True:\n    held.append(b'x' * (8 << 20))\n"},
        "exec python3.12 x.py",
    ),
    "kernel_oom_below_shell": (
        {"x.py": "held = []\nwhile True:\n    held.append(b'x' * (8 << 20))\n"},
        "python3.12 x.py; exit $?",
    ),
    "kernel_oom_worker": (
        {
            "x.py": "from concurrent.futures import ProcessPoolExecutor\ndef f(n):\n    held = []\n    while True:\n"
            "        held.append(b'x' * (8 << 20))\nif __name__ == '__main__':\n    with ProcessPoolExecutor(1) as pool:\n"
            "        list(pool.map(f, [1]))\n"
        },
        "python3.12 x.py",
    ),
    "disk_full": ({"x.py": "with open('/dev/full', 'w') as file:\n    file.write('x' * 100000)\n"}, "python3.12 x.py"),
    "disk_full_dd": ({}, "dd if=/dev/zero of=/dev/full bs=1M count=1"),
    # -- signals and codes ------------------------------------------------------------------------------------------------
    "sigkill": ({}, "kill -9 $$"),
    "sigterm": ({}, "kill -TERM $$"),
    "segfault_python": (
        {"x.py": "import ctypes, faulthandler\nfaulthandler.enable()\ndef poke():\n    ctypes.string_at(0)\npoke()\n"},
        "exec python3.12 x.py",
    ),
    "segfault_c": ({"x.c": "int main(void) { volatile int *p = 0; return *p; }\n"}, "gcc -o x x.c && exec ./x"),
    "segfault_below_shell": (
        {"x.c": "int main(void) { volatile int *p = 0; return *p; }\n"},
        "gcc -o x x.c; ./x; exit $?",
    ),
    "assert_c": (
        {"x.c": "#include <assert.h>\nint main(int n, char **v) { assert(n == 2); return 0; }\n"},
        "gcc -o x x.c && exec ./x",
    ),
    "double_free": (
        {"x.c": "#include <stdlib.h>\nint main(void) { char *p = malloc(8); free(p); free(p); return 0; }\n"},
        "gcc -w -O0 -o x x.c && exec ./x",
    ),
    "terminate_cpp": (
        {"x.cc": '#include <stdexcept>\nint main() { throw std::runtime_error("no such layer: conv9"); }\n'},
        "g++ -o x x.cc && exec ./x",
    ),
    "bad_alloc_cpp": (
        {"x.cc": "#include <vector>\nint main() { std::vector<char> v(1L << 60); return v[0]; }\n"},
        "g++ -o x x.cc && exec ./x",
    ),
    "not_found": ({}, "trayn --epochs 3"),
    "not_found_path": ({}, "./missing.sh"),
    "not_found_sh": ({}, "sh -c 'trayn --epochs 3'"),
    "not_found_zsh": ({}, "zsh -f -c 'trayn --epochs 3'"),
    "not_found_fish": ({}, "fish --no-config -c 'trayn --epochs 3'"),
    "not_found_interpreter": ({"run.sh": "#!/opt/nothing/python\n"}, "chmod +x run.sh; ./run.sh"),
    "not_executable": ({"run.sh": "echo hi\n"}, "./run.sh"),
    "is_directory": ({"data/x": ""}, "./data"),
    "timeout": ({}, "timeout 0.1 sleep 5"),
    "unbound": ({}, "bash -u -c 'echo $missing_variable'"),
    "cd_fails": ({}, "cd /no/such/place || exit 1"),
    "cat_fails": ({}, "cat weights.bin"),
    # -- other languages ------------------------------------------------------------------------------------------------------
    "r_call": ({"x.R": "f <- function(x) stop('bad rate: ', x)\nf(-1)\n"}, "Rscript x.R"),
    "r_library": ({"x.R": "library(nothing)\n"}, "Rscript x.R"),
    "r_long": (
        {
            "x.R": "fit_the_model_with_all <- function(data, rate) stop('the number of rows of the data is not that of the labels')\n"
            "fit_the_model_with_all(1, 2)\n"
        },
        "Rscript x.R",
    ),
    "r_caught": ({"x.R": "try(stop('only a trial'))\ncat('done\\n')\nquit(status = 3)\n"}, "Rscript x.R"),
    "julia": ({"out": JULIA}, "cat out; exit 1"),
    "rust_panic": (
        {
            "x.rs": 'fn main() { let v: Vec<i32> = vec![1]; let i = std::env::args().count() + 6; println!("{}", v[i]); }\n'
        },
        "rustc -o x x.rs && ./x",
    ),
    "rust_main_error": (
        {"x.rs": 'fn main() -> Result<(), Box<dyn std::error::Error>> { std::fs::read("model.bin")?; Ok(()) }\n'},
        "rustc -o x x.rs && ./x",
    ),
    "rustc_error": ({"x.rs": "fn main() { y }\n"}, "rustc x.rs"),
    "go_panic": (
        {"x.go": 'package main\n\nfunc main() {\n\tvar m map[string]int\n\tm["a"] = 1\n}\n'},
        "go run x.go",
    ),
    "node_error": (
        {"x.js": "function load() {\n  throw new TypeError('shape is not a function');\n}\nload();\n"},
        "node x.js",
    ),
    "node_rejection": ({"x.js": "(async () => { JSON.parse('{'); })();\n"}, "node x.js"),
    "node_file": ({"x.js": "require('fs').readFileSync('model.json');\n"}, "node x.js"),
    "java": (
        {
            "X.java": 'public class X {\n  public static void main(String[] a) {\n    try { Integer.parseInt("x"); }\n'
            '    catch (NumberFormatException e) { throw new IllegalStateException("bad option", e); }\n  }\n}\n'
        },
        "java X.java",
    ),
    "java_memory": (
        {"X.java": "public class X {\n  public static void main(String[] a) { long[] b = new long[1 << 28]; }\n}\n"},
        "java -Xmx64m X.java",
    ),
    "perl": ({"x.pl": "die 'no input' unless @ARGV;\n"}, "perl x.pl"),
    "ruby": ({"x.rb": "def f\n  raise ArgumentError, 'bad rate'\nend\nf\n"}, "ruby x.rb"),
    "php": ({"x.php": "<?php\nthrow new Exception('bad rate');\n"}, "php x.php"),
    "lua": ({"x.lua": "error('bad rate')\n"}, "lua x.lua"),
    "gcc_make": (
        {"Makefile": "x: x.c\n\tgcc -o x x.c\n", "x.c": "int main(void) {\n  return y;\n}\n"},
        "make",
    ),
    "linker": ({"x.c": "int f(void);\nint main(void) { return f(); }\n"}, "gcc -o x x.c"),
    "git": ({}, "git clone ./nowhere there"),
    "pytest": (
        {"test_x.py": "def test_a():\n    assert 1 + 1 == 3\n\n\ndef test_b():\n    pass\n"},
        "pydata -m pytest -p no:cacheprovider test_x.py",
    ),
    "unittest": (
        {
            "test_x.py": "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(1, 2)\n"
        },
        "python3.12 -m unittest test_x.py",
    ),
    "pip": ({}, "pydata -m pip --no-input --disable-pip-version-check install --no-index nothing-of-that-name"),
}

#: Those that run in a control group of 64 MiB, where one can be made.
LIMITED = frozenset({"kernel_oom", "kernel_oom_below_shell", "kernel_oom_worker"})
