"""The entry point: runs the command line and sees to it that the exit code keeps its promise.

0 is fine, 1 are findings at or above ``--fail-on``, 2 is "could not run": bad usage, an unreadable document, and any exception
that nobody foresaw. It is never 1, because 1 says that something was examined.
"""

import os
import sys

from bodydouble._text import one_line

__all__ = ["main"]

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_TRACEBACK = "--traceback"


def main() -> None:
    """Run ``bodydouble`` with the arguments of the process, and end the process."""
    arguments = sys.argv[1:]
    # What stands behind `--` are the arguments of another command.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, others = arguments[:end], arguments[end:]
    shows_traceback = _TRACEBACK in own or os.environ.get("BODYDOUBLE_TRACEBACK", "0") not in {"", "0"}
    try:
        # Imported here, so that Ctrl-C and a broken installation end as promised from the first moment on.
        from bodydouble._app import app

        app(args=[*(argument for argument in own if argument != _TRACEBACK), *others], prog_name="bodydouble")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except SystemExit as end:
        # Typer ends with 1 when a reader such as `head` has gone; the reader had what it wanted.
        sys.exit(0 if isinstance(end.__context__, BrokenPipeError) else end.code)
    except Exception as error:  # noqa: BLE001 - the last resort: an exception must not end in exit code 1
        if shows_traceback:
            import traceback

            traceback.print_exc()
        reason = one_line(f"{type(error).__name__}: {error}")
        sys.stderr.write(f"bodydouble: {reason} (this should not happen; {_TRACEBACK} shows where it did)\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
