"""Record the progress output of real libraries: `python tests/data/progress/record.py [NAME...]` writes *.bin here.

Each runs in a terminal of 40 by 120, in an empty directory. It takes an environment with the libraries of README.md;
the programs are small, what counts is what they print.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import tempfile
import termios
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROWS, COLS = 40, 120

#: What is said by libraries that have nothing to do with progress, or would tell of the machine.
ENVIRONMENT = {
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
    "PYTHONWARNINGS": "ignore",
    "KERAS_BACKEND": "torch",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

TQDM = """
import time
from tqdm import tqdm
bar = tqdm(range(50), desc="train")
for step in bar:
    time.sleep(0.03)
    bar.set_postfix(loss=f"{1 / (step + 1):.3f}")
"""
# The outer bar stays above: the inner one is drawn by moves of the cursor.
TQDM_NESTED = """
import time
from tqdm import tqdm, trange
for epoch in trange(4, desc="epochs"):
    for step in trange(30, desc=f"epoch {epoch}", leave=False):
        time.sleep(0.012)
        if step == 15:
            tqdm.write(f"epoch {epoch}: half way, loss={1 / (epoch + 1):.3f}")
print("saved model.pt")
"""
# As most people write it: bars that are over stay, without labels.
TQDM_LEFT = """
import time
from tqdm import tqdm
for epoch in tqdm(range(3)):
    for batch in tqdm(range(20)):
        time.sleep(0.015)
"""
TQDM_UNKNOWN = """
import time
from tqdm import tqdm
for step in tqdm((each for each in range(120)), desc="reading", unit="doc"):
    time.sleep(0.012)
"""
TQDM_LOGGING = """
import logging, time
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
with logging_redirect_tqdm():
    for step in tqdm(range(60), unit_scale=True, total=60):
        if step % 10 == 9:
            logging.info("disk is 93% full; saved 3/10 shards to /data/2026/11/21")
        time.sleep(0.025)
"""
# One bar after another, and a label that changes all the time.
TQDM_SEQUENCE = """
import time
from tqdm import tqdm
for name in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"):
    with tqdm(total=5_000_000, unit="B", unit_scale=True, desc=name) as bar:
        for _ in range(25):
            time.sleep(0.02)
            bar.update(200_000)
bar = tqdm(range(40))
for step in bar:
    time.sleep(0.02)
    bar.set_description(f"loss {1 / (step + 1):.4f}")
"""
RICH = """
import time
from rich.progress import track
for step in track(range(60), description="Working"):
    time.sleep(0.03)
"""
RICH_NESTED = """
import time
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
with Progress(SpinnerColumn(), *Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn()) as progress:
    epochs = progress.add_task("[red]Epochs", total=3)
    steps = progress.add_task("[cyan]Steps", total=40)
    for epoch in range(3):
        progress.reset(steps)
        for step in range(40):
            time.sleep(0.015)
            progress.advance(steps)
        progress.advance(epochs)
        progress.console.log(f"epoch {epoch + 1} took 0.6 s")
"""
PIP_LIKE = """
import time
from pip._internal.cli.progress_bars import get_download_progress_renderer
render = get_download_progress_renderer(bar_type="on", size=40_000_000)
print("Downloading example-1.2.3-py3-none-any.whl (40.0 MB)")
for chunk in render(iter([b"x" * 400_000] * 100)):
    time.sleep(0.02)
print("Installing collected packages: example")
"""
KERAS = """
import time
import keras, numpy
model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.02)
x, y = numpy.random.rand(640, 3), numpy.random.rand(640, 1)
model.fit(x, y, epochs=3, batch_size=32, validation_split=0.25, callbacks=[Slow()])
model.evaluate(x, y)
"""
LIGHTNING = """
import time
import torch
import lightning as L
class Small(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, index):
        time.sleep(0.02)
        loss = self.layer(batch[0]).pow(2).mean()
        self.log("train_loss", loss, prog_bar=True)
        return loss
    def validation_step(self, batch, index):
        time.sleep(0.02)
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(160, 4)), batch_size=8)
bar = L.pytorch.callbacks.TQDMProgressBar()
trainer = L.Trainer(max_epochs=3, callbacks=[bar], accelerator="cpu", logger=False, enable_checkpointing=False,
    log_every_n_steps=1)
trainer.fit(Small(), data, data)
"""
LIGHTNING_RICH = LIGHTNING.replace("TQDMProgressBar", "RichProgressBar")
TRAINER = """
import time
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments
model = BertForSequenceClassification(BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1,
    num_attention_heads=1, intermediate_size=8, max_position_embeddings=16))
data = [{"input_ids": torch.randint(0, 50, (8,)), "labels": torch.tensor(i % 2)} for i in range(64)]
class Slow(TrainerCallback):
    def on_step_end(self, *args, **kwargs):
        time.sleep(0.02)
    def on_prediction_step(self, *args, **kwargs):
        time.sleep(0.02)
arguments = TrainingArguments("out", num_train_epochs=3, per_device_train_batch_size=4, per_device_eval_batch_size=4,
    logging_steps=10, eval_strategy="epoch", save_strategy="no", report_to=[], use_cpu=True)
Trainer(model=model, args=arguments, train_dataset=data, eval_dataset=data[:32], callbacks=[Slow()]).train()
"""
XGBOOST = """
import numpy, xgboost
x, y = numpy.random.rand(200, 4), numpy.random.rand(200)
data = xgboost.DMatrix(x, y)
xgboost.train({"max_depth": 2}, data, num_boost_round=40, evals=[(data, "train")])
"""
LIGHTGBM = """
import lightgbm, numpy
x, y = numpy.random.rand(200, 4), numpy.random.rand(200)
data = lightgbm.Dataset(x, y)
lightgbm.train({"verbose": -1}, data, num_boost_round=40, valid_sets=[data], callbacks=[lightgbm.log_evaluation(1)])
"""
# As torch's examples and many loops print it.
LOOPS = r"""
import time
for epoch in range(1, 4):
    for done in range(0, 60000, 6400):
        time.sleep(0.005)
        print(f"Train Epoch: {epoch} [{done}/60000 ({100 * done / 60000:.0f}%)]\tLoss: {1 / (done + 1):.6f}")
    print(f"\nTest set: Average loss: 0.0{epoch}, Accuracy: {9000 + epoch}/10000 (90%)\n")
"""
STEPS = r"""
import time
for epoch in range(10):
    for step in range(100, 601, 100):
        time.sleep(0.005)
        print(f"Epoch [{epoch + 1}/10], Step [{step}/600], Loss: {1 / (step + epoch):.4f}")
"""
PYTEST = """
import subprocess, sys
from pathlib import Path
for part in range(4):
    Path(f"test_part{part}.py").write_text(
        "import pytest, time\\n@pytest.mark.parametrize('n', range(40))\\ndef test_it(n): time.sleep(0.002)\\n")
subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"])
"""
#: Name: the program.
PROGRAMS = {
    "tqdm": TQDM,
    "tqdm_nested": TQDM_NESTED,
    "tqdm_left": TQDM_LEFT,
    "tqdm_unknown": TQDM_UNKNOWN,
    "tqdm_logging": TQDM_LOGGING,
    "tqdm_sequence": TQDM_SEQUENCE,
    "rich": RICH,
    "rich_nested": RICH_NESTED,
    "pip": PIP_LIKE,
    "keras": KERAS,
    "lightning": LIGHTNING,
    "lightning_rich": LIGHTNING_RICH,
    "trainer": TRAINER,
    "xgboost": XGBOOST,
    "lightgbm": LIGHTGBM,
    "loops": LOOPS,
    "steps": STEPS,
    "pytest": PYTEST,
}


def record(program: str) -> bytes:
    """Run a program to its end, and give all that it wrote to its terminal."""
    with tempfile.TemporaryDirectory() as directory:
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(directory)
            environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "HOME": directory}
            os.execve(sys.executable, [sys.executable, "-c", program], environment)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
        out = b""
        try:
            while piece := os.read(master, 65536):
                out += piece
        except OSError:
            pass  # that is how a terminal ends on Linux
        os.close(master)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        sys.exit(f"{code}\n{out.decode(errors='replace')}")
    return out.replace(directory.encode(), b"/work")


def main(names: list[str]) -> None:
    """Record those programs, or all."""
    for name in names or PROGRAMS:
        out = record(PROGRAMS[name])
        (HERE / f"{name}.bin").write_bytes(out)
        print(name, len(out))


if __name__ == "__main__":
    main(sys.argv[1:])
