"""From a practice file to a session: parse, fill, and what they are made of."""
