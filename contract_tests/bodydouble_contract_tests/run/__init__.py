"""A verification run: the calls, their budget and charges, the recording and the results."""

from bodydouble_contract_tests.run.baseline import with_baseline
from bodydouble_contract_tests.run.budget import plan_verification
from bodydouble_contract_tests.run.charges import NO_CHARGE, Charge, charge_of
from bodydouble_contract_tests.run.recorded_pictures import RecordedPictures
from bodydouble_contract_tests.run.recording_age import age_findings
from bodydouble_contract_tests.run.redaction import Redaction
from bodydouble_contract_tests.run.replay import check_exchanges, exchanges_of, pictures_of, verify_recording
from bodydouble_contract_tests.run.runner import VerifyOptions, verify

__all__ = [
    "NO_CHARGE",
    "Charge",
    "RecordedPictures",
    "Redaction",
    "VerifyOptions",
    "age_findings",
    "charge_of",
    "check_exchanges",
    "exchanges_of",
    "pictures_of",
    "plan_verification",
    "verify",
    "verify_recording",
    "with_baseline",
]
