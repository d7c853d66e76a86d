"""The five servers, each on another framework or on none, with its own way to send an answer."""

import asyncio
import gzip
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from werkzeug.wrappers import Request as WsgiRequest
from werkzeug.wrappers import Response as WsgiResponse

from contract_tests.tests.correct.rules import KEY, Reply, Rules
from spec.tests.servers import Quiet, serve_asgi, serve_http

__all__ = ["KEY", "SERVERS"]

_UNUSUAL = 8 * 1024 * 1024


@contextmanager
def jpeg_on_starlette() -> Generator[str]:
    """Run Starlette on uvicorn: JPEG pictures, 405 for other methods."""
    rules = Rules(picture_format="JPEG", wrong_method=405)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        made = rules.reply(
            request.method, scope["path"], request.headers, await request.body(), str(request.base_url)[:-1]
        )
        await Response(made.body, made.status, made.headers)(scope, receive, send)

    with serve_asgi(uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))) as origin:
        yield origin


@contextmanager
def chunked_on_the_standard_library() -> Generator[str]:
    """Run the standard library's server: chunked answers, 400 before 401, the origin named."""
    rules = Rules(validates_first=True, names_origin=True)

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            made = rules.reply(
                self.command, self.path, _lower(dict(self.headers.items())), self._body(), _origin(self.headers["Host"])
            )
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            has_body = self.command != "HEAD" and made.status != 204
            if has_body:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(made.body) if has_body else 0, 700):
                part = made.body[at : at + 700]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            if has_body:
                self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

    with serve_http(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as origin:
        yield origin


@contextmanager
def gzip_on_plain_asyncio() -> Generator[str]:
    """Run a server on asyncio's streams alone: gzip answers, the older envelope."""
    rules = Rules(is_legacy=True)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = _lower(dict(line.split(": ", 1) for line in head[1:] if ": " in line))
        body = await _read_body(reader, headers)
        made = rules.reply(method, target, headers, body, _origin(headers["host"]))
        content = gzip.compress(made.body, 1) if made.body else b""
        lines = [f"{name.title()}: {value}" for name, value in made.headers.items()]
        lines += [f"Content-Length: {len(content)}", "Content-Encoding: gzip"] if content else []
        lines += ["Connection: close", "", ""]
        writer.write("\r\n".join([f"HTTP/1.1 {made.status} Answer", *lines]).encode("latin-1"))
        writer.write(content if method != "HEAD" else b"")
        await writer.drain()
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(handle, "127.0.0.1", 0, limit=_UNUSUAL))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


@contextmanager
def webp_on_werkzeug() -> Generator[str]:
    """Run Werkzeug under WSGI: WebP pictures, 404 for an unknown model, 415 for another media type."""
    rules = Rules(picture_format="WEBP", unknown_model=404, wrong_type=415, wrong_method=405)

    @WsgiRequest.application
    def app(request: WsgiRequest) -> WsgiResponse:
        request.environ["wsgi.input_terminated"] = "HTTP_TRANSFER_ENCODING" not in request.environ
        body = _wsgi_body(request)
        made = rules.reply(
            request.method, request.path, _lower(dict(request.headers.items())), body, request.host_url.rstrip("/")
        )
        return WsgiResponse(made.body, made.status, made.headers)

    class Handler(Quiet, WSGIRequestHandler):
        pass

    with serve_http(make_server("127.0.0.1", 0, app, handler_class=Handler)) as origin:
        yield origin


def _wsgi_body(request: WsgiRequest) -> bytes:
    stream = request.environ["wsgi.input"]
    if "chunked" not in request.headers.get("Transfer-Encoding", ""):
        return stream.read(request.content_length or 0)  # type: ignore[no-any-return]
    body = b""
    while size := int(stream.readline().partition(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


@contextmanager
def strict_on_asgi() -> Generator[str]:
    """Run a bare ASGI application: it refuses whatever the evidence leaves open, and puts its pictures under redirected URLs."""
    rules = Rules(is_strict=True, validates_first=True, wrong_method=405)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin = _origin(headers["host"])
        if scope["path"].startswith("/made/"):
            made = Reply(
                302, {"Location": scope["path"].replace("/made/", "/files/", 1), "Access-Control-Allow-Origin": "*"}
            )
        else:
            made = rules.reply(scope["method"], scope["path"], headers, body, origin)
        sent = (
            made.body.replace(f"{origin}/files/".encode(), f"{origin}/made/".encode())
            if b'"data"' in made.body[:10]
            else made.body
        )
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in made.headers.items()]
        await send(
            {
                "type": "http.response.start",
                "status": made.status,
                "headers": [*raw, (b"content-length", b"%d" % len(sent))],
            }
        )
        await send({"type": "http.response.body", "body": sent})

    with serve_asgi(uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))) as origin:
        yield origin


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _origin(host: str) -> str:
    return f"http://{host}"


SERVERS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    make.__name__: make
    for make in (
        jpeg_on_starlette,
        chunked_on_the_standard_library,
        gzip_on_plain_asyncio,
        webp_on_werkzeug,
        strict_on_asgi,
    )
}
"""The servers by name: each starts on a free port, and gives its origin."""
