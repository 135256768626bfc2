"""``python -m metta_audio``."""

from metta_audio.cli import main

main()
