import httpx
from bodydouble_client._intake import Intake
from bodydouble_client._outcome import FaultKind
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary()), st.integers(0, 50))
def test_a_body_is_taken_in_whole_up_to_the_limit(pieces: list[bytes], limit_bytes: int) -> None:
    intake = Intake(limit_bytes, 1.0, lambda: 0.0)
    whole = all(intake.add(piece) is None for piece in pieces)
    assert (whole, intake.body) == (True, b"".join(pieces)) or len(b"".join(pieces)) > limit_bytes


def test_a_body_that_is_still_arriving_when_time_is_up_is_given_up() -> None:
    fault = Intake(10, 1.0, lambda: 1.5).add(b"x")
    assert fault is not None
    assert fault.kind is FaultKind.TIMEOUT


@given(st.text(st.characters(max_codepoint=255)))
def test_any_content_length_is_judged_without_failing(length: str) -> None:
    headers = httpx.Headers({"content-length": length}, encoding="latin-1")
    Intake(10, 1.0, lambda: 0.0).refuse(headers)
