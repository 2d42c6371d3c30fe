"""What is in a picture: operations, names, shapes, groups, values, gradients, bytes, times."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from autodiff import GraphError, Tensor, no_grad
from autodiff.draw import Drawing, draw
from tests.draw.models import Linear, Transformer, random, tokens


def boxes(drawing):
    return {box.name or box.label: box for box in drawing.picture.boxes}


def doubled(times):
    y = Tensor(1.0)
    for _ in range(times):
        y = y + y
    return y


def test_each_operation_is_there_once():
    y = doubled(16)
    picture = draw(y).picture
    assert [b.operation for b in picture.boxes] == [""] + 16 * ["add"]
    assert [b.parents for b in picture.boxes[1:]] == [[i, i] for i in range(16)]
    assert picture.depth == 16
    assert picture.operations + len(picture.boxes) == 33  # where operations and arrays each have a box


def test_variables_of_the_caller_have_their_names():
    w = Tensor([1.0, 2.0])
    layers = {"first": [Tensor(2.0)]}
    scaled = w * layers["first"][0]
    loss = np.sum(scaled)
    found = boxes(draw(loss))
    assert set(found) == {"w", "layers['first'][0]", "scaled", "loss"}
    assert found["w"].shape == (2,)
    assert found["w"].dtype == "float64"
    assert found["loss"].operation == "sum"
    assert "given" in boxes(draw(loss, names={"given": w}))


def test_a_loop_variable_does_not_hide_the_path_of_a_parameter():
    model = Linear(2, 3)
    for _, parameter in model.named_parameters():
        assert parameter.shape
    loss = np.sum(np.ones((1, 2)) @ model.weight + model.bias)
    assert {"model.weight", "model.bias"} <= set(boxes(draw(loss)))


def test_constants_and_options_are_part_of_the_operation():
    x = Tensor(np.ones((2, 3)))
    labels = [
        b.label for b in draw(lambda x: np.sum(np.maximum(x * 2.0, 0.5), axis=1)[0], np.ones((2, 3))).picture.boxes
    ]
    assert labels == ["", "multiply(·, 2)", "maximum(·, 0.5)", "sum(axis=1)", "getitem(·, 0)"]
    with_array = draw(np.sum(x * np.ones(3, dtype=np.float32))).picture.boxes[1]
    assert with_array.label == "multiply(·, float32[3])"


def test_constants_that_no_rule_kept_are_not_passed_over():
    x = Tensor(1.0)
    y = x * 1.000001 + 2.0
    assert [b.label for b in draw(y).picture.boxes] == ["", "multiply(·, 1.000001)", "add(·, …)"]
    assert "add(%1, …)" in str(draw(y))
    assert [b.label for b in draw(lambda x: x * 1.000001 + np.float32(0.1), 1.0).picture.boxes] == [
        "", "multiply(·, 1.000001)", "add(·, 0.1)"
    ]  # fmt: skip


def test_operations_without_gradient_are_drawn_and_told_apart():
    drawing = draw(lambda x: np.sum(x * np.sign(x)), np.ones(3))
    assert [(b.operation, b.active) for b in drawing.picture.boxes] == [
        ("", True), ("sign", False), ("multiply", True), ("sum", True)
    ]  # fmt: skip
    assert "stroke-dasharray" in drawing.svg()


def test_arguments_of_a_function_are_variables_and_have_the_names_of_its_parameters():
    def loss(weights, inputs, *, power=2):
        return np.sum(np.abs(inputs @ weights["w"]) ** power)

    drawing = draw(loss, {"w": np.ones((3, 2))}, np.ones((4, 3)))
    assert {(b.name, b.kind) for b in drawing.picture.boxes if not b.operation} == {
        ("weights", "variable"), ("inputs", "variable")
    }  # fmt: skip
    assert drawing.picture.title == "loss"


def test_integers_stay_what_they_are():
    drawing = draw(lambda table, rows: np.sum(table[rows]), np.ones((4, 2)), np.array([0, 0, 3]))
    assert [b.kind for b in drawing.picture.boxes] == ["variable", "operation", "operation"]


def test_a_module_is_nested_groups_with_parameters_by_path():
    model = Transformer(2)
    picture = draw(model, tokens()).picture
    groups = {g.name: g for g in picture.groups}
    assert {"blocks.0", "blocks.0.attention", "blocks.0.attention.query", "head"} <= set(groups)
    query = groups["blocks.0.attention.query"]
    assert (query.type, query.operations, query.parameters) == ("Linear", 2, 20)
    assert picture.groups[query.parent].name == "blocks.0.attention"
    assert sum(g.parameters for g in [picture.groups[0]]) == sum(p.size for _, p in model.named_parameters())
    names = {b.name for b in picture.boxes if b.kind == "variable"}
    assert names == {name for name, _ in model.named_parameters()}
    assert [b.name for b in picture.boxes if b.kind == "input"] == ["x"]


def test_a_shared_parameter_stands_outside_of_its_users():
    model = Transformer(1)
    model.blocks[0].up.weight = model.blocks[0].down.weight = Tensor(np.eye(4))
    model.blocks[0].up.bias = Tensor(np.zeros(4))
    picture = draw(model, tokens()).picture
    weights = [b for b in picture.boxes if b.name.endswith("weight") and "attention" not in b.name]
    shared = next(b for b in weights if picture.groups[b.group].name == "blocks.0")
    assert sum(picture.boxes[p] is shared for b in picture.boxes for p in b.parents) == 2


def test_functions_of_the_caller_are_groups():
    def layer(x, w):
        return np.tanh(x @ w)

    def network(x, w):
        for _ in range(2):
            x = layer(x, w)
        return np.sum(x)

    picture = draw(network, np.ones((2, 2)), np.ones((2, 2))).picture
    assert [g.name for g in picture.groups[1:] if g.children] == ["layer", "layer"]


def test_lines_of_code_are_known_of_a_call():
    box = draw(lambda x: np.sin(x), 1.0).picture.boxes[-1]
    assert box.line.startswith("test_drawing.py:")
    assert "np.sin(x)" in box.line


def test_the_backward_pass_is_a_group_of_its_own():
    w = Tensor([1.0, 2.0])
    loss = np.sum(w * w * w)
    drawing = draw(loss, backward=True)
    late = next(g for g in drawing.picture.groups if g.kind == "pass")
    assert late.operations >= 3
    assert "∂/∂w" in boxes(drawing)
    ages = [b.group != 0 for b in drawing.picture.boxes if b.operation]
    assert ages == sorted(ages)


def test_several_outputs():
    x = Tensor(np.eye(3) * 2.0)
    drawing = draw({"sum": np.sum(x), "more": [np.sin(x)]})
    assert [b.operation for b in drawing.picture.boxes] == ["", "sum", "sin"]
    qr = draw(lambda a: sum(np.sum(t) for t in np.linalg.qr(a)), np.eye(3), gradients=True, values=True, memory=True)
    assert "qr" in {b.operation for b in qr.picture.boxes}
    assert qr.html()
    assert qr.svg()
    assert str(qr)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1, 1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_any_shape_and_dtype(shape, dtype):
    drawing = draw(lambda x: np.sum(np.abs(x * 2.0)), np.ones(shape, dtype), values=True, gradients=True, memory=True)
    assert boxes(drawing)["x"].shape == shape
    assert drawing.svg()
    assert drawing.html()
    assert drawing.dot()
    assert drawing.json()
    assert drawing.mermaid()
    assert str(drawing)


def test_two_threads_do_not_see_each_other():
    results = {}

    def work(name, count):
        def f(x):
            for _ in range(count):
                x = np.sin(x)
            return x

        results[name] = [draw(f, 1.0).picture.operations for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k, 5 * k + 3)) for k in range(2)]
    for thread in threads:
        thread.start()
    x = Tensor(1.0)
    for _ in range(1000):
        x = x * 1.0
    for thread in threads:
        thread.join()
    assert results == {0: 20 * [3], 1: 20 * [8]}
    assert draw(x).picture.operations == 1000


def test_a_drawing_keeps_no_array_alive():
    import gc
    import weakref

    x = np.ones(1000)
    watched = weakref.ref(x)
    drawing = draw(lambda x: np.sum(np.sin(x)), x, values=True, gradients=True)
    del x
    gc.collect()
    assert watched() is None
    assert isinstance(drawing, Drawing)


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: draw(3), TypeError, "give a Tensor"),
        (lambda: draw(np.ones(3)), TypeError, "got ndarray"),
        (lambda: draw([]), GraphError, "no variable leads"),
        (lambda: draw(Linear(2, 2)), TypeError, r"draw\(linear, x\)"),
        (lambda: draw(Tensor(1.0) * 2.0, 1.0), TypeError, "takes no arguments"),
        (lambda: draw(lambda x: 3, 1.0), GraphError, "returned a value of type int"),
        (lambda: draw(Tensor(1.0) * 2.0, max_nodes=1), ValueError, "at least 4"),
        (lambda: draw(Tensor(1.0) * 2.0, names=3), TypeError, "names must be"),
        (lambda: draw(Tensor(1.0) * 2.0, mark=3), TypeError, "names no node"),
        (lambda: draw(Tensor(1.0) * 2.0, focus="a"), TypeError, "a pair"),
        (lambda: draw(Tensor(1.0) * 2.0, focus=("nothing", "multiply")), ValueError, "nothing is called 'nothing'"),
        (lambda: draw(Tensor(1.0) * 2.0).save("g.docx"), ValueError, "must be one of"),
        (lambda: draw(ValueError("x")), TypeError, "carries no graph"),
        (lambda: draw(Tensor(1.0) * 2.0).svg(scheme="pink"), ValueError, "not 'pink'"),
    ],
)
def test_bad_input_is_refused_with_a_reason(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_constant_is_refused():
    with no_grad():
        y = Tensor(1.0) * 2.0
    with pytest.raises(GraphError, match="no_grad"):
        draw(y)


def test_importing_the_library_does_not_import_drawing():
    code = "import sys, autodiff; print(any(n.startswith('autodiff.draw.') for n in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_package_is_the_function_too():
    import autodiff.draw as package

    assert package(Tensor(2.0) * 3.0).picture.operations == 1
    assert package.Drawing is Drawing


def test_every_primitive_can_be_drawn():
    from autodiff.primitive import Primitive, Sample, registry

    def filled(value):
        if isinstance(value, Sample):
            low, high = value.domain.low, value.domain.high
            return Tensor(low + (high - low) * random.uniform(0.1, 0.9, value.shape))
        return type(value)(map(filled, value)) if type(value) in (list, tuple) else value

    drawn = set()
    for entry in registry.values():
        for example in entry.examples if isinstance(entry, Primitive) else ():
            args, kwargs = [filled(a) for a in example.args], {k: filled(v) for k, v in example.kwargs.items()}
            try:
                result = entry.call(*args, **kwargs)
            except (np.linalg.LinAlgError, ValueError):  # a random matrix need not be what a factorisation asks for
                continue
            outputs = list(result) if isinstance(result, tuple | list) else [result]
            with np.errstate(all="ignore"):
                drawing = draw(outputs, values=True, gradients=True, memory=True, times=True)
            assert entry.name in {b.operation for b in drawing.picture.boxes}
            assert drawing.svg()
            drawn.add(entry.name)
    assert len(drawn) > 50
