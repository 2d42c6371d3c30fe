"""A network invents names: it predicts the next letter from the three before it.

After Y. Bengio et al., "A neural probabilistic language model" (2003), and A. Karpathy's makemore.  Shows embeddings,
a model of one's own, :class:`nn.Learner` with validation, and sampling.

    python -m examples.makemore_mlp [--quick]

What to expect: a loss of 2.34 on names that were held out (letters at random: 3.30), and names such as "mician",
"madha", "odo"; 2 seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import nn

END = "."
LETTERS = END + "abcdefghijklmnopqrstuvwxyz"
CONTEXT = 3

Array = Any


class MLP(nn.Module):
    """Letters as vectors, one hidden layer, a score for each letter that may come next."""

    def __init__(self, size: int, hidden: int, rng: np.random.Generator) -> None:
        self.embedding = nn.Embedding(len(LETTERS), size, rng=rng)
        self.hidden = nn.Linear(CONTEXT * size, hidden, rng=rng)
        self.dropout = nn.Dropout(0.3, rng=rng)
        self.scores = nn.Linear(hidden, len(LETTERS), rng=rng)

    def forward(self, x: Any) -> Any:
        vectors = np.reshape(self.embedding(x), (len(x), -1))
        return self.scores(self.dropout(np.tanh(self.hidden(vectors))))


def examples_of(names: list[str]) -> tuple[Array, Array]:
    """For each letter, and for the end of each name: the letters before it, and the letter itself, as numbers."""
    contexts, following = [], []
    for name in names:
        text = END * CONTEXT + name + END
        for i in range(CONTEXT, len(text)):
            contexts.append([LETTERS.index(letter) for letter in text[i - CONTEXT : i]])
            following.append(LETTERS.index(text[i]))
    return np.array(contexts), np.array(following)


def invented(learner: nn.Learner, rng: np.random.Generator) -> str:
    """A name, letter by letter, each drawn with the probability that the model gives it."""
    name = END * CONTEXT
    while not name.endswith(END) or len(name) == CONTEXT:
        x = np.array([[LETTERS.index(letter) for letter in name[-CONTEXT:]]])
        probabilities = nn.softmax(learner.predict(x)[0].astype(np.float64))
        name += LETTERS[rng.choice(len(LETTERS), p=probabilities)]
        if len(name) > 15:
            break
    return name.strip(END)


def main(quick: bool = False, picture: str = "makemore_mlp.svg") -> float:
    """Train, print names and the loss on names that were held out, and return that loss."""
    names = Path(__file__).with_name("names.txt").read_text(encoding="utf-8").split()
    rng = np.random.default_rng(0)
    rng.shuffle(names)
    held_out = len(names) // 10
    validation = examples_of(names[:held_out])
    model = MLP(10, 64 if quick else 200, rng)
    optimizer = nn.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    learner = nn.Learner(model, nn.cross_entropy, optimizer, metrics=["accuracy"])
    X, Y = examples_of(names[held_out:])
    history = learner.fit(X, Y, epochs=5 if quick else 30, batch_size=64, validation=validation, rng=rng)

    loss = learner.evaluate(*validation)["loss"]
    print(f"loss on names that were held out: {loss:.3f}; of letters at random: {np.log(len(LETTERS)):.3f}")
    made = [invented(learner, rng) for _ in range(10)]
    print("names:", ", ".join(made), f"({sum(name not in names for name in made)} of them are new)")
    if picture:
        Path(picture).write_text(history.svg(), encoding="utf-8")
    return loss


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
