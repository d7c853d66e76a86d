"""Attempts over a blocking or an asynchronous httpx client, each with one time limit for everything.

The time-outs of httpx apply to single operations (connect, one write, one read), so a server that sends single bytes or
a name server that hangs could block a call for ever. Each attempt therefore runs on its own thread or task, and the
caller waits for it no longer than allowed. This also keeps the frames of httpx, which hold the Authorization header, out
of the tracebacks of errors and cancellations.
"""

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable

import httpx

from bodydouble_client._attempt import (
    AttemptResult,
    BodyReader,
    ConnectionTrace,
    Failure,
    FailureKind,
    Request,
    failure_from,
    timed_out,
)
from bodydouble_client._retry import Retrying

_CLEANUP_S = 1.0  # the time that a cancelled attempt has to close its connection


def send_with_retries(
    http_client: httpx.Client, request: Request, retrying: Retrying, limit_bytes: int
) -> AttemptResult:
    """Send until ``retrying`` allows no further attempt, and return the last one."""
    clock = retrying.clock
    while True:
        attempt = send_once(http_client, request, retrying.attempt_s(), limit_bytes, clock.monotonic)
        wait_s = retrying.wait_after(attempt)
        if wait_s is None:
            return attempt
        clock.sleep(wait_s)


def send_once(
    http_client: httpx.Client, request: Request, time_s: float, limit_bytes: int, clock: Callable[[], float]
) -> AttemptResult:
    """Send once and read the answer, within ``time_s`` seconds and ``limit_bytes`` of decompressed body."""
    if time_s <= 0:
        return timed_out(time_s, sent=False)
    trace, reader = ConnectionTrace(), BodyReader(limit_bytes, clock() + time_s, clock)
    results: queue.SimpleQueue[AttemptResult | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(_send(http_client, request, time_s, trace, reader))
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            results.put(error)

    context = contextvars.copy_context()
    try:
        threading.Thread(target=context.run, args=(run,), name="bodydouble-attempt", daemon=True).start()
    except RuntimeError:  # the interpreter is shutting down, or no thread is left
        return AttemptResult(failure=Failure(FailureKind.MISUSE, "no thread could be started", sent=False))
    try:
        result = results.get(timeout=time_s)
    except queue.Empty:
        return timed_out(time_s, trace.abort())
    except BaseException:  # KeyboardInterrupt
        trace.abort()
        raise
    if isinstance(result, BaseException):
        raise result.with_traceback(None)  # such as KeyboardInterrupt
    return result


def _send(
    http_client: httpx.Client, request: Request, time_s: float, trace: ConnectionTrace, reader: BodyReader
) -> AttemptResult:
    try:
        http_request = http_client.build_request(**request.build_options(time_s, trace.observe))
        response = http_client.send(http_request, **request.send_options())
    except Exception as error:  # noqa: BLE001 - a caller's transport may raise anything
        return AttemptResult(failure=failure_from(error, trace.sent))
    failure = reader.check_headers(response.headers)
    try:
        for chunk in () if failure else response.iter_bytes():
            failure = reader.add(chunk)
            if failure:
                break
    except Exception as error:  # noqa: BLE001 - as above
        failure = failure_from(error, sent=True)
    with contextlib.suppress(Exception):  # closing does not change the body that was read
        response.close()
    return AttemptResult(response.status_code, response.headers, reader.body, failure)


async def send_with_retries_async(
    http_client: httpx.AsyncClient, request: Request, retrying: Retrying, limit_bytes: int
) -> AttemptResult:
    """Send until ``retrying`` allows no further attempt, and return the last one."""
    clock = retrying.clock
    while True:
        attempt = await send_once_async(http_client, request, retrying.attempt_s(), limit_bytes, clock.monotonic)
        wait_s = retrying.wait_after(attempt)
        if wait_s is None:
            return attempt
        await clock.sleep_async(wait_s)


async def send_once_async(
    http_client: httpx.AsyncClient, request: Request, time_s: float, limit_bytes: int, clock: Callable[[], float]
) -> AttemptResult:
    """Send once and read the answer, within ``time_s`` seconds and ``limit_bytes`` of decompressed body."""
    if time_s <= 0:
        return timed_out(time_s, sent=False)
    trace, reader = ConnectionTrace(), BodyReader(limit_bytes, clock() + time_s, clock)

    async def run() -> AttemptResult | BaseException:
        try:
            return await _send_async(http_client, request, time_s, trace, reader)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the caller's task raises it
            return error

    task = asyncio.ensure_future(run())
    try:
        await asyncio.wait({task}, timeout=time_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CLEANUP_S)
    if not task.done() or task.cancelled():
        return timed_out(time_s, trace.abort())
    result = task.result()
    if isinstance(result, BaseException):
        raise result.with_traceback(None)  # such as KeyboardInterrupt
    return result


async def _send_async(
    http_client: httpx.AsyncClient, request: Request, time_s: float, trace: ConnectionTrace, reader: BodyReader
) -> AttemptResult:
    try:
        http_request = http_client.build_request(**request.build_options(time_s, trace.observe_async))
        response = await http_client.send(http_request, **request.send_options())
    except Exception as error:  # noqa: BLE001 - a caller's transport may raise anything
        return AttemptResult(failure=failure_from(error, trace.sent))
    failure = reader.check_headers(response.headers)
    try:
        if failure is None:
            async for chunk in response.aiter_bytes():
                failure = reader.add(chunk)
                if failure:
                    break
    except Exception as error:  # noqa: BLE001 - as above
        failure = failure_from(error, sent=True)
    finally:
        with contextlib.suppress(Exception):  # closing does not change the body that was read
            await response.aclose()
    return AttemptResult(response.status_code, response.headers, reader.body, failure)
