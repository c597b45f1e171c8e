"""How much memory a run takes: counted by hand for a small network, and no less for more."""

import pytest

from steelyard import PCGrad
from steelyard.data.noise import Noise, NoiseInput, NoiseTask
from steelyard.models.average import Average
from steelyard.models.network import Network
from steelyard.models.numbers import Dense
from steelyard.training.memory import bytes_of_run
from steelyard.weighting.base import Weighting
from steelyard.weighting.excess_mtl import ExcessMTL
from steelyard.weighting.fixed import Fixed

NETWORK = Network(encoders={"numeric": Dense(units=(6,)), "text": Average(embedding=2)}, trunk=(5,))
NUMBERS = {"numbers": NoiseInput(kind="numeric", shape=(4,))}
N_PARAMETERS = (4 * 6 + 6) + (6 * 5 + 5) + 2 * (5 + 1)  # the encoder, the trunk, two heads


def source(n_heads: int, **more: NoiseInput) -> Noise:
    tasks = {f"head_{n}": NoiseTask(kind="regression") for n in range(n_heads)}
    return Noise(inputs_of={**NUMBERS, **more}, tasks_of=tasks, n_train=8)


def n_bytes(method: Weighting, n_heads: int = 2, batch_size: int = 8) -> int:
    return bytes_of_run(source(n_heads), NETWORK, method, batch_size)


def test_a_small_network_is_counted_as_by_hand() -> None:
    per_example = 4 + 6 + 5 + 1 + 1  # the inputs, the encoder, the trunk, two heads
    both_ways = 2 * 8 * per_example  # activations and their gradients, eight examples
    # Each parameter, its two moments, its gradient, and its value at the best epoch;
    # and two heads' gradients, which the diagnosis compares in float64 too.
    assert n_bytes(Fixed()) == 4 * ((5 + 3 * 2) * N_PARAMETERS + both_ways)
    assert n_bytes(PCGrad()) == n_bytes(Fixed())
    # ... and a memory of each coordinate for each head:
    assert n_bytes(ExcessMTL()) == 4 * ((5 + 3 * 2 + 2) * N_PARAMETERS + both_ways)


def test_a_text_counts_at_its_whole_length() -> None:
    def with_words(n: int) -> int:
        text = NoiseInput(kind="text", shape=(n,), vocabulary=10)
        return bytes_of_run(source(1, text=text), NETWORK, Fixed(), 8)

    # A word is its number, and two numbers of its vector; the mask is Keras's own layer.
    more = with_words(20) - with_words(10)
    assert more >= 4 * 2 * 8 * 10 * (1 + 2)


@pytest.mark.parametrize("method", [Fixed(), PCGrad()])
def test_larger_batches_take_more(method: Weighting) -> None:
    found = [n_bytes(method, batch_size=each) for each in (1, 2, 64)]
    assert found == sorted(set(found))


def test_each_head_takes_more() -> None:
    found = [n_bytes(PCGrad(), n_heads=each) for each in (1, 2, 8)]
    assert found == sorted(set(found))
