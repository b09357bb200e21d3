"""Write what the documents take from the registries: run it as `python docs/write_reference.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conditions.indicators.pages import indicator_pages  # found by the path above
from conditions.tables import with_tables

if __name__ == "__main__":
    Path(__file__).with_name("indicators.md").write_text(indicator_pages(), encoding="utf-8")
    conditions = Path(__file__).with_name("conditions.md")
    written = with_tables(conditions.read_text(encoding="utf-8"))
    conditions.write_text(written, encoding="utf-8")
