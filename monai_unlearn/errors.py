"""The errors of this package, under one root, each mapped to an exit code.

A message says what was expected, what was received, where, and what to do. It never contains a value of a patient: logs
travel further than data.
"""

from __future__ import annotations

import difflib
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """The exit code of a command; scripts branch on it."""

    DONE = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    NOT_ACCEPTED = 3


class UnlearnError(Exception):
    """Root of the package's errors."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED


class InputError(UnlearnError):
    """An input cannot be used; the caller can fix it."""

    exit_code = ExitCode.BAD_INPUT


class SpecError(InputError):
    """A cohort spec is not valid: YAML, schema, predicate or field.

    Args:
        message: All faults, as users see them.
        faults: The same one by one, each a `Fault` of the spec language; empty where there is a message only.
    """

    def __init__(self, message: str, *, faults: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class CohortError(InputError):
    """A valid spec resolves to a cohort that must not be used: it is empty, or not what `expect` says."""


class IndexReadError(InputError):
    """An image index is missing, incomplete or of another version, or its sources cannot be read."""


class NotAccepted(UnlearnError):  # noqa: N818 - not a fault: the run is done, but its result is not good enough
    """A run is done and its results are written, but its verdict does not promote the revised bundle.

    `Revision.run` raises it.
    """

    exit_code = ExitCode.NOT_ACCEPTED


class ArchiveError(InputError):
    """An image archive cannot be reached, refuses a request, or answers with something else than was asked for."""


class DataError(InputError):
    """Images, labels or splits do not fit the bundle."""


class ConfigError(InputError):
    """A bundle, a config value or a checkpoint cannot be used as given."""


class TrainingError(UnlearnError):
    """The optimisation failed: a loss or a weight stopped being finite."""


def is_interrupt(error: BaseException | None) -> bool:
    """Return whether an error is an interrupt, or what a library in C made of one while it was imported.

    pybind11 raises an `ImportError` from whatever stops a module's initialisation.

    >>> is_interrupt(KeyboardInterrupt()), is_interrupt(ImportError())
    (True, False)
    """
    while isinstance(error, ImportError) and error.__cause__ is not None:
        error = error.__cause__
    return isinstance(error, KeyboardInterrupt)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that this one is most likely a misspelling of, or None."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest of the known words, or an empty string."""
    found = nearest(word, known)
    return f" Did you mean '{found}'?" if found else ""


def check_choice(word: object, choices: Iterable[str], *, name: str, error: type[UnlearnError] = ConfigError) -> None:
    """Refuse a word that is not one of the choices.

    Args:
        word: The word to check.
        choices: The allowed words.
        name: The name of the setting in the message, such as `objective`.
        error: The error to raise.

    Raises:
        UnlearnError: The word is not one of the choices; the message lists them and suggests the nearest one.

    >>> check_choice("eras", ("erase", "match"), name="objective")
    Traceback (most recent call last):
    ...
    monai_unlearn.errors.ConfigError: objective: expected one of erase, match, got 'eras'. Did you mean 'erase'?
    """
    known = tuple(choices)
    if word not in known:
        hint = did_you_mean(str(word), known)
        raise error(f"{name}: expected one of {', '.join(known)}, got '{word}'.{hint}")
