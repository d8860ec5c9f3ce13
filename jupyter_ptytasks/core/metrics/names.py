"""The names of metrics: which words make a metric, which never do, and their order."""

from __future__ import annotations

import re
from functools import lru_cache


def _listed(words: str) -> list[str]:
    return words.split()


#: Words that always make a name a metric.
KNOWN = frozenset(
    _listed(
        """
    loss losses acc accuracy precision recall f1 fscore auc auroc auprc roc prauc rmse mse mae mape smape rmsle
    r2 logloss mlogloss merror perplexity ppl bleu rouge rougel meteor wer cer iou miou giou dice map map50 ap
    ap50 ndcg mrr reward rewards rew lr learningrate gradnorm gnorm kl elbo nll bpd bpc psnr ssim lpips fid
    inertia ce bce mcc kappa lloss ploss entropy likelihood loglikelihood lpp top1 top5 learn ents las uas
    jaccard hinge huber l1 l2 multilogloss binlogloss objective lagrangian deviance advantage tderror qloss
    winrate eplen episodelen eplength episodelength epret
    """
    )
)
#: Words that are metrics only with a decimal point, or next to others, since they have other meanings.
LIKELY = frozenset(
    _listed(
        """
    error err score cost return returns residual energy penalty regret margin value gap lower obj norm mfu fitness
    target
    """
    )
)
#: Such names of two words, one of which alone would exclude them.
PAIRED = frozenset(_listed("errorrate errrate successrate hitrate"))
#: Words for counts of what has been done: they are the step of a value, not a value.
STEPS = frozenset(
    _listed(
        """
    epoch epochs step steps iter iters iteration iterations it round rounds episode episodes update updates
    batch batches generation gen globalstep trial
    """
    )
)
#: Words of other measurements, or of what is not a measurement.
STOP = frozenset(
    _listed(
        """
    time times sec secs second seconds ms us ns eta elapsed remaining duration took runtime cost_time total_time
    data_time wall clock date day port pid ppid tid uid gid mem memory gpumem vram ram rss maxmem cpu disk size
    bytes byte kb mb gb kib mib gib count counts speed throughput fps version line lines row rows col column
    columns id ids seed year rank world samples sample tokens token images image instances instance nnz nnzs
    total done left seq ttl mtu status code exit level worker workers thread threads node nodes job task shard
    file files page pages width height shape dim depth num number n best_iteration bestiter timeout retry
    retries attempt attempts priority offset length len index idx data host addr address irq bus vendor
    resolution class classes params parameters warmup patience flops speedup temp rate rc errno major minor
    revision build wps ups tps sps qps rps ips wpb bsz dur progress percent
    """
    )
)
#: Words at the beginning of a line that name the data set of a metric.
SPLITS = {
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "evaluation": "val",
    "dev": "val",
    "test": "test",
}
#: Words that may precede a name and belong to it.
BEFORE = frozenset(
    _listed(
        """
    train training trn val valid validation eval evaluation test dev avg average mean running total smoothed
    best initial init final epoch batch box cls dfl obj mask seg grad gradient learning weight balanced macro micro
    weighted cross binary root squared absolute policy actor critic generator discriminator gen disc g d vae kl
    reconstruction recon regularization aux top ema log episode ep roc pr mlm nsp ctc rpn bbox sim contrastive
    triplet focal dice norm lm
    """
    )
)
#: Words with which no name is a metric: "Validation loss decreased (0.4 --> 0.3)" has the old value first.
_NO_VALUE = frozenset(_listed("time sec secs seconds eta mem memory decreased increased improved"))
_WORD = re.compile(r"[a-z]+\d*|\d+|\w+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=4096)
def words(name: str) -> frozenset[str]:
    """Return the words of a name in lower case, and each pair of adjacent words joined: `grad_norm` has `gradnorm`."""
    parts = _WORD.findall(_CAMEL.sub("_", name).replace("_", " ").lower())
    return frozenset((*parts, *(parts[at] + parts[at + 1] for at in range(len(parts) - 1))))


@lru_cache(maxsize=4096)
def kind(name: str) -> str:
    """Return whether a name is `known`, `likely`, a `step`, one to `stop` at, or none of these (`other`)."""
    parts = words(name)
    if parts & KNOWN:
        # "loss_time" is a time; "time/loss" is rare.
        return "stop" if parts & _NO_VALUE else "known"
    if "globalstep" in parts or re.split(r"[_./-]", name.lower())[-1] in STEPS:
        return "step"
    if parts & PAIRED:
        return "likely"
    if parts & STOP:
        return "stop"
    return "likely" if parts & LIKELY else "other"


#: Words of metrics where less is better.
_LOWER = (
    "loss",
    "err",
    "rmse",
    "mse",
    "mae",
    "mape",
    "logloss",
    "ppl",
    "perplexity",
    "nll",
    "bpc",
    "bpb",
    "wer",
    "cer",
    "cost",
    "fid",
    "kl",
    "divergence",
)


def better(name: str) -> str:
    """Return which values of a metric are better: `lower` or `higher`."""
    return "lower" if less_is_better(name) else "higher"


@lru_cache(4096)
def less_is_better(name: str) -> bool:
    """Return whether the best value of a metric is the lowest, guessed from its name."""
    parts = words(name)
    return any(part in _LOWER or "loss" in part or "error" in part for part in parts) or name in (
        "learn",
        "best",
        "test",
    )


def rank(name: str) -> tuple[int, int]:
    """Return the sort key of a name: validation losses and accuracies first, learning rates late."""
    parts = words(name)
    if parts & {"lr", "learningrate", "gradnorm", "gnorm", "norm"}:
        return 4, 0
    held_out = bool(parts & set(SPLITS) or any(part.startswith(("val", "test", "eval")) for part in parts))
    if any("loss" in part for part in parts):
        return (0 if held_out else 1), len(parts)
    if parts & KNOWN:
        return (0 if held_out else 2), 1 + len(parts)
    return 3, 0
