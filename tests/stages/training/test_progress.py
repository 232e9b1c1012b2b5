from __future__ import annotations

import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from bestpath.stages.training.progress import checkpoint_steps, random_state_kept


def test_checkpoints_are_spread_evenly():
    assert checkpoint_steps(22, 4) == {6, 11, 16, 22}
    assert checkpoint_steps(3, 10) == {1, 2, 3}


@given(st.integers(1, 500), st.integers(1, 20))
def test_the_last_step_is_always_one_and_there_are_no_more_than_asked_for(total, checkpoints):
    steps = checkpoint_steps(total, checkpoints)
    assert total in steps
    assert len(steps) == min(total, checkpoints)
    assert all(1 <= step <= total for step in steps)


def test_what_is_drawn_inside_does_not_count():
    def draw():
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    def seed():
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    seed()
    expected = draw()
    seed()
    with random_state_kept():
        draw()
    assert draw() == expected
