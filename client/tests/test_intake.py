import httpx
from bodydouble_client._intake import BodyReader
from bodydouble_client._outcome import FailureKind
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.binary()), st.integers(0, 50))
def test_a_body_is_read_completely_up_to_the_limit(chunks: list[bytes], limit_bytes: int) -> None:
    reader = BodyReader(limit_bytes, 1.0, lambda: 0.0)
    complete = all(reader.add(chunk) is None for chunk in chunks)
    assert (complete, reader.body) == (True, b"".join(chunks)) or len(b"".join(chunks)) > limit_bytes


def test_a_body_that_is_still_arriving_when_the_time_is_over_is_a_timeout() -> None:
    failure = BodyReader(10, 1.0, lambda: 1.5).add(b"x")
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT


@given(st.text(st.characters(max_codepoint=255)))
def test_any_content_length_is_checked_without_an_exception(length: str) -> None:
    headers = httpx.Headers({"content-length": length}, encoding="latin-1")
    BodyReader(10, 1.0, lambda: 0.0).check_headers(headers)
