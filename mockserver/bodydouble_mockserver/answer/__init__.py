"""Answers to valid requests: bodies made from the contract, their pictures, and deviations on demand."""

from bodydouble_mockserver.answer.gallery import Gallery, ServedImage
from bodydouble_mockserver.answer.headers import exposed_headers
from bodydouble_mockserver.answer.image_fields import Cost
from bodydouble_mockserver.answer.origin import picture_origin
from bodydouble_mockserver.answer.prepared import Unanswerable, check_answerable
from bodydouble_mockserver.answer.refusal import RefusalWriter, is_of_the_vendor
from bodydouble_mockserver.answer.success import SuccessWriter
from bodydouble_mockserver.answer.violations import Violation, violations

__all__ = [
    "Cost",
    "Gallery",
    "RefusalWriter",
    "ServedImage",
    "SuccessWriter",
    "Unanswerable",
    "Violation",
    "check_answerable",
    "exposed_headers",
    "is_of_the_vendor",
    "picture_origin",
    "violations",
]
