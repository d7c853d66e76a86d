"""One attempt over an asynchronous httpx client, bounded in time as a whole; the twin of ``_exchange``.

The attempt is a task of its own, so that neither an error nor a cancellation carries httpx's frames, which hold the
Authorization header.
"""

import asyncio
import contextlib
from collections.abc import Callable

import httpx

from bodydouble_client._hooks import Hooks
from bodydouble_client._intake import Intake
from bodydouble_client._line import Line
from bodydouble_client._outcome import Outcome, fault_of, out_of_time
from bodydouble_client._outgoing import Outgoing
from bodydouble_client._retry import Retrying

__all__ = ["exchange_async", "exchange_with_retries_async"]

_CLEANUP_S = 1.0  # how long a cancelled attempt may take to close its connection


async def exchange_with_retries_async(
    http_client: httpx.AsyncClient, outgoing: Outgoing, retrying: Retrying, limit_bytes: int, hooks: Hooks
) -> Outcome:
    """The outcome of the last attempt; ``retrying`` says how many there are."""
    while True:
        outcome = await exchange_async(http_client, outgoing, retrying.attempt_s(), limit_bytes, hooks.clock)
        wait_s = retrying.wait_after(outcome)
        if wait_s is None:
            return outcome
        await hooks.sleep_async(wait_s)


async def exchange_async(
    http_client: httpx.AsyncClient, outgoing: Outgoing, time_s: float, limit_bytes: int, clock: Callable[[], float]
) -> Outcome:
    """Send once and take the answer in, within ``time_s`` seconds and ``limit_bytes`` of decompressed body."""
    if time_s <= 0:
        return out_of_time(time_s, sent=False)
    line, intake = Line(), Intake(limit_bytes, clock() + time_s, clock)

    async def attempt() -> Outcome | BaseException:
        try:
            return await _talk(http_client, outgoing, time_s, line, intake)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - handed to the caller's task, which raises it
            return error

    task = asyncio.ensure_future(attempt())
    try:
        await asyncio.wait({task}, timeout=time_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CLEANUP_S)
    if not task.done() or task.cancelled():
        return out_of_time(time_s, line.hang_up())
    result = task.result()
    if isinstance(result, BaseException):
        raise result.with_traceback(None)  # such as KeyboardInterrupt: not ours to judge
    return result


async def _talk(
    http_client: httpx.AsyncClient, outgoing: Outgoing, time_s: float, line: Line, intake: Intake
) -> Outcome:
    try:
        request = http_client.build_request(**outgoing.build_options(time_s, line.observe_async))
        response = await http_client.send(request, **outgoing.send_options())
    except Exception as error:  # noqa: BLE001 - every failure becomes data, those of a caller's transport too
        return Outcome(fault=fault_of(error, line.sent))
    fault = intake.refuse(response.headers)
    try:
        if fault is None:
            async for piece in response.aiter_bytes():
                fault = intake.add(piece)
                if fault:
                    break
    except Exception as error:  # noqa: BLE001 - as above
        fault = fault_of(error, sent=True)
    finally:
        with contextlib.suppress(Exception):  # the body is in, or lost: closing changes neither
            await response.aclose()
    return Outcome(response.status_code, response.headers, intake.body, fault)
