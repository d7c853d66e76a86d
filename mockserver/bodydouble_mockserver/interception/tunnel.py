"""Tunnels to other hosts, for a server in front of the real service: bytes in both directions, not looked at."""

import asyncio
import contextlib
import socket

__all__ = ["ESTABLISHED", "forward"]

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
"""The answer to a CONNECT that was accepted."""

_UNREACHABLE = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
)
_CONNECT_S = 20.0
_PART_BYTES = 64 * 1024


async def forward(connection: socket.socket, host: str, port: int) -> None:
    """Connect a client that sent CONNECT to a host, and pass bytes on until one of them ends; a host that cannot be reached is a 502."""
    reader, writer = await asyncio.open_connection(sock=connection)
    with contextlib.closing(writer):
        try:
            async with asyncio.timeout(_CONNECT_S):
                far_reader, far_writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            text = f"{host}:{port} cannot be reached: {str(error) or type(error).__name__}".encode()
            writer.write(_UNREACHABLE % (len(text), text))
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            return
        with contextlib.closing(far_writer):
            writer.write(ESTABLISHED)
            await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on to the end, and the end itself; when one side breaks off, so does the other, which would wait for more."""
    try:
        while part := await reader.read(_PART_BYTES):
            writer.write(part)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()
