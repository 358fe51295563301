"""The studio: look at a cohort, its evidence and its release in a browser. It calls what the commands call.

Nothing here decides or computes: a page asks the rooms below, and shows what they answer in the style of the card.
"""
