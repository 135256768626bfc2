"""When everything sounds: pace, place, chapters, captions. No sound is made here."""
