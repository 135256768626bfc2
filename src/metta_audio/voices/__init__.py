"""One module for each engine, found by the entry-point group ``metta_audio.voices``."""
