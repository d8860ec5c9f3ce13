"""Recorded output of real programs (tests/data/metrics/README.md), and the metrics in it."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"

#: What each training tells, by the file (tests/data/metrics/README.md): all that its author would call a metric.
TRAININGS: dict[str, str] = {
    "progress/keras": "loss val_loss",
    "progress/lightgbm": "training_l2",
    "progress/lightning": "train_loss",
    "progress/lightning_rich": "train_loss",
    "progress/loops": "Loss test_Average_loss test_Accuracy",
    "progress/steps": "Loss",
    "progress/tqdm": "loss",
    "progress/trainer": "loss grad_norm learning_rate eval_loss",
    "progress/xgboost": "train-rmse",
    "metrics/catboost": "learn test best",
    "metrics/estimator_like": "loss accuracy",
    "metrics/fairseq_like": "loss nll_loss ppl lr gnorm",
    "metrics/fastai": "train_loss valid_loss accuracy",
    "metrics/imagenet_like": "Loss Acc@1 Acc@5",
    "metrics/json_lines": "loss val_loss lr",
    "metrics/keras_lines": "loss mae val_loss val_mae",
    "metrics/keras_metrics": "loss accuracy auc val_loss val_accuracy val_auc",
    "metrics/lightgbm_valid": "training_auc training_binary_logloss valid_1_auc valid_1_binary_logloss",
    "metrics/lightning_valid": "train_loss val_loss",
    "metrics/logging_lines": "Train_Loss Train_Acc Val_Loss Val_Acc",
    "metrics/md_like": "E pressure",
    "metrics/mmcv_like": "lr loss loss_cls loss_bbox acc",
    "metrics/mxnet_like": "accuracy Train-accuracy Validation-accuracy",
    "metrics/nan_loss": "loss grad_norm",
    "metrics/nanogpt_like": "loss train_loss val_loss mfu",
    "metrics/sb3_like": "ep_len_mean ep_rew_mean approx_kl policy_gradient_loss value_loss",
    "metrics/scipy_evolution": "f",
    "metrics/scipy_least_squares": "Cost Cost_reduction Step_norm Optimality",
    "metrics/sklearn_gbc": "Train_Loss OOB_Improve",
    "metrics/sklearn_grid": "score",
    "metrics/sklearn_kmeans": "inertia",
    "metrics/sklearn_mlp": "loss",
    "metrics/sklearn_sgd": "Norm Bias Avg_loss Objective",
    "metrics/spacy": "LOSS_TEXTCAT",
    "metrics/timm_like": "Loss LR test_Loss test_Acc@1 test_Acc@5",
    "metrics/torch_loop": "loss lr",
    "metrics/torch_tqdm": "loss acc validation_loss",
    "metrics/trainer_eval": "loss grad_norm learning_rate eval_loss eval_accuracy",
    "metrics/trackio_twin": "loss",
    "metrics/ultralytics_like": "box_loss cls_loss dfl_loss Box_P R mAP50 mAP50-95",
    "metrics/xgboost_valid": "train-logloss train-error eval-logloss eval-error",
}


def _listed(names: str) -> list[str]:
    return names.split()


#: What is no training.
OTHERS = _listed("""
    apt cargo_like curl dd dmesg_like docker_like ffmpeg_like git_clone http_log kube_like logfmt ls make
    nginx_like npm nvidia_like ping_like pip_install pytest_verbose rsync_like timeit unittest vmstat_like
""")
#: Programs that have little to do with one.
ALSO = _listed("""
    progress/pip progress/pytest progress/rich progress/rich_nested progress/tqdm_left progress/tqdm_unknown
""")


def data_of(name: str) -> bytes:
    """What a program wrote."""
    return (DATA / f"{name}.bin").read_bytes()
