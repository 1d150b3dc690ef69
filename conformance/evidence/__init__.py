"""Everything that went over the wire in a run, kept so that it can be judged again without the target."""
