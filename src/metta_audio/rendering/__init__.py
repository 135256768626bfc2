"""The whole flow: script → session → plan → rendering. The only place that knows the order."""
