"""Spotlight's embedding tables under our own code."""

import pickle

import numpy as np
import pytest
import torch
from spotlight_data import interactions

from course_utils.spotlight.evaluation import rmse_score
from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.factorization.representations import BilinearNet
from course_utils.spotlight.layers import BloomEmbedding, ScaledEmbedding, ScaledEmbeddingBag, ZeroEmbedding


@pytest.mark.parametrize("table", [ScaledEmbedding, ScaledEmbeddingBag])
def test_embeddings_start_with_the_spread_of_one_over_their_length_and_padding_at_zero(table):
    weight = table(5000, 8, padding_idx=0).weight
    assert weight[1:].std().item() == pytest.approx(1 / 8, rel=0.02)
    assert weight[0].abs().max().item() == 0


def test_biases_start_at_zero_and_draw_no_random_number():
    before = torch.get_rng_state()
    assert ZeroEmbedding(10, 1).weight.abs().max().item() == 0
    assert torch.equal(torch.get_rng_state(), before)


def murmur_hash(number, seed):
    """MurmurHash3_x86_32 of the four bytes of a whole number, written out from its definition; a signed number."""

    def rotated(bits, by):
        return (bits << by | bits >> 32 - by) % 2**32

    block = rotated(number * 0xCC9E2D51 % 2**32, 15) * 0x1B873593 % 2**32
    bits = (rotated(seed ^ block, 13) * 5 + 0xE6546B64) % 2**32 ^ 4
    bits = (bits ^ bits >> 16) * 0x85EBCA6B % 2**32
    bits = (bits ^ bits >> 13) * 0xC2B2AE35 % 2**32
    bits ^= bits >> 16
    return bits - 2**32 if bits >= 2**31 else bits


@pytest.mark.parametrize("bag", [False, True])
def test_an_id_is_the_sum_of_its_hashed_rows(bag):
    layer = BloomEmbedding(1000, 16, compression_ratio=0.1, bag=bag)
    for number in (1, 2, 999):
        rows = [murmur_hash(number, seed) % 100 for seed in (179424941, 179425457, 179425907, 179426369)]
        expected = layer.embeddings.weight[rows].sum(0).detach()
        assert layer(torch.tensor([number]))[0].detach() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("bag", [False, True])
def test_the_shape_is_that_of_the_ids_with_the_vector_as_last_dimension(bag):
    layer = BloomEmbedding(100, 16, bag=bag)
    ids = torch.arange(40).view(5, 8)
    assert layer(ids).shape == (5, 8, 16)
    assert torch.equal(layer(ids.T)[2], layer(ids[:, 2]))  # not contiguous
    assert layer(torch.tensor([3])).shape == (1, 16)
    assert layer(torch.tensor(3)).shape == (16,)


def test_the_padding_id_is_zero_and_stays_so():
    layer = BloomEmbedding(100, 4)
    layer(torch.arange(100)).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=1.0).step()
    assert layer(torch.tensor([0])).abs().max().item() == 0
    assert layer(torch.tensor([1])).abs().max().item() > 0


def test_two_ids_rarely_share_all_their_rows():
    vectors = BloomEmbedding(1000, 16, compression_ratio=0.2)(torch.arange(1000)).detach()
    assert len(torch.unique(vectors, dim=0)) == 1000


def test_a_table_without_rows_and_too_many_hash_functions_are_refused():
    with pytest.raises(ValueError, match="leaves no row for 4 ids"):
        BloomEmbedding(4, 8)
    with pytest.raises(ValueError, match="24 hash functions, 25 requested"):
        BloomEmbedding(100, 8, num_hash_functions=25)


def test_hashes_are_not_part_of_a_saved_state():
    layer = BloomEmbedding(100, 8)
    assert list(layer.state_dict()) == ["embeddings.weight"]
    copy = pickle.loads(pickle.dumps(layer))
    assert torch.equal(copy(torch.arange(100)), layer(torch.arange(100)))
    assert repr(layer) == "<BloomEmbedding (compression_ratio: 0.2): ScaledEmbedding(20, 8, padding_idx=0)>"


def test_a_factorization_model_learns_through_bloom_embeddings():
    data = interactions(n=4000, n_users=100, n_items=100)
    torch.manual_seed(0)
    tables = [BloomEmbedding(100, 8, compression_ratio=0.5) for _ in range(2)]
    net = BilinearNet(100, 100, 8, user_embedding_layer=tables[0], item_embedding_layer=tables[1])
    model = ExplicitFactorizationModel(n_iter=20, representation=net, random_state=0)
    model.fit(data)
    # The planted pattern is a product of tastes around 3 stars: without vectors there is next to nothing to learn.
    assert rmse_score(model, data) < 0.9 * data.ratings.std()
    assert model.score_users(np.array([3]))[0] == pytest.approx(model.predict(3), abs=1e-5)
