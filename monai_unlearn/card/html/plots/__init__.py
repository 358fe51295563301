"""Plots as inline SVG: drawn in percent of the width, they fit a phone without scaling their text."""
