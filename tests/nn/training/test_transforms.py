"""Transforms of images: what they do to each image, and one result for a seed."""

import numpy as np
import pytest

from nn import DataLoader
from nn.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip

IMAGES = np.arange(6 * 2 * 5 * 4, dtype=np.float32).reshape(6, 2, 5, 4)


def test_a_crop_is_a_part_of_each_image_at_its_own_place():
    cropped = RandomCrop((3, 2))(IMAGES, rng=0)
    assert (cropped.shape, cropped.dtype) == ((6, 2, 3, 2), np.float32)
    places = set()
    for image, part in zip(IMAGES, cropped, strict=True):
        found = [p for p in np.ndindex(3, 3) if np.array_equal(image[:, p[0] : p[0] + 3, p[1] : p[1] + 2], part)]
        assert len(found) == 1
        places.update(found)
    assert len(places) > 1
    many = RandomCrop((3, 2))(np.broadcast_to(IMAGES[:1], (500, 2, 5, 4)), rng=1)
    assert len(np.unique(many[:, 0, 0, 0])) == 9  # each place occurs
    gray = RandomCrop(3)(IMAGES[:, 0], rng=0)
    assert gray.shape == (6, 3, 3)


def test_a_crop_with_padding():
    cropped = RandomCrop((5, 4), padding=2, fill=-1)(np.repeat(IMAGES + 1, 50, axis=0), rng=0)
    assert cropped.shape == (300, 2, 5, 4)
    edges = [cropped[:, :, 0].max(axis=(1, 2)), cropped[:, :, -1].max(axis=(1, 2))]
    assert all((edge == -1).any() and (edge > 0).any() for edge in edges)
    assert RandomCrop((5, 4), padding=0)(IMAGES, rng=0).tolist() == IMAGES.tolist()
    assert RandomCrop(2, padding=1)(np.zeros((0, 1, 2, 2)), rng=0).shape == (0, 1, 2, 2)


def test_flips():
    flipped = RandomHorizontalFlip()(np.repeat(IMAGES, 50, axis=0), rng=0)
    was = [np.array_equal(a, b) for a, b in zip(flipped, np.repeat(IMAGES, 50, axis=0), strict=True)]
    mirrored = [np.array_equal(a, b[..., ::-1]) for a, b in zip(flipped, np.repeat(IMAGES, 50, axis=0), strict=True)]
    assert all(a != b for a, b in zip(was, mirrored, strict=True))
    assert 100 < sum(was) < 200
    assert np.array_equal(RandomHorizontalFlip(0.0)(IMAGES), IMAGES)
    assert np.array_equal(RandomHorizontalFlip(1.0)(IMAGES), IMAGES[..., ::-1])


def test_normalisation():
    mean, std = [1.0, 2.0], [2.0, 4.0]
    expected = (IMAGES - np.array(mean, np.float32)[:, None, None]) / np.array(std, np.float32)[:, None, None]
    found = Normalize(mean, std)(IMAGES)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert Normalize(0.0, 255.0)(np.full((1, 2, 2), 255, np.uint8)).tolist() == [[[1.0, 1.0], [1.0, 1.0]]]
    assert [Normalize(0, 1)(IMAGES.astype(d)).dtype for d in (np.float16, float, int)] == [
        np.float16,
        float,
        np.float32,
    ]


def test_one_seed_one_result_alone_and_in_a_loader():
    def noise(x, rng=None):
        return x + np.random.default_rng(rng).normal(size=x.shape)

    change = Compose(RandomCrop(4, padding=1), RandomHorizontalFlip(), np.negative, Normalize(0.5, 2.0), noise)
    assert np.array_equal(change(IMAGES, 3), change(IMAGES, np.random.default_rng(3)))
    assert not np.array_equal(change(IMAGES, 3), change(IMAGES, 4))
    runs = [
        [x for x, _ in DataLoader(IMAGES, np.arange(6), batch_size=4, rng=5, transform=change, prefetch=n)]
        for n in (0, 2)
    ]
    assert [x.shape for x in runs[0]] == [(4, 2, 4, 4), (2, 2, 4, 4)]
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))
    assert repr(change).startswith("Compose(RandomCrop((4, 4), 1), RandomHorizontalFlip(0.5), <ufunc 'negative'>, Norm")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RandomCrop(6)(IMAGES), ValueError, "images of 5 by 4 pixels.*no part of 6 by 6"),
        (lambda: RandomCrop(0), ValueError, "RandomCrop: size is 0"),
        (lambda: RandomCrop(2)(IMAGES[0, 0]), ValueError, r"RandomCrop: the batch has shape \(5, 4\); images are"),
        (lambda: RandomHorizontalFlip(1.5), ValueError, "p is 1.5; it must lie"),
        (lambda: RandomHorizontalFlip()(IMAGES.astype(str)), TypeError, "the batch holds <U32, not numbers"),
        (lambda: Normalize([1.0, 2.0, 3.0], 1.0)(IMAGES), ValueError, "are for 3 channels; the batch has shape"),
        (lambda: Normalize([1.0, 2.0], [1.0]), ValueError, r"mean has shape \(2,\) and std \(1,\)"),
        (lambda: Normalize(0.0, 0.0), ValueError, "std finite and above 0"),
        (lambda: Compose(RandomCrop), TypeError, "expected functions of a batch"),
    ],
)
def test_wrong_transforms(make, error, message):
    with pytest.raises(error, match=message):
        make()
