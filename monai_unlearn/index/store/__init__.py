"""An index on disk: reading it, writing it, and the digest of its content."""
