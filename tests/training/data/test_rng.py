"""Random numbers depend on their sample alone."""

import pytest
import torch

from training.data.rng import BatchRNG, SampleRNG


def test_chosen_streams_go_on_where_they_are():
    whole, part = SampleRNG.from_key(0, samples=range(4)), SampleRNG.from_key(0, samples=range(4))
    chosen = part.select(torch.tensor([False, True, False, True]))
    assert torch.equal(chosen.normal(3), whole.normal(3)[1::2])


def test_counts_have_the_mean_and_the_variance_of_their_rate():
    counts = SampleRNG.from_key(0, samples=range(2)).poisson(torch.full((2, 100, 100), 3.0))
    assert counts.mean().item() == pytest.approx(3, rel=0.03)
    assert counts.var().item() == pytest.approx(3, rel=0.05)


def test_counts_depend_on_their_sample_alone():
    rate = torch.rand(3, 8, 8)
    whole = SampleRNG.from_key(0, samples=range(3)).poisson(rate)
    assert torch.equal(whole[2:], SampleRNG.from_key(0, samples=[2]).poisson(rate[2:]))


def test_a_batch_of_one_stream_is_the_same_again_and_others_are_not():
    first, again, other = (BatchRNG.from_key(*key, samples=range(3)) for key in ((1,), (1,), (2,)))
    drawn = first.uniform(0, 1, 5)
    assert torch.equal(drawn, again.uniform(0, 1, 5))
    assert not torch.equal(drawn, other.uniform(0, 1, 5))
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn, first.uniform(0, 1, 5))


@pytest.mark.parametrize("kind", [SampleRNG, BatchRNG])
def test_numbers_lie_where_they_are_asked_for(kind):
    rng = kind.from_key(0, samples=range(50))
    drawn = {
        "uniform": (rng.uniform(-2, 3, 20), -2, 3),
        "log_uniform": (rng.log_uniform(0.5, 8, 20), 0.5, 8),
        "integers": (rng.integers(4, 7, 20), 4, 6),
    }
    for name, (values, low, high) in drawn.items():
        assert values.shape == (50, 20), name
        assert low <= values.min() < low + 0.5, name
        assert high - 0.5 < values.max() <= high, name
    assert rng.bernoulli(0.3, 100).float().mean().item() == pytest.approx(0.3, abs=0.05)
    for normal in (rng.normal(400), rng.noise(400)):
        assert normal.mean().item() == pytest.approx(0, abs=0.03)
        assert normal.std().item() == pytest.approx(1, abs=0.03)


def test_the_chosen_of_a_batch_draw_from_its_stream():
    rng = BatchRNG.from_key(0, samples=range(4))
    chosen = rng.select(torch.tensor([True, False, True, False]))
    assert chosen.normal(3).shape == (2, 3)
    assert chosen.poisson(torch.full((2, 5), 3.0)).shape == (2, 5)
    seeds = [stream.integers(2**32) for stream in (*rng.streams, *rng.streams)]
    assert len(set(seeds)) == 8
