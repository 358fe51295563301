"""Tables beside the images: reading them, joining them to images, and an index made of one alone."""
