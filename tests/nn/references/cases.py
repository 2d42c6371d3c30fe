"""The layers, losses and functions that are compared with PyTorch: how each is made, and what it is given.

Parameters and inputs follow from their shapes alone, so the numbers of PyTorch are all that is kept in a file.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A class of ``nn`` and of ``torch.nn``, its arguments, and the inputs of a call."""

    kind: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[Any, ...]
    training: bool
    call: dict[str, Any]


class Ids(NamedTuple):
    """Integers below ``count`` as an input."""

    shape: tuple[int, ...]
    count: int


class Mask(NamedTuple):
    """Truth values as an input; in each row the first is False."""

    shape: tuple[int, ...]


def case(kind, *args, of, training=True, call=None, **kwargs):
    """One case; ``of`` is the shape of the input, or a list of inputs."""
    return Case(kind, args, kwargs, tuple(of) if isinstance(of, list) else (of,), training, call or {})


def numbers(shape: Any, seed: int, scale: float = 1.0) -> Any:
    """Numbers without ties and away from kinks, by a formula."""
    n = int(np.prod(shape, dtype=int))
    order = np.random.default_rng(seed).permutation(n) + 0.25
    return ((order / max(n, 1) - 0.5) * (2.6 * scale)).reshape(shape)


def inputs(case: Case) -> list[Any]:
    """The arrays that a case is called with."""
    made = []
    for i, what in enumerate(case.inputs):
        if isinstance(what, Ids):
            made.append(np.random.default_rng(50 + i).integers(0, what.count, what.shape))
        elif isinstance(what, Mask):
            mask = np.random.default_rng(60 + i).random(what.shape) < 0.4
            mask[..., 0] = False
            made.append(mask)
        elif callable(what):
            made.append(what())
        else:
            made.append(numbers(what, 10 + i))
    return made


def positive(*shape):
    """Positive numbers, as an input."""
    return functools.partial(lambda shape: np.exp(numbers(shape, 70)), shape)


def signs(*shape):
    """1 and -1, as an input."""
    return functools.partial(lambda shape: np.where(numbers(shape, 71) > 0, 1, -1), shape)


CAUSAL = np.array([[False, True, True], [False, False, True]])
PADDED = np.array([[False, False, True], [False, False, False]])

CASES: dict[str, Case] = {
    "elu": case("ELU", 0.7, of=(3, 4)),
    "mish": case("Mish", of=(3, 4)),
    "hardtanh": case("Hardtanh", -0.5, 0.75, of=(3, 4)),
    "glu": case("GLU", of=(3, 4)),
    "glu_axis": case("GLU", axis=1, of=(2, 4, 3)),
    "prelu": case("PReLU", of=(3, 4)),
    "prelu_channels": case("PReLU", 3, of=(2, 3, 4)),
    "softmax": case("Softmax", axis=1, of=(2, 3, 2)),
    "log_softmax": case("LogSoftmax", axis=1, of=(2, 3, 2)),
    "linear": case("Linear", 3, 2, of=(4, 3)),
    "embedding": case("Embedding", 5, 3, of=Ids((2, 4), 5)),
    "embedding_padding": case("Embedding", 5, 3, padding_idx=1, of=Ids((2, 4), 5)),
    "layer_norm": case("LayerNorm", 4, of=(2, 3, 4)),
    "layer_norm_two": case("LayerNorm", (3, 4), eps=0.1, of=(2, 3, 4)),
    "layer_norm_plain": case("LayerNorm", 4, elementwise_affine=False, of=(3, 4)),
    "layer_norm_no_bias": case("LayerNorm", 4, bias=False, of=(3, 4)),
    "rms_norm": case("RMSNorm", 4, of=(2, 3, 4)),
    "rms_norm_two": case("RMSNorm", (3, 4), eps=0.1, of=(2, 3, 4)),
    "group_norm": case("GroupNorm", 2, 4, of=(2, 4, 3)),
    "group_norm_plain": case("GroupNorm", 4, 4, affine=False, of=(2, 4, 2, 3)),
    "batch_norm_1d": case("BatchNorm1d", 3, of=(4, 3)),
    "batch_norm_1d_length": case("BatchNorm1d", 3, momentum=None, of=(2, 3, 4)),
    "batch_norm_1d_eval": case("BatchNorm1d", 3, of=(4, 3), training=False),
    "batch_norm_2d": case("BatchNorm2d", 2, momentum=0.3, eps=0.01, of=(2, 2, 3, 2)),
    "batch_norm_2d_plain": case("BatchNorm2d", 2, affine=False, of=(2, 2, 3, 2)),
    "batch_norm_2d_untracked": case("BatchNorm2d", 2, track_running_stats=False, of=(2, 2, 3, 2), training=False),
    "conv1d": case("Conv1d", 3, 2, 3, of=(2, 3, 6)),
    "conv1d_options": case("Conv1d", 2, 4, 3, stride=2, padding=2, dilation=2, groups=2, bias=False, of=(2, 2, 7)),
    "conv1d_same": case("Conv1d", 2, 2, 4, padding="same", of=(1, 2, 5)),
    "conv1d_circular": case("Conv1d", 1, 2, 3, padding=1, padding_mode="circular", of=(1, 1, 5)),
    "conv1d_one_example": case("Conv1d", 2, 2, 2, of=(2, 4)),
    "conv2d": case("Conv2d", 2, 3, 3, of=(2, 2, 4, 5)),
    "conv2d_options": case("Conv2d", 4, 2, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2,
                           of=(1, 4, 5, 4)),
    "conv2d_depthwise": case("Conv2d", 3, 3, 2, groups=3, of=(1, 3, 3, 3)),
    "conv2d_wide": case("Conv2d", 16, 2, 2, stride=2, padding=1, of=(2, 16, 3, 3)),
    "conv2d_reflect": case("Conv2d", 1, 1, 3, padding=1, padding_mode="reflect", of=(1, 1, 3, 4)),
    "conv2d_replicate": case("Conv2d", 1, 1, 3, padding=1, padding_mode="replicate", of=(1, 1, 3, 4)),
    "conv2d_same": case("Conv2d", 1, 2, (2, 3), padding="same", of=(1, 1, 4, 4)),
    "conv_transpose1d": case("ConvTranspose1d", 2, 3, 3, stride=2, of=(2, 2, 3)),
    "conv_transpose2d": case("ConvTranspose2d", 2, 3, 2, stride=2, of=(1, 2, 2, 3)),
    "conv_transpose2d_options": case("ConvTranspose2d", 4, 2, 3, stride=2, padding=1, output_padding=1, groups=2,
                                     dilation=(1, 2), bias=False, of=(1, 4, 2, 3)),
    "conv_transpose2d_wide": case("ConvTranspose2d", 2, 16, 2, stride=(1, 2), of=(2, 2, 2, 2)),
    "max_pool1d": case("MaxPool1d", 2, of=(2, 2, 5)),
    "max_pool1d_options": case("MaxPool1d", 3, 2, padding=1, dilation=2, of=(1, 2, 7)),
    "max_pool2d": case("MaxPool2d", 2, of=(2, 2, 4, 4)),
    "max_pool2d_options": case("MaxPool2d", (3, 2), (2, 1), padding=1, ceil_mode=True, of=(1, 2, 6, 4)),
    "avg_pool1d": case("AvgPool1d", 2, of=(2, 2, 5)),
    "avg_pool1d_ceil": case("AvgPool1d", 3, 2, padding=1, ceil_mode=True, of=(1, 2, 6)),
    "avg_pool2d": case("AvgPool2d", 2, of=(2, 2, 4, 4)),
    "avg_pool2d_inside": case("AvgPool2d", 3, 2, padding=1, count_include_pad=False, ceil_mode=True, of=(1, 1, 6, 4)),
    "avg_pool2d_divisor": case("AvgPool2d", 2, divisor_override=3, padding=1, of=(1, 1, 4, 4)),
    "adaptive_avg_pool1d": case("AdaptiveAvgPool1d", 3, of=(1, 2, 7)),
    "adaptive_avg_pool2d": case("AdaptiveAvgPool2d", (2, 3), of=(1, 2, 4, 5)),
    "upsample_nearest": case("Upsample", scale_factor=1.5, of=(1, 2, 3, 4)),
    "upsample_linear": case("Upsample", 5, mode="linear", of=(1, 2, 3)),
    "upsample_bilinear": case("Upsample", scale_factor=2, mode="bilinear", of=(1, 1, 3, 2)),
    "upsample_corners": case("Upsample", (5, 3), mode="bilinear", align_corners=True, of=(1, 1, 3, 4)),
    "attention": case("MultiheadAttention", 4, 2, of=[(3, 2, 4), (2, 2, 4), (2, 2, 4)]),
    "attention_batch_first": case("MultiheadAttention", 4, 2, bias=False, batch_first=True,
                                  of=[(1, 3, 4), (1, 2, 4), (1, 2, 4), Mask((1, 2))],
                                  call={"average_attn_weights": False}),
    "attention_masks": case("MultiheadAttention", 4, 2, of=[(2, 2, 4), (3, 2, 4), (3, 2, 4)],
                            call={"attn_mask": CAUSAL, "key_padding_mask": PADDED}),
    "attention_sizes": case("MultiheadAttention", 4, 1, kdim=3, vdim=2, of=[(2, 1, 4), (3, 1, 3), (3, 1, 2)],
                            call={"attn_mask": np.linspace(-1, 1, 6).reshape(2, 3)}),
    "attention_one_example": case("MultiheadAttention", 2, 1, of=[(2, 2), (3, 2), (3, 2)],
                                  call={"need_weights": False}),
    "encoder_layer": case("TransformerEncoderLayer", 4, 2, 6, dropout=0.0, of=(3, 1, 4)),
    "encoder_layer_first": case("TransformerEncoderLayer", 4, 2, 3, dropout=0.0, activation="gelu", norm_first=True,
                                batch_first=True, bias=False, of=(1, 3, 4),
                                call={"src_mask": np.triu(np.ones((3, 3), bool), 1)}),
    "decoder_layer": case("TransformerDecoderLayer", 4, 2, 3, dropout=0.0, of=[(3, 1, 4), (2, 1, 4)],
                          call={"tgt_mask": np.triu(np.ones((3, 3), bool), 1)}),
    "decoder_layer_first": case("TransformerDecoderLayer", 4, 1, 3, dropout=0.0, norm_first=True, batch_first=True,
                                of=[(1, 2, 4), (1, 3, 4)]),
    "rnn": case("RNN", 2, 3, of=(3, 2, 2)),
    "rnn_options": case("RNN", 2, 2, 2, nonlinearity="relu", bias=False, batch_first=True, bidirectional=True,
                        of=[(1, 3, 2), (4, 1, 2)]),
    "gru": case("GRU", 2, 3, of=(3, 2, 2)),
    "gru_options": case("GRU", 2, 2, 2, batch_first=True, bidirectional=True, of=[(2, 3, 2), (4, 2, 2)]),
    "gru_one_example": case("GRU", 2, 2, bias=False, of=[(3, 2), (1, 2)]),
    "lstm": case("LSTM", 2, 3, of=(3, 2, 2)),
    "lstm_options": case("LSTM", 2, 2, 2, batch_first=True, bidirectional=True, of=(2, 3, 2)),
    "lstm_one_example": case("LSTM", 2, 2, bias=False, of=(3, 2)),
    "rnn_lengths": case("RNN", 2, 2, bidirectional=True, of=(3, 2, 2), call={"lengths": np.array([1, 3])}),
    "gru_lengths": case("GRU", 2, 2, 2, bidirectional=True, batch_first=True, of=(2, 3, 2),
                        call={"lengths": np.array([2, 3])}),
    "lstm_lengths": case("LSTM", 2, 2, 2, bidirectional=True, of=(4, 2, 2), call={"lengths": np.array([4, 2])}),
    "kl_div": case("KLDivLoss", of=[(2, 3), positive(2, 3)]),
    "kl_div_batch": case("KLDivLoss", reduction="batchmean", log_target=True, of=[(2, 3), (2, 3)]),
    "hinge": case("HingeEmbeddingLoss", margin=0.7, of=[(2, 3), signs(2, 3)]),
    "cosine": case("CosineEmbeddingLoss", margin=0.1, of=[(4, 3), (4, 3), signs(4)]),
    "triplet": case("TripletMarginLoss", margin=0.5, of=[(3, 2), (3, 2), (3, 2)]),
    "triplet_swap": case("TripletMarginLoss", p=3.0, swap=True, reduction="sum", of=[(3, 2), (3, 2), (3, 2)]),
    "poisson": case("PoissonNLLLoss", of=[(2, 3), positive(2, 3)]),
    "poisson_full": case("PoissonNLLLoss", log_input=False, full=True, reduction="none",
                         of=[positive(2, 3), positive(2, 3)]),
    "gaussian": case("GaussianNLLLoss", of=[(2, 3), (2, 3), positive(2, 3)]),
    "gaussian_rows": case("GaussianNLLLoss", full=True, reduction="sum", of=[(2, 3), (2, 3), positive(2, 1)]),
}  # fmt: skip
