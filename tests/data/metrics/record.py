"""Record what trainings and other programs print: `python tests/data/metrics/record.py [NAME...]` writes *.bin here.

Each runs in a terminal of 40 by 120, in an empty directory. README.md says which libraries it takes, and which of the
programs only print what others do, from their format strings.
"""

# ruff: noqa: E501  programs are one line where their output is what counts

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "progress"))

from record import record  # type: ignore[import-not-found]

HERE = Path(__file__).resolve().parent

_DATA = """
import warnings; warnings.simplefilter("ignore")
from sklearn.datasets import make_classification
x, y = make_classification(200, 8, random_state=1)
"""
_LOSS = """
import math, random, sys, time
random.seed(3)
def loss(at, scale=1.0): return scale * math.exp(-at / 8) + random.random() * 0.02
"""

#: Trainings that are run: the libraries print.
TRAININGS = {
    "sklearn_sgd": _DATA + "from sklearn.linear_model import SGDClassifier\n"
    'SGDClassifier(max_iter=8, tol=None, verbose=1, loss="log_loss", random_state=1).fit(x, y)',
    "sklearn_mlp": _DATA + "from sklearn.neural_network import MLPClassifier\n"
    "MLPClassifier((8,), max_iter=20, verbose=True, random_state=1, early_stopping=True).fit(x, y)",
    "sklearn_gbc": _DATA + "from sklearn.ensemble import GradientBoostingClassifier\n"
    "GradientBoostingClassifier(n_estimators=40, verbose=1, subsample=0.8, random_state=1).fit(x, y)",
    "sklearn_kmeans": _DATA + "from sklearn.cluster import KMeans\n"
    "KMeans(5, n_init=1, verbose=1, random_state=1).fit(x)",
    "sklearn_grid": _DATA + "from sklearn.svm import SVC\nfrom sklearn.model_selection import GridSearchCV\n"
    'GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, cv=3, verbose=3).fit(x, y)',
    "scipy_least_squares": "import numpy, scipy.optimize\n"
    "f = lambda p: numpy.array([10 * (p[1] - p[0] ** 2), 1 - p[0]])\n"
    "scipy.optimize.least_squares(f, [-1.2, 1.0], verbose=2)",
    "scipy_evolution": "import scipy.optimize\n"
    "scipy.optimize.differential_evolution(scipy.optimize.rosen, [(-2, 2)] * 3, maxiter=12, disp=True, seed=1)",
    "xgboost_valid": _DATA + "import xgboost\n"
    "train, valid = xgboost.DMatrix(x[:150], y[:150]), xgboost.DMatrix(x[150:], y[150:])\n"
    'xgboost.train({"objective": "binary:logistic", "eval_metric": ["logloss", "error"], "max_depth": 2}, train,\n'
    '    num_boost_round=20, evals=[(train, "train"), (valid, "eval")])',
    "lightgbm_valid": _DATA + "import lightgbm\n"
    "train = lightgbm.Dataset(x[:150], y[:150]); valid = lightgbm.Dataset(x[150:], y[150:], reference=train)\n"
    'lightgbm.train({"objective": "binary", "metric": ["auc", "binary_logloss"]}, train, 20,\n'
    "    valid_sets=[train, valid], callbacks=[lightgbm.log_evaluation(1)])",
    "catboost": _DATA + "from catboost import CatBoostClassifier\n"
    "CatBoostClassifier(iterations=25, depth=2, random_seed=1, allow_writing_files=False, thread_count=1).fit(\n"
    "    x[:150], y[:150], eval_set=(x[150:], y[150:]))",
    "spacy": """
import json, random, subprocess, sys
import spacy
from spacy.tokens import DocBin
from spacy.training import Example
nlp = spacy.blank("en"); random.seed(1)
for name in ("train", "dev"):
    docs = DocBin()
    for _ in range(40):
        doc = nlp.make_doc(random.choice(["good fine nice", "bad awful poor"]) + " " + random.choice("abcdef"))
        good = doc[0].text == "good"
        doc.cats = {"POS": float(good), "NEG": float(not good)}
        docs.add(doc)
    docs.to_disk(name + ".spacy")
cli = [sys.executable, "-m", "spacy"]
subprocess.run([*cli, "init", "config", "-p", "textcat", "c.cfg"], stdout=subprocess.DEVNULL)
subprocess.run([*cli, "train", "c.cfg", "--paths.train", "train.spacy", "--paths.dev", "dev.spacy",
    "--training.max_steps", "60", "--training.eval_frequency", "10"])
""",
    "keras_metrics": """
import keras, numpy
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy", "auc"])
x = numpy.random.rand(256, 3); y = (x.sum(1) > 1.5) * 1.0
model.fit(x, y, epochs=5, batch_size=64, validation_split=0.25)
""",
    "keras_lines": """
import keras, numpy
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
x, y = numpy.random.rand(256, 3), numpy.random.rand(256, 1)
model.fit(x, y, epochs=12, batch_size=64, validation_split=0.25, verbose=2)
""",
    "lightning_valid": """
import torch, lightning as L
torch.manual_seed(1)
class Small(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, index):
        loss = self.layer(batch[0]).pow(2).mean()
        self.log("train_loss", loss, prog_bar=True)
        return loss
    def validation_step(self, batch, index):
        self.log("val_loss", self.layer(batch[0]).pow(2).mean(), prog_bar=True)
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.05)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(48, 4)), batch_size=8)
bar = L.pytorch.callbacks.TQDMProgressBar(refresh_rate=3)
L.Trainer(max_epochs=5, callbacks=[bar], accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_model_summary=False).fit(Small(), data, data)
""",
    "trainer_eval": """
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
torch.manual_seed(1)
model = BertForSequenceClassification(BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1,
    num_attention_heads=1, intermediate_size=8, max_position_embeddings=16))
data = [{"input_ids": torch.randint(0, 50, (8,)), "labels": torch.tensor(i % 2)} for i in range(32)]
arguments = TrainingArguments("out", num_train_epochs=6, per_device_train_batch_size=8, logging_steps=2,
    eval_strategy="epoch", save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True)
def score(told): return {"accuracy": float((told.predictions.argmax(-1) == told.label_ids).mean())}
Trainer(model=model, args=arguments, train_dataset=data, eval_dataset=data, compute_metrics=score).train()
""",
    "fastai": """
import torch
from fastai.data.all import DataLoaders, DataLoader
from fastai.learner import Learner
from fastai.metrics import accuracy
import fastai.callback.all
torch.manual_seed(1)
x = torch.rand(64, 3); y = (x.sum(1) > 1.5).long()
loader = lambda: DataLoader(list(zip(x, y)), bs=16, num_workers=0)
learner = Learner(DataLoaders(loader(), loader()), torch.nn.Linear(3, 2), loss_func=torch.nn.CrossEntropyLoss(), metrics=accuracy)
learner.fit(6, 0.1)
""",
    "torch_loop": """
import torch
torch.manual_seed(1)
layer = torch.nn.Linear(3, 1); optimizer = torch.optim.SGD(layer.parameters(), 0.1)
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
x = torch.rand(64, 3); y = x.sum(1, keepdim=True)
for epoch in range(8):
    loss = (layer(x) - y).pow(2).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step(); schedule.step()
    print("epoch", epoch, "loss", loss, "lr", schedule.get_last_lr()[0])
""",
    "torch_tqdm": """
import time, torch
from tqdm import tqdm
torch.manual_seed(1)
layer = torch.nn.Linear(3, 1); optimizer = torch.optim.SGD(layer.parameters(), 0.1)
x = torch.rand(64, 3); y = x.sum(1, keepdim=True)
for epoch in range(3):
    with tqdm(range(20), desc=f"Epoch {epoch}", ncols=100) as bar:
        for _ in bar:
            loss = (layer(x) - y).pow(2).mean()
            optimizer.zero_grad(); loss.backward(); optimizer.step(); time.sleep(0.02)
            bar.set_postfix(loss=loss.item(), acc=f"{float((layer(x) - y).abs().lt(0.3).float().mean()):.3f}")
    print(f"validation loss: {loss.item() * 1.1:.4f}")
""",
    "trackio_twin": _LOSS
    + """
for step in range(12):
    value = loss(step)
    print(f"step={step} loss={value:.6f}")
""",
}

#: Programs that print as others do, after their format strings.
PRINTS = {
    "timm_like": _LOSS
    + r"""
for epoch in range(3):
    for batch in range(0, 100, 25):
        v = loss(epoch * 4 + batch / 25, 6.9)
        print(f"Train: {epoch} [{batch:>4d}/100 ({100. * batch / 99:>3.0f}%)]  Loss: {v:#.3g} ({v:#.3g})  "
              f"Time: 0.{random.randrange(100, 999)}s,  {random.random() * 900:>7.2f}/s  (0.345s,  741.11/s)  "
              f"LR: {1e-3 * (0.9 ** epoch):.3e}  Data: 0.{random.randrange(100, 999)} (0.012)")
    for batch in (0, 24):
        v = loss(epoch * 4, 6.5)
        print(f"Test: [{batch:>4d}/24]  Time: 0.{random.randrange(100, 999)} (0.300)  Loss: {v:>7.3f} ({v:>6.3f})  "
              f"Acc@1: {90 - v * 9:>7.3f} ({90 - v * 9:>7.3f})  Acc@5: {99 - v * 5:>7.3f} ({99 - v * 5:>7.3f})")
""",
    "imagenet_like": _LOSS
    + r"""
for epoch in range(3):
    for batch in range(0, 5005, 1001):
        v = loss(epoch * 5 + batch / 1001, 6.9)
        print("\t".join([f"Epoch: [{epoch}][{batch:4d}/5005]", f"Time {random.random():6.3f} ( 0.412)", f"Data {random.random():6.3f} ( 0.013)",
            f"Loss {v:.4e} ({v:.4e})", f"Acc@1 {90 - 9 * v:6.2f} ({90 - 9 * v:6.2f})", f"Acc@5 {99 - 5 * v:6.2f} ({99 - 5 * v:6.2f})"]))
    print(f" *   Acc@1 {90 - 9 * v:.3f} Acc@5 {99 - 5 * v:.3f}")
""",
    "ultralytics_like": _LOSS
    + r"""
for epoch in range(4):
    print(f"\n{'':4s}{'Epoch':>7s}{'GPU_mem':>11s}{'box_loss':>11s}{'cls_loss':>11s}{'dfl_loss':>11s}{'Instances':>11s}{'Size':>11s}")
    for step in range(1, 9):
        row = f"{f'{epoch + 1}/4':>11s}{'2.31G':>11s}" + "".join(f"{loss(epoch * 8 + step, s):>11.4g}" for s in (1.5, 3.0, 1.2)) + f"{random.randrange(5, 40):>11d}{640:>11d}"
        sys.stdout.write(f"\r{row}: {step * 100 // 8:>3d}%|{'█' * step:<10s}| {step}/8 [00:0{step}<00:0{8 - step},  4.31it/s]"); sys.stdout.flush(); time.sleep(0.01)
    print()
    head = f"{'Class':>22s}{'Images':>11s}{'Instances':>11s}{'Box(P':>11s}{'R':>11s}{'mAP50':>11s}{'mAP50-95)':>11s}"
    sys.stdout.write(f"\r{head}: 100%|██████████| 4/4 [00:01<00:00,  3.91it/s]\n")
    print(f"{'all':>22s}{128:>11d}{929:>11d}" + "".join(f"{1 - loss(epoch * 6, 0.8):>11.3g}" for _ in range(4)))
""",
    "estimator_like": _LOSS
    + r"""
for step in range(0, 1001, 100):
    if step: print(f"INFO:tensorflow:global_step/sec: {random.random() * 100 + 200:g}")
    print(f"INFO:tensorflow:loss = {loss(step / 100, 2.3)}, step = {step}" + (f" ({random.random():.3f} sec)" if step else ""))
    if step % 300 == 0: print(f"INFO:tensorflow:Saving dict for global step {step}: accuracy = {0.9 - loss(step / 100) / 2:.7f}, global_step = {step}, loss = {loss(step / 100):.7f}")
""",
    "nanogpt_like": _LOSS
    + r"""
for it in range(0, 60):
    if it % 20 == 0: print(f"step {it}: train loss {loss(it / 4, 4):.4f}, val loss {loss(it / 4, 4.1):.4f}")
    if it % 5 == 0: print(f"iter {it}: loss {loss(it / 4, 4):.4f}, time {random.random() * 400:.2f}ms, mfu {random.random() * 40:.2f}%")
print("step 60: train loss 0.0100, val loss 0.0200")
""",
    "sb3_like": _LOSS
    + r"""
for it in range(1, 5):
    rows = [("rollout/", ""), ("   ep_len_mean", f"{20 + it * 3.1:.3g}"), ("   ep_rew_mean", f"{20 + it * 3.1:.3g}"), ("time/", ""), ("   fps", f"{900 + it}"),
        ("   iterations", it), ("   time_elapsed", it * 2), ("   total_timesteps", it * 2048), ("train/", ""), ("   approx_kl", f"{loss(it, 0.01):.7f}"), ("   policy_gradient_loss", f"{-loss(it):.4f}"), ("   value_loss", f"{loss(it, 50):.3g}")]
    print("-" * 40)
    for name, value in rows: print(f"| {name:<24}| {value!s:<11}|")
    print("-" * 40)
""",
    "fairseq_like": _LOSS
    + r"""
for n in range(100, 1001, 100):
    v = loss(n / 100, 9)
    print(f"2026-11-21 11:02:{n // 20:02d} | INFO | train_inner | epoch 001:    {n} / 1102 loss={v:.3f}, nll_loss={v * .9:.3f}, ppl={2 ** v:.2f}, wps={10000 + n}, ups=3.2, wpb=3581.1, bsz=145.6, num_updates={n}, lr={n * 1e-7:g}, gnorm={loss(n / 100, 3):.3f}, train_wall=31, wall={n // 3}")
""",
    "mxnet_like": _LOSS
    + r"""
for epoch in range(4):
    for batch in (100, 200): print(f"INFO:root:Epoch[{epoch}] Batch [{batch}]\tSpeed: {random.random() * 1e4:.2f} samples/sec\taccuracy={0.95 - loss(epoch * 2) / 2:f}")
    print(f"INFO:root:Epoch[{epoch}] Train-accuracy={0.96 - loss(epoch * 2) / 2:f}\nINFO:root:Epoch[{epoch}] Time cost={random.random() * 9:.3f}\nINFO:root:Epoch[{epoch}] Validation-accuracy={0.94 - loss(epoch * 2) / 2:f}")
""",
    "json_lines": _LOSS
    + r"""
import json
for epoch in range(8): print(json.dumps({"epoch": epoch, "loss": loss(epoch), "val_loss": loss(epoch, 1.1) if epoch != 5 else float("nan"), "lr": 0.1 * 0.9 ** epoch, "time": random.random()}))
""",
    "logging_lines": _LOSS
    + r"""
import argparse, logging
logging.basicConfig(format="2026-11-21 11:02:11,698 - trainer - %(levelname)s - %(message)s", level=logging.INFO)
for line in ("Namespace(lr=0.001, epochs=10, seed=1, data='/data/set')", "config: batch_size=32 dropout=0.1 weight_decay=0.01", "Using torch==2.13.0 on host node1:8080"): logging.info(line)
for epoch in range(1, 7):
    logging.info(f"Epoch {epoch}/6 | Train Loss: {loss(epoch):.4f} | Train Acc: {90 - 30 * loss(epoch):.2f}% | Val Loss: {loss(epoch, 1.1):.4f} | Val Acc: {89 - 30 * loss(epoch):.2f}% | Time: {random.random() * 9:.1f}s | saved to runs/epoch{epoch}.pt")
""",
    "mmcv_like": _LOSS
    + r"""
for n in range(50, 401, 50):
    print(f"2026/11/21 11:02:{n // 10:02d} - mmengine - INFO - Epoch(train)  [1][{n:>3d}/400]  lr: {n * 2e-5:.4e}  eta: 0:0{9 - n // 50}:12  time: {random.random():.4f}  data_time: 0.0041  memory: 3412  loss: {loss(n / 50, 2):.4f}  loss_cls: {loss(n / 50, 1):.4f}  loss_bbox: {loss(n / 50, .9):.4f}  acc: {99 - 40 * loss(n / 50):.4f}")
""",
    "md_like": _LOSS
    + r"""
print("step      time(ps)   E_pot        E_kin        temperature")
for n in range(0, 1000, 100): print(f"step {n} E={-1200 - 10 * (1 - loss(n / 100)):.3f} pressure={1 + loss(n / 100):.4f}")
""",
    "nan_loss": _LOSS
    + r"""
for step in range(10): print(f"step {step} loss {loss(step, 5) if step < 6 else float('nan'):.4f} grad_norm {10 ** step if step < 8 else float('inf'):.3e}")
""",
}

#: Programs that train nothing, and are run.
OTHERS = {
    "pip_install": "import subprocess, sys; subprocess.run([sys.executable, '-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '-q', '--progress-bar=off', 'six==1.17.0', 'idna==3.10', '-v', '--no-color', '--disable-pip-version-check', '--timeout', '9', '--dest', 'out'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); subprocess.run([sys.executable, '-m', 'pip', 'list', '--disable-pip-version-check'])",
    "git_clone": """
import os, subprocess
env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
run = lambda *a, **k: subprocess.run(["git", *a], env=env, **k)
run("init", "-q", "-b", "main", "one")
for at in range(30):
    open(f"one/file{at}", "w").write(str(at) * 20000); run("-C", "one", "add", "."); run("-C", "one", "commit", "-q", "-m", f"change {at}: 0.{at}")
run("clone", "--progress", "--no-local", "one", "two"); run("-C", "two", "--no-pager", "log", "--stat", "-5")
""",
    "curl": """
import http.server, subprocess, threading
open("file", "wb").write(b"x" * 3_000_000)
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8765), Quiet); threading.Thread(target=server.serve_forever, daemon=True).start()
for at in range(4): subprocess.run(["curl", "--limit-rate", "3M", "-o", f"out{at}", "http://127.0.0.1:8765/file"])
subprocess.run(["wget", "-O", "out", "http://127.0.0.1:8765/file"])
""",
    "http_log": """
import http.server, subprocess, threading, urllib.request
class Slow(http.server.SimpleHTTPRequestHandler):
    def log_date_time_string(self): return "21/Nov/2026 11:02:11"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8766), Slow); threading.Thread(target=server.serve_forever, daemon=True).start()
for at in range(12):
    try: urllib.request.urlopen(f"http://127.0.0.1:8766/data?page={at}&loss=0.{at}&step={at}").read()
    except OSError: pass
""",
    "ls": """
import os, subprocess
for at in range(12): open(f"epoch-{at}-loss-0.{at}.pt", "wb").write(b"x" * at * 100); os.utime(f"epoch-{at}-loss-0.{at}.pt", (1.8e9, 1.8e9 + at * 86400))
subprocess.run(["ls", "-l"]); subprocess.run(["du", "-ab", "."])
""",
    "dd": "import subprocess; [subprocess.run(['dd', 'if=/dev/zero', 'of=out', 'bs=1M', f'count={n * 100}', 'status=progress']) for n in (1, 2, 3, 4)]",
    "make": r"""
import subprocess
open("Makefile", "w").write("all: " + " ".join(f"f{n}.o" for n in range(10)) + "\n%.o: %.c\n\tcc -O2 -Wall -c $< -o $@\n")
for n in range(10): open(f"f{n}.c", "w").write(f"int f{n}(int x) {{ int unused{n} = {n}; return x = {n}.5; }}\n")
subprocess.run(["make", "-k"])
""",
    "npm": """
import json, subprocess
json.dump({"name": "a", "version": "1.0.0", "scripts": {f"s{n}": f"echo took {n}.{n}s" for n in range(6)}}, open("package.json", "w"))
for n in range(6): subprocess.run(["npm", "run", f"s{n}"])
subprocess.run(["npm", "version", "patch"]); subprocess.run(["npm", "pack"])
""",
    "pytest_verbose": r"""
import subprocess, sys
from pathlib import Path
for part in range(3): Path(f"test_part{part}.py").write_text("import pytest, time\n@pytest.mark.parametrize('lr', [0.1, 0.2, 0.3])\ndef test_step(lr): assert lr != 0.2\n")
subprocess.run([sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--durations=5"])
""",
    "unittest": r"""
import subprocess, sys
open("test_a.py", "w").write("import unittest\nclass T(unittest.TestCase):\n" + "".join(f"    def test_{n}(self): self.assertEqual({n}, 5)\n" for n in range(8)))
subprocess.run([sys.executable, "-m", "unittest", "-v", "test_a"])
""",
    "timeit": "import subprocess, sys; [subprocess.run([sys.executable, '-m', 'timeit', '-v', '-n', str(n * 1000), '-r', '3', 'x = 1.5 ** 2']) for n in (1, 2, 3, 4)]",
    "apt": "import subprocess; subprocess.run(['apt-get', '-s', 'install', 'tree', 'sl', 'figlet']); subprocess.run(['apt-cache', 'policy', 'tree', 'sl', 'figlet'])",
}

#: And that only print.
OTHER_PRINTS = {
    "docker_like": r"""
for n in range(1, 9): print(f"Step {n}/8 : RUN pip install package{n}=={n}.{n}.0\n ---> Running in 1f{n}a2b{n}c\nRemoving intermediate container 1f{n}a2b{n}c\n ---> 7{n}d8e")
for n in range(8): print(f"#{n + 5} [build {n + 1}/8] COPY part{n} .\n#{n + 5} sha256:ab{n}c 12.{n}MB / 98.2MB 0.{n}s\n#{n + 5} DONE 0.{n}s")
""",
    "nginx_like": r"""
for n in range(30): print(f'10.0.0.{n} - - [21/Nov/2026:11:02:{n:02d} +0000] "GET /api/items?page={n}&score=0.{n} HTTP/1.1" 200 {1200 + n * 7} "-" "curl/8.5.0" rt=0.0{n} uct="0.00{n % 10}" urt="0.0{n}"')
""",
    "dmesg_like": r"""
for n in range(30): print(f"[{n * 1.37:12.6f}] usb 1-{n % 4}: new high-speed USB device number {n} using xhci_hcd\n[{n * 1.37 + .01:12.6f}] EXT4-fs (sda{n % 5}): mounted filesystem r/w with ordered data mode. Quota mode: none. delay={n * 3}\n[{n * 1.37 + .02:12.6f}] CPU{n}: Package temperature above threshold, cpu clock throttled (total events = {n * 17})")
""",
    "ping_like": r"""
for n in range(1, 15): print(f"64 bytes from 10.0.0.1: icmp_seq={n} ttl=57 time={9 + n * .37:.1f} ms")
print("14 packets transmitted, 14 received, 0% packet loss, time 13018ms\nrtt min/avg/max/mdev = 9.370/11.775/14.180/1.491 ms")
""",
    "rsync_like": r"""
for n in range(1, 12): print(f"data/part-{n:05d}.bin\n     {n * 1234:,}  {n * 9}%  {n * 1.3:.2f}MB/s    0:00:0{n % 10} (xfr#{n}, to-chk={12 - n}/14)")
print("sent 123,456 bytes  received 789 bytes  82,830.00 bytes/sec\ntotal size is 1,234,567  speedup is 9.94")
""",
    "logfmt": r"""
for n in range(20): print(f'time=2026-11-21T11:02:{n:02d}Z level=info msg="request done" method=GET path=/v1/items/{n} status={200 + n % 3} duration={n * .31:.3f} bytes={n * 120} attempt={n % 4} load={n * .1:.2f}')
""",
    "ffmpeg_like": r"""
import sys
for n in range(1, 20): sys.stdout.write(f"frame={n * 25:5d} fps= {20 + n % 5} q=28.0 size={n * 120:8d}kB time=00:00:{n:02d}.00 bitrate={900 + n * 3.1:.1f}kbits/s dup={n % 3} drop=0 speed={1 + n * .01:.3g}x    \r")
print()
""",
    "vmstat_like": r"""
print("procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st")
for n in range(15): print(f" {n % 3}  0      0 {812345 - n * 133} {20412 + n} {3042112 + n * 9}    0    0     {n}    {n * 7}  {400 + n * 3}  {800 + n} {n}  1 {98 - n}  0  0")
""",
    "nvidia_like": r"""
for n in range(6):
    print(f"|   0  NVIDIA A100-SXM4-40GB          On  | 00000000:00:04.0 Off |                    0 |\n| N/A   {40 + n}C    P0             {60 + n * 20}W / 400W |  {1024 * n + 512}MiB / 40960MiB |     {n * 16}%      Default |")
    print(f"GPU 0: temperature: {40 + n} power: {60.5 + n} clocks: {1410 - n}")
""",
    "kube_like": r"""
for n in range(12): print(f"web-7d4b9c{n:02d}-x2x8k   1/1     Running   {n % 3} (5m{n}s ago)   {n}h\nI1121 11:02:{n:02d}.123456       1 controller.go:{100 + n}] syncing replicas={n} ready={n - 1} usage=0.{n}")
""",
    "cargo_like": r"""
for n in range(12): print(f"   Compiling crate{n} v0.{n}.1\n    Building [====>      ] {n * 8}/100: serde, tokio v1.{n}")
print("    Finished `release` profile [optimized] target(s) in 1m 12s\ntest result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; finished in 0.12s")
""",
}

PROGRAMS = {**TRAININGS, **PRINTS, **OTHERS, **OTHER_PRINTS}


def main(names: list[str]) -> None:
    """Record those programs, or all."""
    for name in names or PROGRAMS:
        out = record(PROGRAMS[name]).replace(sys.prefix.encode(), b"/usr")
        (HERE / f"{name}.bin").write_bytes(out)
        print(name, len(out))


if __name__ == "__main__":
    main(sys.argv[1:])
