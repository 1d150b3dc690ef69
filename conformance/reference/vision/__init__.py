"""Trained detection: from photographs of what is normal to a model that says what is not, and where."""
