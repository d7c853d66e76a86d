"""Options of one mock server."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bodydouble_mockserver.pictures import Render

__all__ = ["Images", "Settings"]


class Images(StrEnum):
    """The form in which pictures are returned: URLs, Base64 in the body, or both."""

    URL = "url"
    B64_JSON = "b64_json"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of one mock server.

    ``api_keys`` lists the accepted keys; when it is empty, any key that is not empty is accepted. ``require_key=False`` accepts calls without a key.
    A key that begins with ``refused_key_prefix`` is always refused, so that you can test how an app handles a 401 (a rule of this mock, not of the
    service; an empty prefix turns it off). ``expected_key`` is the key that an app under test should send; another one is accepted with a warning,
    as is a placeholder.
    ``dialect`` names the shape of success bodies: ``documented`` follows the contract's schema, another one a named example of the
    contract. ``public_url`` is the origin of picture URLs (default: the Host of the request), ``picture_host`` only their host (NAME or NAME:PORT), so that pictures are on another host than the API. ``pictures`` is a folder whose image files are
    served instead of drawn ones, cropped or padded to the documented size. ``render`` is the kind of the drawn ones. ``seed`` fixes pictures and ids from run to run. ``max_body_bytes`` is the largest request body,
    ``max_json_values`` and ``max_json_levels`` are the most values and levels of nesting in it (assumed: the service's limits are not known).
    ``max_head_bytes`` bounds the request line with the headers, and ``head_timeout_s`` the seconds until they are complete; ``idle_timeout_s`` is
    the time for which a client may stop sending a body or reading an answer. ``max_connections`` are served at once;
    ``max_control_bytes`` is the largest scenario that is sent. ``max_pending_bytes`` bounds the bodies of all requests that are being read.
    ``clock`` gives seconds since the epoch.

    ``latency_s`` is the range of seconds by which every answer is delayed, ``fail_rate`` the share of calls that fail. ``control`` opens the routes below
    ``/_bodydouble/``, for loopback Host names and ``control_hosts``, with ``control_key`` as bearer key when it is set. The journal keeps
    ``journal_entries`` calls in ``journal_bytes`` of memory, and appends them to ``journal_file``. Input pictures are kept in ``inputs_bytes`` of
    memory, and those beyond 4 MB in ``inputs_disk_bytes`` of a temporary folder.
    """

    api_keys: tuple[str, ...] = field(default=(), repr=False)
    require_key: bool = True
    expected_key: str | None = field(default=None, repr=False)
    refused_key_prefix: str = "invalid"
    dialect: str = "documented"
    images: Images = Images.URL
    public_url: str | None = None
    picture_host: str | None = None
    pictures: Path | None = None
    render: Render = Render.CARDS
    seed: int | None = None
    max_body_bytes: int = 32 * 1024 * 1024
    max_json_values: int = 100_000
    max_json_levels: int = 64
    max_head_bytes: int = 64 * 1024
    head_timeout_s: float = 10
    idle_timeout_s: float = 60
    max_connections: int = 1000
    max_control_bytes: int = 1024 * 1024
    max_pending_bytes: int = 512 * 1024 * 1024
    clock: Callable[[], float] = time.time
    latency_s: tuple[float, float] | None = None
    fail_rate: float = 0
    control: bool = True
    control_key: str | None = field(default=None, repr=False)
    control_hosts: tuple[str, ...] = ()
    journal_entries: int = 1000
    journal_bytes: int = 32 * 1024 * 1024
    inputs_bytes: int = 64 * 1024 * 1024
    inputs_disk_bytes: int = 512 * 1024 * 1024
    journal_file: Path | None = None
    log: bool = False

    def new_run(self) -> str:
        """Return the name of a run: eight digits, random or fixed by the seed."""
        return secrets.token_hex(4) if self.seed is None else f"{self.seed & 0xFFFFFFFF:08x}"

    def new_salt(self) -> bytes:
        """Return the salt of the hashes of keys: random, or fixed by the seed."""
        return secrets.token_bytes(16) if self.seed is None else b"%d" % self.seed

    def new_ids(self, process: int = 0) -> Callable[[], str]:
        """Return a function that gives request ids: they look like UUIDs, are unique in this process and fixed by the seed.

        With a seed, those of processes with different numbers differ.

        A random prefix and a counter cost a tenth of uuid4, which matters at this server's request rate.
        """
        number = secrets.randbits(64) if self.seed is None else (self.seed + (process << 32)) & (2**64 - 1)
        digits = f"{number:016x}"
        prefix = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[13:16]}-"
        counter = iter(range(1, 2**48))
        return lambda: f"{prefix}{next(counter):012x}"
