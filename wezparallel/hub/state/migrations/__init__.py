"""Numbered steps of the schema: `0001_first.sql`, or `.py` with `migrate(connection)`. Once released, frozen."""
