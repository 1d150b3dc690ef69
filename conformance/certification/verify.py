"""Whether a bundle may be believed: nothing in it is, until it was looked at again.

The signature is checked, and every digest; the evidence is judged anew, and what was written must be what it says; the
requests in it must be those that its seeds lead to. Every check refuses for a reason of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from conformance.certification import bundle, page, paper, substance
from conformance.certification.bundle import Bundle, Unreadable
from conformance.certification.inspection import Inspection
from conformance.certification.keys import Key
from conformance.certification.refusal import Reason, Refused
from conformance.mistake import OperatorMistake
from conformance.report.visible import visible

_CHECKS: tuple[Callable[[Inspection], None], ...] = (
    paper.signature,
    paper.form,
    paper.freshness,
    paper.requirements,
    paper.contract,
    paper.suite,
    paper.files,
    paper.subject,
    paper.seeds,
    substance.evidence,
    substance.inputs,
    substance.reports,
    substance.steadiness,
    substance.conduct_for_all,
    substance.demands,
    substance.challenged,
    substance.outcomes,
    substance.test_result,
    paper.countersignature,
)
"""In this order: what is cheap and tells most comes first."""


@dataclass(frozen=True)
class Verified:
    """A bundle that may be believed, as far as it goes."""

    statement: Mapping[str, Any]
    key_id: str
    stamps: tuple[str, ...] = ()
    """What whoever believes it has to know: what it does not prove."""


def verify(folder: Path, keys: Mapping[str, Key] | None, now: datetime) -> Verified:
    """Look at everything in a bundle again. Raises Refused at the first thing that is wrong.

    ``keys`` are those that the verifier trusts, by key id; without them the bundle's own key is taken at its word.
    """
    found = Inspection(Bundle(folder), {}, now, trusted=keys is not None)
    try:
        found.keys = paper.own_key(found.bundle) if keys is None else keys
        for check in _CHECKS:
            check(found)
    except Unreadable as error:
        raise Refused(Reason.UNREADABLE, str(error)) from None
    except OperatorMistake as mistake:
        raise Refused(Reason.UNREADABLE, visible(str(mistake))) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        # what holds a signature may still be nonsense, in more ways than can be foreseen
        said = f"something in it is not of the right kind: {visible(repr(error), 200)}"
        raise Refused(Reason.UNREADABLE, said) from None
    return Verified(found.statement, found.key_id, tuple(_stamps(found)))


def _stamps(found: Inspection) -> Iterator[str]:
    yield from page.limits(found.predicate)
    if why := substance.underivable(found):
        yield f"inputs not derived: {why}"
    if found.countersigned:
        yield found.countersigned
    if not found.trusted:
        if bundle.CHALLENGE in found.predicate["files"]:
            yield "unchecked challenge: whose keys signed it was not looked at, so it may be the vendor's own"
        yield "nobody vouches for the key: it is the one that came with the bundle"
