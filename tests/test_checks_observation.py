"""What crosses from the student's process to the judge's, and the verdict that comes out."""

import io
import json
import zipfile

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.checks.expect import expect, expect_array, expect_close, expect_equal
from course_utils.checks.observation import MAX_BYTES, Unusable, pack, unpack
from course_utils.checks.standing import Mark, Standing
from course_utils.checks.verdict import STATUSES, Verdict, number
from course_utils.grading.sanitise import harmless_html


@given(
    hnp.arrays(
        st.one_of(
            hnp.boolean_dtypes(),
            hnp.integer_dtypes(endianness="="),
            hnp.unsigned_integer_dtypes(endianness="="),
            hnp.floating_dtypes(endianness="="),
            hnp.complex_number_dtypes(endianness="="),
            hnp.unicode_string_dtypes(),
        ),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
@settings(max_examples=150, deadline=None)
def test_an_array_comes_back_as_it_was(array):
    back = unpack(pack({"a": array}))["a"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == np.ascontiguousarray(array).tobytes()


class Liar:
    def __init__(self, answer):
        self.answer = answer

    def __array__(self, dtype=None, copy=None):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class LyingTensor(torch.Tensor):
    def detach(self):
        return self

    def cpu(self):
        return self

    def resolve_conj(self):
        return self

    def resolve_neg(self):
        return "no tensor at all"


UNSTORABLE = {
    "None": None,
    "an object": object(),
    "a function": lambda: 0,
    "an array of objects": np.array([1, None, "x"], dtype=object),
    "a ragged list": [[1, 2], [3]],
    "a ragged list of tensors": [torch.zeros(2), torch.zeros(3)],
    "a dict": {"a": 1},
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "bytes": b"\x80\x04K\x01.",
    "a record array": np.zeros(2, dtype=[("a", int)]),
    "too large an array": np.broadcast_to(np.float64(0), (MAX_BYTES // 8 + 1,)),
    "an __array__ that returns no array": Liar("no array"),
    "an __array__ that raises": Liar(ValueError("no")),
    "a sparse tensor": torch.eye(2).to_sparse(),
    "a tensor on no device": torch.zeros(2, device="meta"),
    "a tensor that lies": torch.zeros(2).as_subclass(LyingTensor),
}


@pytest.mark.parametrize("kind", UNSTORABLE)
def test_what_is_no_plain_array_is_replaced_by_one_line_about_it(kind):
    data = pack({"x": UNSTORABLE[kind], "y": 1})
    seen = unpack(data)
    assert isinstance(seen["x"], Unusable) or seen["x"].dtype.kind == "U"
    if isinstance(seen["x"], Unusable):
        assert "\n" not in seen["x"].description
    assert seen["y"] == 1
    assert_no_pickle(data)


def assert_no_pickle(data: bytes) -> None:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind != "O" for name in arrays.files)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.tensor([1.0, 2.0], requires_grad=True), np.array([1, 2], dtype=np.float32)),
        (torch.tensor([1.5, 2.5], dtype=torch.bfloat16), np.array([1.5, 2.5], dtype=np.float32)),
        (torch.tensor([1 + 2j]).conj(), np.array([1 - 2j], dtype=np.complex64)),
        (torch.arange(6).reshape(2, 3).T, np.array([[0, 3], [1, 4], [2, 5]])),
        (torch.nn.Parameter(torch.zeros(2)), np.zeros(2, dtype=np.float32)),
        ([torch.tensor(1.0, requires_grad=True), 2.0], np.array([1.0, 2.0])),
        (float("nan"), np.array(np.nan)),
        ([1, 2.5], np.array([1, 2.5])),
        (True, np.array(True)),
        ("stars", np.array("stars")),
        (["a", "bc"], np.array(["a", "bc"])),
        (Liar(np.arange(2)), np.arange(2)),
    ],
)
def test_tensors_numbers_texts_and_lists_of_them_are_stored_as_arrays(value, expected):
    seen = unpack(pack({"x": value}))["x"]
    np.testing.assert_array_equal(seen, expected)
    assert seen.shape == expected.shape


def test_a_name_that_is_missing_reads_as_nothing():
    assert unpack(pack({}))["scores"].description == "nothing"


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_archive_end_in_an_error_not_an_exception(data):
    assert unpack(data).error["type"] == "UnreadableObservation"


GOOD = pack({"scores": np.arange(20.0), "name": "x", "none": None})


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_damaged_archive_never_raises(at, byte, cut):
    unpack(GOOD[:at] if cut else GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])


def test_an_archive_with_pickles_or_other_files_in_it_runs_nothing():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("notes", "just text")
        held = io.BytesIO()
        np.lib.format.write_array(held, np.array([print], dtype=object), allow_pickle=True)
        archive.writestr("objects.npy", held.getvalue())
    assert unpack(buffer.getvalue()).error["type"] == "UnreadableObservation"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("notes", "just text")
    assert isinstance(unpack(buffer.getvalue())["notes"], Unusable)


def test_an_archive_that_claims_to_be_small_is_not_unpacked_when_it_is_large():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, zeros=np.zeros(2 * MAX_BYTES // 8 + 1000))
    assert len(buffer.getvalue()) < 2**20
    assert "too large" in unpack(buffer.getvalue()).error["message"]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (np.zeros((2, 1)), "shape (2, 1)"),
        (np.array(["a", "b"]), "dtype <U1"),
        (np.array([1.0, np.nan]), "1 of 2 values are NaN"),
        (np.array([1.0, np.inf]), "1 of 2 values are NaN or infinite"),
        (Unusable("None"), "None"),
        (np.array([1.0, 2.5]), "1 of 2 values differ, the first at [1]: 2.5"),
    ],
)
def test_shape_then_dtype_then_values_are_compared(seen, words):
    finding = expect_close(seen, np.array([1.0, 2.0]))
    assert not finding.ok
    assert words in finding.came_back


def test_a_kind_of_number_can_be_asked_for():
    assert expect_array(np.array([1]), shape=(None,), kind="iu").ok
    assert "whole numbers" in expect_array(np.array([1.0]), shape=(None,), kind="iu").expected
    assert not expect_array(np.zeros((1, 1)), shape=(None,)).ok


def test_texts_and_whole_numbers_are_compared_exactly():
    assert expect_equal(np.array(["a"]), ["a"]).ok
    assert not expect_equal(np.array(["b"]), ["a"]).ok
    assert not expect_equal(np.array([1.0000001]), [1]).ok
    assert expect(True).ok
    assert not expect(False, slip="No.").ok


@given(
    st.builds(
        Verdict,
        check=st.text(),
        points=st.floats(0, 4),
        max_points=st.just(4.0),
        status=st.sampled_from(STATUSES),
        saw=st.text(),
        called=st.text(),
        came_back=st.text(),
        expected=st.text(),
        slip=st.text(),
    )
)
@settings(max_examples=60)
def test_a_verdict_survives_json(verdict):
    assert Verdict.from_dict(json.loads(json.dumps(verdict.as_dict()))) == verdict


def test_a_verdict_from_a_newer_version_is_read_without_its_unknown_keys():
    record = {"check": "rmse", "points": 1.0, "max_points": 2.0, "status": "failed", "colour": "red"}
    assert Verdict.from_dict(record) == Verdict("rmse", 1.0, 2.0, "failed")


def test_a_card_shows_markup_in_a_message_as_text():
    evil = '<script>alert("&")</script>'
    verdict = Verdict(evil, 0.0, 1.0, "failed", saw=evil, called=evil, came_back=evil, expected=evil, slip=evil)
    assert "<script" not in verdict.card()
    assert verdict.card().count("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;") == 6


LADDER = Standing("NDCG", True, 0.3, (Mark("popularity", 0.2, 1), Mark("ALS", 0.4, 1)))


def test_a_verdict_with_a_ladder_survives_json_and_one_with_a_foreign_ladder_loses_it():
    verdict = Verdict("climb", 1.0, 2.0, "failed", ladder=LADDER, cells="0123")
    record = json.loads(json.dumps(verdict.as_dict()))
    assert Verdict.from_dict(record) == verdict
    assert Verdict.from_dict(record | {"ladder": {"value": "<b>"}}).ladder is None
    assert not {"ladder", "cells"} & Verdict("rmse", 1.0, 1.0, "ok").as_dict().keys()


def test_a_card_draws_the_ladder_only_where_it_may():
    verdict = Verdict("climb", 1.0, 2.0, "failed", ladder=LADDER)
    assert "<svg" not in verdict.card()
    assert verdict.card(figure=True).count("<svg") == 1
    assert "<svg" not in Verdict("rmse", 1.0, 1.0, "ok").card(figure=True)


def test_what_stands_in_backticks_is_shown_as_code_and_never_runs():
    verdict = Verdict("rmse", 0.0, 1.0, "failed", slip="Use `a < b`, not `<img src=x>`.")
    assert "Use <code>a &lt; b</code>, not <code>&lt;img src=x&gt;</code>." in verdict.card()


def test_a_feedback_page_leaves_a_card_as_it_is():
    card = Verdict("rmse", 0.0, 1.0, "failed", called="f(x)", came_back="1", expected="2", slip="Use `g`.").card()
    assert harmless_html(card).replace(';"', '"') == card


def test_a_verdict_reads_as_bare_points_for_nbgrader():
    bundle = Verdict("rmse", 0.5, 2.0, "failed")._repr_mimebundle_()
    assert bundle["text/plain"] == "0.5"
    assert [number(points) for points in (2.0, 2.5, 0.0)] == ["2", "2.5", "0"]
