"""Everything that is heard and is not a voice, and the mix of both."""
