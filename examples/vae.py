"""A variational autoencoder draws handwritten digits.

After D. Kingma and M. Welling, "Auto-encoding variational Bayes" (2014).  Shows :mod:`nn.distributions`, a loss with
two parts, draws that gradients pass through, and a step recorded by :func:`autodiff.jit` that draws anew at each call.

    python -m examples.vae [--quick]

What to expect: 23.95 nats for an image that was held out, 3.69 of them for its code (pixels that know nothing of each
other: 27.13), and digits that can be read; 4 seconds.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn
from autodiff import jit, no_grad
from nn.distributions import Normal, kl

LATENT = 8

Array = Any


class VAE(nn.Module):
    """An encoder, which gives a normal distribution for each image, and a decoder of draws from it."""

    def __init__(self, pixels: int, hidden: int, rng: np.random.Generator) -> None:
        self.encoder = nn.Sequential(
            nn.Linear(pixels, hidden, rng=rng), nn.ReLU(), nn.Linear(hidden, 2 * LATENT, rng=rng)
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, hidden, rng=rng), nn.ReLU(), nn.Linear(hidden, pixels, rng=rng)
        )  # fmt: skip

    def forward(self, x: Any) -> Normal:
        parts = self.encoder(x)
        return Normal(parts[:, :LATENT], np.exp(parts[:, LATENT:]))


def negative_bound(model: VAE, x: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """The two parts of a bound of -log p(x), a mean for each image: of what is drawn, and of the code."""
    code = model(x)
    logits = model.decoder(code.rsample(rng=rng))
    drawn = nn.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    return drawn, np.sum(kl(code, Normal(np.float32(0.0), np.float32(1.0)))) / len(x)


def main(quick: bool = False, picture: str = "vae.png") -> float:
    """Train, print the bound on images that were held out, save pictures of new digits, and return the bound."""
    rng = np.random.default_rng(0)
    X, _ = nn.datasets.digits()
    rng.shuffle(X)
    X, X_test = X[:-300], X[-300:]
    model = VAE(X.shape[1], 64 if quick else 256, rng)
    optimizer = nn.optim.Adam(model.parameters(), lr=4e-3 if quick else 1e-3)

    @jit
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = sum(negative_bound(model, x, rng))
        loss.backward()
        optimizer.step()
        return loss.data

    epochs = 15 if quick else 200
    for epoch in range(epochs):
        losses = [float(step(x)) for x in nn.batches(X, batch_size=64, rng=rng, drop_last=True)]
        if epoch % (epochs // 5) == 0:
            print(f"epoch {epoch}: {np.mean(losses):.2f} nats an image")

    with no_grad():
        drawn, code = (float(part.item()) for part in negative_bound(model, X_test, rng))
        new = model.decoder(rng.standard_normal((40, LATENT), dtype=np.float32)).data
    print(f"images held out: {drawn + code:.2f} nats an image, {drawn:.2f} for the pixels and {code:.2f} for the code")
    mean = X.mean(axis=0)
    alone = -np.mean(np.sum(X_test * np.log(mean + 1e-6) + (1 - X_test) * np.log(1 - mean + 1e-6), axis=1))
    print(f"pixels that know nothing of each other: {alone:.2f}")
    save(picture, 1 / (1 + np.exp(-new)))
    return drawn + code


def save(picture: str, images: Array) -> None:
    """The images in rows of ten."""
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5, 2), layout="compressed")
        for axes, image in zip(figure.subplots(4, 10).flat, images, strict=True):
            axes.imshow(image.reshape(8, 8), cmap="gray_r")
            axes.set_axis_off()
        figure.savefig(picture)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
