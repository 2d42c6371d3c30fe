"""A program in JAX gives the values of the program: every line of the table, training steps, what writes in place."""

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

import nn
from autodiff import PathError, Tensor, capture, grad, scan, value_and_grad, while_loop
from autodiff.primitive import Composite
from autodiff.program.exporting import ExportError
from autodiff.testing.table.samples import calls
from autodiff.tree import flatten
from tests.program.exports.tables import OF_SCIPY, OTHERS, call_of
from tests.program.samples import step_of
from tests.program.test_replay import pulled
from tests.testing.seeds import is_deep

GROUPS = 16
"""Programs are compiled in so many heaps: one by one, the compiler takes four times as long."""
LENGTHY = {"betainc", "exp1", "expi", "expn", "gammainc", "gammaincc", "hyp1f1", "sici", "spence"}
"""What JAX has by this name, and compiles for seconds."""
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
PAGE = Path(__file__).parents[3] / "docs" / "programs.md"


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def near(one, other, digits):
    """The same shapes and dtypes, and the same numbers to a part of the largest."""
    ones, others = flatten(one)[0], flatten(other)[0]
    assert len(ones) == len(others)
    for a, b in zip(map(np.asarray, ones), map(np.asarray, others), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        size = np.max(np.abs(b[np.isfinite(b)]), initial=1.0) if b.dtype.kind in "fc" else 0
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits * size)


def converted(found, derived=True):
    """Programs of some calls, and their arguments; those of VJPs contain their values."""
    for call in found:
        arrays = call.arrays(np.random.default_rng(0))
        yield capture(pulled(call) if derived else lambda *x, call=call: call(*x), *arrays), arrays


def check(found, digits):
    """Compile all of the programs at once, and compare their results."""
    functions, arrays = [program.to_jax() for program, _ in found], [given for _, given in found]
    together = jax.jit(lambda every: [f(*x) for f, x in zip(functions, every, strict=True)], compiler_options=QUICK)
    got = together(arrays)
    for result, (program, given) in zip(got, found, strict=True):
        near(result, program(*given), digits)


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_function_and_its_derivative(group):
    """A derivative is made of functions of the table: in the usual run every third is converted too."""
    every = list(enumerate(calls(entry)[0] for _, entry in OTHERS))[group::GROUPS]
    for derived in (True, False):
        mine = [call for number, call in every if derived == (is_deep() or number % 3 == 0)]
        check(list(converted(mine, derived)), 1e-10)


@pytest.mark.parametrize("group", range(GROUPS // 4))
def test_functions_that_are_made_of_others_as_themselves(group):
    some = [(f, entry) for f, entry in OTHERS if type(entry) is Composite and f is not np.trim_zeros]
    check(list(converted((call_of(f, entry) for f, entry in some[group :: GROUPS // 4]), derived=False)), 1e-10)


def test_the_page_says_which_of_scipys_functions_jax_lacks():
    missing, without = set(), set()
    made = converted(calls(entry)[0] for entry in OF_SCIPY.values())
    for name, (program, arrays) in zip(OF_SCIPY, made, strict=True):
        try:
            jax.eval_shape(program.to_jax(), *arrays)
        except ExportError as error:
            missing.add(re.match(r"to_jax: scipy\.(?:special\.)?([\w.]+) at", str(error))[1])
            without.add(name)
    there = [calls(entry)[0] for name, entry in OF_SCIPY.items() if name not in without | LENGTHY]
    check(list(converted(there, derived=False)), 1e-6)
    version, said = re.search(
        r"\nOf SciPy's functions JAX (\d+\.\d+) lacks (.*?)\.\n", PAGE.read_text(encoding="utf-8"), re.DOTALL
    ).groups()
    lacking = set(re.findall(r"`([\w.]+)`", said))
    assert missing <= lacking, ", ".join(f"`{name}`" for name in sorted(missing))
    if jax.__version__.startswith(f"{version}."):  # later versions have more
        assert missing == lacking


def network(optimizer=None, dtype="float32"):
    model = nn.Sequential(nn.Linear(3, 4, rng=0, dtype=dtype), nn.GELU(), nn.Linear(4, 2, rng=1, dtype=dtype))
    optimizer = (optimizer or functools.partial(nn.optim.Adam, lr=0.01))(model.parameters())
    return model, step_of(model, optimizer, nn.cross_entropy)


X = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
Y = np.arange(16) % 2


@pytest.mark.parametrize("optimizer", [
    functools.partial(nn.optim.SGD, lr=0.1), functools.partial(nn.optim.SGD, lr=0.1, momentum=0.9), None,
])  # fmt: skip
def test_training_steps(optimizer):
    model, step = network(optimizer)
    step(X, Y)
    function = capture(step, X, Y).to_jax()
    expected_model, expected = network(optimizer)
    expected(X, Y)
    expected(X, Y)  # capture has made a step as well
    state, run = function.state, jax.jit(function, compiler_options=QUICK)
    for _ in range(5):
        loss, state = run(X, Y, state=state)
        near(loss, expected(X, Y), 1e-5)
    assert run._cache_size() == 1
    function.put(state)
    for got, wanted in zip(model.parameters(), expected_model.parameters(), strict=True):
        near(got.data, wanted.data, 1e-5)
    near(step(X, Y), expected(X, Y), 1e-5)  # NumPy goes on where JAX has stopped


def test_state_that_is_not_given():
    _, step = network()
    step(X, Y)
    function = capture(step, X, Y).to_jax()
    with pytest.raises(TypeError, match=r"reads state \(opt.*state=f.state"):
        function(X, Y)
    with pytest.raises(KeyError, match="is missing in the state"):
        function(X, Y, state={})


def test_after_a_first_step_comes_the_second():
    _, step = network()
    function = capture(step, X, Y).to_jax()
    _, expected = network()
    expected(X, Y)
    run = jax.jit(function, compiler_options=QUICK)
    loss, state = run(X, Y, state=function.state)
    near(loss, expected(X, Y), 1e-5)
    near(run(X, Y, state=state)[0], expected(X, Y), 1e-5)


def test_options_that_have_changed():
    model = nn.Sequential(nn.Dropout(0.5, rng=0)).eval()
    program = capture(model, X)
    near(program.to_jax()(X), X, 0)
    model.train()
    with pytest.raises(PathError, match="training"):
        program.to_jax()


def test_state_that_shares_memory():
    whole = np.arange(6.0)
    columns, odd, even = whole.reshape(2, 3)[:, 1], whole[1::2], whole[::2]

    def apart(x):
        odd[...] = x
        return np.sum(even * x)

    def together(x):
        whole[...] = 2.0
        return np.sum(columns * x[:2])

    x = np.ones(3)
    result, state = capture(apart, x).to_jax()(x, state={"odd": odd, "even": even})
    assert (float(result), state["odd"].tolist()) == (6.0, [1.0, 1.0, 1.0])
    with pytest.raises(ExportError, match="whole and columns|columns and whole.*lie in the same memory"):
        capture(together, x).to_jax()


def test_nested_arguments():
    def f(p, pair):
        p["w"][0] = 5.0
        return {"sum": p["w"] + pair[0] * pair[1][0]}

    given = {"w": np.ones(3), "b": 2}, (np.ones(3), [2.0])
    function = capture(f, *given).to_jax()
    result, state = function(*given)
    assert (result["sum"].tolist(), state["w"].tolist()) == ([7.0, 3.0, 3.0], [5.0, 1.0, 1.0])
    with pytest.raises(ValueError, match=r"argument \[0\]\['b'\] is 3, and was 2"):
        function({"w": np.ones(3), "b": 3}, given[1])
    with pytest.raises(ValueError, match="is a Tensor.*pass t.data"):
        function({"w": Tensor(np.ones(3)), "b": 2}, given[1])


def test_transforms_of_jax():
    function = capture(lambda x: np.sum(np.tanh(x) ** 2), np.ones(3)).to_jax()
    x = np.array([0.1, 0.2, 0.3])
    near(jax.grad(function)(x), grad(lambda x: np.sum(np.tanh(x) ** 2))(x), 1e-12)
    assert jax.vmap(function)(np.ones((5, 3))).shape == (5,)


def written_in_place(x):
    y = np.zeros_like(x)
    row = y[1]  # a view
    row += x[0]
    y.T[2, 0] = 7.0
    turned = y.reshape(-1)[::-1]
    turned[:2] = x[0, :2]
    np.multiply(y, 2.0, out=y)
    return y, row, turned


def chosen_by_positions(x):
    y = x.copy()
    y[[0, 1, 0], [0, 1, 0]] = np.array([1.0, 2.0, 3.0])
    np.add.at(y, ([0, 0], [1, 1]), x[0, :2])
    y[:, 2][:] = -1.0
    return y, y[np.argsort(x[:, 0])], y[..., None, 0]


def with_masks(x):
    y = x * 1.0
    y[x > 0] = 0.0
    y[x < -1] = x[x < -1] * 2.0
    return y, x[x > 0], np.sum(x[:, x[0] > 0])


@pytest.mark.parametrize("f", [written_in_place, chosen_by_positions, with_masks])
def test_writes_in_place(f):
    x = np.random.default_rng(0).normal(size=(3, 4))
    program = capture(f, x)
    near(jax.jit(program.to_jax())(x), program(x), 1e-12)


def test_an_argument_that_is_written_comes_back():
    def f(x):
        x *= 2.0
        return np.sum(x)

    result, state = capture(f, np.ones(3)).to_jax()(np.arange(3.0))
    assert (float(result), state["x"].tolist()) == (6.0, [0.0, 2.0, 4.0])


def test_dtypes_are_numpys():
    def f(x, i, s):
        return x * np.float64(2.0), x * 2.0, i * x, i / 3, np.concatenate([x, i]), np.sum(i), i**2, s * x, i // 0

    with np.errstate(all="ignore"):
        given = np.ones(3, np.float32), np.arange(3, dtype=np.int32), 0.1
        program = capture(f, *given)
        near(program.to_jax()(*given), program(*given), 1e-6)


def test_special_values():
    def f(x, y):
        ufuncs = [np.maximum, np.minimum, np.fmax, np.fmin, np.hypot, np.arctan2, np.copysign, np.logaddexp]
        return [np.exp(x), np.log(x), np.sqrt(x), np.sign(x), np.abs(x), np.rint(x), *[u(x, y) for u in ufuncs],
                np.clip(x, -1.0, 1.0), np.max(x), np.sort(x), np.argmax(x), np.where(x > 0, x, y),
                np.signbit(x)]  # fmt: skip

    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 2.5, -2.5])
    x, y = (a.ravel() for a in np.meshgrid(special, special))
    with np.errstate(all="ignore"):
        program = capture(f, x, y)
        near(jax.jit(program.to_jax())(x, y), program(x, y), 1e-12)


def decides(x):
    return np.sum(x) if x[0] > 0 else np.prod(x)


def test_what_decided_otherwise_is_nan():
    function = capture(decides, np.ones(3)).to_jax()
    assert float(jax.jit(function)(np.array([2.0, 1.0, 1.0]))) == 4.0
    assert np.isnan(jax.jit(function)(np.array([-2.0, 1.0, 1.0])))


def test_what_decided_is_returned():
    function = capture(decides, np.ones(3)).to_jax(check="return")
    assert [text.split(" at ")[0] for text in function.guards[:-1]] == ["bool"]
    value, holds = jax.jit(function)(np.array([-2.0, 1.0, 1.0]))
    assert (float(value), holds.tolist()) == (0.0, [False, True])


@pytest.mark.parametrize("f", [
    lambda x, i: x[i], lambda x, i: np.take(x, i), lambda x, i: np.take_along_axis(x, i, 0) if i.ndim else None,
])  # fmt: skip
def test_an_index_that_is_out_of_bounds(f):
    function = capture(f, np.arange(3.0), np.array([0, 1])).to_jax()
    assert function(np.arange(3.0), np.array([2, -3])).tolist() == [2.0, 0.0]
    assert np.isnan(function(np.arange(3.0), np.array([0, 3]))).all()


def test_a_mask_that_chooses_another_number():
    function = capture(lambda x: x[x > 0], np.array([1.0, -1.0])).to_jax()
    assert function(np.array([-3.0, 2.0])).tolist() == [2.0]
    assert np.isnan(function(np.ones(2))).all()


def test_a_result_that_cannot_be_nan():
    function = capture(lambda x: np.argmax(x) if x[0] > 0 else np.argmin(x), np.ones(3)).to_jax()
    with pytest.raises(ExportError, match="no result that can be NaN.*check='return'"):
        function(np.ones(3))


def test_draws_are_refused():
    rng = np.random.default_rng(0)
    program = capture(lambda x: x * rng.random(3), np.ones(3))
    with pytest.raises(ExportError, match=r"\.random\(\) at .*test_jax.py.*rng.random.*model.eval"):
        program.to_jax()


def test_double_precision_needs_the_option():
    with jax.enable_x64(False):
        function = capture(lambda x: x * 2.0, np.ones(3)).to_jax()
        with pytest.raises(ExportError, match="computes in float64.*jax_enable_x64"):
            function(np.ones(3))
        single = capture(value_and_grad(lambda x: np.mean(x * x)), np.ones(3, np.float32)).to_jax()
        near(single(np.ones(3, np.float32))[1], np.full(3, 2 / 3, np.float32), 1e-6)


@pytest.mark.parametrize("given", [(np.ones(4),), (np.ones(3, np.float32),), (np.ones(3), 1.0)])
def test_other_arguments(given):
    function = capture(lambda x: x * 2.0, np.ones(3)).to_jax()
    with pytest.raises(ValueError, match=r"shape \(3,\), float64: capture it again|takes 1 arguments, got 2"):
        function(*given)


def test_a_wrong_check_and_what_jax_lacks():
    program = capture(lambda x: x * 2.0, np.ones(3))
    with pytest.raises(ValueError, match="check is 'off'"):
        program.to_jax(check="off")
    program = capture(lambda x: scipy.special.airy(x)[0], np.arange(3.0))
    with pytest.raises(ExportError, match=r"scipy.special.airy at .*test_jax.py:\d+ \(program = .*leave this part"):
        program.to_jax()(np.arange(3.0))


def test_a_result_whose_length_depends_on_values():
    with pytest.raises(ExportError, match=r"^to_jax: np.trim_zeros at .*test_jax.py:\d+"):
        jax.jit(capture(lambda x: np.trim_zeros(x), np.arange(3.0)).to_jax())(np.arange(3.0))


def test_real_numbers_that_may_become_complex():
    function = capture(lambda x: np.lib.scimath.sqrt(x), np.ones(2)).to_jax()
    assert function(np.array([4.0, 9.0])).tolist() == [2.0, 3.0]
    assert np.isnan(function(np.array([4.0, -9.0]))).all()


def test_without_jax(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r"^to_jax: needs jax.*pip install 'pullback\[jax\]'$"):
        capture(lambda x: x * 2.0, np.ones(3)).to_jax()


DEVICES = """
import json
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as Part
from autodiff import capture
from tests.program.exports.test_jax import QUICK, X, Y, network

def losses(mesh, kinds, dtype):
    _, step = network(dtype=dtype)
    inputs = X.astype(dtype)
    step(inputs, Y)
    function = capture(step, inputs, Y).to_jax()
    x, y = (jax.device_put(a, NamedSharding(mesh, Part("batch"))) for a in (inputs, Y))
    places = {path: NamedSharding(mesh, kinds.get(np.shape(a), Part())) for path, a in function.state.items()}
    state = jax.device_put(function.state, places)
    whole = NamedSharding(mesh, Part())
    run, found = jax.jit(function, out_shardings=(whole, places), compiler_options=QUICK), []
    for _ in range(4):
        loss, state = run(x, y, state=state)
        found.append(float(loss))
    arrays = [x, *(state[f"model.layers[{i}].weight"] for i in (0, 2))]
    return [sorted({part.data.shape for part in a.addressable_shards}) for a in arrays], found

jax.config.update("jax_enable_x64", True)
devices = np.array(jax.devices())
meshes = [Mesh(devices, "batch"), Mesh(devices.reshape(4, 2), ("batch", "model"))]
# the first layer by columns, the second by rows, and the moments of Adam as what they belong to
kinds = [{}, {(3, 4): Part(None, "model"), (4,): Part("model"), (4, 2): Part("model", None)}]
print(json.dumps([[losses(*given, dtype) for given in zip(meshes, kinds)] for dtype in ("float32", "float64")]))
"""


def test_eight_devices_share_a_batch_and_the_weights():
    done = subprocess.run(
        [sys.executable, "-c", DEVICES], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
        env={"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu", "PYTHONPATH": "."},
    )  # fmt: skip
    for dtype, digits, found in zip(("float32", "float64"), (1e-5, 1e-12), json.loads(done.stdout), strict=True):
        _, step = network(dtype=dtype)
        inputs = X.astype(dtype)
        step(inputs, Y)
        step(inputs, Y)  # capture has made a step as well
        expected = [float(step(inputs, Y)) for _ in range(4)]
        (batch, losses), (both, other_losses) = found
        assert batch == [[[2, 3]], [[3, 4]], [[4, 2]]]  # what each of the devices has
        assert both == [[[4, 3]], [[3, 2]], [[2, 2]]]
        np.testing.assert_allclose([losses, other_losses], [expected, expected], rtol=digits)


def test_a_variable_that_is_closed_over():
    w = Tensor(np.arange(3.0))
    function = capture(lambda x: (w * x).data, np.ones(3)).to_jax()
    result, state = function(np.full(3, 2.0), state={"w": jnp.ones(3)})
    assert (result.tolist(), state["w"].tolist()) == ([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])


XS = np.random.default_rng(0).normal(size=(9, 2, 3))


def summed(h, xs, reverse=False):
    """The sum of what a scan leaves and gives."""
    last, ys = scan(lambda h, x: (np.tanh(h @ np.eye(3) * 0.7 + x), h * x), h, xs, reverse=reverse)
    return np.sum(last**2) + np.sum(ys**3)


def halved(x):
    return while_loop(lambda x: np.sum(x) > 1.0, lambda x: x * 0.5, x, max_steps=20)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_and_its_loop_back_are_scans_of_jax(reverse):
    f = value_and_grad(lambda h, xs: summed(h, xs, reverse), argnums=(0, 1))
    program = capture(f, XS[0], XS)
    function = program.to_jax()
    assert str(jax.make_jaxpr(function)(XS[0], XS)).count("scan[") == 2
    value, slopes = jax.jit(function)(XS[1], -XS)
    near(value, f(XS[1], -XS)[0], 1e-12)
    for mine, expected in zip(slopes, f(XS[1], -XS)[1], strict=True):
        near(mine, expected, 1e-12)
    outer = jax.grad(lambda h: capture(summed, XS[0], XS).to_jax()(h, XS))(XS[1])  # JAX goes back through it, too
    near(outer, grad(summed)(XS[1], XS), 1e-12)


def test_a_guard_in_a_loop_is_a_guard_of_the_function():
    def f(xs):
        return scan(lambda h, x: (h * 2 if x > 0 else h - 1, None), np.ones(()), xs)[0]

    function = capture(f, np.ones(5)).to_jax()
    near(function(np.arange(1.0, 6.0)), 32.0, 1e-15)
    assert np.isnan(function(np.array([1.0, 1.0, 1.0, -1.0, 1.0])))
    _, holds = capture(f, np.ones(5)).to_jax(check="return")(np.array([1.0, 1.0, -1.0, 1.0, 1.0]))
    assert holds.tolist().count(False) == 1
    assert len(holds) == len(capture(f, np.ones(5)).to_jax().guards)
    counted = capture(lambda n: scan(lambda n, _: (n + 1, None), n, None, length=5)[0], np.array(3)).to_jax()
    assert int(counted(np.array(4))) == 9  # a whole number cannot be NaN, and nothing is to be checked


def test_a_while_loop_is_one_of_jax_and_its_derivative_is_of_as_many_steps():
    function = capture(halved, XS[0] + 9.0).to_jax()
    assert "while[" in str(jax.make_jaxpr(function)(XS[0]))
    for x in (XS[0] + 9.0, XS[0] + 900.0, XS[0] - 9.0):
        near(jax.jit(function)(x), halved(x), 1e-15)
    assert np.all(np.isnan(function(XS[0] + 1e9)))  # more than max_steps
    slope = grad(lambda x: np.sum(halved(x) ** 2))
    function = capture(slope, XS[0] + 9.0).to_jax()
    near(function(XS[0] + 9.1), slope(XS[0] + 9.1), 1e-14)
    assert np.all(np.isnan(function(XS[0] + 900.0)))
