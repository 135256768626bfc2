"""The Voice port, and what happens to every clip whatever engine spoke it."""
