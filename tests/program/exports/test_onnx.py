"""A forward program as a model of ONNX: the same values in ONNX Runtime, for all layers and functions."""

import inspect
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import nn
from autodiff import PathError, Tensor, capture, erf
from autodiff.program.exporting import ExportError
from autodiff.tree import flatten
from tests.program.exports.tables import OTHERS, call_of
from tests.program.samples import step_of

PAGE = Path(__file__).parents[3] / "docs" / "programs.md"
QUIET = onnxruntime.SessionOptions()
QUIET.log_severity_level = 4
QUIET.intra_op_num_threads = 1


def run(model, *arrays):
    """The outputs of a model in ONNX Runtime."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), QUIET, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


def near(got, wanted, digits=1e-6):
    """The same shapes and dtypes, and the same numbers to a part of the largest."""
    assert len(got) == len(wanted)
    for a, b in zip(got, map(np.asarray, wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        size = np.max(np.abs(b[np.isfinite(b)]), initial=1.0) if b.dtype.kind == "f" else 0
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits * size)


def tried(call):
    """What is not exported of a call; None if all of it is, and the values are right."""
    arrays = call.arrays(np.random.default_rng(0), np.float32)
    try:
        program = capture(lambda *x: call(*x), *arrays)
    except (TypeError, ValueError):
        return None  # a function of double precision, or of tuples that NumPy has as arrays
    try:
        model = program.to_onnx()
    except ExportError as error:
        return str(error)
    near(run(model, *arrays), flatten(program(*arrays))[0])
    return None


def test_every_function_is_exported_or_named_by_the_page():
    found = {entry.name: tried(call_of(function, entry)) for function, entry in OTHERS}
    refused = {name for name, why in found.items() if why is not None}
    said = re.search(r"\nOf the table these are not exported: ([^.]*)\.\n", PAGE.read_text(encoding="utf-8"))[1]
    assert refused == set(re.findall(r"`(\w+)`", said)), ", ".join(f"`{name}`" for name in sorted(refused))
    for name in refused:
        assert re.match(r"to_onnx: [\w.()]+( at .*test_onnx.py:\d+ \(.*\))?: .{20}", found[name])


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


X, IMAGE, WORDS = normal(5, 6), normal(2, 4, 6, 6), np.array([[0, 3, 1], [2, 2, 5]])
LABELS = np.array([0, 5, 2, 1, 3])
ROW, SEQUENCE = normal(2, 4, 7), normal(2, 5, 8)
SPOKEN, SAID = normal(6, 2, 4), np.array([[1, 2], [3, 0]])
MODELS = {
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(3), ROW),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((2, 3)), IMAGE),
    "AvgPool1d": (nn.AvgPool1d(2), ROW),
    "AvgPool2d": (nn.AvgPool2d(3, stride=2, padding=1), IMAGE),
    "BCELoss": (nn.BCELoss(), np.abs(np.tanh(X)), (X > 0).astype(np.float32)),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), X, (X > 0).astype(np.float32)),
    "BatchNorm1d": (nn.BatchNorm1d(6), X),
    "BatchNorm2d": (nn.BatchNorm2d(4), IMAGE),
    "Conv1d": (nn.Conv1d(4, 3, 3, padding=1, rng=0), ROW),
    "Conv2d": (nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, rng=0), IMAGE),
    "ConvTranspose1d": (nn.ConvTranspose1d(4, 3, 3, stride=2, rng=0), ROW),
    "ConvTranspose2d": (nn.ConvTranspose2d(4, 3, 2, stride=2, rng=0), IMAGE),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss(), X, -X, np.array([1, -1, 1, 1, -1])),
    "CTCLoss": (nn.CTCLoss(), np.log(nn.softmax(SPOKEN)), SAID, np.array([6, 5]), np.array([2, 1])),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), X, LABELS),
    "Dropout": (nn.Dropout(0.5, rng=0), X),
    "Dropout2d": (nn.Dropout2d(0.5, rng=0), IMAGE),
    "ELU": (nn.ELU(), X),
    "Embedding": (nn.Embedding(6, 3, rng=0), WORDS),
    "Flatten": (nn.Flatten(), IMAGE),
    "GELU": (nn.GELU(), X),
    "GRU": (nn.GRU(8, 3, 2, bidirectional=True, rng=0), SEQUENCE),
    "GaussianNLLLoss": (nn.GaussianNLLLoss(), X, -X, np.abs(X)),
    "GLU": (nn.GLU(), X),
    "GroupNorm": (nn.GroupNorm(2, 4), IMAGE),
    "Hardtanh": (nn.Hardtanh(), X),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss(), X, np.sign(X)),
    "KLDivLoss": (nn.KLDivLoss(), X, np.abs(X)),
    "LSTM": (nn.LSTM(8, 3, batch_first=True, rng=0), SEQUENCE),
    "HuberLoss": (nn.HuberLoss(), X, -X),
    "Identity": (nn.Identity(), X),
    "L1Loss": (nn.L1Loss(), X, -X),
    "LayerNorm": (nn.LayerNorm(6), X),
    "LeakyReLU": (nn.LeakyReLU(0.1), X),
    "LearnedPositions": (nn.LearnedPositions(9, 8, rng=0), SEQUENCE),
    "Linear": (nn.Linear(6, 3, rng=0), X),
    "LogSoftmax": (nn.LogSoftmax(), X),
    "MSELoss": (nn.MSELoss(), X, -X),
    "MaxPool1d": (nn.MaxPool1d(2), ROW),
    "MaxPool2d": (nn.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "Mish": (nn.Mish(), X),
    "MultiheadAttention": (nn.MultiheadAttention(8, 2, rng=0), SEQUENCE, SEQUENCE, -SEQUENCE),
    "NLLLoss": (nn.NLLLoss(), X, LABELS),
    "PReLU": (nn.PReLU(), X),
    "PoissonNLLLoss": (nn.PoissonNLLLoss(full=True), X, np.abs(X) + 1),
    "RNN": (nn.RNN(8, 3, rng=0), SEQUENCE),
    "TripletMarginLoss": (nn.TripletMarginLoss(), X, -X, X[::-1]),
    "RMSNorm": (nn.RMSNorm(6), X),
    "ReLU": (nn.ReLU(), X),
    "RotaryPositions": (nn.RotaryPositions(8), SEQUENCE),
    "Sequential": (nn.Sequential(nn.Linear(6, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1)), X),
    "SiLU": (nn.SiLU(), X),
    "Sigmoid": (nn.Sigmoid(), X),
    "SinusoidalPositions": (nn.SinusoidalPositions(8), SEQUENCE),
    "Softmax": (nn.Softmax(), X),
    "Softplus": (nn.Softplus(2.0), X),
    "Tanh": (nn.Tanh(), X),
    "TransformerDecoderLayer": (nn.TransformerDecoderLayer(8, 2, 16, rng=0), SEQUENCE, SEQUENCE),
    "TransformerEncoderLayer": (nn.TransformerEncoderLayer(8, 2, 16, rng=0), SEQUENCE),
    "Upsample": (nn.Upsample(2), IMAGE),
}
CONTAINERS = {"Module", "ModuleDict", "ModuleList"}


def test_every_layer_is_there():
    public = {n for n, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module)}
    assert public - CONTAINERS == set(MODELS)  # a new layer gets a line in MODELS


@pytest.mark.parametrize("name", MODELS)
def test_layers(name):
    model, *arrays = MODELS[name]
    program = capture(model.eval(), *arrays)
    near(run(program.to_onnx(), *arrays), flatten(program(*arrays))[0])


def test_names():
    model = nn.Sequential(nn.Linear(6, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1)).eval()
    exported = capture(lambda image: {"scores": model(image)}, X).to_onnx()
    paths = [f"model.layers[{n}].{name}" for n in (0, 2) for name in ("weight", "bias")]
    assert [i.name for i in exported.graph.initializer] == paths
    assert [i.name for i in exported.graph.input] == ["image"]
    assert [o.name for o in exported.graph.output] == ["output['scores']"]
    assert [n.op_type for n in exported.graph.node] == ["MatMul", "Add", "Tanh", "MatMul", "Add", "Identity"]
    assert [(o.domain, o.version) for o in exported.opset_import] == [("", 20)]


def test_parameters_are_as_they_are_now():
    model = nn.Linear(6, 3, rng=0)
    program = capture(model, X)
    model.weight.data[...] = 0.5
    near(run(program.to_onnx(), X), [model(X).data])


# -- another number of examples ---------------------------------------------------------------------------------------


def free(f, *makers):
    """The model of a function for 3 and 5 examples, and what it gives for 7."""
    one, other = (capture(f, *[make(n) for make in makers]) for n in (3, 5))
    arrays = [make(7) for make in makers]
    model = one.to_onnx(other)
    return model, run(model, *arrays), flatten(f(*arrays))[0]


@pytest.mark.parametrize("name", [
    "Linear", "Conv2d", "MaxPool2d", "BatchNorm1d", "LayerNorm", "GELU", "Embedding", "TransformerEncoderLayer",
    "Sequential", "Flatten", "CrossEntropyLoss", "AdaptiveAvgPool2d",
])  # fmt: skip
def test_layers_for_any_number_of_examples(name):
    model, *arrays = MODELS[name]
    model.eval()
    exported, got, wanted = free(model, *[lambda n, a=a: np.resize(a, (n, *a.shape[1:])) for a in arrays])
    near(got, [w.data for w in wanted])
    axis = exported.graph.input[0].type.tensor_type.shape.dim[0]
    assert (axis.dim_param, axis.dim_value) == ("batch", 0)


def test_the_number_of_examples_in_shapes_and_constants():
    def f(x):
        rows = np.reshape(x, (x.shape[0] * 2, -1))
        ones = np.ones(x.shape[0], np.float32)
        return np.concatenate([rows, rows[::-1]]), np.zeros_like(x), ones * np.sum(x, axis=1) / np.mean(x)

    model, got, wanted = free(f, lambda n: normal(n, 4))
    near(got, wanted)
    assert [o.type.tensor_type.shape.dim[0].dim_param for o in model.graph.output] == ["4*batch", "batch", "batch"]


@pytest.mark.parametrize(("f", "message"), [
    (lambda x: np.sum(x, axis=0) / x.shape[0], "a number depends on how many examples there are"),
    (lambda x: np.sum(x[: len(x) // 2], axis=0), "a number depends on how many|no multiple"),
    (lambda x: x * (np.arange(len(x), dtype=np.float32) ** 2)[:, None], "depends on the number of examples"),
    (lambda x: np.sum(x) if len(x) == 3 else np.prod(x), "computes something else"),
    (lambda x: x * 2.0 if len(x) == 3 else x * 2.0 + 1.0, "another number of examples"),
    (lambda x: np.roll(x, 1, axis=0), "fixed number of examples"),
])  # fmt: skip
def test_what_depends_on_the_number_of_examples(f, message):
    one, other = (capture(f, normal(n, 4)) for n in (3, 5))
    with pytest.raises(ExportError, match=message):
        one.to_onnx(other)


# -- values -----------------------------------------------------------------------------------------------------------


def test_special_values():
    def f(x, y):
        return [np.maximum(x, y), np.minimum(x, y), np.fmax(x, y), np.fmin(x, y), np.hypot(x, y), np.copysign(x, y),
                np.logaddexp(x, y), np.sign(x), np.exp(x), np.log1p(x), np.expm1(x), np.sqrt(x), np.clip(x, -1.0, 1.0),
                np.max(x), np.where(x > 0, x, y), np.signbit(x), np.isfinite(x), np.rint(x), np.trunc(x), np.sum(x),
                np.argmax(x), np.argmin(x, keepdims=True), np.argmax(np.reshape(x, (8, 8)), axis=0), np.nanmax(x),
                np.sort(np.where(np.isinf(x), y, x)[:7]),
                np.nan_to_num(x), erf(x), np.heaviside(x, y), x != y, np.isnan(x) | (x < y), np.abs(x)]  # fmt: skip

    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 2.5, -2.5, 1e-30], np.float32)
    x, y = (a.ravel() for a in np.meshgrid(special, special))
    with np.errstate(all="ignore"):
        program = capture(f, x, y)
        near(run(program.to_onnx(), x, y), program(x, y))


def test_whole_numbers_and_dtypes():
    def f(i, x):
        return [i // 3, i % 3, -i // 3, i**2, i & 3, i / 2, i * x, np.sum(i), np.mean(i), np.argmax(x), i == 2, ~i,
                np.float64(2.0) * x, x.astype(np.int32), np.cumsum(i), np.sort(x), np.argsort(x), np.prod(i), x % -0.7,
                np.any(i > 2), np.all(x), i.astype(bool) ^ (x > 0), np.searchsorted(np.sort(x), x)]  # fmt: skip

    i, x = np.arange(-3, 5), normal(8)
    program = capture(f, i, x)
    near(run(program.to_onnx(), i, x), program(i, x))


def indices(x, i):
    rows = np.array([0, 2])
    return [x[1], x[..., None, 0], x[::-2, 1:], x[rows], x[rows[:, None], [1, 3]], x[:, rows, None], x[i, :2], x[1:, i],
            x[i, i], x[np.array([True, False, True])], np.take(x, i, axis=1), np.take_along_axis(x, i[None], 1),
            np.take(x, i + 9, mode="clip"), x[:, ::-1], np.flip(x), x.T[1], x[-1, -2]]  # fmt: skip


def rearranged(x):
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 3))
    return [x.T, x.reshape(-1, order="F"), np.pad(x, ((1, 0), (2, 1))), np.pad(x, 1, "edge"), np.roll(x, 1), np.tril(x),
            np.tile(x, 2), np.repeat(x, 2, 0), windows, np.stack([x, x], 1), np.diagonal(x), np.split(x, 2, axis=1)[1],
            np.einsum("ij,kj->ik", x, x), np.tensordot(x, x, ([1], [1])), np.dot(x, x[0]), np.outer(x[0], x[1]),
            np.linalg.norm(x), np.linalg.norm(x, np.inf, 0), np.linalg.norm(x, 1, 1, True), np.linalg.norm(x, "fro"),
            np.linalg.norm(x[0], 3), np.linalg.vector_norm(x, axis=0), np.broadcast_to(x[0], (2, 3, 4)),
            np.var(x, 0, ddof=1), np.diff(x), np.linalg.det(x[:, :3])]  # fmt: skip


def written(x):
    y = np.zeros_like(x)
    y[1] = x[0]
    row = y[2]
    row += x[1]
    y.T[0, 0] = 7.0
    y[[0, 0], [1, 1]] = np.array([1.0, 2.0])
    np.add.at(y, ([0, 0], [2, 2]), x[0, :2])
    y[x > 0] = -1.0
    np.multiply(y, 2.0, out=y)
    return [y, row]


@pytest.mark.parametrize(("f", "arrays"), [
    (indices, (normal(3, 4), np.array([0, 2, -1]))), (rearranged, (normal(3, 4),)), (written, (normal(3, 4),)),
])  # fmt: skip
def test_indices_shapes_and_writes(f, arrays):
    program = capture(f, *arrays)
    near(run(program.to_onnx(), *arrays), flatten(program(*arrays))[0])


def test_numbers_and_constants_among_arguments():
    program = capture(lambda x, scale, flag: x * scale if flag else x, X, 2.0, True)
    near(run(program.to_onnx(), X, np.array(3.0)), [X * 3.0])


def test_what_is_computed_from_constants_alone_is_a_constant():
    matrix = np.diag(np.arange(1.0, 7.0)).astype(np.float32)  # ONNX cannot invert it
    weight = Tensor(np.ones((6, 2), np.float32))
    model = capture(lambda x: x @ np.linalg.inv(matrix) @ (weight * 2.0), X).to_onnx()
    near(run(model, X), [X @ np.linalg.inv(matrix) @ np.full((6, 2), 2, np.float32)])
    assert [n.op_type for n in model.graph.node] == ["MatMul", "Mul", "MatMul", "Identity"]
    assert "weight" in [i.name for i in model.graph.initializer]


# -- guards -----------------------------------------------------------------------------------------------------------


def decides(x):
    return np.sum(x) if x[0, 0] > 0 else np.prod(x)


def test_what_decided_otherwise_is_nan():
    program = capture(decides, np.ones((2, 2), np.float32))
    near(run(program.to_onnx(), np.full((2, 2), 2, np.float32)), [np.float32(8)])
    assert np.isnan(run(program.to_onnx(), -np.ones((2, 2), np.float32))[0])


def test_what_decided_is_returned():
    model = capture(decides, np.ones((2, 2), np.float32)).to_onnx(check="return")
    assert model.graph.output[-1].name == "holds"
    value, holds = run(model, -np.ones((2, 2), np.float32))
    assert (float(value), holds.tolist()) == (-4.0, [False])


def test_a_result_that_cannot_be_nan():
    program = capture(lambda x: np.argmax(x) if x[0, 0] > 0 else np.argmin(x), np.ones((2, 2), np.float32))
    with pytest.raises(ExportError, match="no result that can be NaN"):
        program.to_onnx()


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_training_step_is_refused():
    model = nn.Linear(6, 3, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ExportError, match="state, which a model of ONNX does not change; export the forward pass"):
        capture(step_of(model, optimizer), X, X[:, :3]).to_onnx()


def test_a_draw_is_refused():
    layer = nn.Dropout(0.5, rng=0)
    with pytest.raises(ExportError, match=r"^to_onnx: \.random\(\)( at .*)?: draws from NumPy's.*model\.eval\(\)"):
        capture(layer, X).to_onnx()
    program = capture(layer.eval(), X)
    layer.train()
    with pytest.raises(PathError, match="training"):
        program.to_onnx()


@pytest.mark.parametrize(("f", "message"), [
    (lambda x: np.linalg.inv(x[:5, :5]), r"np\.linalg\.inv at .*test_onnx\.py:\d+ \(.*\): ONNX has no such"),
    (lambda x: x[x > 0], "how many elements a mask chooses depends on values; write np.where"),
    (lambda x: x * 1j, "does not compute in complex"),
    (lambda x: None, "returns no array"),
])  # fmt: skip
def test_what_onnx_lacks(f, message):
    with pytest.raises(ExportError, match=message):
        capture(f, X).to_onnx()


def test_a_wrong_check_and_no_onnx(monkeypatch):
    program = capture(lambda x: x * 2.0, X)
    with pytest.raises(ValueError, match="check is 'off'"):
        program.to_onnx(check="off")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"^to_onnx: needs onnx.*pip install 'pullback\[onnx\]'$"):
        program.to_onnx()


def test_double_precision():
    w = Tensor(np.arange(12.0).reshape(3, 4))
    program = capture(lambda x: np.tanh(x @ w.data), normal(2, 3).astype(np.float64))
    x = np.random.default_rng(5).normal(size=(2, 3))
    near(run(program.to_onnx(), x), [program(x)], 1e-14)
    onnx.checker.check_model(program.to_onnx(), full_check=True)
