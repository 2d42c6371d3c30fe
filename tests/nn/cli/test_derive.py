"""``pullback derive``: the printed text is a function that runs by itself and gives the derivative."""

import sys

import numpy as np
import pytest

import autodiff as ad
import nn
from nn import cli

SOURCE = """
import numpy as np
import nn

def loss(w, x, scale: float = 2.0, *, shift=0.5):
    h = np.tanh(w @ x + shift)
    return np.sum(h * h) * scale

def several(x: float, pair: tuple[float, float]):
    return x**3 * pair[0] + pair[1] ** 2

def array(x, y):
    return np.sin(x) * y

def decided(x: float):
    return x**2 if x > 0 else -x

def two(x):
    return x, x

def hidden(x):
    return float(np.sum(x)) * np.sum(x)

def raising(x):
    raise SystemExit("no")

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Dropout(0.5), nn.Tanh())

    def forward(self, x):
        return self.layers(x)

async def later(x: float):
    return x

def constant(x: float):
    return 3.0

number = 3
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "derived_model.py"
    path.write_text(SOURCE, encoding="utf-8")
    yield path
    sys.modules.pop("derived_model", None)


@pytest.fixture
def derive(source, capsys):
    def made(name, *options):
        """The functions of the text that is printed."""
        assert cli.main(["derive", f"{source}::{name}", *options]) == 0
        text = capsys.readouterr().out
        assert "autodiff" not in text
        space = {}
        exec(text, space)
        return space

    return made


@pytest.fixture
def model(source):
    space = {}
    exec(SOURCE, space)
    return space


W, X = np.random.default_rng(0).normal(size=(2, 3)), np.array([0.5, -1.0, 2.0])


def equal(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_gradient_of_every_argument(derive, model):
    made = derive("loss", "--shape", "2,3", "--shape", "x=3")["loss_gradient"]
    equal(made(W, X), ad.grad(model["loss"], (0, 1))(W, X))


def test_one_argument_and_the_value(derive, model):
    made = derive("loss", "--shape", "2,3", "--shape", "x=3", "--wrt", "x", "--value")["loss_gradient"]
    equal(made(W, X), ad.value_and_grad(model["loss"], 1)(W, X))


def test_the_hessian(derive, model):
    made = derive("loss", "--shape", "2,3", "--shape", "x=3", "--wrt", "x", "--order", "2", "--value")["loss_hessian"]
    equal(made(W, X), (model["loss"](W, X), ad.hessian(model["loss"], 1)(W, X)))


def test_inputs_by_annotation(derive, model):
    made = derive("several")["several_gradient"]
    assert made(2.0, (3.0, 4.0)) == ad.grad(model["several"], (0, 1))(2.0, (3.0, 4.0))


def test_the_pullback_of_a_function_that_returns_an_array(derive, model):
    made = derive("array", "--shape", "3", "--shape", "3", "--dtype", "float32")["array_pullback"]
    x, y, g = np.float32([[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    equal(made(x, y, g), ad.vjp(model["array"], x, y)[1](g))
    assert made(x, y, g)[0].dtype == np.float32


def test_a_model_with_respect_to_its_parameters(derive, model):
    made = derive("Network", "--shape", "5,4")["Network_pullback"]
    network, x, g = model["Network"](), np.ones((5, 4)), np.ones((5, 3))
    network = nn.layers.copying.in_dtype(network, "float64").eval()
    weight, bias = network.layers.layers[0].weight, network.layers.layers[0].bias
    d_weight, d_bias = made(weight, bias, x, g)
    slope = 1.0 - np.tanh(x @ weight + bias) ** 2
    np.testing.assert_allclose(d_bias, np.sum(slope, axis=0))
    np.testing.assert_allclose(d_weight, x.T @ slope)


def test_what_is_decided_is_checked(derive):
    made = derive("decided", "--low", "1")["decided_gradient"]
    assert made(2.0) == 4.0
    with pytest.raises(AssertionError):
        made(-2.0)


def test_a_gradient_that_is_zero_is_a_number(derive):
    made = derive("constant")["constant_gradient"]
    assert made(2.0) == 0.0
    assert type(made(2.0)) is float


def test_a_file_is_written(source, tmp_path, capsys):
    path = tmp_path / "gradient.py"
    assert cli.main(["derive", f"{source}::loss", "--shape", "2,3", "--shape", "x=3", "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert "def loss_gradient(w, x):" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "options", "code", "says"), [
    ("loss", [], 2, "give --shape w=3,4"),
    ("loss", ["--shape", "2,3", "--shape", "x=3", "--wrt", "q"], 2, "there is no argument for --wrt q; there are w, x"),
    ("array", ["--shape", "3", "--shape", "3", "--order", "2"], 2, "the Hessian is of a single number"),
    ("two", ["--shape", "3"], 2, "returns a tuple; return a single number, or one array"),
    ("raising", ["--shape", "3"], 2, "raised SystemExit: no"),
    ("later", [], 2, "is a coroutine or a generator"),
    ("number", [], 2, "is a int, not a function"),
    ("nothing", [], 2, "has no 'nothing'"),
    ("decided", ["--low", "3"], 2, "--low 3.0 must be less than --high 2.0"),
    ("decided", ["--seed", "-1"], 2, "--seed -1 must be at least 0"),
    ("decided", ["--low", "1", "-o", "/no/such/folder/x.py"], 1, "cannot write"),
])  # fmt: skip
def test_one_line_for_each_mistake(source, capsys, name, options, code, says):
    assert cli.main(["derive", f"{source}::{name}", *options]) == code
    error = capsys.readouterr().err
    assert error.startswith("pullback derive: error: ")
    assert error.count("\n") == 1
    assert says in error
