"""Money: reserved before a call, settled after it, for a run, a key or a day."""

from bodydouble_contract_tests.spending.budget import Budget, Reservation
from bodydouble_contract_tests.spending.cap import Hold, SpendingCap
from bodydouble_contract_tests.spending.ledger import DayLedger, default_ledger

__all__ = ["Budget", "DayLedger", "Hold", "Reservation", "SpendingCap", "default_ledger"]
