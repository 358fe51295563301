"""The predicate language: text to frozen nodes, nodes to canonical text and to English. Needs no index."""
