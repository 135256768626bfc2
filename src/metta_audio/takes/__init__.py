"""A person's own recordings of the lines of a script: the sheet to read from, import, checks, where they are kept."""
