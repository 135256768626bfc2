"""Voice-guided meditation audio: a written practice goes in, a finished recording comes out."""

__version__ = "0.1.0"
