"""Predicates as one DuckDB statement over an index, and the answers for each of its rows."""
