"""One attempt over a blocking httpx client, bounded in time as a whole.

httpx bounds each operation (connect, one write, one read), so a peer that drips bytes or a name server that hangs
could hold a call for ever. The attempt therefore runs on a thread of its own, and the caller waits no longer than
allowed. This also keeps httpx's frames, which hold the Authorization header, out of every traceback.
"""

import contextlib
import contextvars
import queue
import threading
from collections.abc import Callable

import httpx

from bodydouble_client._hooks import Hooks
from bodydouble_client._intake import Intake
from bodydouble_client._line import Line
from bodydouble_client._outcome import Fault, FaultKind, Outcome, fault_of, out_of_time
from bodydouble_client._outgoing import Outgoing
from bodydouble_client._retry import Retrying

__all__ = ["exchange", "exchange_with_retries"]


def exchange_with_retries(
    http_client: httpx.Client, outgoing: Outgoing, retrying: Retrying, limit_bytes: int, hooks: Hooks
) -> Outcome:
    """The outcome of the last attempt; ``retrying`` says how many there are."""
    while True:
        outcome = exchange(http_client, outgoing, retrying.attempt_s(), limit_bytes, hooks.clock)
        wait_s = retrying.wait_after(outcome)
        if wait_s is None:
            return outcome
        hooks.sleep(wait_s)


def exchange(
    http_client: httpx.Client, outgoing: Outgoing, time_s: float, limit_bytes: int, clock: Callable[[], float]
) -> Outcome:
    """Send once and take the answer in, within ``time_s`` seconds and ``limit_bytes`` of decompressed body."""
    if time_s <= 0:
        return out_of_time(time_s, sent=False)
    line, intake = Line(), Intake(limit_bytes, clock() + time_s, clock)
    results: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()

    def attempt() -> None:
        try:
            results.put(_talk(http_client, outgoing, time_s, line, intake))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            results.put(error)

    run = contextvars.copy_context().run
    try:
        threading.Thread(target=run, args=(attempt,), name="bodydouble-attempt", daemon=True).start()
    except RuntimeError:  # the interpreter is ending, or the machine has no more threads
        return Outcome(fault=Fault(FaultKind.MISUSE, "no thread could be started", sent=False))
    try:
        result = results.get(timeout=time_s)
    except queue.Empty:
        return out_of_time(time_s, line.hang_up())
    except BaseException:  # KeyboardInterrupt
        line.hang_up()
        raise
    if isinstance(result, BaseException):
        raise result.with_traceback(None)  # such as KeyboardInterrupt: not ours to judge
    return result


def _talk(http_client: httpx.Client, outgoing: Outgoing, time_s: float, line: Line, intake: Intake) -> Outcome:
    try:
        request = http_client.build_request(**outgoing.build_options(time_s, line.observe))
        response = http_client.send(request, **outgoing.send_options())
    except Exception as error:  # noqa: BLE001 - every failure becomes data, those of a caller's transport too
        return Outcome(fault=fault_of(error, line.sent))
    fault = intake.refuse(response.headers)
    try:
        for piece in () if fault else response.iter_bytes():
            fault = intake.add(piece)
            if fault:
                break
    except Exception as error:  # noqa: BLE001 - as above
        fault = fault_of(error, sent=True)
    with contextlib.suppress(Exception):  # the body is in, or lost: closing changes neither
        response.close()
    return Outcome(response.status_code, response.headers, intake.body, fault)
