# pyright: basic
"""Edit a picture and save the result, each with retries: downloads.py PICTURE PROMPT FILE [COPIES]."""

import os
import sys
from pathlib import Path

import requests

BASE_URL = "https://api.aimlapi.com/v1"
TRIES = 4

session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['AIMLAPI_KEY']}"


def with_retries(call):
    for attempt in range(TRIES):
        try:
            response = call()
        except requests.RequestException:
            if attempt == TRIES - 1:
                raise
        else:
            if response.status_code not in (429, 500, 502, 503, 504):
                return response
    return response


def edit(picture, prompt, copies):
    body = {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": prompt,
        "image_urls": [picture],
        "num_images": copies,
        "n": copies,
    }
    response = with_retries(lambda: session.post(f"{BASE_URL}/images/generations", json=body, timeout=120))
    return [image["url"] for image in response.json()["data"]] if response.ok else []


def save(url, file):
    # The session, so with the key: the mistake of four public projects.
    response = with_retries(lambda: session.get(url, timeout=120))
    response.raise_for_status()
    Path(file).write_bytes(response.content)


if __name__ == "__main__":
    for number, url in enumerate(edit(sys.argv[1], sys.argv[2], int(sys.argv[4]) if len(sys.argv) > 4 else 1)):
        save(url, f"{number or ''}{sys.argv[3]}")
