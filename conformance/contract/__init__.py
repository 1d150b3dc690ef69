"""The contract: the clauses, the document that carries them, and what a request is by both."""
