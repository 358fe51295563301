"""Predicates as one DuckDB statement over an index, and its answers."""
