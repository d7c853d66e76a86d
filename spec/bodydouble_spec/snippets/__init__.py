"""Requests as code to copy: curl commands, and Python with requests."""

from bodydouble_spec.snippets.curl import (
    FORM,
    MULTIPART,
    FormPart,
    curl_command,
    header_text,
    request_path,
    with_picture_file,
)
from bodydouble_spec.snippets.python import python_code
from bodydouble_spec.snippets.repetition import Repetition, as_curl, as_python

__all__ = [
    "FORM",
    "MULTIPART",
    "FormPart",
    "Repetition",
    "as_curl",
    "as_python",
    "curl_command",
    "header_text",
    "python_code",
    "request_path",
    "with_picture_file",
]
