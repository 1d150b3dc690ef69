"""The real AWS clients, driven against a target: what their users would get from it, typed or not, or in pieces."""
