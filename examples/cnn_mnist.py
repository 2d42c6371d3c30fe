"""A convolutional network reads handwritten digits.

With the four files of MNIST in a folder it trains on 60,000 images of 28x28; without them on the 1,797 of 8x8 that come
with the package.  Shows convolution, pooling, dropout, :class:`nn.Learner` and a schedule.

    python -m examples.cnn_mnist [--quick] [FOLDER]

What to expect: 99.16% of 10,000 test images of MNIST after 6 epochs, 112 seconds of processor time;
98.0% of 450 of the embedded digits after 25, 3 seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import nn

Array = Any


def images(folder: str | None, rng: np.random.Generator) -> list[Array]:
    """Training and test images with one channel, and their labels: MNIST from a folder, or the embedded digits."""
    try:
        (X, Y), (X_test, Y_test) = nn.datasets.mnist(folder, flat=False)
    except FileNotFoundError:
        if folder is not None:  # it was asked for
            raise
        print("MNIST is not here; the embedded digits are used")
        X, Y = nn.datasets.digits(flat=False)
        X, X_test, Y, Y_test = nn.train_test_split(X, Y, test_size=0.25, rng=rng, stratify=Y)
    return [X[:, None], Y, X_test[:, None], Y_test]


def network(side: int, channels: int, hidden: int, rng: np.random.Generator) -> nn.Sequential:
    """Two convolutions, each followed by pooling, and two dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * channels * (side // 4) ** 2, hidden, rng=rng), nn.ReLU(), nn.Dropout(0.4, rng=rng),
        nn.Linear(hidden, 10, rng=rng),
    )  # fmt: skip


def main(folder: str | None = None, quick: bool = False, picture: str = "cnn_mnist.svg") -> float:
    """Train, print the accuracy on the test images and the pairs of digits most often confused; that accuracy."""
    rng = np.random.default_rng(0)
    X, Y, X_test, Y_test = images(folder, rng)
    large = len(X) > 10_000
    batch, epochs = (128, 6) if large else (32, 25)
    if quick:
        X, Y, epochs = X[:2000], Y[:2000], 6
    model = network(X.shape[-1], 8 if quick else 16, 64 if quick else 128, rng)
    print(model)
    optimizer = nn.optim.AdamW(model.parameters(), lr=5e-3 if quick else 3e-3)
    steps = epochs * -(-len(X) // batch)
    warm = steps // 6
    schedule = nn.schedule.SequentialLR(
        optimizer,
        [nn.schedule.LinearWarmup(optimizer, warm, 0.1), nn.schedule.CosineAnnealingLR(optimizer, steps - warm)],
        [warm],
    )
    learner = nn.Learner(
        model, nn.cross_entropy, optimizer, metrics=["accuracy"], scheduler=schedule, schedule="step"
    )  # fmt: skip
    history = learner.fit(
        X, Y, epochs, batch, rng=rng, on_epoch=lambda row: print(f"epoch {row['epoch']}: loss {row['loss']:.4f}")
    )

    predicted = learner.predict(X_test).argmax(axis=1)
    accuracy = float(np.mean(predicted == Y_test))
    wrong = np.zeros((10, 10), int)
    np.add.at(wrong, (Y_test, predicted), 1)
    np.fill_diagonal(wrong, 0)
    print(f"accuracy on {len(Y_test):,} test images: {accuracy:.2%}, {wrong.sum()} wrong")
    for place in np.argsort(wrong, axis=None)[:-4:-1]:
        digit, taken_for = divmod(int(place), 10)
        print(f"  {wrong[digit, taken_for]} times a {digit} was read as a {taken_for}")
    if picture:
        Path(picture).write_text(history.svg(), encoding="utf-8")
    return accuracy


if __name__ == "__main__":
    main(next((given for given in sys.argv[1:] if given != "--quick"), None), quick="--quick" in sys.argv)
