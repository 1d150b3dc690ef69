"""Certification: requirements, challenges, signatures, and the certificates that come of them."""
