"""An LSTM writes, character by character, in the manner of a text.

The text is Shakespeare's sonnets, or a file of your own.  It is read in many places at once, piece after piece, and
each piece goes on with the state that the one before it ended with: truncated backpropagation through time.  Shows a
recurrent layer with its state, clipping, sampling.

    python -m examples.lstm_text [--quick] [text.txt]

What to expect: a loss of 1.46 in the last of 10 epochs (characters at random: 4.13), and lines of words that are nearly
English; 31 seconds of processor time.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import nn
from autodiff import jit, no_grad

ROWS, LENGTH = 16, 32

State = tuple[Any, Any]


class Writer(nn.Module):
    """Scores of the next character, and the state after it."""

    def __init__(self, vocabulary: int, width: int, rng: np.random.Generator) -> None:
        self.embedding = nn.Embedding(vocabulary, 32, rng=rng)
        self.lstm = nn.LSTM(32, width, batch_first=True, rng=rng)
        self.dropout = nn.Dropout(0.2, rng=rng)
        self.scores = nn.Linear(width, vocabulary, rng=rng)

    def forward(self, x: Any, state: State) -> tuple[Any, State]:
        y, state = self.lstm(self.embedding(x), state)
        return self.scores(self.dropout(y)), state

    def beginning(self, rows: int) -> State:
        """The state before the first character."""
        zeros = np.zeros((1, rows, self.lstm.hidden_size), np.float32)
        return zeros, zeros


def written(model: Writer, start: list[int], count: int, rng: np.random.Generator) -> list[int]:
    """A continuation: the state after the start, then characters drawn one by one."""
    model.eval()
    codes, state = list(start), model.beginning(1)
    with no_grad():
        scores, state = model(np.array([codes]), state)
        for _ in range(count):
            probabilities = nn.softmax(scores[0, -1].data.astype(np.float64) / 0.8)
            codes.append(int(rng.choice(len(probabilities), p=probabilities)))
            scores, state = model(np.array([codes[-1:]]), state)
    model.train()
    return codes


def main(path: str | None = None, quick: bool = False) -> float:
    """Train on a text, print what the model writes, and return the mean loss of the last epoch."""
    text = nn.datasets.read_text(path) if path else nn.datasets.sonnets()
    text = text[:6000] if quick else text
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(character) for character in text])
    rng = np.random.default_rng(0)
    model = Writer(len(alphabet), 64 if quick else 192, rng)
    optimizer = nn.optim.Adam(model.parameters(), lr=2e-2 if quick else 4e-3)

    def update(x: Any, y: Any, h: Any, c: Any) -> Any:
        optimizer.zero_grad()
        scores, state = model(x, (h, c))
        loss = nn.cross_entropy(scores, y)
        loss.backward()
        nn.optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.data, state[0].data, state[1].data  # arrays are constants: no gradient reaches the piece before

    step = jit(update)
    pieces = (len(codes) - 1) // (ROWS * LENGTH)
    size = pieces * ROWS * LENGTH
    x, y = codes[:size].reshape(ROWS, -1), codes[1 : size + 1].reshape(ROWS, -1)
    mean, epochs = 0.0, 5 if quick else 10
    for epoch in range(epochs):
        state, losses = model.beginning(ROWS), []
        for piece in np.split(np.arange(size // ROWS), pieces):
            loss, *state = step(x[:, piece], y[:, piece], *state)
            losses.append(float(loss))
        mean = float(np.mean(losses))
        if epoch % (epochs // 5) == 0 or epoch == epochs - 1:
            print(f"epoch {epoch}: loss {mean:.3f}; of characters at random: {np.log(len(alphabet)):.3f}")
    start = [alphabet.index(character) for character in text[:12]]
    print("".join(alphabet[code] for code in written(model, start, 50 if quick else 400, rng)))
    return mean


if __name__ == "__main__":
    main(next((given for given in sys.argv[1:] if given != "--quick"), None), quick="--quick" in sys.argv)
