"""A small app that writes a greeting on a picture."""

import os

import httpx


class TooBusy(Exception):
    """The service is too busy."""


def decorate(picture: str, greeting: str, copies: int = 1) -> list[str]:
    """Return the URLs of the decorated pictures."""
    response = httpx.post(
        os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations",
        headers={"Authorization": f"Bearer {os.environ['AIMLAPI_KEY']}"},
        json={
            "model": "google/gemini-2.5-flash-image-edit",
            "prompt": f"Write {greeting!r} on it",
            "image_urls": [picture],
            "num_images": copies,
        },
        timeout=180,
    )
    if response.status_code == 429:
        raise TooBusy
    return [image["url"] for image in response.raise_for_status().json()["data"]]
