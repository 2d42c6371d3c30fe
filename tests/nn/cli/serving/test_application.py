"""What the server answers, in this process: predictions, errors, limits, the page."""

import asyncio
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import nn
from nn import cli
from nn.cli.runs import opened
from nn.cli.serving import application
from nn.cli.serving.application import Limits, Service
from tests.nn.cli.serving.client import ask

ROWS = 'area,rooms,place\n50,2,north\n120,4,"south, <b>"\n'


@pytest.fixture
def digits(digits_run):
    return opened(str(digits_run))


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(0)
    lines = [f"{rng.uniform(20, 200):.1f},{rng.integers(1, 6)},{rng.choice(['north', 'west'])}" for _ in range(39)]
    lines.append('70,3,"south, <b>"')
    rows = [f"{line},{1000 * float(line.split(',')[0]):.0f}" for line in lines]
    (folder / "houses.csv").write_text("area,rooms,place,price\n" + "\n".join(rows))
    options = ["--data", str(folder / "houses.csv"), "--target", "price", "--task", "regression", "--hidden", "8"]
    assert cli.main(["train", "--quiet", "--epochs", "2", *options, "--output", str(folder / "run")]) == 0
    return opened(str(folder / "run"))


def answers(run, *requests, **limits):
    """What comes back for requests that are sent at once: arguments of ``ask``."""
    service = Service(run, Limits(**{"wait": 0.0, **limits}))

    async def scenario():
        async with service.batches:
            return await asyncio.gather(*(ask(service.application, *request) for request in requests))

    return asyncio.run(scenario())


def answer(run, *request, **limits):
    return answers(run, request, **limits)[0]


def predicted(run, body, kind="application/json"):
    found = answer(run, "POST", "/predict", body if isinstance(body, bytes) else json.dumps(body).encode(), kind)
    assert found.status == 200, found.text
    return found.json["predictions"]


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=array.dtype == object)
    return stream.getvalue()


def png(array, ending="png"):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, ending)
    return stream.getvalue()


SEVEN = np.full((60, 60), 255, np.uint8)
SEVEN[10:18, 12:46] = SEVEN[18:50, 36:44] = 0


def test_images_in_every_form_are_answered_alike(digits):
    images = nn.datasets.digits(flat=False)[0][:3]
    expected = digits.kind.answers(digits.learner().predict(images.reshape(3, 64)))[1]
    text = "\n".join(",".join(f"{v:g}" for v in image.ravel()) for image in images).encode()
    forms = [
        ({"instances": images.tolist()}, "application/json"),
        ({"instances": images.reshape(3, 64).tolist()}, "application/json; charset=utf-8"),
        (npy(images), "application/x-npy"),
        (npy(images), None),
        (text, "text/csv"),
    ]
    for body, kind in forms:
        for found, wanted in zip(predicted(digits, body, kind), expected, strict=True):
            assert found["label"] == wanted["label"]
            np.testing.assert_allclose(list(found["probabilities"].values()), list(wanted["probabilities"].values()))


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", "image/png"), ("png", None), ("jpeg", "image/jpeg"), ("bmp", "image/bmp")]
)
def test_pictures(digits, ending, kind):
    found = answer(digits, "POST", "/predict?seen", png(SEVEN, ending), kind).json["predictions"]
    assert len(found) == 1
    assert np.shape(found[0]["seen"]) == (8, 8)
    assert set(found[0]["probabilities"]) == set("0123456789")
    assert "seen" not in answer(digits, "POST", "/predict", png(SEVEN, ending), kind).json["predictions"][0]


def test_rows_in_every_form_are_answered_alike(houses):
    expected = predicted(houses, ROWS.encode(), "text/csv")
    assert [list(row) for row in expected] == [["price"], ["price"]]
    objects = [
        {"area": 50, "rooms": 2.0, "place": "north", "spare": []},
        {"area": "120", "rooms": 4, "place": "south, <b>"},
    ]
    assert predicted(houses, {"instances": objects}) == expected
    assert predicted(houses, {"instances": [list(objects[0].values())[:3], [120, 4, "south, <b>"]]}, None) == expected


def test_requests_that_come_together_are_one_pass(digits):
    images = nn.datasets.digits()[0][:5].tolist()
    requests = [("POST", "/predict", json.dumps({"instances": [image]}).encode()) for image in images]
    service = Service(digits, Limits(batch=5, wait=30.0))

    async def scenario():
        async with service.batches:
            found = await asyncio.gather(*(ask(service.application, *request) for request in requests))
            return found, await ask(service.application, "GET", "/metrics")

    found, metrics = asyncio.run(scenario())
    together = [one.json["predictions"][0] for one in found]
    assert [one["label"] for one in together] == [one["label"] for one in predicted(digits, {"instances": images})]
    assert "pullback_pass_examples_count 1\n" in metrics.text
    assert "pullback_pass_examples_sum 5\n" in metrics.text
    assert 'pullback_requests_total{status="200"} 5\n' in metrics.text
    assert "pullback_waiting_requests 0\n" in metrics.text
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r'(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [0-9.e+-]+)')
    assert all(line.fullmatch(text) for text in metrics.text.splitlines())


IMAGES = {
    "another shape": (b'{"instances": [[1, 2]]}', None, 400, "of shape (1, 2); each must be an image of shape (8, 8)"),
    "an image without its list": (json.dumps({"instances": [[0.5] * 8] * 8}).encode(), None, 400, "of shape (8, 8)"),
    "a ragged list": (b'{"instances": [[1, 2], [3]]}', None, 400, "not all of one shape"),
    "texts": (json.dumps({"instances": [["x"] * 64]}).encode(), None, 400, "of shape (1, 64)"),
    "huge numbers": (json.dumps({"instances": [[10**40] * 64]}).encode(), None, 400, "object of shape (1, 64)"),
    "objects": (b'{"instances": [{"a": 1}]}', None, 400, "of shape (1,)"),
    "pixels": (json.dumps({"instances": [[1e6] * 64]}).encode(), None, 400, "pixels are 0 to 1"),
    "no instances": (b'{"instances": []}', None, 400, "there is none"),
    "a list": (b"[1, 2]", "application/json", 400, '{"instances": [...]}'),
    "half of JSON": (b'{"instances": [', None, 400, "is not JSON that can be read"),
    "NaN": (b'{"instances": [[NaN]]}', None, 400, "NaN is no number of JSON"),
    "no text": (b'{"\xff": 1}', "application/json", 400, "is not JSON"),
    "too deep": (b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", None, 400, "is not JSON"),
    "a number of many digits": (b'{"instances": [' + b"1" * 10_000 + b"]}", None, 400, "is not JSON"),
    "nothing": (b"", None, 415, "set Content-Type to one of application/json"),
    "an unknown type": (b"hello", "text/plain", 415, "a body of the type text/plain is of no use"),
    "unsaid": (b"hello", "application/octet-stream", 415, "the type of the body is not known"),
    "no picture": (b"\x89PNG\r\n\x1a\nxx", None, 400, "cut off"),
    "no picture of Pillow": (b"\xff\xd8\xffxx", None, 400, "no picture that can be read"),
    "an empty picture": (png(np.zeros((9, 9), np.uint8)), None, 400, "the picture is empty"),
    "code in an array": (npy(np.array([print], object)), None, 400, "no file of arrays that can be read"),
    "an array that is not there": (npy(np.zeros(4)).replace(b"(4,)", b"(9999999999,)", 1), None, 400, "body.npy"),
    "an archive": (b"PK\3\4", "application/x-npy", 400, "body.npy"),
    "too many": (json.dumps({"instances": [[0] * 64] * 1025}).encode(), None, 413, "1,025 examples; at most 1,024"),
    "too long": (b"1" * 300_001, "text/csv", 413, "longer than 300,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", IMAGES)
def test_bad_bodies(digits, case):
    body, kind, status, words = IMAGES[case]
    found = answer(digits, "POST", "/predict", body, kind, body=300_000)
    assert found.status == status
    assert list(found.json) == ["error"]
    assert words in found.json["error"]


TABLES = {
    "an absent column": ([{"area": 50, "rooms": 2}], "instance 1 has no place; the model takes area, rooms, place"),
    "another length": ([[50, 2, "north"], [50, 2]], "instance 2 is a list of 2; it must be an object, or a list of 3"),
    "a number": ([50], "instance 1 is a int"),
    "a truth": ([[50, True, "north"]], "instance 1 has no number or text as rooms"),
    "nothing": ([[50, None, "north"]], "values are missing in 'rooms' (instance 1)"),
    "a text": ([[50, "two", "north"]], "column 'rooms' has numbers, but also 'two' (instance 1)"),
    "an unknown category": ([[50, 2, "east"]], "has 'east' (instance 1), which was not in the training data"),
    "too far": ([[50, 2, "north"], [1e300, 2, "north"]], "too far from those of the training (instance 2)"),
}


@pytest.mark.parametrize("case", TABLES)
def test_bad_rows(houses, case):
    instances, words = TABLES[case]
    found = answer(houses, "POST", "/predict", json.dumps({"instances": instances}).encode())
    assert found.status == 400
    assert words in found.json["error"]


def test_an_answer_that_is_no_number(houses, monkeypatch):
    monkeypatch.setattr("nn.training.learner.Learner.predict", lambda self, x: np.full((len(x), 1), np.nan))
    found = answer(houses, "POST", "/predict", b'{"instances": [[50, 2, "north"]]}')
    assert found.status == 400
    assert "not finite" in found.json["error"]


def test_a_picture_for_a_table(houses):
    assert answer(houses, "POST", "/predict", png(SEVEN)).status == 415


def test_a_picture_that_is_small_as_a_file_alone(digits):
    found = answer(digits, "POST", "/predict", png(np.zeros((5000, 5000), np.uint8)))
    assert (found.status, found.json) == (
        413,
        {"error": "a picture of 5,000 x 5,000 pixels; at most 16,000,000 are read"},
    )


def test_other_paths(digits):
    found = answers(
        digits, ("GET", "/health"), ("GET", "/model"), ("GET", "/nothing"), ("GET", "/predict"), ("POST", "/")
    )
    health, model, nothing, wrong, page = found
    assert health.json == {"status": "ok"}
    assert model.json["shape"] == [8, 8]
    assert model.json["digits"]
    assert nothing.status == 404
    assert "/predict" in nothing.json["error"]
    assert (wrong.status, wrong.json) == (405, {"error": "GET is not for /predict; it takes POST"})
    assert page.status == 405


def test_a_full_queue(digits):
    body = json.dumps({"instances": [[0] * 64]}).encode()
    *found, health = answers(digits, *[("POST", "/predict", body)] * 5, ("GET", "/health"), queue=3)
    assert sorted(one.status for one in found) == [200, 200, 200, 503, 503]
    assert {one.headers["retry-after"] for one in found if one.status == 503} == {"1"}
    assert "3 requests wait already" in found[-1].json["error"]
    assert health.status == 200
    assert answer(digits, "POST", "/predict", body, queue=3).status == 200


async def never():
    await asyncio.sleep(60)


def test_bodies_that_do_not_end(digits, monkeypatch):
    monkeypatch.setattr(application, "PATIENCE", 0.05)
    service = Service(digits, Limits(body=100))

    async def scenario():
        async with service.batches:
            cases = [b"{", never], [b"{", None], [b"1" * 60, b"1" * 60, never]
            return [await ask(service.application, "POST", "/predict", pieces=pieces) for pieces in cases]

    late, gone, long = asyncio.run(scenario())
    assert (late.status, gone.status, long.status) == (408, 400, 413)
    assert service.measures.waiting == 0


def test_a_fault_of_the_server_is_told_to_whoever_runs_it(digits, monkeypatch, capsys):
    monkeypatch.setattr("nn.training.learner.Learner.predict", lambda self, x: 1 / 0)
    found = answer(digits, "POST", "/predict", json.dumps({"instances": [[0] * 64]}).encode())
    assert (found.status, found.json) == (500, {"error": "the server failed; its log says why"})
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_page(digits, houses):
    for run, name in ((digits, "digits"), (houses, "run")):
        page = answer(run, "GET", "/")
        assert page.headers["content-type"].startswith("text/html")
        assert f"<title>{name}</title>" in page.text
        assert "http://" not in page.text
        assert "https://" not in page.text
        form = re.search(r'id="form">(.*?)</script>', page.text)[1]
        assert "<" not in form
        assert json.loads(form)["kind"] == run.kind.name
        assert "default-src 'none'" in page.headers["content-security-policy"]
