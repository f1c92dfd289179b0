"""Takes the README's picture of the report, of the demo's data: `python -m dev.docs.picture`.

`make demo` writes the data. Chromium takes the picture.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from twilio_warehouse.query import DEMO_FILE
from twilio_warehouse.report import write_report

FILE = Path(__file__).parents[2] / "docs" / "report.png"
WIDTH, HEIGHT = 1160, 1010
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Write the picture."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        sys.exit("Chromium is not installed (Debian: apt install chromium).")
    with TemporaryDirectory() as folder:
        page, shot = Path(folder, "report.html"), Path(folder, "report.png")
        write_report(DEMO_FILE, page)
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--blink-settings=preferredColorScheme=1", f"--user-data-dir={folder}/profile"),
            *(f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}", page.as_uri()),
        ]
        subprocess.run(command, check=True, capture_output=True)
        # Few colours: a third of the size.
        Image.open(shot).convert("RGB").quantize(64).save(FILE, optimize=True)
    print(f"Wrote docs/{FILE.name} ({FILE.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
