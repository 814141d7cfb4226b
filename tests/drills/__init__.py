"""Drills: real daemons that are killed on purpose, and what is counted afterwards. `scripts/drills` runs them."""
