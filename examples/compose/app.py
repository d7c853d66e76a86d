"""A small app that edits a picture, without packages: it prints the address and the size of each picture that it gets."""

import json
import os
import urllib.request

REQUEST = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "a dinosaur in a café",
    "image_urls": ["https://example.org/dinosaur.png"],
    "num_images": 2,
}


def main() -> None:
    """Edit a picture and download the results."""
    request = urllib.request.Request(
        os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations",
        data=json.dumps(REQUEST).encode(),
        headers={"Authorization": f"Bearer {os.environ['AIMLAPI_KEY']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=180) as response:
        answer = json.load(response)
    for image in answer["data"]:
        with urllib.request.urlopen(image["url"], timeout=180) as picture:
            print(image["url"], len(picture.read()), "bytes")


if __name__ == "__main__":
    main()
