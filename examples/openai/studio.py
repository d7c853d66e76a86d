# pyright: basic
"""Pictures for a shop; the client is made when the module is imported."""

from openai import BadRequestError, OpenAI, RateLimitError

client = OpenAI(base_url="https://api.aimlapi.com/v1", max_retries=0)


def variations(picture, prompt, count=1):
    """Return the URLs of edited pictures; none when the service refuses or is too busy."""
    try:
        result = client.images.generate(
            model="google/gemini-2.5-flash-image-edit",
            prompt=prompt,
            extra_body={"image_urls": [picture], "num_images": count},
        )
    except (BadRequestError, RateLimitError):
        return []
    return [image.url for image in result.data or ()]
