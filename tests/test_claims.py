import pytest

from course_utils.claims import claim


def test_a_claim_that_holds_says_nothing(capsys):
    claim(True, "all is well")
    assert capsys.readouterr().out == ""


def test_a_broken_claim_is_a_line_for_a_student_and_an_error_for_the_build(capsys, monkeypatch):
    monkeypatch.delenv("COURSE_CLAIMS", raising=False)
    claim(False, "the RMSE is below 0.9")
    assert "the RMSE is below 0.9" in capsys.readouterr().out
    monkeypatch.setenv("COURSE_CLAIMS", "strict")
    with pytest.raises(AssertionError, match=r"the RMSE is below 0\.9"):
        claim(False, "the RMSE is below 0.9")
