"""Live pages: the events of runs, fanned out to all who watch."""
