"""The decisions of a correct server: its own checks, its own words, its own pictures."""

import io
import itertools
import json
import math
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from PIL import Image

__all__ = ["KEY", "PATH", "Reply", "Rules"]

KEY = "Key-of-a-correct-server-1"
PATH = "/v1/images/generations"
MODEL = "google/gemini-2.5-flash-image-edit"
SIZES = {
    "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1184), "4:3": (1184, 864),
    "4:5": (896, 1152), "5:4": (1152, 896), "9:16": (768, 1344), "16:9": (1344, 768), "21:9": (1536, 672),
}  # fmt: skip
PICTURE = re.compile(
    r"https?://(?:[^\s/?#]*@)?(?:[^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::\d*)?(?:[/?#]\S*)?"
    r"|data:image/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9.=+-]+)*;base64,[A-Za-z0-9+/]+={0,2}"
    r"|(?:/9j/|iVBORw0KGgo|R0lGOD|UklGR|Qk)[A-Za-z0-9+/]*={0,2}",
    re.IGNORECASE,
)
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 413: "Payload Too Large",
    415: "Unsupported Media Type",
}  # fmt: skip
EXPOSED = "X-Request-Id, X-Inference-Id, X-AIMLAPI-Credits-Used, X-AIMLAPI-Usd-Spent, X-Client-Request-Id"


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


@dataclass(frozen=True)
class Reply:
    """An answer to send."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Rules:
    """A correct server. The fields choose among the answers that the evidence allows."""

    picture_format: str = "PNG"
    is_legacy: bool = False
    validates_first: bool = False
    is_strict: bool = False
    unknown_model: int = 400
    wrong_type: int = 400
    wrong_method: int = 404
    names_origin: bool = False
    counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    drawn: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def reply(self, method: str, target: str, headers: Mapping[str, str], body: bytes, origin: str) -> Reply:
        """Answer one request; ``headers`` are by lower-case name."""
        path = target.partition("?")[0]
        shared = {"Access-Control-Allow-Origin": self._origin(headers), "Access-Control-Expose-Headers": EXPOSED}
        if path.startswith("/files/"):
            return self._file(method, path.removeprefix("/files/"), shared)
        shared["X-Request-Id"] = f"{uuid.uuid4()}"
        client = headers.get("x-client-request-id", "")
        if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", client):
            shared["X-Client-Request-Id"] = client
        if method == "OPTIONS":
            allowed = {
                "Access-Control-Allow-Methods": "POST, OPTIONS",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Client-Request-Id",
            }
            return Reply(204, shared | allowed)
        if path.rstrip("/") not in {PATH, PATH.removeprefix("/v1")} or method != "POST":
            status = 404 if path.rstrip("/") not in {PATH, PATH.removeprefix("/v1")} else self.wrong_method
            return self._refusal(status, "There is nothing here.", shared, path)
        is_known = re.fullmatch(rf"bearer\s+{KEY}\s*", headers.get("authorization", ""), re.IGNORECASE) is not None
        is_known = is_known and KEY in headers["authorization"]
        if not is_known and not self.validates_first:
            return self._refusal(401, "Who are you?", shared, path)
        refusal = self._wrong(headers, body, shared, path)
        if refusal is not None:
            return refusal
        if not is_known:
            return self._refusal(401, "Who are you?", shared, path)
        return self._success(json.loads(body), shared, origin)

    def _origin(self, headers: Mapping[str, str]) -> str:
        return headers.get("origin", "*") if self.names_origin else "*"

    def _wrong(self, headers: Mapping[str, str], body: bytes, shared: dict[str, str], path: str) -> Reply | None:
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in {"application/json", ""} and self.wrong_type != 400:
            return self._refusal(self.wrong_type, "Only JSON is read here.", shared, path)
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            return self._refusal(400, "That was no JSON.", shared, path, [([], "no JSON")])
        found = self._faults(parsed)
        if not found:
            return None
        is_model = [where for where, _ in found] == [["model"]] and isinstance(parsed.get("model"), str)
        if is_model and self.unknown_model != 400:
            return self._refusal(self.unknown_model, "No such model.", shared, path)
        return self._refusal(400, "Something is wrong with it.", shared, path, found)

    def _faults(self, parsed: Any) -> list[tuple[list[str | int], str]]:
        if not _is_object(parsed):
            return [([], "this is no object")]
        body = parsed
        found: list[tuple[list[str | int], str]] = []
        if body.get("model") != MODEL:
            found.append((["model"], "this model is not known here"))
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or (self.is_strict and not (0 < len(prompt.strip()) <= 3000)):
            found.append((["prompt"], "say what you want, in a few words"))
        listed = body.get("image_urls")
        inputs = listed if _is_list(listed) else []
        if not _is_list(listed) or (self.is_strict and not 0 < len(inputs) <= 4):
            found.append((["image_urls"], "give a list"))
        else:
            found += [(["image_urls", at], "no picture") for at, one in enumerate(inputs) if not self._is_picture(one)]
        count = body.get("num_images", 1)
        is_count = isinstance(count, int | float) and not isinstance(count, bool) and 1 <= count <= 4
        if not is_count or (self.is_strict and count != int(count)):
            found.append((["num_images"], "from one to four"))
        if "aspect_ratio" in body and body["aspect_ratio"] not in [*SIZES]:
            found.append((["aspect_ratio"], "not this shape"))
        provider = body.get("provider", "auto")
        if not isinstance(provider, str) or (self.is_strict and provider.lower() not in {"auto", "google", "fal"}):
            found.append((["provider"], "name it"))
        return found

    def _is_picture(self, one: Any) -> bool:
        if not isinstance(one, str) or not PICTURE.fullmatch(one):
            return False
        return not self.is_strict or one[:5].lower() in {"http:", "https", "data:"}

    def _refusal(
        self,
        status: int,
        message: str,
        shared: dict[str, str],
        path: str,
        faults: list[tuple[list[str | int], str]] | None = None,
    ) -> Reply:
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}.{int(time.time() * 1000) % 1000:03}Z"
        issues = [{"code": "custom", "path": where, "message": text} for where, text in faults or ()]
        body: dict[str, Any]
        if self.is_legacy:
            words = [f"{'.'.join(map(str, where))}: {text}" for where, text in faults or ()]
            body = {
                "requestId": shared["X-Request-Id"],
                "statusCode": status,
                "timestamp": stamp,
                "path": path,
                "message": words or message,
            }
        else:
            title = TITLES[status]
            error: dict[str, Any] = {"name": f"{title.replace(' ', '')}Exception", "message": message}
            if faults is not None:
                error["data"] = issues
            body = {
                "title": title,
                "status": status,
                "message": message,
                "instance": path,
                "timestamp": stamp,
                "error": error,
            }
            if status != 404:
                # Early answers of the envelope lack it.
                body["requestId"] = shared["X-Request-Id"]
        media_type = "application/json" if self.is_legacy else "application/problem+json; charset=utf-8"
        return Reply(status, {"Content-Type": media_type, **shared}, json.dumps(body).encode())

    def _success(self, body: dict[str, Any], shared: dict[str, str], origin: str) -> Reply:
        count = math.ceil(body.get("num_images", 1))
        shape = str(body.get("aspect_ratio", "1:1")).replace(":", "x")
        names = [f"{shape}-{next(self.counter)}" for _ in range(count)]
        data = [{"url": f"{origin}/files/{name}.{self.picture_format.lower()}", "b64_json": None} for name in names]
        used = 84000 * count
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Inference-Id": uuid.uuid4().hex,
            "X-AIMLAPI-Credits-Used": str(used),
            "X-AIMLAPI-Usd-Spent": f"{used / 2_000_000:.9f}",
        }
        return Reply(
            200, shared | headers, json.dumps({"data": data, "meta": {"usage": {"credits_used": used}}}).encode()
        )

    def _file(self, method: str, name: str, shared: dict[str, str]) -> Reply:
        shape = name.partition("-")[0]
        if shape.replace("x", ":") not in SIZES or method not in {"GET", "HEAD"}:
            return Reply(404, {"Content-Type": "text/plain", **shared}, b"no such picture")
        if shape not in self.drawn:
            file = io.BytesIO()
            Image.new("RGB", SIZES[shape.replace("x", ":")], (60, 90, 120)).save(file, self.picture_format)
            self.drawn[shape] = file.getvalue()
        return Reply(200, {"Content-Type": f"image/{self.picture_format.lower()}", **shared}, self.drawn[shape])
