"""Wrong keys that are made from the caller's."""

import pytest
from bodydouble_contract_tests.model import Credential
from bodydouble_contract_tests.target.credentials import changed_key
from hypothesis import given
from hypothesis import strategies as st

MADE = [Credential.SHORTER, Credential.LONGER, Credential.LONGER_BEFORE, Credential.OTHER_CASE]


@pytest.mark.parametrize("credential", MADE)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12))
def test_a_key_that_is_made_from_any_key_is_another_one_that_a_header_can_hold(
    credential: Credential, key: str
) -> None:
    made = changed_key(credential, key)
    assert made != key
    assert made == made.strip() != ""
