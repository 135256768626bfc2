"""What a finished file holds, whether its figures are as they should be, and what its record says of it."""

from metta_audio.inspection.measure import SCHEMA, Inspection, inspect
from metta_audio.inspection.ranges import RANGES, Breach, Range, judge
from metta_audio.inspection.record import Recorded, read_record, recorded

__all__ = [
    "RANGES", "SCHEMA", "Breach", "Inspection", "Range", "Recorded", "inspect", "judge", "read_record", "recorded",
]  # fmt: skip
