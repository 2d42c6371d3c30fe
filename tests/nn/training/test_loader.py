"""DataLoader: every kind of data, one order for a seed, positions to go on from, and bounded memory."""

import gc
import json
import threading
import traceback
import tracemalloc

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import DataLoader, Learner, Linear, mse_loss, optim
from nn.data import ArrayFiles

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


class Items:
    """A dataset: examples by position, as tuples."""

    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return X[i % 10], int(Y[i % 10])


class OnDisk:
    """An array that, as those of HDF5, takes positions in rising order alone, and counts what it reads."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, index):
        if not isinstance(index, slice):
            assert (np.diff(index) > 0).all()
        found = self.array[index]
        self.read += len(found)
        return found


def files(folder, array, cuts=(3, 3, 7)):
    paths = []
    for i, part in enumerate(np.split(array, cuts)):
        paths.append(folder / f"{i}-{array.ndim}.npy")
        np.save(paths[-1], part)
    return ArrayFiles(paths)


def mapped(folder, array):
    np.save(folder / f"whole{array.ndim}.npy", array)
    return np.load(folder / f"whole{array.ndim}.npy", mmap_mode="r")


KINDS = {
    "arrays": lambda folder: (X, Y),
    "a tuple": lambda folder: ((X, Y),),
    "lists": lambda folder: (X.tolist(), Y.tolist()),
    "memory maps": lambda folder: (mapped(folder, X), mapped(folder, Y)),
    "files": lambda folder: (files(folder, X), files(folder, Y, (0, 9))),
    "on disk": lambda folder: (OnDisk(X), OnDisk(Y)),
    "items": lambda folder: (Items(),),
    "a list of examples": lambda folder: (list(zip(X, Y, strict=True)),),
    "a function": lambda folder: (lambda: ((x, y) for x, y in zip(X, Y, strict=True)),),
}


def flat(batches):
    return [(x.tobytes(), np.asarray(y, float).tolist()) for x, y in batches]


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_data(tmp_path, kind, prefetch):
    data = KINDS[kind](tmp_path)
    in_order = list(DataLoader(*data, batch_size=4, prefetch=prefetch))
    assert all(type(x) is np.ndarray and type(y) is np.ndarray for x, y in in_order)
    assert flat(in_order) == flat(DataLoader(X, Y, batch_size=4))
    for _ in range(2):  # it can be read again
        loader = DataLoader(*data, batch_size=4, rng=3, prefetch=prefetch, drop_last=True)
        first, second = flat(loader), flat(loader)
        assert len(first) == 2
        assert first != second
        if kind != "a function":
            assert [first, second] == [flat(other) for other in [DataLoader(X, Y, batch_size=4, rng=3, drop_last=True)]
                                       for _ in range(2)]  # fmt: skip


def test_structures_and_rows():
    batch = next(iter(DataLoader({"a": X, "b": (Y, X)}, batch_size=3, rows=[1, 5, 7, 2], shuffle=False)))
    assert list(batch) == ["a", "b"]
    assert batch["b"][0].tolist() == [1, 5, 7]
    assert np.array_equal(batch["b"][1], batch["a"])
    shuffled = DataLoader(X, Y, batch_size=2, rows=[1, 5, 7, 2], rng=0)
    assert sorted(np.concatenate([y for _, y in shuffled]).tolist()) == [1, 2, 5, 7]
    assert all(np.array_equal(x[:, 0], 2.0 * y) for x, y in shuffled)
    items = DataLoader([{"x": x, "y": y} for x, y in zip(X, Y, strict=True)], batch_size=10, collate=len)
    assert list(items) == [10]
    assert repr(items) == "DataLoader(Dataset; 1 batches of 10)"


def stream(n=40):
    return lambda: iter(range(n))


def test_iterables_are_shuffled_in_a_buffer():
    orders = [np.concatenate(list(DataLoader(stream(), batch_size=7, rng=0, buffer=b))).tolist() for b in (1, 5, 100)]
    assert orders[0] == list(range(40))
    assert all(sorted(order) == list(range(40)) for order in orders)
    assert orders[1] != orders[0] != orders[2]
    assert all(value <= place + 5 for place, value in enumerate(orders[1]))  # nothing comes before it was read
    assert [b.tolist() for b in DataLoader(lambda: [X, X[:1]], batch_size=None)] == [X.tolist(), X[:1].tolist()]
    assert DataLoader(stream()).length() is None
    with pytest.raises(TypeError, match="an iterable has no length"):
        len(DataLoader(stream()))
    once = DataLoader(iter(range(3)))
    assert len(list(once)) == 1
    with pytest.raises(ValueError, match="the iterator is used up by the first pass; give a function"):
        list(once)


# -- positions -----------------------------------------------------------------------------------------------------


def jitter(x, rng):
    return x + rng.normal(size=x.shape)


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("data", [(X, Y), (Items(),), (lambda: zip(X, Y, strict=True),)])
def test_it_goes_on_from_each_position(data, prefetch):
    def loader(seed):
        return DataLoader(*data, batch_size=3, rng=seed, transform=jitter, prefetch=prefetch, buffer=4)

    whole = loader(7)
    states, batches = [whole.state_dict()], []
    for _ in range(2):
        for batch in whole:
            batches.append(batch)
            states.append(json.loads(json.dumps(whole.state_dict())))
    assert len(states) == 9
    for done, state in enumerate(states):
        other = loader(99)
        other.load_state_dict(state)
        rest = list(other) + (list(other) if done <= 4 else [])
        assert flat(rest[: 8 - done]) == flat(batches[done:])


def test_a_transform_changes_the_inputs_alone_and_each_batch_has_its_own_generator():
    plain = DataLoader(X, Y, batch_size=3, rng=1)
    changed = DataLoader(X, Y, batch_size=3, rng=1, transform=lambda x: x * 2)
    assert flat((x * 2, y) for x, y in plain) == flat(changed)
    noise = [x - X[:5] for x, _ in DataLoader(X, Y, batch_size=5, rows=[0, 1, 2, 3, 4] * 2, rng=1, shuffle=False,
                                              transform=jitter)]  # fmt: skip
    assert not np.array_equal(*noise)
    (whole,) = DataLoader({"x": X, "y": Y}, batch_size=10, transform=lambda batch: batch["x"] * 2)
    assert np.array_equal(whole, X * 2)


# -- a thread ------------------------------------------------------------------------------------------------------


def threads():
    return [t for t in threading.enumerate() if t.name == "DataLoader"]


def test_the_thread_ends_with_the_loop_and_reads_no_more_than_it_must():
    read, closed = [], []

    def examples():
        try:
            for i in range(1000):
                read.append(i)
                yield i
        finally:
            closed.append(threading.current_thread().name)

    loader = DataLoader(examples, batch_size=1, prefetch=3)
    for batch in loader:
        assert threads()
        if batch[0] == 4:
            break
    gc.collect()
    assert threads() == []
    assert len(read) <= 5 + 3 + 2  # what was used, what waits, what is in the hand
    assert closed == ["DataLoader"]

    def interrupted():
        for _ in loader:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    gc.collect()
    assert threads() == []


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_error_of_the_data_comes_out_with_its_traceback(prefetch):
    def broken():
        yield from range(4)
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone") as caught:
        seen.extend(batch.tolist() for batch in DataLoader(broken, batch_size=2, prefetch=prefetch))
    assert seen == [[0, 1], [2, 3]]
    assert "in broken" in "".join(traceback.format_tb(caught.tb))
    del caught
    gc.collect()
    assert threads() == []


# -- memory --------------------------------------------------------------------------------------------------------


def test_of_data_on_disk_a_few_batches_are_in_memory(tmp_path):
    big = np.zeros((4000, 256))  # 8 MB
    data = files(tmp_path, big, (1000, 3000)), OnDisk(np.zeros(4000))
    del big
    gc.collect()
    tracemalloc.start()
    try:
        seen = sum(len(x) for x, _ in DataLoader(*data, batch_size=50, rng=0, prefetch=2))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == data[1].read == 4000
    assert peak < 12 * 50 * 256 * 8  # batches of 100 KB; the whole is 80 of them


def test_a_training_on_data_on_disk_does_not_hold_it(tmp_path):
    x, y = files(tmp_path, np.zeros((2000, 256)), (500, 1500)), np.zeros((2000, 1))
    it = learner(256, jit=False)
    tracemalloc.start()
    try:
        loader = DataLoader(x, y, batch_size=50, rng=0)
        it.fit(loader, epochs=1, validation=DataLoader(x, y, batch_size=50))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * 50 * 256 * 8  # of 40 batches


# -- files ---------------------------------------------------------------------------------------------------------


def test_files_are_one_array(tmp_path):
    whole = files(tmp_path, X)
    assert (whole.shape, whole.dtype, len(whole)) == ((10, 2), np.float64, 10)
    for index in (3, -1, slice(2, 9, 3), slice(None), [9, 0, 3], np.array([], int)):
        assert np.array_equal(whole[index], X[index])
    assert repr(whole) == "ArrayFiles(4 files, shape (10, 2), float64)"
    with pytest.raises(IndexError, match="example 10 of 10"):
        whole[10]
    with pytest.raises(IndexError, match="chosen by a slice"):
        whole[X > 3]


def test_wrong_files(tmp_path):
    files(tmp_path, X)
    np.save(tmp_path / "other.npy", np.zeros((2, 3)))
    np.save(tmp_path / "number.npy", np.zeros(()))
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "0-2.npy").read_bytes()[:-8])
    first = tmp_path / "0-2.npy"
    for name, message in {
        "other": r"other\.npy have shape \(3,\).*0-2\.npy \(2,\)",
        "number": "number.npy holds a single number",
        "text": r"text\.npy is no \.npy file",
        "cut": "is damaged: 40 of 48 bytes",
    }.items():
        with pytest.raises(ValueError, match=message):
            ArrayFiles([first, tmp_path / f"{name}.npy"])
    with pytest.raises(FileNotFoundError):
        ArrayFiles([tmp_path / "none.npy"])
    with pytest.raises(TypeError, match="pass a list of paths"):
        ArrayFiles(str(first))
    with pytest.raises(ValueError, match="there are no files"):
        ArrayFiles([])


# -- with a learner ------------------------------------------------------------------------------------------------


def learner(features=2, **options):
    model = Linear(features, 1, rng=0, dtype=np.float64)
    return Learner(model, mse_loss, optim.SGD(model.parameters(), lr=1e-3), **options)


@pytest.mark.parametrize("jit", [False, True])
def test_fit_with_a_loader_is_fit_with_arrays(jit):
    targets, runs = X @ np.array([[1.0], [2.0]]), []
    for data in ((X, targets), (DataLoader(X, targets, batch_size=4, rng=5, prefetch=1), None)):
        it = learner(metrics=["mae"], jit=jit)
        options = {"batch_size": 4, "rng": 5} if data[1] is not None else {}
        history = it.fit(*data, epochs=3, validation=(X, targets), **options)
        rows = [{k: v for k, v in row.items() if k not in ("seconds", "rate")} for row in history.rows]
        runs.append((rows, it.model.weight.data.tobytes()))
    assert runs[0] == runs[1]


def test_data_without_a_length(capsys):
    targets = X @ np.array([[1.0], [2.0]])
    loader = DataLoader(lambda: zip(X, targets, strict=True), batch_size=4)
    lengths = []

    class Looks(nn.Callback):
        def on_step(self, run):
            lengths.append(run.steps_per_epoch)

    history = learner().fit(loader, epochs=2, validation=loader, callbacks=[Looks()], progress=True)
    assert lengths == [None, None, None, 3, 3, 3]
    assert "validation_loss" in history.columns
    assert "step 1 " in capsys.readouterr().err
    it = learner()
    assert it.evaluate(loader) == pytest.approx(it.evaluate(X, targets))
    assert np.array_equal(it.predict(loader), it.predict(X))
    assert np.array_equal(it.predict(DataLoader(X, batch_size=3)), it.predict(X))


class Two(nn.Module):
    def __init__(self):
        self.a, self.b = Linear(2, 1, rng=0), Linear(1, 1, rng=1)

    def forward(self, x):
        return self.a(x["a"]) + self.b(x["b"])


def test_several_batches_of_structures_for_one_step():
    data = {"a": X / 10, "b": X[:, :1] / 10}
    runs = []
    for size, accumulate in ((4, 3), (12, 1)):
        model = Two()
        it = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1), accumulate=accumulate)
        it.fit(data, X[:, :1], 2, size, shuffle=False)
        runs.append([p.data for p in model.parameters()])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_inputs_and_targets_may_be_structures(jit):
    model = Two()
    data = {"a": X / 10, "b": X[:, :1] / 10}, (X[:, 1:], X[:, :1])

    def loss(z, y):
        return mse_loss(z, y[0]) + mse_loss(z, y[1])

    it = Learner(model, loss, optim.SGD(model.parameters(), lr=1e-3), metrics={
        "error": lambda z, y: np.abs(z - y[0]).mean()}, jit=jit)  # fmt: skip
    history = it.fit(*data, epochs=3, batch_size=4, rng=0, validation=data)
    assert history[2] < history[0]
    assert it.predict(data[0]).shape == (10, 1)
    assert it.evaluate(*data)["error"] == history["validation_error"][-1]
    assert it.update(*data)[1].dtype == np.float32
    data[0]["b"][3] = np.nan
    with pytest.raises(nn.DivergenceError, match="the inputs of this batch hold 1 of 10 numbers"):
        it.fit(*data, epochs=1)


# -- a part to validate with ---------------------------------------------------------------------------------------


def seen_by(**options):
    class Notes(Linear):
        def forward(self, x):
            seen[self.training].extend(x[:, 0].tolist())
            return super().forward(x)

    seen = {True: [], False: []}
    model = Notes(2, 1, rng=0, dtype=np.float64)
    it = Learner(model, lambda z, y: mse_loss(z, y.reshape(-1, 1)), optim.SGD(model.parameters(), lr=1e-3), jit=False)
    it.fit(X, options.pop("targets", Y), 1, 4, **options)
    return sorted(seen[True]), seen[False]


def test_a_split_is_shuffled_and_repeats_itself():
    train, held = seen_by(validation_split=0.3, rng=0)
    assert len(held) == 3
    assert sorted(train + held) == X[:, 0].tolist()
    assert (train, held) == seen_by(validation_split=3, rng=0)
    assert held != seen_by(validation_split=3, rng=1)[1]
    classes = np.array([0] * 8 + [1] * 2)
    for seed in range(3):
        for stratify in (True, classes.tolist()):
            held = seen_by(validation_split=0.5, rng=seed, targets=classes, stratify=stratify)[1]
            assert sum(value >= 16 for value in held) == 1


def test_a_split_goes_on_with_the_same_parts():
    class Keeps(nn.Callback):
        saves = True

        def on_step(self, run):
            if run.step == 3:
                self.state, self.model = run.state_dict(), run.learner.model.state_dict()

    keeps, it, targets = Keeps(), learner(), X @ np.array([[1.0], [2.0]])
    whole = it.fit(X, targets, 3, 4, validation_split=0.3, rng=4, callbacks=[keeps])
    other = learner()
    other.model.load_state_dict(keeps.model)
    found = other.fit(X, targets, 3, 4, validation_split=0.3, rng=77, resume=keeps.state)
    assert found["validation_loss"] == whole["validation_loss"]
    assert other.model.weight.data.tobytes() == it.model.weight.data.tobytes()
    with pytest.raises(ValueError, match="validation_split is given, or was when the state was made, but not both"):
        other.fit(X, targets, 3, 4, rng=77, resume=keeps.state)


# -- wrong input ---------------------------------------------------------------------------------------------------

WRONG = {
    "nothing": ((), {}, ValueError, "DataLoader: there is no data"),
    "lengths": ((X, Y[:3]), {}, ValueError, "the arrays have 10, 3 examples"),
    "empty": ((X[:0],), {}, ValueError, r"there are no examples \(shapes \(0, 2\)\)"),
    "empty items": ((Items(0),), {}, ValueError, "there are no examples; the length of the data is 0"),
    "a Tensor": ((Tensor(X), Y), {}, TypeError, "part 0 is a Tensor; examples are data"),
    "a number": ((X, 3.0), {}, ValueError, "part 1 is a single value"),
    "objects": ((X, [None] * 10), {}, TypeError, "part 1 is an array of Python objects"),
    "masked": ((np.ma.array(X), Y), {}, TypeError, "part 0 is a MaskedArray"),
    "a path": (("x.npy",), {}, TypeError, r"got the path 'x.npy'; load it: np.load\(path"),
    "shuffle": ((X,), {"shuffle": "yes"}, TypeError, "shuffle is 'yes'"),
    "no data": ((3,), {}, TypeError, "got a int; data is arrays, an object with len"),
    "batch size": ((X,), {"batch_size": 0}, ValueError, "batch_size is 0"),
    "no batch size": ((X,), {"batch_size": None}, ValueError, "batch_size is None, which says that an iterable"),
    "too few": ((X,), {"batch_size": 11, "drop_last": True}, ValueError, "10 examples make no batch of 11"),
    "transform": ((X,), {"transform": 3}, TypeError, "transform must be a function"),
    "prefetch": ((X,), {"prefetch": -1}, ValueError, "prefetch is -1"),
    "rows": ((X,), {"rows": [10]}, ValueError, "rows reach from 10 to 10; there are 10 examples"),
    "rows of a stream": ((stream(),), {"rows": [1]}, TypeError, "rows are positions, and an iterable has none"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_data(case):
    data, options, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        DataLoader(*data, **options)


def test_wrong_examples_and_states():
    with pytest.raises(ValueError, match=r"examples of one batch have the shapes \(2,\), \(1,\); pad them"):
        list(DataLoader([(X[0], 1), (X[0][:1], 1)]))
    with pytest.raises(TypeError, match="the function made a int, which is no iterable"):
        list(DataLoader(lambda: 3))
    with pytest.raises(ValueError, match="expected the entries"):
        DataLoader(X).load_state_dict({})
    with pytest.raises(ValueError, match="the state is that of a PCG64 generator, and rng is a MT19937"):
        DataLoader(X, rng=np.random.Generator(np.random.MT19937(0))).load_state_dict(DataLoader(X, rng=0).state_dict())
    with pytest.raises(ValueError, match="one is shuffled"):
        DataLoader(X, rng=0).load_state_dict(DataLoader(X).state_dict())


FITS = {
    "both": ((DataLoader(X, Y), Y), {}, TypeError, "fit: got a DataLoader, and Y; the loader says that"),
    "sizes": ((DataLoader(X, Y),), {"batch_size": 2, "rng": 0}, TypeError, "got a DataLoader, and batch_size, rng"),
    "no targets": ((X,), {}, TypeError, "fit: Y is missing"),
    "no pairs": ((DataLoader(X),), {}, TypeError, "a batch of the DataLoader is a ndarray; it must be a pair"),
    "three": ((DataLoader(X, X, X),), {}, TypeError, "a batch of the DataLoader is 3 parts"),
    "no batch": ((DataLoader(list),), {}, ValueError, "the DataLoader gave no batch"),
    "two ways": ((X, X[:, :1]), {"validation": (X, X), "validation_split": 0.1}, ValueError, "choose one"),
    "no split": ((X, X[:, :1]), {"stratify": True}, ValueError, "stratify says how to split; give validation_split"),
    "a wrong split": ((X, X[:, :1]), {"validation_split": 1.5}, ValueError, "fit, validation_split: test_size is 1.5"),
    "a true split": (
        (X, X[:, :1]),
        {"validation_split": True},
        TypeError,
        "validation_split is True; it is a fraction",
    ),
    "no classes": ((X, X[:, :1]), {"validation_split": 0.5, "stratify": True}, ValueError, "stratify=True needs Y"),
    "unequal parts": (({"a": X, "b": X[:3]}, Y), {}, ValueError, "the parts of X have 10, 3 examples"),
    "no parts": (({}, Y), {}, ValueError, "X has no arrays in it"),
}


@pytest.mark.parametrize("case", FITS)
def test_wrong_fits(case):
    data, options, error, message = FITS[case]
    with pytest.raises(error, match=message):
        learner().fit(*data, epochs=1, **options)
    with pytest.raises(TypeError, match="fit: epochs is missing"):
        learner().fit(X, X[:, :1])


# -- parts of batches, for several processes -----------------------------------------------------------------------


class Watched(Items):
    """Examples by position, that remember which were read."""

    def __init__(self, n=10):
        super().__init__(n)
        self.read = []

    def __getitem__(self, i):
        self.read.append(i)
        return super().__getitem__(i)


class Own(DataLoader):
    """A loader that makes its batches itself."""

    def __iter__(self):
        yield from super().__iter__()


def pairs():
    return ((X[i], Y[i]) for i in range(10))


def whole_batches():
    return ([X[i : i + 4], Y[i : i + 4]] for i in (0, 4, 8))


SOURCES = {
    "arrays": lambda **options: DataLoader(X, Y, batch_size=4, **options),
    "rows": lambda **options: DataLoader(X, Y, batch_size=4, rows=np.arange(9, -1, -1), **options),
    "items": lambda **options: DataLoader(Watched(), batch_size=4, **options),
    "stream": lambda **options: DataLoader(pairs, batch_size=4, **options),
    "own": lambda **options: Own(X, Y, batch_size=4, **options),
    "dict": lambda **options: DataLoader({"x": X, "y": Y}, batch_size=4, **options),
    "batches": lambda **options: DataLoader(whole_batches, batch_size=None),
}


@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("options", [{}, {"rng": 3}, {"rng": 3, "prefetch": 2}], ids=["in order", "shuffled", "ahead"])
@pytest.mark.parametrize("source", SOURCES)
def test_parts_are_together_the_batches_and_each_process_reads_its_own(source, options, size):
    one = [_arrays_of(batch) for batch in SOURCES[source](**options)]
    loaders = [SOURCES[source](**options) for _ in range(size)]
    parts = [list(loader.parts(rank, size)) for rank, loader in enumerate(loaders)]
    for i, (x, y) in enumerate(one):
        mine = [(*_arrays_of(batch), counted) for batch, counted in (part[i] for part in parts)]
        assert all(len(a) == len(b) == max(counted, 1) for a, b, counted in mine)
        assert max(counted for *_, counted in mine) - min(counted for *_, counted in mine) <= 1
        np.testing.assert_array_equal(np.concatenate([a[:counted] for a, _, counted in mine]), x)
        np.testing.assert_array_equal(np.concatenate([b[:counted] for _, b, counted in mine]), y)
    if source == "items" and size == 2:
        assert [len(loader.source.data.read) for loader in loaders] == [5, 5]
        assert sorted(loaders[0].source.data.read + loaders[1].source.data.read) == list(range(10))


def _arrays_of(batch):
    return tuple(batch.values()) if isinstance(batch, dict) else tuple(batch)


def test_parts_go_on_from_a_position_and_draw_numbers_of_their_process():
    def loader():
        return DataLoader(X, batch_size=4, rng=1, transform=lambda x, rng: x + rng.random())

    whole = [x for x, _ in loader().parts(1, 2)]
    other = [x for x, _ in loader().parts(0, 2)]
    first = loader()
    next(made := first.parts(1, 2))
    state = first.state_dict()
    del made
    second = loader()
    second.load_state_dict(state)
    rest = [x for x, _ in second.parts(1, 2)]
    for found, expected in zip(rest, whole[1:], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not {float(x[0, 0] % 1) for x in whole} & {float(x[0, 0] % 1) for x in other}
    assert [len(x) for x in whole] == [len(x) for x in other] == [2, 2, 1]


@pytest.mark.parametrize(("rank", "size"), [(-1, 2), (2, 2), (0, 0)])
def test_a_process_that_is_none_of_them_has_no_parts(rank, size):
    with pytest.raises(ValueError, match=r"DataLoader\.parts: rank is"):
        DataLoader(X).parts(rank, size)
