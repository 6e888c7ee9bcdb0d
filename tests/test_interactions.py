import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.interactions import IdMap, encode

# Two users and three films with gaps between their ids: (user 70, film 5), (user 12, film 900), (user 70, film 31), ...
TRAIN = pd.DataFrame(
    {
        "user_id": np.array([70, 12, 70, 12], dtype=np.int32),
        "item_id": np.array([5, 900, 31, 5], dtype=np.int32),
        "rating": np.array([4.0, 2.5, 1.0, 5.0], dtype=np.float32),
        "timestamp": np.array([50, 40, 30, 20]),
        "position": np.array([3, 0, 7, 2]),
    }
)


def test_ids_are_numbered_by_first_appearance():
    ids = IdMap.fit([70, 12, 70, 5, 12])
    assert ids.raw_ids.tolist() == [70, 12, 5]
    assert ids.encode([5, 70, 12, 5]).tolist() == [2, 0, 1, 2]
    assert ids.encode([5]).dtype == np.int64
    assert len(ids) == 3


def test_an_unseen_id_becomes_minus_one():
    assert IdMap.fit([70, 12]).encode([12, 13, 70]).tolist() == [1, -1, 0]


def test_string_ids_are_numbered_like_numbers():
    ids = IdMap.fit(["ann", "bob", "ann", "7"])
    assert ids.encode(["7", "eve", "bob"]).tolist() == [2, -1, 1]
    assert ids.decode([1, 0]).tolist() == ["bob", "ann"]


def test_the_string_7_is_not_the_number_7():
    assert IdMap.fit([7, 8]).encode(["7", "8"]).tolist() == [-1, -1]


@given(st.lists(st.integers(min_value=-(2**31), max_value=2**31 - 1) | st.integers(0, 5)))
def test_decode_undoes_encode_and_dense_ids_leave_no_gap(raw_ids):
    ids = IdMap.fit(np.array(raw_ids, dtype=np.int64))
    dense = ids.encode(np.array(raw_ids, dtype=np.int64))
    assert ids.decode(dense).tolist() == raw_ids
    assert list(dict.fromkeys(dense.tolist())) == list(range(len(ids)))


@pytest.mark.parametrize("nothing", [[], np.array([], dtype=np.int32), pd.Series([], dtype="int64")])
def test_no_ids_make_an_empty_map_that_knows_nobody(nothing):
    ids = IdMap.fit(nothing)
    assert len(ids) == 0
    assert ids.encode([3, 4]).tolist() == [-1, -1]
    assert ids.encode(nothing).shape == (0,)
    assert ids.decode([]).shape == (0,)


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_decoding_a_number_outside_the_map_names_it(number):
    with pytest.raises(ValueError, match=f"dense id {number} does not fit the 2 ids"):
        IdMap.fit([70, 12]).decode([0, number])


def test_decoding_fractions_is_refused():
    with pytest.raises(TypeError, match="float64"):
        IdMap.fit([70, 12]).decode([0.0, 1.0])


def test_a_missing_raw_id_is_refused_by_its_row():
    with pytest.raises(ValueError, match="raw id 1 of 2 is missing"):
        IdMap.fit([3.0, np.nan])


def test_a_map_of_given_ids_refuses_a_repeat():
    with pytest.raises(ValueError, match="raw id 12 occurs twice"):
        IdMap([70, 12, 12])


def test_a_table_of_ids_is_not_a_column_of_ids():
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        IdMap.fit(np.ones((2, 2)))


def test_a_map_survives_pickling():
    assert pickle.loads(pickle.dumps(IdMap.fit([70, 12]))).encode([12]).tolist() == [1]


def test_encoding_keeps_the_order_of_the_rows_and_states_the_types():
    encoded = encode(TRAIN)
    assert encoded.user_ids.tolist() == [0, 1, 0, 1]
    assert encoded.item_ids.tolist() == [0, 1, 2, 0]
    assert encoded.ratings.tolist() == [4.0, 2.5, 1.0, 5.0]
    assert encoded.timestamps.tolist() == [50, 40, 30, 20]
    assert encoded.positions.tolist() == [3, 0, 7, 2]
    dtypes = [a.dtype for a in (encoded.user_ids, encoded.item_ids, encoded.timestamps, encoded.positions)]
    assert dtypes == [np.int64] * 4
    assert encoded.ratings.dtype == np.float32
    assert (len(encoded), encoded.n_users, encoded.n_items) == (4, 2, 3)


def test_with_given_maps_rows_of_unseen_users_and_films_are_dropped():
    train = encode(TRAIN)
    valid = pd.DataFrame(
        {
            "user_id": [12, 12, 99, 70],
            "item_id": [31, 77, 5, 900],
            "rating": [1.0, 2.0, 3.0, 4.0],
            "timestamp": [1, 2, 3, 4],
            "position": [0, 1, 2, 3],
        }
    )
    encoded = encode(valid, train.users, train.items)
    assert encoded.user_ids.tolist() == [1, 0]  # film 77 and user 99 were not in TRAIN
    assert encoded.item_ids.tolist() == [2, 1]
    assert encoded.positions.tolist() == [0, 3]
    assert (encoded.n_users, encoded.n_items) == (2, 3)


def test_with_users_given_only_films_of_dropped_rows_get_no_id():
    encoded = encode(TRAIN, users=IdMap.fit([70]))
    assert encoded.items.raw_ids.tolist() == [5, 31]
    assert encoded.user_ids.tolist() == [0, 0]


def test_encoding_leaves_the_table_as_it_was():
    before = TRAIN.copy()
    encode(TRAIN, IdMap.fit([70]), IdMap.fit([5]))
    pd.testing.assert_frame_equal(TRAIN, before)


def test_no_ratings_encode_to_no_rows():
    encoded = encode(TRAIN.iloc[:0])
    assert (len(encoded), encoded.n_users, encoded.n_items) == (0, 0, 0)


def test_encoding_names_the_columns_that_are_missing():
    with pytest.raises(ValueError, match=r"lack the column timestamp, position; they have user_id, item_id, rating"):
        encode(TRAIN[["user_id", "item_id", "rating"]])


def test_the_sparse_matrix_holds_each_rating_in_its_cell():
    matrix = encode(TRAIN).to_csr()
    assert matrix.dtype == np.float32
    assert matrix.toarray().tolist() == [[4.0, 0.0, 1.0], [5.0, 2.5, 0.0]]


def test_the_sparse_matrix_keeps_users_and_films_without_a_row():
    train = encode(TRAIN)
    matrix = encode(TRAIN.iloc[:1], train.users, train.items).to_csr()
    assert matrix.shape == (2, 3)
    assert matrix.nnz == 1


def test_a_pair_rated_twice_is_refused_rather_than_summed():
    twice = pd.concat([TRAIN, TRAIN.iloc[[2]]])
    with pytest.raises(ValueError, match=r"user 0 rated item 2 more than once .*5 rows"):
        encode(twice).to_csr()
