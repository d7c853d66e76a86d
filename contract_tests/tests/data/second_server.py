"""A correct server that shares nothing with the project: its own checks, its own words, its own pictures."""

import io
import itertools
import math
import re
import time
from typing import Any

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODEL = "google/gemini-2.5-flash-image-edit"
SIZES = {
    "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1184), "4:3": (1184, 864),
    "4:5": (896, 1152), "5:4": (1152, 896), "9:16": (768, 1344), "16:9": (1344, 768), "21:9": (1536, 672),
}  # fmt: skip
URL = re.compile(r"https?://[^\s/?#@:]+(?:@[^\s/?#]+)?(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
WITH_USER = re.compile(r"https?://[^\s/?#]*@[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)
ADDRESS = re.compile(r"https?://\[[0-9a-f:.]+\](?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
DATA = re.compile(r"data:image/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9.=+-]+)*;base64,[A-Za-z0-9+/]+={0,2}")
BARE = re.compile(r"(?:/9j/|iVBORw0KGgo|R0lGOD|UklGR|Qk)[A-Za-z0-9+/]*={0,2}")
COUNTER = itertools.count(1)
DRAWN: dict[str, bytes] = {}


def is_picture(text: Any) -> bool:
    return isinstance(text, str) and any(form.fullmatch(text) for form in (URL, WITH_USER, ADDRESS, DATA, BARE))


def faults(body: Any) -> list[tuple[list[str | int], str]]:
    if not isinstance(body, dict):
        return [([], "this is no object")]
    values: dict[str, Any] = body
    found: list[tuple[list[str | int], str]] = []
    if values.get("model") != MODEL:
        found.append((["model"], "this model is not known here"))
    if not isinstance(values.get("prompt"), str):
        found.append((["prompt"], "say what you want"))
    inputs = values.get("image_urls")
    if not isinstance(inputs, list):
        found.append((["image_urls"], "give a list"))
    else:
        items: list[Any] = inputs
        found += [(["image_urls", place], "no picture") for place, item in enumerate(items) if not is_picture(item)]
    count = values.get("num_images", 1)
    if isinstance(count, bool) or not isinstance(count, int | float) or not 1 <= count <= 4:
        found.append((["num_images"], "from one to four"))
    if "aspect_ratio" in values and values["aspect_ratio"] not in [*SIZES]:
        found.append((["aspect_ratio"], "not this shape"))
    if "provider" in values and not isinstance(values["provider"], str):
        found.append((["provider"], "name it"))
    return found


def problem(status: int, title: str, message: str, data: Any = None) -> Response:
    body: dict[str, Any] = {
        "title": title,
        "status": status,
        "message": message,
        "instance": "/v1/images/generations",
        "requestId": f"second-{next(COUNTER)}",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "error": {"name": title.replace(" ", "") + "Exception", "message": message},
    }
    if data is not None:
        body["error"]["data"] = data
    return JSONResponse(body, status, media_type="application/problem+json")


async def edit(request: Request) -> Response:
    if request.headers.get("authorization") != "Bearer second-key":
        return problem(401, "Unauthorized", "Who are you?")
    try:
        body = await request.json()
    except ValueError:
        return problem(400, "Bad Request", "That was no JSON.", [{"code": "custom", "path": [], "message": "no JSON"}])
    wrong = faults(body)
    if wrong:
        issues = [{"code": "custom", "path": path, "message": text} for path, text in wrong]
        return problem(400, "Bad Request", "Something is wrong with it.", issues)
    count = math.ceil(body.get("num_images", 1))
    shape = body.get("aspect_ratio", "1:1").replace(":", "x")
    links = [f"{request.base_url}files/{shape}-{number}.jpg" for number in range(count)]
    data = [{"url": link, "b64_json": None} for link in links]
    return JSONResponse({"data": data, "meta": {"usage": {"credits_used": 84000 * count}}})


async def picture(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in DRAWN:
        shape, _, number = name.removesuffix(".jpg").partition("-")
        file = io.BytesIO()
        Image.new("RGB", SIZES[shape.replace("x", ":")], (60 * int(number), 90, 120)).save(file, "JPEG")
        DRAWN[name] = file.getvalue()
    return Response(DRAWN[name], media_type="image/jpeg")


app = Starlette(routes=[Route("/v1/images/generations", edit, methods=["POST"]), Route("/files/{name}", picture)])
