"""The reference gone its own way: each variant keeps every MUST and takes a freedom that the documents leave."""

from __future__ import annotations

from conformance.reference.strains import Variant
from conformance.reference.variants import access, answers, conduct, errors, masks, requests, routes

VARIANTS: tuple[Variant, ...] = (
    *routes.VARIANTS,
    *requests.VARIANTS,
    *answers.VARIANTS,
    *masks.VARIANTS,
    *errors.VARIANTS,
    *conduct.VARIANTS,
    *access.VARIANTS,
)
