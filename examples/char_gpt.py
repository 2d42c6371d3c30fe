"""A small GPT writes, character by character, in the manner of a text.

The text is Shakespeare's sonnets, or a file of your own.  Shows the blocks of a transformer, a training loop of one's
own that :func:`autodiff.jit` records, and sampling.

    python -m examples.char_gpt [--quick] [text.txt]

What to expect: a loss of 1.80 on the last tenth of the text, which was not trained on (characters at random:
4.13), and lines in the form of a sonnet, of words that are often English; 131 seconds of processor time.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import nn
from autodiff import jit, no_grad

BATCH = 16


class GPT(nn.Module):
    """Scores of the next character at each position of a text."""

    def __init__(self, vocabulary: int, width: int, layers: int, context: int, rng: np.random.Generator) -> None:
        self.context = context
        self.embedding = nn.Embedding(vocabulary, width, rng=rng)
        self.positions = nn.LearnedPositions(context, width, rng=rng)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True, rng=rng)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, vocabulary, rng=rng)

    def forward(self, x: Any) -> Any:
        x = self.positions(self.embedding(x))
        for block in self.blocks:
            x = block(x, is_causal=True)  # no position sees a later one
        return self.scores(self.norm(x))


def written(model: GPT, codes: list[int], count: int, rng: np.random.Generator, temperature: float = 0.8) -> list[int]:
    """A continuation: characters drawn one by one."""
    model.eval()
    with no_grad():
        for _ in range(count):
            scores = model(np.array([codes[-model.context :]]))[0, -1]
            probabilities = nn.softmax(scores.data.astype(np.float64) / temperature)
            codes = [*codes, int(rng.choice(len(probabilities), p=probabilities))]
    model.train()
    return codes


def main(path: str | None = None, quick: bool = False) -> float:
    """Train on the first nine tenths of a text, print what the model writes, and return the loss on the last tenth."""
    text = nn.datasets.read_text(path) if path else nn.datasets.sonnets()
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(character) for character in text])
    codes, held_out = np.split(codes, [len(codes) * 9 // 10])
    rng = np.random.default_rng(0)
    width, layers, context, steps = (32, 1, 16, 60) if quick else (128, 3, 64, 1200)
    model = GPT(len(alphabet), width, layers, context, rng)
    optimizer = nn.optim.AdamW(model.parameters(), lr=1e-2 if quick else 3e-3)
    schedule = nn.schedule.CosineAnnealingLR(optimizer, steps)

    @jit
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.data

    for number in range(steps):
        starts = rng.integers(0, len(codes) - context, BATCH)
        windows = codes[starts[:, None] + np.arange(context + 1)]
        loss = step(windows[:, :-1], windows[:, 1:])
        schedule.step()
        if number % (steps // 5) == 0:
            print(f"step {number}: loss {loss:.3f}")

    pieces = held_out[: len(held_out) // (context + 1) * (context + 1)].reshape(-1, context + 1)
    mean = nn.Learner(model, nn.cross_entropy, optimizer).evaluate(pieces[:, :-1], pieces[:, 1:], 64)["loss"]
    print(f"loss on the end of the text: {mean:.3f}; of characters at random: {np.log(len(alphabet)):.3f}")
    start = [alphabet.index(character) for character in text[:12]]
    print("".join(alphabet[code] for code in written(model, start, 50 if quick else 400, rng)))
    return mean


if __name__ == "__main__":
    main(next((given for given in sys.argv[1:] if given != "--quick"), None), quick="--quick" in sys.argv)
