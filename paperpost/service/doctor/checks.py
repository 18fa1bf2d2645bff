"""What a check found: a name, how it stands, and one line that says what to do."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeAlias

from paperpost.service.failures import FAILURES

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `warn` is what may be meant so or could not be found out, `fail` what has to be
    put right."""

    name: str
    state: State
    detail: str


Examiner: TypeAlias = Callable[[], Iterable[Check]]


def ok(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name, "ok", detail)


def warn(name: str, detail: str) -> Check:
    """It works, or cannot be told."""
    return Check(name, "warn", detail)


def fail(name: str, detail: str) -> Check:
    """It does not work."""
    return Check(name, "fail", detail)


def gathered(named: Iterable[tuple[str, Examiner]], *, at_once: int) -> list[Check]:
    """What the examiners find, in their order; one that breaks is a failed check of its name."""
    with ThreadPoolExecutor(at_once) as pool:
        found = pool.map(lambda pair: _guarded(*pair), named)
        return [check for checks in found for check in checks]


def _guarded(name: str, examiner: Examiner) -> list[Check]:
    try:
        return list(examiner())
    except FAILURES as error:
        return [fail(name, str(error))]
    except Exception as error:  # whatever it is, the other checks are still of use
        return [fail(name, f"{type(error).__name__}: {error}")]
