"""Wrong arguments and inputs get one message each, with the shapes."""

import numpy as np
import pytest

import nn
from autodiff import BatchingError, vmap

F = np.float32


def ones(*shape):
    return np.ones(shape, F)


MADE = [
    (lambda: nn.Conv2d(3, 4, 0), "Conv2d: kernel_size is 0; it must be an integer of at least 1"),
    (lambda: nn.Conv2d(3, 4, (3, 3, 3)), r"Conv2d: kernel_size is (3, 3, 3); give one integer, or 2 of them"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: 3 channels in and 4 out do not make 2 equal groups each"),
    (lambda: nn.Conv2d(3, 4, 3, padding="all"), "Conv2d: padding is 'all'; give integers, 'same' or 'valid'"),
    (lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2), "Conv2d: padding='same' needs stride 1, got 2"),
    (lambda: nn.Conv1d(3, 4, 3, padding_mode="mirror"), "Conv1d: padding_mode is 'mirror'; it must be one of zeros, "),
    (lambda: nn.ConvTranspose2d(1, 1, 2, output_padding=1), "output_padding is 1; it must be less than the stride 1"),
    (lambda: nn.MaxPool2d(2, padding=2), "MaxPool2d: padding is 2; it must be at most half of the kernel 2"),
    (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), "AdaptiveAvgPool2d: output_size is (1, 2, 3); give one integer, or 2"),
    (lambda: nn.Upsample(), "Upsample: give either size or scale_factor"),
    (lambda: nn.Upsample(2, mode="cubic"), "Upsample: mode is 'cubic'; it must be 'nearest', 'linear' or 'bilinear'"),
    (lambda: nn.Upsample(2, align_corners=True), "Upsample: align_corners is for 'linear' and 'bilinear'"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), "Embedding: padding_idx is 3; there are 3 rows"),
    (lambda: nn.GroupNorm(2, 3), "GroupNorm: 3 channels do not make 2 equal groups"),
    (lambda: nn.LayerNorm(()), "LayerNorm: normalized_shape is empty; give the lengths of the last axes"),
    (lambda: nn.LayerNorm(3, eps=-1), "LayerNorm: eps is -1; it must be 0 or more"),
    (lambda: nn.Hardtanh(1, 1), "Hardtanh: min_val is 1, max_val 1; it must be larger"),
    (lambda: nn.PReLU(0), "PReLU: num_parameters is 0; it must be an integer of at least 1"),
    (lambda: nn.Dropout2d(2), "Dropout2d: p is 2; the probability of dropping must lie in [0, 1]"),
    (lambda: nn.MultiheadAttention(6, 4), "MultiheadAttention: embed_dim 6 does not make 4 equal heads"),
    (lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"), "activation is 'tanh'; it must be 'relu', 'gelu' or"),
    (lambda: nn.RotaryPositions(3), "RotaryPositions: size is 3; it must be even"),
    (lambda: nn.RNN(2, 3, nonlinearity="sigmoid"), "RNN: nonlinearity is 'sigmoid'; it must be 'tanh' or 'relu'"),
    (lambda: nn.LSTM(2, 0), "LSTM: hidden_size is 0; it must be an integer of at least 1"),
    (lambda: nn.KLDivLoss(reduction="most"), "reduction is 'most'; it must be 'mean', 'sum', 'none' or 'batchmean'"),
    (lambda: nn.pad(ones(2, 2), (1,)), "pad: pad is (1,); give a pair for each of the last axes of shape (2, 2)"),
    (lambda: nn.pad(ones(2), (-2, -1)), "pad: pad (-2, -1) cuts more than there is of shape (2,)"),
    (lambda: nn.pad(ones(2), (1, 1), "edge"), "pad: mode is 'edge'; it must be one of constant, reflect, replicate"),
    (lambda: nn.unfold(ones(2, 2), 2), "unfold: the input has shape (2, 2); it must be (n, channels, height, width)"),
    (lambda: nn.one_hot(np.array([3]), 3), "one_hot: positions reach from 3 to 3, but there are 3 classes (0 to 2)"),
    (lambda: nn.one_hot(np.zeros(0, int)), "one_hot: the input is empty (shape (0,)), so num_classes must be given"),
    (lambda: nn.cosine_similarity(ones(2, 3), ones(2, 4)), "have shapes (2, 3) and (2, 4); they must broadcast"),
    (lambda: nn.hinge_embedding_loss(ones(2), np.array([0, 1])), "target must be 1 or -1; it reaches from 0 to 1"),
    (lambda: nn.gaussian_nll_loss(ones(2), ones(2), -ones(2)), "gaussian_nll_loss: a variance is negative (-1)"),
    (
        lambda: nn.gaussian_nll_loss(ones(2), ones(2), ones(3)),
        "var has shape (3,); for a prediction of (2,) it must be",
    ),
    (lambda: nn.triplet_margin_loss(ones(2), ones(2), ones(3)), "the prediction has shape (2,), the target (3,)"),
    (lambda: nn.cosine_embedding_loss(ones(2, 3), ones(2, 3), ones(3)), "the target has shape (3,); it must be (2,)"),
    (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), "ModuleDict: 'a.b' cannot be a name in a path"),
]
CALLED = [
    (nn.Conv2d(3, 4, 3), ones(2, 4, 8, 8), r"Conv2d: the input has shape (2, 4, 8, 8); it must be (n, 3, height, "),
    (nn.Conv2d(3, 4, 3), ones(2, 3, 2, 8), r"the input has shape (2, 3, 2, 8), with its padding (2, 8), and a filter"),
    (nn.Conv1d(3, 4, 3), ones(2, 3), r"Conv1d: the input has shape (2, 3); it must be (n, 3, length)"),
    (nn.ConvTranspose2d(1, 1, 2, padding=2), ones(1, 1, 2, 2), r"so the output would have the lengths (-1, -1)"),
    (nn.MaxPool2d(5), ones(1, 1, 4, 4), r"MaxPool2d: the window reaches over 5, but the last axes of the input have"),
    (nn.AvgPool2d(2), ones(4, 4).astype(int), r"AvgPool2d: the input has shape (4, 4); it must be (n, channels, heig"),
    (nn.MaxPool2d(2), np.ones((1, 4, 4), int), r"MaxPool2d: the input is int64; cast it to floating-point"),
    (nn.Upsample(2, mode="bilinear"), ones(1, 1, 4), r"Upsample: the input has shape (1, 1, 4); with mode 'bilinear'"),
    (nn.LayerNorm(3), ones(2, 4), r"LayerNorm: the input has shape (2, 4); its last axes must have the lengths (3,)"),
    (nn.GroupNorm(2, 4), ones(2, 3), r"GroupNorm: the input has shape (2, 3); it must be (n, 4, ...)"),
    (nn.BatchNorm1d(3), ones(2, 4), r"BatchNorm1d: the input has shape (2, 4); it must be (n, 3) or (n, 3, length)"),
    (nn.BatchNorm2d(3), ones(2, 3), r"BatchNorm2d: the input has shape (2, 3); it must be (n, 3, height, width)"),
    (nn.BatchNorm1d(3), ones(1, 3), r"BatchNorm1d: the input has shape (1, 3), 1 number for each channel, and tr"),
    (nn.BatchNorm1d(3), ones(0, 3), r"BatchNorm1d: the input has shape (0, 3), 0 numbers for each channel"),
    (nn.PReLU(3), ones(2, 4), r"PReLU: the input has shape (2, 4); with 3 slopes it must be (n, 3, ...)"),
    (nn.GLU(), ones(2, 3), r"GLU: the input has shape (2, 3); axis -1 must have an even length"),
    (nn.Dropout2d(), ones(2, 3), r"Dropout2d: the input has shape (2, 3); it must be (n, channels, height, width)"),
    (nn.Conv2d(3, 4, 3), "text", "Conv2d: the input is a str; it must be an array or a Tensor"),
    (nn.LayerNorm(3), [1.0], "LayerNorm: the input is a list; it must be an array or a Tensor"),
    (nn.Linear(1, 2, dtype=np.float64), [1.0], "Linear: the input is a list; it must be an array or a Tensor"),
    (nn.MaxPool2d(2), None, "MaxPool2d: the input is a NoneType; it must be an array or a Tensor"),
    (nn.Embedding(3, 2), np.array([0, 3]), "Embedding: positions reach from 0 to 3, but there are 3 rows (0 to 2)"),
    (nn.Embedding(3, 2), np.array([-1, 0]), "Embedding: positions reach from -1 to 0, but there are 3 rows (0 to 2)"),
    (nn.Embedding(3, 2), ones(2), "Embedding: positions must be integers, got float32; write x.astype(int)"),
    (nn.LearnedPositions(4, 2), ones(3, 5, 2), r"LearnedPositions: the input has shape (3, 5, 2), a sequence of 5"),
    (nn.SinusoidalPositions(4), ones(3, 5), r"the input has shape (3, 5); it must be (..., length, 4)"),
    (nn.RNN(2, 3), ones(4, 5, 3), r"RNN: the input has shape (4, 5, 3); it must be (L, n, 2), or (L, 2) for one"),
    (nn.GRU(2, 3, batch_first=True), ones(4, 0, 2), r"GRU: the input has shape (4, 0, 2); it must be (n, L, 2), or"),
    (nn.TransformerEncoderLayer(4, 2), ones(3, 2, 5), r"query has shape (3, 2, 5), key (3, 2, 5), value (3, 2, 5)"),
    (nn.ModuleList([]), ones(2), "ModuleList: only holds its modules; call them, or put them into Sequential"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "words"), MADE, ids=range(len(MADE)))
def test_wrong_arguments(make, words):
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize(("layer", "x", "words"), CALLED, ids=range(len(CALLED)))
def test_wrong_inputs(layer, x, words):
    before = layer.state_dict()
    with pytest.raises((ValueError, TypeError, IndexError, NotImplementedError)) as caught:
        layer(x)
    assert words in str(caught.value)
    after = layer.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_an_empty_batch_has_an_empty_result():
    for layer, shape, wanted in (
        (nn.Conv2d(3, 4, 3), (0, 3, 8, 8), (0, 4, 6, 6)), (nn.Conv2d(16, 4, 3), (0, 16, 8, 8), (0, 4, 6, 6)),
        (nn.ConvTranspose2d(3, 4, 2), (0, 3, 2, 2), (0, 4, 3, 3)), (nn.MaxPool2d(2), (0, 3, 4, 4), (0, 3, 2, 2)),
        (nn.AvgPool2d(2), (0, 3, 4, 4), (0, 3, 2, 2)), (nn.LayerNorm(3), (0, 3), (0, 3)),
        (nn.GroupNorm(1, 3), (0, 3, 2), (0, 3, 2)), (nn.BatchNorm1d(3).eval(), (0, 3), (0, 3)),
        (nn.AdaptiveAvgPool2d(2), (0, 3, 4, 4), (0, 3, 2, 2)), (nn.Upsample(scale_factor=2), (0, 3, 4), (0, 3, 8)),
    ):  # fmt: skip
        assert layer(ones(*shape)).shape == wanted
    assert nn.Embedding(3, 2)(np.zeros((0, 4), int)).shape == (0, 4, 2)


def test_batch_norm_in_a_mapping_is_refused():
    with pytest.raises(BatchingError, match="BatchNorm1d: inside of vmap each example would have a running mean"):
        vmap(nn.BatchNorm1d(3))(ones(2, 4, 3))
    layer = nn.BatchNorm1d(3).eval()
    np.testing.assert_allclose(vmap(lambda x: layer(x).data)(ones(2, 4, 3)), layer(ones(4, 3)).data[None].repeat(2, 0))


def test_masks_states_and_lengths_of_the_wrong_shape():
    x = ones(3, 2, 4)
    attention = nn.MultiheadAttention(4, 2)
    for options, words in (
        ({"attn_mask": np.zeros((2, 3), bool)}, r"attn_mask has shape (2, 3); it must be (3, 3) or (4, 3, 3)"),
        ({"key_padding_mask": np.zeros((3, 2), bool)}, r"key_padding_mask has shape (3, 2); it must be (2, 3)"),
        ({"attn_mask": np.zeros((3, 3), int)}, "attn_mask is int64; give truth values, or numbers to add"),
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            attention(x, x, x, **options)
        assert words in str(caught.value)
    with pytest.raises(ValueError, match=r"the mask has shape \(3, 5\); it must broadcast to \(..., L, S\)"):
        nn.scaled_dot_product_attention(x, x, x, np.ones((3, 5), bool))
    with pytest.raises(ValueError, match=r"query has shape \(3, 2, 4\), key \(3, 2, 5\), value \(3, 2, 4\); they must"):
        nn.scaled_dot_product_attention(x, ones(3, 2, 5), x)
    for hx, lengths, words in (
        (ones(2, 2, 4), None, r"LSTM: the states have shapes (2, 2, 4); for an input of 2 sequences there are 2 of"),
        (None, [1, 4], "LSTM: lengths reach from 1 to 4; they must be from 1 to 3, the length of the input"),
        (None, [1.0, 2.0], r"LSTM: lengths are float64 of shape (2,); give 2 integers, (2,)"),
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            nn.LSTM(4, 4)(x, hx, lengths)
        assert words in str(caught.value)
