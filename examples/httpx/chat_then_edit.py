# pyright: basic
"""Let a language model write the prompt, then edit the picture: chat_then_edit.py PICTURE WISH [COPIES]."""

import os
import sys

import httpx

client = httpx.Client(
    base_url="https://api.aimlapi.com", headers={"Authorization": f"Bearer {os.environ['AIMLAPI_KEY']}"}, timeout=120
)


def improve(wish):
    answer = client.post(
        "/v1/chat/completions",
        json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Improve this prompt: {wish}"}]},
    )
    # Without an answer, the wish is good enough.
    return answer.json()["choices"][0]["message"]["content"] if answer.is_success else wish


def edit(picture, prompt, copies):
    answer = client.post(
        "/v1/images/generations",
        json={
            "model": "google/gemini-2.5-flash-image-edit",
            "prompt": prompt,
            "image_urls": [picture],
            "num_images": copies,
        },
    )
    return [image["url"] for image in answer.json()["data"]] if answer.is_success else []


if __name__ == "__main__":
    urls = edit(sys.argv[1], improve(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print("\n".join(urls))
