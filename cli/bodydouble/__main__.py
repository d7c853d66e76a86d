"""The entry point: it runs the command line and guarantees the exit codes.

0 means no findings, 1 findings at or above ``--fail-on``, 2 that the command could not run: bad usage, an unreadable document or an
unexpected exception. The last is never 1, because 1 says that something was examined.
"""

import errno
import gc
import io
import os
import sys

from bodydouble.console import one_line

__all__ = ["main"]

_INTERRUPTED = 130  # 128 + SIGINT, as in a shell
_TRACEBACK = "--traceback"
_NO_ROOM = (errno.ENOSPC, errno.EFBIG)


def main() -> None:
    """Run ``bodydouble`` with the arguments of the process, and end the process."""
    arguments = sys.argv[1:]
    # Arguments after `--` belong to another command.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, others = arguments[:end], arguments[end:]
    shows_traceback = _TRACEBACK in own or os.environ.get("BODYDOUBLE_TRACEBACK", "0") not in {"", "0"}
    try:
        # Imported here, so that Ctrl-C and a broken installation during the import also end with the right code.
        # Imports make no garbage; looking for it would take an eighth of the start. CommandGroup looks again.
        gc.disable()
        _write_all_of_it()
        from bodydouble.app import app

        app(args=[*(argument for argument in own if argument != _TRACEBACK), *others], prog_name="bodydouble")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except SystemExit as end:
        # Typer exits with 1 when a reader such as `head` has closed the pipe, which is no error.
        sys.exit(0 if isinstance(end.__context__, BrokenPipeError) else end.code)
    except Exception as error:  # noqa: BLE001 - the last resort: an exception must not end in exit code 1
        if shows_traceback:
            import traceback

            traceback.print_exc()
        reason = (
            one_line(f"{type(error).__name__}: {error}") + f" (this should not happen; {_TRACEBACK} shows where it did)"
        )
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            reason = f"the output cannot be written: {error.strerror}; free some space"
            # Python would try once more at the end, and exit with another code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stderr.write(f"bodydouble: {reason}\n")
        sys.exit(2)


def _write_all_of_it() -> None:
    """Give standard output a buffer where it has none (PYTHONUNBUFFERED): without one, what a full disk does not take is dropped in silence."""
    output = sys.stdout
    is_own = output is sys.__stdout__
    raw: object = getattr(output, "buffer", None)
    # A stand-in for it belongs to somebody else, who closes it.
    if is_own and isinstance(raw, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), output.encoding, output.errors, write_through=True)


if __name__ == "__main__":
    main()
