"""State of a mock server between calls, beside its journal: scripted answers, limits, and the random generator."""

import fnmatch
import hashlib
import math
import random
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from bodydouble_spec import Evidence, Finding, Operation, Severity
from bodydouble_spec.text import cut

from bodydouble_mockserver.answer import Cost, SuccessWriter
from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.directives import Directives
from bodydouble_mockserver.request import CheckedRequest, Refusal
from bodydouble_mockserver.scripting.matcher import MatchedRequest, Matcher
from bodydouble_mockserver.settings import Settings

__all__ = [
    "MAX_ANSWERS",
    "OUT_OF_CREDITS",
    "Account",
    "BadScenario",
    "Balance",
    "ExceededLimit",
    "Limits",
    "Scenario",
    "ScriptTarget",
    "ScriptedAnswer",
    "ServerState",
    "key_hash",
    "too_many_answers",
]

_MINUTE_S = 60.0
_MAX_KEYS = 10_000
_MAX_HASHES = 100
OUT_OF_CREDITS = Refusal(403, data={"kind": "err_insufficent_credits"})  # the vendor's spelling


@dataclass(frozen=True, slots=True)
class Limits:
    """``requests_per_minute``, the initial ``credits`` of each key (None: unlimited), and whether a 429 carries a Retry-After header.

    ``expires_after_s`` is the life of a picture's file, in seconds from the last answer with its URL (None: unlimited).
    """

    requests_per_minute: int | None = None
    retry_after: bool = False
    credits: int | None = None
    expires_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ExceededLimit:
    """A limit that a call exceeded: the refusal, and the seconds for the Retry-After header (None: no header)."""

    refusal: Refusal
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """The use of one key, by its short hash (empty without a key): calls in the last minute, credits spent, and left (None: unlimited)."""

    key: str
    calls: int
    spent: float
    left: float | None


class Account:
    """The calls and credits that each key has used. ``now`` is seconds since the epoch."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()
        self._spent: OrderedDict[str, float] = OrderedDict()

    def charge(self, key: str, cost: Cost, now: float) -> ExceededLimit | None:
        """Count a call and take its cost, or return the limit that it exceeds, in which case it costs nothing."""
        exceeded = self._count_call(key, now)
        if exceeded is not None:
            return exceeded
        credits_left = self.credits_left(key)
        needed = cost.credits or 0
        if credits_left is not None:
            if needed > credits_left:
                return ExceededLimit(OUT_OF_CREDITS)
            self._spent[key] = self._spent.pop(key, 0) + needed
            _forget_oldest(self._spent)
        return None

    def credits_left(self, key: str) -> float | None:
        """Return the credits that a key has left; None when they are unlimited."""
        return None if self.limits.credits is None else self.limits.credits - self._spent.get(key, 0)

    def balances(self, now: float) -> list["Balance"]:
        """Return what each key has used, the last used key first. Without limits nothing is counted."""
        keys = dict.fromkeys((*reversed(self._calls), *reversed(self._spent)))
        return [
            Balance(
                key,
                sum(time > now - _MINUTE_S for time in self._calls.get(key, ())),
                self._spent.get(key, 0),
                self.credits_left(key),
            )
            for key in keys
        ]

    def _count_call(self, key: str, now: float) -> ExceededLimit | None:
        most = self.limits.requests_per_minute
        if most is None:
            return None
        calls = self._calls.setdefault(key, deque())
        self._calls.move_to_end(key)
        _forget_oldest(self._calls)
        while calls and calls[0] <= now - _MINUTE_S:
            calls.popleft()
        if len(calls) >= most:
            wait_s = math.ceil(calls[0] + _MINUTE_S - now) if calls else math.ceil(_MINUTE_S)
            return ExceededLimit(Refusal(429), wait_s if self.limits.retry_after else None)
        calls.append(now)
        return None


def key_hash(key: bytes, salt: bytes) -> str:
    """Return eight hexadecimal digits that identify a key without revealing it."""
    return hashlib.sha256(salt + key).hexdigest()[:8] if key else ""


def _forget_oldest(items: "OrderedDict[str, Any]") -> None:
    while len(items) > _MAX_KEYS:
        items.popitem(last=False)


# The statuses of a busy upstream, none of them charged.
_FAILURE_CODES = (500, 502, 503, 504)
MAX_ANSWERS = 1000
_MAX_ERROR_CHARACTERS = 300
_PICTURES = "/generations/"


class BadScenario(ValueError):
    """A script that cannot be used; the message begins with the JSON pointer of the mistake."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or '/'}: {reason}")
        self.pointer = pointer


def too_many_answers(stored: int) -> BadScenario:
    """Return the error of a scenario for which there is no room beside so many answers."""
    advice = f"{stored} are stored already; DELETE /_bodydouble/scenarios first"
    return BadScenario("/answers", f"this must be a list of at most {MAX_ANSWERS} answers ({advice})")


@dataclass(frozen=True, slots=True)
class ScriptTarget:
    """An operation that can be scripted, the writer of its answers, and the name of its contract where there are several."""

    operation: Operation
    writer: SuccessWriter
    contract: str | None = None

    @property
    def name(self) -> str:
        """The operation, with its contract where it has a name."""
        return self.operation.key if self.contract is None else f"{self.operation.key} ({self.contract})"


@dataclass(slots=True)
class ScriptedAnswer:
    """One answer of a script: its directives, the calls that it matches, and the number of uses (``times`` None: unlimited).

    ``targets`` are the operations that it is for (None: all); ``is_of_file`` marks one of the scenario file of the run, ``is_for_pictures`` one
    for the files of pictures. ``path`` is that of
    routes of no contract, with ``*`` for any characters. ``compute`` makes the answer to a request, and may raise any error.
    """

    id: str
    directives: Directives = field(default_factory=Directives)
    body: bytes | None = None
    content_type: bytes | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    times: int | None = 1
    matcher: Matcher | None = None
    source: Mapping[str, Any] = field(default_factory=dict[str, Any])
    used: int = 0
    targets: Sequence["ScriptTarget"] | None = None
    is_of_file: bool = False
    path: str | None = None
    compute: "Callable[[MatchedRequest], ScriptedAnswer] | None" = None
    is_for_pictures: bool = False

    @property
    def has_uses_left(self) -> bool:
        """True while the answer can be used again."""
        return self.times is None or self.used < self.times

    def is_for(self, operation: Operation | None, path: str) -> bool:
        """Return whether the answer is for an operation, or for a path of no contract."""
        if self.is_for_pictures:
            return False
        if operation is None or self.path is not None:
            return operation is None and self.path is not None and fnmatch.fnmatchcase(path, self.path)
        return self.targets is None or any(target.operation is operation for target in self.targets)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A validated script: answers in the order in which they are tried, and limits (None: unchanged).

    ``is_of_file`` marks that of the run's file.
    """

    answers: Sequence[ScriptedAnswer]
    limits: Limits | None = None
    is_of_file: bool = False


class ServerState:
    """The state of one server; all of it is bounded. Hashes of keys have the ``salt`` (default: that of the settings)."""

    def __init__(self, settings: Settings, salt: bytes | None = None) -> None:
        self._settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311 - chance failures, not secrets
        # An app sends the same key with every request.
        self._hash = lru_cache(maxsize=_MAX_HASHES)(partial(key_hash, salt=salt or settings.new_salt()))
        self._answers: list[ScriptedAnswer] = []
        self._account = Account(Limits())
        self._call_count = 0
        self._answer_count = 0
        self._update_flags(is_scripted=False, has_limits=False)

    def add(self, scenario: Scenario) -> Sequence[str]:
        """Append a scenario to the earlier ones, and return the ids of its answers; its limits replace the current ones.

        Raises BadScenario when there would be more than `MAX_ANSWERS` answers.
        """
        if len(self._answers) + len(scenario.answers) > MAX_ANSWERS:
            raise too_many_answers(len(self._answers))
        for answer in scenario.answers:
            self._answer_count += 1
            answer.id = f"answer-{self._answer_count}"
            self._answers.append(answer)
        if scenario.limits is not None:
            self._account = Account(scenario.limits)
        self._update_flags(is_scripted=bool(self._answers), has_limits=self.limits != Limits())
        return [answer.id for answer in scenario.answers]

    def rebind(self, bind: Callable[[ScriptedAnswer], ScriptedAnswer], file: Scenario | None) -> None:
        """Bind all answers anew. ``file`` is the new scenario of the run's file, which takes the place of the earlier one; None leaves that.

        Other limits than the current ones begin anew.
        """
        answers = [bind(answer) for answer in self.answers if file is None or not answer.is_of_file]
        self._replace(answers if file is None else (*file.answers, *answers), None if file is None else file.limits)

    def _replace(self, answers: Iterable[ScriptedAnswer], limits: Limits | None) -> None:
        self._answers = [*answers]
        for answer in self._answers:
            if not answer.id:
                self._answer_count += 1
                answer.id = f"answer-{self._answer_count}"
        if limits is not None and limits != self.limits:
            self._account = Account(limits)
        self._update_flags(is_scripted=bool(self._answers), has_limits=self.limits != Limits())

    def remove(self, identifiers: Container[str]) -> int:
        """Remove the answers with these ids and return their number; limits and balances stay."""
        kept = [answer for answer in self._answers if answer.id not in identifiers]
        removed = len(self._answers) - len(kept)
        self._replace(kept, None)
        return removed

    def balances(self) -> Sequence[Balance]:
        """Return what each key has used of the limits."""
        return self._account.balances(self._settings.clock())

    def _update_flags(self, *, is_scripted: bool, has_limits: bool) -> None:
        self.is_scripted = is_scripted
        self.has_foreign = any(answer.path is not None for answer in self._answers)
        self.has_limits = has_limits

    @property
    def answers(self) -> Sequence[ScriptedAnswer]:
        """The scripted answers, including those that are used up."""
        return tuple(self._answers)

    @property
    def limits(self) -> Limits:
        """The current limits."""
        return self._account.limits

    def clear(self) -> None:
        """Reset scripts, limits, balances and the number of calls."""
        self._answers = []
        self._account = Account(Limits())
        self._call_count = 0
        self._update_flags(is_scripted=False, has_limits=False)

    def next_scripted(
        self, scope: Scope, headers: Mapping[bytes, bytes], checked: CheckedRequest, operation: Operation | None
    ) -> ScriptedAnswer | None:
        """Return the first matching answer for an operation (None: a route of no contract) that has uses left, and count the use."""
        self._count_call()
        return self._first(scope, headers, checked, lambda answer: answer.is_for(operation, scope["path"]))

    def _count_call(self) -> None:
        self._call_count += 1

    def next_for_picture(
        self, scope: Scope, headers: Mapping[bytes, bytes], checked: CheckedRequest
    ) -> ScriptedAnswer | None:
        """Return the first matching answer for the file of a picture that has uses left, and count the use; the file is no call."""
        return self._first(scope, headers, checked, lambda answer: answer.is_for_pictures)

    def _first(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        checked: CheckedRequest,
        is_for: Callable[[ScriptedAnswer], bool],
    ) -> ScriptedAnswer | None:
        texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
        request = MatchedRequest(
            scope["method"], scope["path"], texts, checked.parsed, self.hash_key(checked.key), self._call_count
        )
        for answer in self._answers:
            if (
                answer.has_uses_left
                and is_for(answer)
                and (answer.matcher is None or answer.matcher.matches(request))
                and self._take(answer)
            ):
                return answer if answer.compute is None else _computed(answer, answer.compute, request, checked)
        return None

    def _take(self, answer: ScriptedAnswer) -> bool:
        """Count a use of an answer that has one left, and return whether it may be used."""
        answer.used += 1
        return True

    def is_foreign(self, path: str) -> bool:
        """Return whether a scripted answer that has uses left is for a path of no contract; pictures are the mock's own."""
        return (
            self.has_foreign
            and not path.startswith(_PICTURES)
            and any(answer.has_uses_left and answer.is_for(None, path) for answer in self._answers)
        )

    def charge(self, key: bytes, cost: Cost) -> ExceededLimit | None:
        """Charge a call that would succeed; return the limit that it exceeds, or None."""
        return self._account.charge(self.hash_key(key), cost, self._settings.clock())

    def credits_left(self, key: bytes) -> float | None:
        """Return the credits that a key has left; None when they are unlimited."""
        return self._account.credits_left(self.hash_key(key))

    def hash_key(self, key: bytes) -> str:
        """Return the short salted hash of a key."""
        return self._hash(key)

    def with_run_settings(self, directives: Directives, *, may_fail: bool = True) -> Directives:
        """Add the latency and random failures of the whole run where the call requests none itself."""
        settings = self._settings
        if (
            may_fail
            and settings.fail_rate
            and directives.code is None
            and directives.fault is None
            and self._random.random() < settings.fail_rate
        ):
            directives = directives.with_defaults(Directives(code=self._random.choice(_FAILURE_CODES)))
        if settings.latency_s is not None and directives.delay is None:
            directives = directives.with_defaults(Directives(delay=settings.latency_s))
        return directives

    def pick_delay(self, seconds: tuple[float, float]) -> float:
        """Pick a number of seconds from a range; the seed fixes the sequence."""
        return self._random.uniform(*seconds)


def _computed(
    answer: ScriptedAnswer,
    compute: "Callable[[MatchedRequest], ScriptedAnswer]",
    request: MatchedRequest,
    checked: CheckedRequest,
) -> ScriptedAnswer:
    """Return the answer that a function makes; its error is a finding, and the request is answered with 500."""
    try:
        return replace(compute(request), id=answer.id)
    except Exception as error:  # noqa: BLE001 - whatever the test's function raises fails the test, not the server
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = "" if isinstance(error, BadScenario) else f" ({Path(last.filename).name}, line {last.lineno})"
        what = cut(str(error), _MAX_ERROR_CHARACTERS)
        text = f"the function that scripts the answer raised {type(error).__name__}: {what}{where}"
        finding = Finding("answer-function-failed", Severity.ERROR, Evidence.OBSERVED, "", text, direction="request")
        checked.findings = [*checked.findings, finding]
        return ScriptedAnswer(answer.id, Directives(code=500))
