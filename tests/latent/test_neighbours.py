"""Neighbours and votes, held against loops that look at every pair."""

from collections import Counter

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.latent import embedding, neighbours


def by_distance(z):
    """The indices of all other codes of each, the nearest first, from every pair; and the distances."""
    distances = np.linalg.norm(z[:, None].astype(float) - z[None].astype(float), axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable"), distances


@pytest.mark.parametrize("d", [1, 2, 4, 5, 40])
@pytest.mark.parametrize("n", [7, 600])
def test_neighbours_of_each_are_those_of_every_pair(n, d):
    z = np.random.default_rng(d).standard_normal((n, d)) * 3 + 100
    np.testing.assert_array_equal(neighbours.of_each(z, 5), by_distance(z)[0][:, :5])


def test_codes_far_out_do_not_blur_small_distances_and_equal_ones_are_neighbours_but_none_its_own():
    z = np.concatenate([np.arange(50)[:, None] * 1e-3, [[1e6]]]).repeat(6, axis=1).astype("float32")
    distances = by_distance(z)[1]
    nearest = neighbours.of_each(z, 2)
    np.testing.assert_allclose(np.take_along_axis(distances, nearest, 1), np.sort(distances, axis=1)[:, :2], rtol=1e-4)
    nearest = neighbours.of_each(np.zeros((20, 3)), 5)
    assert not (nearest == np.arange(20)[:, None]).any()
    assert all(len(set(row)) == 5 for row in nearest)


@pytest.mark.parametrize(("z", "k", "sentence"), [(0, 0, "from 1 to 4"), (0, 5, "from 1 to 4"), (np.nan, 3, "NaN")])
def test_what_has_no_neighbours_is_refused(z, k, sentence):
    with pytest.raises(ValueError, match=sentence):
        neighbours.of_each(np.full((5, 2), z), k)


def test_nearest_to_any_code():
    z = np.random.default_rng(0).standard_normal((80, 3))
    code = np.array([0.3, -1, 0])
    distances = np.linalg.norm(z - code, axis=1)
    order, far = neighbours.nearest(z, code, 4)
    np.testing.assert_array_equal(order, np.argsort(distances)[:4])
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


def test_separation_against_a_loop_and_where_it_is_known():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 4, 200)
    z = rng.standard_normal((200, 3)) + 1.2 * labels[:, None]
    guesses = np.array([voted(list(labels[row[:5]])) for row in by_distance(z)[0]])
    result = neighbours.separation(z, labels)
    assert result.accuracy == pytest.approx(np.mean(guesses == labels))
    shares = [np.mean(guesses[labels == label] == label) for label in range(4)]
    assert result.hardest == np.argmin(shares)
    assert result.hardest_accuracy == pytest.approx(min(shares))
    wrong = Counter(guesses[(labels == result.hardest) & (guesses != labels)])
    assert wrong[result.mistaken_for] == max(wrong.values())

    labels = np.arange(1000) % 10
    assert neighbours.separation(rng.standard_normal((1000, 2)) + 100 * labels[:, None], labels).accuracy == 1
    assert neighbours.separation(rng.standard_normal((1000, 2)), labels).accuracy == pytest.approx(0.1, abs=0.04)


def test_network_against_pca_at_the_same_size(monkeypatch):
    codes = embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 500)
    test = datasets.load("strokes", "test")  # on which PCA is as good as it can be; drawing the others takes seconds
    monkeypatch.setattr(datasets, "load", lambda name, split, keep=True: test)
    compared = neighbours.compare(codes)
    assert (compared.linear_size, compared.num_images) == (2, 500)
    assert compared.codes == neighbours.separation(codes.z, codes.labels)
    assert compared.codes.accuracy > compared.linear.accuracy + 0.1
    assert neighbours.compare(codes) is compared
    monkeypatch.setattr(neighbours, "MAX_WORK", 2 * 200**2)  # very long codes are compared on fewer images
    neighbours.compare.cache_clear()
    assert neighbours.compare(codes).num_images == 200
    for cached in (neighbours.compare, neighbours._linear):
        cached.cache_clear()
