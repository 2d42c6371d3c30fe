"""Texts, of which a model learns the next character."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, ClassVar

import numpy as np

from autodiff import no_grad

from ... import datasets
from ...layers.activation import softmax
from ...layers.module import Module
from ...losses.classification import CrossEntropyLoss
from ...reports.pictures import attention_map
from ...training.learner import Learner
from .. import networks
from ..command import USAGE, CommandError
from .kind import Array, Data, Inputs, Kind, Measured, Pair, Recipe

EMBEDDED = "sonnets"
SAMPLE = 400
"""So many characters are written into a run folder."""
_MOST_CHARACTERS = 1000
_WRITES = "this run learned a text; 'pullback generate' lets it write"


class Texts(Kind):
    """The characters of a text, in windows of ``context`` characters."""

    name = "text"
    recipes: ClassVar[Mapping[str, Recipe]] = {
        "gpt": Recipe(10, 32, 0.007, schedule="step", context=32, layers=2, width=64, heads=4),
        "lstm": Recipe(10, 32, 0.005, schedule="step", context=32, layers=1, width=128),
    }
    jit = False  # a recording of so large a step takes long, and saves a tenth of the time

    def __init__(self, model: str, vocabulary: str, context: int, parts: str = "") -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.context = context
        self._baselines: tuple[float, float] | None = None
        self._parts = parts

    @classmethod
    def load(
        cls, arguments: argparse.Namespace, model: str, recipe: Recipe, rng: np.random.Generator
    ) -> tuple[Kind, Data]:
        width, heads = recipe.width or 1, recipe.heads or 1
        if width % heads:
            raise CommandError(f"--width {width} does not make {heads} equal heads; see --heads", USAGE)
        text, context = _text(arguments.data), recipe.context or 1
        vocabulary = "".join(sorted(set(text)))
        if len(vocabulary) > _MOST_CHARACTERS:
            raise ValueError(f"{arguments.data}: has {len(vocabulary):,} different characters; is it a text?")
        kind = cls(model, vocabulary, context)
        numbers = kind.numbers(text, arguments.data)
        held_out = max(round(len(numbers) * recipe.validation), context + 1)
        if len(vocabulary) < 2 or len(numbers) < 2 * held_out:
            raise ValueError(
                f"{arguments.data}: has {len(numbers):,} characters, {len(vocabulary)} different ones; windows of "
                f"{context} need at least {4 * (context + 1)}, and two different ones"
            )
        training, validation = numbers[:-held_out], numbers[-held_out:]
        kind._baselines = _baselines(training, validation, len(vocabulary))
        kind._parts = f"{len(training):,} characters to train, the last {len(validation):,} to validate and test"
        whole = _windows(validation, context, context)
        return kind, Data(_windows(training, context, max(context // 2, 1)), whole, whole)

    def kept(self) -> dict[str, Any]:
        return {
            "model": self.model, "vocabulary": self.vocabulary, "context": self.context, "baselines": self._baselines,
        }  # fmt: skip

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Kind:
        kind = cls(kept["model"], kept["vocabulary"], int(kept["context"]))
        kind._baselines = tuple(kept["baselines"]) if kept["baselines"] else None
        return kind

    def numbers(self, text: str, name: str) -> Array:
        """The number of each character.  Raises ValueError for one that the model does not know."""
        places = {character: i for i, character in enumerate(self.vocabulary)}
        unknown = sorted(set(text) - set(places))
        if unknown:
            raise ValueError(
                f"{name}: the model does not know {' '.join(map(repr, unknown[:8]))}; it knows {self.vocabulary!r}"
            )
        return np.array([places[character] for character in text], np.int64)

    def network(self, recipe: Recipe, rng: np.random.Generator) -> Module:
        size, layers, width = len(self.vocabulary), recipe.layers or 1, recipe.width or 1
        if self.model == "lstm":
            return networks.CharacterLSTM(size, layers, width, recipe.dropout, rng=rng)
        heads = recipe.heads or 1
        return networks.CharacterGPT(size, self.context, layers, width, heads, recipe.dropout, rng=rng)

    def loss(self, recipe: Recipe) -> Any:
        return CrossEntropyLoss()

    def opening(self, data: Data, recipe: Recipe) -> list[str]:
        size = len(self.vocabulary)
        alone, pairs = self._baselines or (math.nan, math.nan)
        guesses = f"guessing has {math.log(size):.3f}, how often each occurs {alone:.3f}, pairs {pairs:.3f}"
        return [
            f"{self._parts}; {len(data.train[1]):,} windows of {self.context}",
            f"loss: cross-entropy of the next of {size} characters; {guesses}",
        ]

    def measure(self, learner: Learner, examples: Pair) -> Measured:
        loss = learner.evaluate(*examples, batch_size=64)["loss"]
        size = len(self.vocabulary)
        alone, pairs = self._baselines or (math.nan, math.nan)
        result = {"loss": loss, "baseline_loss": alone, "baseline_pairs_loss": pairs, "guessing_loss": math.log(size)}
        start = "\n" if "\n" in self.vocabulary else self.vocabulary[0]
        sample = "".join(self.written(learner.model, start, SAMPLE, np.random.default_rng(0)))
        guesses = f"guessing: {math.log(size):.3f}, how often each character occurs: {alone:.3f}, pairs: {pairs:.3f}"
        summary = f"loss {loss:.3f} ({loss / math.log(2):.2f} bits for each character)"
        shown = [("What it writes", f"<pre>{escape(sample)}</pre>")]
        if isinstance(learner.model, networks.CharacterGPT):
            shown.append(("What it looks at", self._attention(learner.model, examples[0][:1])))
        return Measured(sample.strip().splitlines()[:8], result, shown, summary, guesses)

    def _attention(self, model: networks.CharacterGPT, window: Array) -> str:
        """A map for each block and head, of one piece of text."""
        text = "".join(self.vocabulary[number] for number in window[0])
        model.eval()
        with no_grad():
            blocks = model.attention(window)
        maps = [
            attention_map(weights, text, f"block {i}, head {j}")
            for i, heads in enumerate(blocks, 1)
            for j, weights in enumerate(heads.data, 1)
        ]
        said = "Each row is a character of a text that it had not seen: the darker, the more it looks at the one above."
        return f'<p>{said}</p><div class="gallery">{"".join(maps)}</div>'

    def written(
        self, model: Module, prompt: str, length: int, rng: np.random.Generator, temperature: float = 0.8,
        top: int | None = None,
    ) -> Iterator[str]:  # fmt: skip
        """The characters that a model writes after a prompt, one after the other.

        Each is drawn with the probabilities softmax(logits / temperature), of the ``top`` most probable ones alone if
        it is given; temperature 0 takes the most probable one.
        """
        seen = self.numbers(prompt, "--prompt").tolist()
        model.eval()
        for _ in range(length):
            with no_grad(), np.errstate(all="ignore"):
                outputs = model(np.array([seen[-self.context :]]))
            logits = np.asarray(outputs.data if hasattr(outputs, "data") else outputs, np.float64)[0, -1]
            if top is not None and top < len(logits):
                logits = np.where(logits >= np.sort(logits)[-top], logits, -np.inf)
            if temperature == 0:
                chosen = int(logits.argmax())
            else:
                shifted = (logits - logits.max()) / temperature
                chosen = int(rng.choice(len(logits), p=np.asarray(softmax(shifted))))
            seen.append(chosen)
            yield self.vocabulary[chosen]

    def read(self, name: str, contents: bytes) -> Inputs:
        raise CommandError(_WRITES, USAGE)

    def taken(self, instances: Sequence[Any]) -> Inputs:
        raise CommandError(_WRITES, USAGE)

    def form(self) -> dict[str, Any]:
        raise CommandError(_WRITES, USAGE)

    def answers(self, outputs: Array) -> tuple[list[str], list[dict[str, Any]]]:
        raise CommandError(_WRITES, USAGE)

    def examples(self, source: str, folder: str | None) -> Pair:
        numbers = self.numbers(_text(source), source)
        if len(numbers) <= self.context:
            raise ValueError(f"{source}: has {len(numbers)} characters; more than {self.context} are needed")
        return _windows(numbers, self.context, self.context)


def _text(source: str) -> str:
    return datasets.sonnets() if source == EMBEDDED else datasets.read_text(source)


def _windows(numbers: Array, context: int, step: int) -> Pair:
    """Windows of characters, one every ``step``, and for each of its characters the one after it."""
    starts = np.arange(0, len(numbers) - context, step)
    at = starts[:, None] + np.arange(context)
    return numbers[at], numbers[at + 1]


def _baselines(training: Array, validation: Array, size: int) -> tuple[float, float]:
    """The loss of guesses by how often each character occurs, and how often after the one before it."""
    alone = np.bincount(training, minlength=size) + 1.0
    pairs = np.bincount(training[:-1] * size + training[1:], minlength=size * size).reshape(size, size)
    following = pairs + alone / alone.sum()  # unseen pairs as often as the character alone
    probability = following[validation[:-1], validation[1:]] / following.sum(axis=1)[validation[:-1]]
    return float(-np.mean(np.log(alone[validation] / alone.sum()))), float(-np.mean(np.log(probability)))
