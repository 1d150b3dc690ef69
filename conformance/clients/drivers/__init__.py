"""Programs that each drive one client, in the client's own language. The suite starts them and never imports them.

A driver reads a job from standard input: ``{"seconds", "region", "scenarios": [{"id", "endpoint", "project",
"version", "content_type", "body"}]}``, where ``body`` is the path of a file. It prints JSON lines: first
``{"hello": name and version}`` once the client is loaded, then one for each scenario, either with ``members``, what is
in the result and of which type, or with ``error``, what was raised. It decides nothing.
"""
