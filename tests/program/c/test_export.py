"""A model, and a gradient, as a library of C with a header, called from a program of C."""

import subprocess

import numpy as np
import pytest

import nn
from autodiff import capture, value_and_grad
from autodiff.program.c.compiler import compiled, compiler
from tests.program.compiling import IS_THERE

MAIN = """
#include <stdio.h>
#include "{name}.h"
int main(void) {{
{declared}
    if ({name}({arguments})) return 1;
{printed}
    return 0;
}}
"""


def ran(folder, name, inputs, expected):
    """Compile the library with a main program, without any flag for this processor, and read what that prints.

    Without a compiler the library is written all the same, for a machine that has one.
    """
    assert f"int {name}(" in (folder / f"{name}.h").read_text()
    assert f"int {name}(" in (folder / f"{name}.c").read_text()
    if not IS_THERE:
        return np.concatenate([np.ravel(part) for part in expected])
    outputs = [({"f": "float", "d": "double"}[np.result_type(part).char], np.size(part)) for part in expected]
    declared, printed, arguments = [], [], []
    for n, x in enumerate(inputs):
        kind = {"f": "float", "d": "double", "l": "int64_t"}[x.dtype.char]
        declared.append(f"    static const {kind} x{n}[] = {{{', '.join(map(repr, x.ravel().tolist()))}}};")
        arguments.append(f"x{n}")
    for n, (kind, size) in enumerate(outputs):
        declared.append(f"    static {kind} y{n}[{size}];")
        printed.append(f'    for (int i = 0; i < {size}; i++) printf("%.17g\\n", (double)y{n}[i]);')
        arguments.append(f"y{n}")
    text = MAIN.format(
        name=name, declared="\n".join(declared), arguments=", ".join(arguments), printed="\n".join(printed)
    )
    (folder / "main.c").write_text(text)
    files = [str(folder / file) for file in ("main.c", f"{name}.c")]
    compiled(compiler(), ["-std=c11", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-O1", *files, "-o",
                          str(folder / "main"), "-lm"])  # fmt: skip
    run = subprocess.run([folder / "main"], capture_output=True, text=True, check=True)
    return np.array(run.stdout.split(), float)


def test_a_model(tmp_path):
    model = nn.Sequential(nn.Linear(40, 64, rng=0), nn.Tanh(), nn.LayerNorm(64), nn.Linear(64, 3, rng=1), nn.Softmax())
    model.eval()
    x = np.random.default_rng(0).normal(size=(7, 40)).astype(np.float32)
    program = capture(lambda x: model(x).data, x)
    program.save(tmp_path / "model.c")
    expected = model(x).data
    found = ran(tmp_path, "model", [x], [expected])
    np.testing.assert_allclose(found, expected.ravel(), rtol=2e-6)
    header = (tmp_path / "model.h").read_text()
    assert "int model(const float *x, float *result);" in header
    assert "x: float[7][40]" in header


def test_a_gradient(tmp_path):
    def loss(w, b, x, y):
        scores = np.tanh(x @ w) * b
        shifted = scores - np.max(scores, axis=-1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(shifted), axis=-1)) - np.sum(shifted * y, axis=-1))

    rng = np.random.default_rng(0)
    arguments = [rng.normal(size=shape) for shape in ((4, 3), (3,), (5, 4), (5, 3))]
    program = capture(value_and_grad(loss, argnums=(0, 1)), *arguments)
    value, slopes = program(*arguments)
    program.save(tmp_path / "slope.c")
    found = ran(tmp_path, "slope", arguments, [value, *slopes])
    np.testing.assert_allclose(found, np.concatenate([np.ravel(p) for p in (value, *slopes)]), rtol=1e-12)


@pytest.mark.parametrize(("function", "message"), [
    (lambda x: np.sort(x) * 2.0, r"C has no words for sort at .*test_export.py:\d+"),
    (lambda x: x, "returns, or writes into, what it was given"),
    (lambda x: (x * 2.0).T, "return a copy, np.copy"),
])  # fmt: skip
def test_what_is_not_for_c_alone(function, message, tmp_path):
    program = capture(function, np.ones((3, 2)))
    with pytest.raises(ValueError, match=message):
        program.save(tmp_path / "model.c")
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_changes(tmp_path):
    model = nn.Linear(3, 1, rng=0)

    def step(x):
        loss = np.mean(model(x) ** 2)
        loss.backward()
        return loss.data

    with pytest.raises(ValueError, match="leaves something in .*weight.grad"):
        capture(step, np.ones((2, 3), np.float32)).save(tmp_path / "step.c")
