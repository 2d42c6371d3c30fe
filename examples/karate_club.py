"""A graph network finds the two parts of a club that split, from the two members whose part is told.

The graph is that of W. Zachary, "An information flow model for conflict and fission in small groups" (1977): 34 members
of a karate club and 78 friendships.  The network is that of T. Kipf and M. Welling (2017): each layer mixes the vectors
of neighbours, then multiplies them by a matrix.  Shows a layer of one's own, and a loss on a part of the outputs.

    python -m examples.karate_club [--quick]

What to expect: 33 of 34 members on the right side for each of ten networks.  Member 9 is not: he had friends in both
parts, and the model of Zachary himself had him on the wrong side; 3 seconds.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np

import nn

FRIENDS = {
    0: [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31], 1: [2, 3, 7, 13, 17, 19, 21, 30],
    2: [3, 7, 8, 9, 13, 27, 28, 32], 3: [7, 12, 13], 4: [6, 10], 5: [6, 10, 16], 6: [16], 8: [30, 32, 33], 9: [33],
    13: [33], 14: [32, 33], 15: [32, 33], 18: [32, 33], 19: [33], 20: [32, 33], 22: [32, 33],
    23: [25, 27, 29, 32, 33], 24: [25, 27, 31], 25: [31], 26: [29, 33], 27: [33], 28: [31, 33], 29: [32, 33],
    30: [32, 33], 31: [32, 33], 32: [33],
}  # fmt: skip
MEMBERS = 34
WITH_OFFICER = [9, 14, 15, 18, 20, *range(22, 34)]


def mixing() -> Any:
    """The matrix that replaces each member's vector by a weighted sum of its own and those of its friends."""
    a = np.eye(MEMBERS, dtype=np.float32)
    for member, friends in FRIENDS.items():
        a[member, friends] = a[friends, member] = 1
    degree = a.sum(axis=1)
    return a / np.sqrt(degree[:, None] * degree)


class GraphNetwork(nn.Module):
    """Three layers over the same graph; what comes in is who each member is."""

    def __init__(self, hidden: int, rng: np.random.Generator) -> None:
        self.mixing = mixing()  # an array: a constant of the model
        self.first = nn.Embedding(MEMBERS, hidden, rng=rng)
        self.second = nn.Linear(hidden, hidden, rng=rng)
        self.last = nn.Linear(hidden, 2, rng=rng)

    def vectors(self) -> Any:
        """What the last layer separates: a vector for each member."""
        x = np.tanh(self.mixing @ self.first(np.arange(MEMBERS)))
        return np.tanh(self.mixing @ self.second(x))

    def forward(self) -> Any:
        return self.mixing @ self.last(self.vectors())


def main(quick: bool = False, picture: str = "karate_club.png") -> float:
    """Train ten networks, print who is put on the wrong side, and return the mean part that is right."""
    part = np.isin(np.arange(MEMBERS), WITH_OFFICER).astype(int)
    told = np.array([0, MEMBERS - 1])  # the instructor and the officer
    scores = []
    for seed in range(2 if quick else 10):
        model = GraphNetwork(16, np.random.default_rng(seed))
        optimizer = nn.optim.Adam(model.parameters(), lr=1e-2, weight_decay=5e-3)
        for _ in range(100 if quick else 300):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model()[told], part[told])
            loss.backward()
            optimizer.step()
        found = model().data.argmax(axis=1)
        scores.append(np.mean(found == part))
        wrong = np.flatnonzero(found != part) + 1
        print(f"network {seed}: loss {loss.item():.4f}, members on the wrong side: {wrong}")
    print(f"members on the right side: {np.mean(scores):.1%} of 34 in the mean")
    save(picture, model, part)
    return float(np.mean(scores))


def save(picture: str, model: GraphNetwork, part: Any) -> None:
    """The members in the plane of the two largest directions of their vectors."""
    with suppress(ImportError):  # no Matplotlib, no picture
        from matplotlib.figure import Figure

        vectors = model.vectors().data
        plane = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
        x, y = (plane.U * plane.S)[:, :2].T
        axes = (figure := Figure(figsize=(4, 3), layout="compressed")).subplots()
        for member, friends in FRIENDS.items():
            for f in friends:
                axes.plot(x[[member, f]], y[[member, f]], "0.8", linewidth=0.5)
        axes.scatter(x, y, c=part, zorder=2)
        figure.savefig(picture)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
