"""Random numbers belong to their sample."""

import pytest
import torch

from training.data.chance import Chance


def test_chosen_streams_go_on_where_they_are():
    whole, part = Chance.of(0, samples=range(4)), Chance.of(0, samples=range(4))
    chosen = part.chosen(torch.tensor([False, True, False, True]))
    assert torch.equal(chosen.normal(3), whole.normal(3)[1::2])


def test_counts_have_the_mean_and_the_variance_of_their_rate():
    counts = Chance.of(0, samples=range(2)).poisson(torch.full((2, 100, 100), 3.0))
    assert counts.mean().item() == pytest.approx(3, rel=0.03)
    assert counts.var().item() == pytest.approx(3, rel=0.05)


def test_counts_depend_on_their_sample_alone():
    rate = torch.rand(3, 8, 8)
    whole = Chance.of(0, samples=range(3)).poisson(rate)
    assert torch.equal(whole[2:], Chance.of(0, samples=[2]).poisson(rate[2:]))
