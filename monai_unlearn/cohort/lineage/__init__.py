"""What earlier revisions of a bundle forgot: counts and digests that travel, and hashes that stay with the images."""
