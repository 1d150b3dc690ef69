"""Strict readers of what is on the wire: they say what is wrong with bytes, and know no clause.

Every reader takes bytes, never raises because of them, and works in time linear in their number.
"""
