"""Drawing tokens: the random stream, the distribution, the filters."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bestpath.core.search import Sampling
from bestpath.stages.generation.engines.pools import Row
from bestpath.stages.generation.engines.sampling import draw, uniforms


def row(sampling: Sampling, seed: int = 0, count: int = 0) -> Row:
    return Row(0, [1], sampling, seed, 100, generated=[0] * count)


def test_the_stream_is_splitmix64() -> None:
    # The first three outputs of the reference implementation for the seed 1234567.
    reference = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    expected = [(value >> 12) / 2**52 for value in reference]
    assert uniforms([1234567] * 3, [0, 1, 2]).tolist() == expected
    assert uniforms([2**63 - 1], [10**6]).shape == (1,)


def test_uniforms_are_uniform_along_and_across_streams() -> None:
    along = uniforms([42] * 100_000, range(100_000))
    across = uniforms(range(100_000), [0] * 100_000)
    for numbers in (along, across):
        assert numbers.min() >= 0 and numbers.max() < 1
        counts = np.histogram(numbers, 50, (0, 1))[0]
        chi_squared = ((counts - 2000) ** 2 / 2000).sum()
        assert chi_squared < 95  # 49 degrees of freedom: exceeded by chance once in 10 000


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(1.0), [0.5, 0.25, 0.15, 0.1]),
        (Sampling(0.5), [0.25 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345, 0.01 / 0.345]),
        (Sampling(1.0, top_k=2), [2 / 3, 1 / 3, 0, 0]),
        (Sampling(1.0, top_k=9), [0.5, 0.25, 0.15, 0.1]),
        (Sampling(1.0, top_p=0.75), [2 / 3, 1 / 3, 0, 0]),
        (Sampling(1.0, top_p=0.76), [5 / 9, 2.5 / 9, 1.5 / 9, 0]),
        (Sampling(1.0, top_p=1e-9), [1, 0, 0, 0]),
        (Sampling(1.0, top_k=3, top_p=0.8), [2 / 3, 1 / 3, 0, 0]),  # of 5/9, 2.5/9, 1.5/9: two reach 0.8
        (Sampling(0.0), [1, 0, 0, 0]),
    ],
)
def test_tokens_follow_the_distribution(sampling: Sampling, expected: list[float]) -> None:
    n = 20_000
    order = [2, 0, 3, 1]
    logits = torch.tensor([0.5, 0.25, 0.15, 0.1]).log()[order].expand(n, 4)
    tokens = draw(logits, [row(sampling, seed) for seed in range(n)])
    shares = [float((tokens == order.index(i)).float().mean()) for i in range(4)]
    for share, probability in zip(shares, expected, strict=True):
        assert abs(share - probability) <= 4.5 * (probability * (1 - probability) / n) ** 0.5


sampling = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    top_p=st.sampled_from([1.0, 0.9, 0.5]),
    top_k=st.sampled_from([0, 1, 5, 500]),
)


@given(st.lists(sampling, min_size=1, max_size=20), st.integers(0, 10**6))
def test_a_row_draws_the_same_in_any_company(samplings: list[Sampling], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(samplings), 77, generator=generator) * 3
    rows = [row(s, seed + i, i) for i, s in enumerate(samplings)]
    together = draw(logits, rows).tolist()
    assert together == [int(draw(logits[i : i + 1], rows[i : i + 1])) for i in range(len(rows))]
    assert together[::-1] == draw(logits.flip(0), rows[::-1]).tolist()


def test_greedy_takes_the_first_of_equals() -> None:
    assert draw(torch.tensor([[1.0, 3.0, 3.0], [5.0, 5.0, 5.0]]), [row(Sampling())] * 2).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_no_numbers_are_an_error(temperature: float) -> None:
    logits = torch.zeros(2, 5)
    logits[1, 3] = float("nan")
    with pytest.raises(FloatingPointError):
        draw(logits, [row(Sampling(temperature))] * 2)
