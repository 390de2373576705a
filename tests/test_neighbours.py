"""Neighbours and votes, held against loops that look at every pair."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from cae_core import runs
from cae_core.latent import embedding, neighbours


def all_distances(z):
    return np.linalg.norm(z[:, None].astype(float) - z[None].astype(float), axis=2)


@pytest.mark.parametrize("d", [1, 2, 4, 5, 40])
@pytest.mark.parametrize("n", [7, 37, 600])
def test_neighbours_of_each_are_those_of_every_pair(n, d):
    z = np.random.default_rng(d).standard_normal((n, d)) * 3 + 100
    distances = all_distances(z)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(neighbours.of_each(z, 5), np.argsort(distances, axis=1)[:, :5])


def test_codes_far_out_do_not_blur_small_distances():
    z = np.concatenate([np.arange(50)[:, None] * 1e-3, [[1e6]]]).repeat(6, axis=1).astype("float32")
    distances = all_distances(z)
    np.fill_diagonal(distances, np.inf)
    found = neighbours.of_each(z, 2)
    np.testing.assert_allclose(np.take_along_axis(distances, found, 1), np.sort(distances, axis=1)[:, :2], rtol=1e-4)


def test_equal_codes_are_neighbours_but_none_its_own():
    found = neighbours.of_each(np.zeros((20, 3)), 5)
    assert not (found == np.arange(20)[:, None]).any()
    assert all(len(set(row)) == 5 for row in found)


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (9, 5)])
def test_impossible_numbers_of_neighbours_are_refused(k, n):
    with pytest.raises(ValueError, match=f"from 1 to {n - 1}"):
        neighbours.of_each(np.zeros((n, 2)), k)


def test_codes_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        neighbours.of_each(np.full((9, 2), np.nan), 3)


def test_nearest_to_any_code():
    z = np.random.default_rng(0).standard_normal((80, 3))
    code = np.array([0.3, -1, 0])
    distances = np.linalg.norm(z - code, axis=1)
    found, far = neighbours.nearest(z, code, 4)
    np.testing.assert_array_equal(found, np.argsort(distances)[:4])
    np.testing.assert_allclose(far, np.sort(distances)[:4])
    assert 11 not in neighbours.nearest(z, z[11], 5, without=11)[0]
    assert len(neighbours.nearest(z[:3], z[0], 5, without=0)[0]) == 2


def voted(row):
    counts = Counter(row)
    most = max(counts.values())
    return next(label for label in row if counts[label] == most)  # the first is the nearest


def test_vote_goes_to_the_majority_and_then_to_the_nearest():
    labels = np.random.default_rng(0).integers(0, 4, (2000, 5))
    np.testing.assert_array_equal(neighbours.vote(labels), [voted(list(row)) for row in labels])
    np.testing.assert_array_equal(neighbours.vote([[9, 1, 2, 1, 2], [3, 8, 8, 5, 5]]), [1, 8])


def test_separation_against_a_loop():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 4, 200)
    z = rng.standard_normal((200, 3)) + 1.2 * labels[:, None]
    distances = all_distances(z)
    np.fill_diagonal(distances, np.inf)
    guesses = np.array([voted([labels[j] for j in np.argsort(row)[:5]]) for row in distances])
    result = neighbours.separation(z, labels)
    assert result.accuracy == pytest.approx(np.mean(guesses == labels))
    shares = [np.mean(guesses[labels == one] == one) for one in range(4)]
    assert result.hardest == np.argmin(shares)
    assert result.hardest_accuracy == pytest.approx(min(shares))
    wrong = Counter(guesses[(labels == result.hardest) & (guesses != labels)])
    assert wrong[result.mistaken_for] == max(wrong.values())


def test_classes_apart_are_told_perfectly_and_chance_is_chance():
    rng = np.random.default_rng(0)
    labels = np.arange(1000) % 10
    assert neighbours.separation(rng.standard_normal((1000, 2)) + 100 * labels[:, None], labels).accuracy == 1
    assert neighbours.separation(rng.standard_normal((1000, 2)), labels).accuracy == pytest.approx(0.1, abs=0.04)


def test_ten_thousand_codes_take_neither_the_square_in_memory_nor_long():
    z = np.random.default_rng(0).standard_normal((10_000, 16))
    tracemalloc.start()
    neighbours.of_each(z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6  # all distances at once would be 800 MB


def test_network_against_pca_at_the_same_size():
    codes = embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 500)
    compared = neighbours.compare(codes)
    assert (compared.linear_size, compared.num_images) == (2, 500)
    assert compared.codes == neighbours.separation(codes.z, codes.labels)
    assert compared.codes.accuracy > compared.linear.accuracy + 0.1
    assert neighbours.compare(codes) is compared


def test_very_long_codes_are_compared_on_fewer_images(monkeypatch):
    codes = embedding.encode(runs.find("strokes-b16-bce-clean"), "strokes", 500)
    monkeypatch.setattr(neighbours, "MAX_WORK", 16 * 200**2)
    neighbours.compare.cache_clear()
    assert neighbours.compare(codes).num_images == 200
    neighbours.compare.cache_clear()
