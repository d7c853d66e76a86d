# pyright: basic
"""Write a greeting on a picture: greeting.py PICTURE GREETING [COPIES]."""

import os
import sys

import requests

API_URL = "https://api.aimlapi.com/v1/images/generations"


def decorate(picture, greeting, copies):
    response = requests.post(
        API_URL,
        headers={"Authorization": f"Bearer {os.environ['AIMLAPI_KEY']}", "Content-Type": "application/json"},
        json={
            "model": "google/gemini-2.5-flash-image-edit",
            "prompt": f"Write {greeting!r} on it",
            "image_urls": [picture],
            "num_images": copies,
        },
        timeout=120,
    )
    if not response.ok:
        return []
    return [image["url"] for image in response.json()["data"]]


if __name__ == "__main__":
    print("\n".join(decorate(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)))
