# pyright: basic, reportMissingImports=false
"""Tests of an app that calls two routes, of which bodydouble has a contract for one."""

from chat_then_edit import edit, improve

CAT = "https://example.org/cat.png"
CHAT = "/v1/chat/completions"


def test_the_improved_prompt_is_used(bodydouble):
    bodydouble.answer(path=CHAT, body={"choices": [{"message": {"content": "a very red hat"}}]})
    assert len(edit(CAT, improve("a hat"), 1)) == 1
    assert bodydouble.requests[-1].body["prompt"] == "a very red hat"


def test_without_the_language_model_the_wish_is_the_prompt(bodydouble):
    bodydouble.answer(path=CHAT, status=503)
    assert improve("a hat") == "a hat"
