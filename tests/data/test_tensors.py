"""Arrays are handed to TensorFlow once, and as they were."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from steelyard.data import tensors
from steelyard.data.tensors import tensors_of


def test_an_array_is_handed_over_once() -> None:
    array = np.arange(6.0, dtype="float32").reshape(2, 3)
    first = tensors_of({"one": array, "other": array})
    second = tensors_of({"again": array})
    assert first["one"] is first["other"] is second["again"]
    np.testing.assert_array_equal(first["one"], array)
    assert first["one"].dtype == "float32"


def test_a_copy_is_another_array() -> None:
    array = np.zeros(3)
    changed = array.copy()
    changed[0] = 1
    one, other = tensors_of({"array": array, "changed": changed}).values()
    assert one is not other
    assert other.numpy().tolist() == [1, 0, 0]


def test_a_tensor_does_not_see_what_becomes_of_its_array() -> None:
    for n in (3, 100_000):  # small ones are copied by TensorFlow anyway
        array = np.zeros(n)
        (tensor,) = tensors_of({"array": array}).values()
        array[0] = 1
        assert tensor[0] == 0


def test_a_tensor_is_let_go_with_its_array() -> None:
    before = set(tensors._known)
    array = np.ones(100_000)
    tensors_of({"array": array})
    assert set(tensors._known) - before == {id(array)}
    del array
    gc.collect()
    assert set(tensors._known) <= before


def test_an_array_in_the_place_of_one_that_is_gone_has_its_own_tensor() -> None:
    for n in range(200):  # memory that is free is used again
        array = np.full(5, n)
        (tensor,) = tensors_of({"array": array}).values()
        assert tensor.numpy().tolist() == [n] * 5
        del array


def test_runs_that_ask_at_the_same_time_are_given_what_they_asked_for() -> None:
    arrays = [np.full(50, n) for n in range(20)]

    def asked(n: int) -> bool:
        (tensor,) = tensors_of({"array": arrays[n % 20]}).values()
        return bool((tensor.numpy() == n % 20).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(asked, range(400)))
