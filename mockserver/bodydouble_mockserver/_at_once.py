"""An answer in one write, head and body together, on uvicorn's own connection.

uvicorn looks at every header of an answer, because it does not know where the answer comes from; those of a usual one were made here. This is bound
to `RequestResponseCycle` of uvicorn: whatever is not as expected goes the usual way, and a test holds the two ways to the same bytes.
"""

import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bodydouble_mockserver._wire import Answer, Send, head_of, send_answer

__all__ = ["send_at_once"]

# Larger bodies are not worth a copy.
_MOST_BYTES = 64 * 1024


async def send_at_once(send: Send, answer: Answer) -> None:
    """Send a usual answer, which says nothing of the connection itself, to a request that is no HEAD."""
    cycle: Any = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle or len(answer.body) > _MOST_BYTES or not _is_ready(cycle):
        await send_answer(send, answer)
        return
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(head_of(answer, len(answer.body), cycle.default_headers) + answer.body)
    cycle.message_event.set()
    cycle.on_response()


def _is_ready(cycle: Any) -> bool:
    """Whether the answer may be written as it is: a connection that stays open, nothing sent yet, nothing to log or to wait for."""
    try:
        return (
            cycle.keep_alive
            and not cycle.response_started
            and not cycle.response_complete
            and not cycle.disconnected
            and not (cycle.access_log and cycle.access_logger.isEnabledFor(logging.INFO))
            and not cycle.flow.write_paused
            and all(hasattr(cycle, name) for name in _NEEDED)
        )
    except AttributeError:
        return False


_NEEDED = ("default_headers", "message_event", "on_response", "transport", "waiting_for_100_continue")
