"""Whether this process draws for a browser: textual-serve starts it with its own driver, on pipes."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "TEXTUAL_DRIVER"
"""Names the driver class for Textual; textual-serve sets it for the processes it starts."""


def is_in_browser() -> bool:
    """Tell whether the dashboard goes to a browser, and not to a terminal."""
    return os.environ.get(VARIABLE, "").endswith(":WebDriver")
