"""Finished files: containers, tags and art."""
