"""Tables about images: reading them, joining them to images, and building an index from one alone."""
