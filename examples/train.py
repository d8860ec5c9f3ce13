"""Train a small neural network on handwritten-looking digits for about a minute: a job to run as a task.

It is real: a perceptron with two hidden layers, Adam, a held-out test set. The digits are drawn here, so nothing is
downloaded. A bar moves, and a line follows each epoch; the same seed gives the same losses. Ctrl-C (or the stop of a
task) saves a checkpoint and exits with 130.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
from tqdm import tqdm

#: Each digit on a grid of 5 x 3.
GLYPHS = (
    "111101101101111 010110010010111 111001111100111 111001111001111 101101111001001 "
    "111100111001111 111100111101111 111001010010010 111101111101111 111101111001111"
)
SIDE = 7
BATCH = 64
Layers = list[tuple[np.ndarray, np.ndarray]]


def draw(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` digits: shifted, thick or thin, bright or dull, and noisy. Return pixels (count, 49) and labels."""
    glyphs = np.array([[float(dot) for dot in glyph] for glyph in GLYPHS.split()]).reshape(10, 5, 3)
    labels = random.integers(0, 10, count)
    images = np.zeros((count, SIDE, SIDE))
    shifts = random.integers(0, (SIDE - 4, SIDE - 2), (count, 2))
    for image, label, (down, right) in zip(images, labels, shifts, strict=True):
        image[down : down + 5, right : right + 3] = glyphs[label]
    smeared = np.roll(images, 1, axis=2) * random.uniform(0, 0.8, (count, 1, 1))
    images = np.maximum(images, smeared) * random.uniform(0.6, 1.4, (count, 1, 1))
    return (images + random.normal(0, 0.15, images.shape)).reshape(count, -1), labels


def make(sizes: list[int], random: np.random.Generator) -> Layers:
    """Return untrained layers of these sizes."""
    return [(random.normal(0, np.sqrt(2 / ins), (ins, outs)), np.zeros(outs)) for ins, outs in pairwise(sizes)]


def forward(layers: Layers, pixels: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the input of each layer, and the output probabilities."""
    inputs = [pixels]
    for weights, bias in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ weights + bias, 0))
    weights, bias = layers[-1]
    scores = inputs[-1] @ weights + bias
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return inputs, powers / powers.sum(axis=1, keepdims=True)


def gradients(layers: Layers, pixels: np.ndarray, labels: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Return the loss (cross-entropy) and its gradient for each parameter."""
    inputs, likely = forward(layers, pixels)
    rows = np.arange(len(labels))
    loss = -np.log(likely[rows, labels] + 1e-12).mean()
    wrong = likely.copy()
    wrong[rows, labels] -= 1
    wrong /= len(labels)
    found: list[np.ndarray] = []
    for (weights, _), given in zip(reversed(layers), reversed(inputs), strict=True):
        found = [given.T @ wrong, wrong.sum(axis=0), *found]
        wrong = (wrong @ weights.T) * (given > 0)
    return float(loss), found


class Adam:
    """The Adam optimizer of Kingma and Ba; changes the parameters in place."""

    def __init__(self, parameters: list[np.ndarray], rate: float) -> None:
        self._parameters = parameters
        self._rate = rate
        self._steps = 0
        self._means = [np.zeros_like(each) for each in parameters]
        self._squares = [np.zeros_like(each) for each in parameters]

    def step(self, slopes: list[np.ndarray]) -> None:
        """Make one optimization step."""
        self._steps += 1
        rate = self._rate * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        for i, slope in enumerate(slopes):
            self._means[i] += 0.1 * (slope - self._means[i])
            self._squares[i] += 0.001 * (slope**2 - self._squares[i])
            self._parameters[i] -= rate * self._means[i] / (np.sqrt(self._squares[i]) + 1e-8)


def train(layers: Layers, epochs: int, seconds: float, rate: float, random: np.random.Generator) -> None:
    """Train and report progress, slowed down to about `seconds`, so that there is something to watch."""
    pixels, labels = draw(8000, random)
    test_pixels, test_labels = draw(2000, random)
    adam = Adam([parameter for layer in layers for parameter in layer], rate=rate)
    batches = len(labels) // BATCH
    began = time.monotonic()
    for epoch in range(epochs):
        order = random.permutation(len(labels))
        total = 0.0
        bar = tqdm(range(batches), desc=f"epoch {epoch + 1}/{epochs}", unit="batch", leave=False, dynamic_ncols=True)
        for batch in bar:
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            loss, slopes = gradients(layers, pixels[chosen], labels[chosen])
            adam.step(slopes)
            total += loss
            bar.set_postfix(loss=f"{total / (batch + 1):.4f}", refresh=False)
            due = began + seconds * (epoch + (batch + 1) / batches) / epochs
            time.sleep(max(due - time.monotonic(), 0))
        accuracy = (forward(layers, test_pixels)[1].argmax(axis=1) == test_labels).mean()
        print(f"epoch {epoch + 1}/{epochs}  loss {total / batches:.4f}  accuracy {accuracy:.2%}", flush=True)


def save(layers: Layers, path: str) -> None:
    """Save the parameters to a file for numpy.load."""
    arrays: dict[str, Any] = {
        f"{kind}{i}": array for i, layer in enumerate(layers) for kind, array in zip("wb", layer, strict=True)
    }
    np.savez(path, **arrays)
    print(f"saved {path}", flush=True)


def main() -> int:
    """Train with the given arguments, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0, help="approximate duration; 0: as fast as possible")
    parser.add_argument("--lr", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", default="digits.npz", help="file to save the parameters to")
    said = parser.parse_args()
    random = np.random.default_rng(said.seed)
    layers = make([SIDE * SIDE, 64, 32, 10], random)
    try:
        train(layers, said.epochs, said.seconds, said.lr, random)
        code = 0
    except KeyboardInterrupt:
        print("\ninterrupted", flush=True)
        code = 130
    save(layers, said.checkpoint)
    return code


if __name__ == "__main__":
    sys.exit(main())
