"""The predicate language: text to frozen nodes, nodes to text and to English. Needs no index."""
