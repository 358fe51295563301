"""Reading the listed files: new and changed ones from disk, the others from what earlier runs kept."""
