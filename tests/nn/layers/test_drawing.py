"""Networks of layers as pictures and as summaries."""

import numpy as np
import pytest

import nn
from autodiff import draw
from nn.layers.summary import summary

MODELS = {
    "convolution": (
        nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)),
        np.ones((2, 1, 6, 6), np.float32), ("convolution", "max_pool", "BatchNorm2d"), 20 + 4 + 27,
    ),
    "lstm": (nn.LSTM(2, 3, rng=0), np.ones((2, 1, 2), np.float32), ("lstm_packed", "weight_hh_l0"), 12 * 7),
    "transformer": (
        nn.TransformerEncoderLayer(4, 2, 8, 0.0, rng=0), np.ones((3, 1, 4), np.float32), ("softmax", "norm2"), 172,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_layers_are_frames_and_parameters_have_names(name):
    model, x, words, _ = MODELS[name]
    text = draw(model, x).html()
    for word in words:
        assert word in text


@pytest.mark.parametrize("name", MODELS)
def test_the_summary_counts_all_parameters(name):
    model, _, _, count = MODELS[name]
    assert sum(p.size for p in model.parameters()) == count
    assert f"{count:,} parameters, float32" in summary(model).splitlines()[-1]
