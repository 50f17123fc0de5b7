"""Where a text can be, and who wrote it. What leads from one state to another: outbox.py, reports.py."""

from enum import StrEnum


class State(StrEnum):
    """Where a text is."""

    QUEUED = "queued"  # waits for its moment
    SUBMITTING = "submitting"  # being handed to a gateway at this moment
    ACCEPTED = "accepted"  # the gateway has it
    DELIVERED = "delivered"  # the handset confirmed it
    UNDELIVERED = "undelivered"  # the network says that the handset never got it
    FAILED = "failed"  # the number will never take it
    EXPIRED = "expired"  # its time was over before any gateway took it
    CANCELLED = "cancelled"  # no longer wanted
    SUPPRESSED = "suppressed"  # decided, not sent on purpose
    UNKNOWN = "unknown"  # it may or may not have gone out


class TextOf(StrEnum):
    """Who wrote a text, or what for."""

    MISSED = "missed"  # the automatic answer to a missed call, or to a form
    MANUAL = "manual"  # a person
    OPTED_OUT = "opted_out"  # the one confirmation of STOP: the only text that goes to a number that wants none
    OPTED_IN = "opted_in"  # the confirmation of START
    HELP = "help"  # the answer to HELP
    STAFF = "staff"  # what a caller wrote, handed on to the mobile of one of the staff
