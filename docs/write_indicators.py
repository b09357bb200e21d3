"""Write docs/indicators.md anew: run it as `python docs/write_indicators.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conditions.indicators.pages import indicator_pages  # found by the path above

if __name__ == "__main__":
    Path(__file__).with_name("indicators.md").write_text(indicator_pages(), encoding="utf-8")
