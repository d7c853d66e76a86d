"""``bodydouble serve``: run the mock server in the foreground."""

import os
import re
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from bodydouble_mockserver import BadScenario, Images, MockServer, Render, Settings, create_app, parse_seconds
from bodydouble_mockserver.keeping import KeepSettings
from bodydouble_mockserver.server import CannotServe
from bodydouble_spec import Contract, ContractError, SpecError, read_document

from bodydouble.console import new_app
from bodydouble.help_texts import Command
from bodydouble.options import (
    MAX_AGE_DAYS,
    ContractsOption,
    InterceptOption,
    MaxAgeOption,
    OverlayOption,
    ReplayIgnoreOption,
    ReplayOption,
    ScenarioModelOption,
    ScenarioOperationOption,
    for_operation,
    load_contracts,
)
from bodydouble.serving import Foreground, end_with_parent, print_banner

if TYPE_CHECKING:
    from bodydouble_mockserver.replay import ReplaySettings

    from bodydouble.commands.watch import WatchedFiles

__all__ = ["app"]

_ORIGIN = re.compile(r"https?://[^\s/?#@\\\x00-\x1f\x7f]+(/[^\s?#\x00-\x1f\x7f]*)?", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")

_KB, _MB = 1024, 1024 * 1024
_USUAL, _KEPT = Settings(), KeepSettings(Path())

app = new_app()


@app.command(cls=Command, epilog="bodydouble serve --port 8001 --latency 1..3 --fail-rate 0.1")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.", rich_help_panel="Server")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 picks a free one and prints it.", rich_help_panel="Server"
        ),
    ] = 8000,
    contract: ContractsOption = None,
    overlay: OverlayOption = None,
    seed: Annotated[
        int | None, typer.Option(help="Make pictures and ids the same in every run.", rich_help_panel="Answers")
    ] = None,
    api_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Accept only this key; repeatable. Default: any key that is not empty.",
            rich_help_panel="API keys",
        ),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Accept requests without a key.", rich_help_panel="API keys")
    ] = False,
    dialect: Annotated[
        str,
        typer.Option(
            help="Form of success answers: documented, or the name of an example in the contract (quick-example, observed-2026).",
            rich_help_panel="Answers",
        ),
    ] = _USUAL.dialect,
    images: Annotated[
        Images, typer.Option(help="Form of the pictures in the answers.", rich_help_panel="Answers")
    ] = _USUAL.images,
    public_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Origin of the picture URLs. Default: the Host header of the request.",
            rich_help_panel="Server",
        ),
    ] = None,
    picture_host: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:PORT]",
            help="Host of the picture URLs. Default: that of the request.",
            rich_help_panel="Pictures",
        ),
    ] = None,
    max_body_mb: Annotated[
        float, typer.Option(min=0.001, max=1024, help="Size limit of a request body, in MB.", rich_help_panel="Limits")
    ] = _USUAL.max_body_bytes // _MB,
    max_pending_mb: Annotated[
        float,
        typer.Option(
            min=0.001,
            help="Memory for the bodies that are being read, in MB; beyond it the answer is 503.",
            rich_help_panel="Limits",
        ),
    ] = _USUAL.max_pending_bytes // _MB,
    max_json_values: Annotated[
        int, typer.Option(min=1, help="Limit of JSON values or form fields in a body.", rich_help_panel="Limits")
    ] = _USUAL.max_json_values,
    max_json_levels: Annotated[
        int, typer.Option(min=1, max=200, help="Limit of levels of nesting in a body.", rich_help_panel="Limits")
    ] = _USUAL.max_json_levels,
    max_head_kb: Annotated[
        float,
        typer.Option(min=1, help="Size limit of a request line with its headers, in KiB.", rich_help_panel="Limits"),
    ] = _USUAL.max_head_bytes // _KB,
    head_timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Time for a client to send request line and headers.",
            rich_help_panel="Limits",
        ),
    ] = _USUAL.head_timeout_s,
    idle_timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Time in which a client may neither send nor read anything.",
            rich_help_panel="Limits",
        ),
    ] = _USUAL.idle_timeout_s,
    max_control_kb: Annotated[
        float, typer.Option(min=1, help="Size limit of a scenario that is sent, in KiB.", rich_help_panel="Limits")
    ] = _USUAL.max_control_bytes // _KB,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Connections at once; beyond it the answer is 503.", rich_help_panel="Limits")
    ] = _USUAL.max_connections,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Serve these image files instead of drawn pictures, cropped or padded to the documented size.",
            rich_help_panel="Pictures",
        ),
    ] = None,
    render: Annotated[
        Render,
        typer.Option(
            help="Kind of drawn pictures: cards of the inputs with the whole prompt, or demo, which looks like an edit.",
            rich_help_panel="Pictures",
        ),
    ] = _USUAL.render,
    latency: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS|LEAST..MOST",
            help="Delay of every answer, or a range to draw it from.",
            rich_help_panel="Answers",
        ),
    ] = None,
    fail_rate: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of requests that fail with 500, 502, 503 or 504.", rich_help_panel="Answers"
        ),
    ] = _USUAL.fail_rate,
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File with scripted answers and limits, JSON or YAML.", rich_help_panel="Answers"
        ),
    ] = None,
    operation: ScenarioOperationOption = None,
    model: ScenarioModelOption = None,
    intercept: InterceptOption = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Reload contracts, overlays and the scenario when their files change.",
            rich_help_panel="Server",
        ),
    ] = False,
    replay: ReplayOption = None,
    replay_only: Annotated[
        bool,
        typer.Option(
            "--replay-only",
            help="Refuse with 404 what was not recorded, and say what differs.",
            rich_help_panel="Recordings",
        ),
    ] = False,
    replay_ignore: ReplayIgnoreOption = None,
    replay_delays: Annotated[
        bool,
        typer.Option(
            "--replay-delays",
            help="Delay a recorded answer as long as the original took.",
            rich_help_panel="Recordings",
        ),
    ] = False,
    max_age_days: MaxAgeOption = MAX_AGE_DAYS,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep what pictures are drawn from in this folder, so that their URLs work after a restart.",
            rich_help_panel="Pictures",
        ),
    ] = None,
    keep_requests: Annotated[
        int,
        typer.Option(
            min=1, help="With --keep: number of requests whose pictures are kept.", rich_help_panel="Pictures"
        ),
    ] = _KEPT.max_recipes,
    keep_mb: Annotated[
        float, typer.Option(min=0, help="With --keep: size of all input files, in MB.", rich_help_panel="Pictures")
    ] = _KEPT.max_bytes // _MB,
    keep_days: Annotated[
        float,
        typer.Option(
            min=0, help="With --keep: days for which a picture is kept after its last use.", rich_help_panel="Pictures"
        ),
    ] = _KEPT.max_age_days,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="redis://HOST:PORT/N",
            rich_help_panel="Server",
            help="Share scripts, limits, pictures and the journal with other processes, in this Redis.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(min=1, max=64, rich_help_panel="Server", help="Number of processes; more than one needs --state."),
    ] = 1,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Append every exchange to this file, as JSON lines.",
            rich_help_panel="Journal and control",
        ),
    ] = None,
    journal_entries: Annotated[
        int, typer.Option(min=0, help="Number of exchanges kept in memory.", rich_help_panel="Journal and control")
    ] = _USUAL.journal_entries,
    journal_mb: Annotated[
        float, typer.Option(min=0, help="Memory for these exchanges, in MB.", rich_help_panel="Journal and control")
    ] = _USUAL.journal_bytes // _MB,
    inputs_mb: Annotated[
        float,
        typer.Option(min=0, help="Memory for the input pictures that are kept, in MB.", rich_help_panel="Pictures"),
    ] = _USUAL.inputs_bytes // _MB,
    inputs_disk_mb: Annotated[
        float,
        typer.Option(min=0, help="Temporary files for those larger than 4 MB, in MB.", rich_help_panel="Pictures"),
    ] = _USUAL.inputs_disk_bytes // _MB,
    no_control: Annotated[
        bool,
        typer.Option(
            "--no-control", help="Turn off the routes below /_bodydouble/.", rich_help_panel="Journal and control"
        ),
    ] = False,
    control_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Bearer key for the routes below /_bodydouble/.", rich_help_panel="Journal and control"
        ),
    ] = None,
    control_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Further Host name that may use /_bodydouble/, in addition to those of this machine; repeatable.",
            rich_help_panel="Journal and control",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM certificate, to serve HTTPS.", rich_help_panel="Server")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM key of the certificate.", rich_help_panel="Server")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print no banner and no line for each request.", rich_help_panel="Server")
    ] = False,
) -> None:
    """Run a mock server of the API; stop it with Ctrl-C."""
    _check_sharing(state, workers, keep)
    if "" in (api_key or ()):
        raise typer.BadParameter("a key must not be empty; --no-auth accepts calls without one", param_hint="--api-key")
    settings = Settings(
        api_keys=tuple(api_key or ()),
        require_key=not no_auth,
        dialect=dialect,
        images=images,
        public_url=_parse_origin(public_url),
        picture_host=_parse_host(picture_host),
        pictures=pictures,
        render=render,
        seed=seed,
        max_body_bytes=int(max_body_mb * _MB),
        max_pending_bytes=int(max_pending_mb * _MB),
        max_json_values=max_json_values,
        max_json_levels=max_json_levels,
        max_head_bytes=int(max_head_kb * _KB),
        head_timeout_s=head_timeout,
        idle_timeout_s=idle_timeout,
        max_connections=max_connections,
        max_control_bytes=int(max_control_kb * _KB),
        latency_s=_parse_latency(latency),
        fail_rate=fail_rate,
        control=not no_control,
        control_key=control_key,
        # The address that it listens on is this machine's, too.
        control_hosts=tuple(name.lower() for name in (*(control_host or ()), f"[{host}]" if ":" in host else host)),
        journal_entries=journal_entries,
        journal_bytes=int(journal_mb * _MB),
        inputs_bytes=int(inputs_mb * _MB),
        inputs_disk_bytes=int(inputs_disk_mb * _MB),
        journal_file=journal,
        log=not quiet,
    )
    load = partial(_load, contract, overlay, scenario, operation, model)
    try:
        files = _watched(contract, overlay, scenario) if watch else None
        contracts, script = load()
        recorded = _replay(replay, replay_ignore, is_only=replay_only, has_delays=replay_delays)
        kept = None if keep is None else KeepSettings(keep, keep_requests, int(keep_mb * _MB), keep_days)
        app = create_app(contracts, settings, recorded, kept, state)
        notices = [*app.memory_notices, *_recording_notices(app, recorded, max_age_days), *app.notices]
        if script is not None:
            app.play_file(script)
        if files is not None:
            files.watch(app, load)
        served = Foreground.bind(app, host, port, intercept=intercept, certificate=tls_cert, key=tls_key)
    except BadScenario as error:
        _exit_with_error(f"--scenario {scenario}: {error}")
    except (CannotServe, SpecError, ValueError) as error:
        _exit_with_error(str(error))
    banner = partial(print_banner, contracts, served.address, notices, has_page=not no_control)
    if workers == 1:
        served.run(banner, quiet=quiet)
    else:
        parent = os.getpid()

        def new_app() -> MockServer:
            try:
                one = create_app(contracts, settings, recorded, state=state)
            except ValueError as error:
                _exit_with_error(str(error))
            one.background.append(partial(end_with_parent, parent))
            if files is not None:
                files.watch(one, load)
            return one

        served.run_several(workers, new_app, banner, quiet=quiet)
    _report_losses(app)


def _replay(
    paths: list[Path] | None, ignored: list[str] | None, *, is_only: bool, has_delays: bool
) -> "ReplaySettings | None":
    """Return the options of the replay; None without one. Raises ValueError."""
    if not paths:
        return None
    # Imported here, so that a server without it starts sooner.
    from bodydouble_mockserver.replay import ReplaySettings

    from bodydouble.recordings import read_recordings

    return ReplaySettings(read_recordings(paths), tuple(ignored or ()), is_only, has_delays)


def _recording_notices(app: MockServer, replay: "ReplaySettings | None", max_age_days: float) -> list[str]:
    if replay is None or app.replay is None:
        return []
    from bodydouble.recordings import recording_notices

    library = app.replay.library
    count = f"{len(library)} recorded call{'' if len(library) == 1 else 's'}"
    otherwise = "any other gets a 404" if replay.is_only else "others are answered by the contract"
    wrong = recording_notices(replay.recordings, app.contracts, datetime.now(UTC), max_age_days, library.skipped)
    return [f"{count} of {', '.join(str(item.path) for item in replay.recordings)} are replayed; {otherwise}", *wrong]


def _check_sharing(state: str | None, workers: int, keep: Path | None) -> None:
    if workers > 1 and sys.platform == "win32":
        raise typer.BadParameter("this system cannot fork a process; start several servers", param_hint="--workers")
    if state is None:
        if workers > 1:
            raise typer.BadParameter(
                "each process would have scripts, limits and pictures of its own; name a Redis for all of them: --state redis://localhost:6379/0",
                param_hint="--workers",
            )
    elif keep is not None:
        raise typer.BadParameter(
            "a folder is that of one server; with --state, Redis has what pictures are drawn from, for a day after their last use: leave --keep out",
            param_hint="--keep",
        )


def _watched(contracts: list[str] | None, overlay: str | None, scenario: Path | None) -> "WatchedFiles":
    # Imported here, so that a server without it starts sooner.
    from bodydouble.commands.watch import WatchedFiles

    return WatchedFiles(contracts or (), overlay, scenario)


def _report_losses(app: MockServer) -> None:
    if problems := app.problems():
        _exit_with_error("; ".join(problems))


def _load(
    sources: list[str] | None, overlay: str | None, scenario: Path | None, operation: str | None, model: str | None
) -> tuple[list[Contract], Any]:
    """Load the contracts and the scenario, None without one. Raises SpecError."""
    contracts = load_contracts(sources, overlay)
    for loaded in contracts:
        if not loaded.operations:
            raise ContractError(f"{loaded.source}: {_first_error(loaded)}; it has no operation to serve")
    return contracts, None if scenario is None else for_operation(read_document(scenario), operation, model)


def _parse_latency(latency: str | None) -> tuple[float, float] | None:
    seconds = None if latency is None else parse_seconds(latency)
    if latency is not None and seconds is None:
        raise typer.BadParameter(f"{latency!r} is not a time; write seconds, as 2 or 30..60", param_hint="--latency")
    return seconds


def _parse_origin(url: str | None) -> str | None:
    if url is not None and not _ORIGIN.fullmatch(url):
        raise typer.BadParameter(f"{url!r} is not of the form http(s)://host:port", param_hint="--public-url")
    return None if url is None else url.rstrip("/")


def _parse_host(host: str | None) -> str | None:
    if host is not None and not _HOST.fullmatch(host):
        raise typer.BadParameter(f"{host!r} is not of the form NAME or NAME:PORT", param_hint="--picture-host")
    return host


def _exit_with_error(message: str) -> NoReturn:
    # In one line, whatever a file name or a parser's message contains.
    typer.echo(f"bodydouble serve: {' '.join(message.split())}", err=True)
    raise typer.Exit(2)


def _first_error(contract: Contract) -> str:
    return next((finding.message for finding in contract.findings), "the document is empty")
