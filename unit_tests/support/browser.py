"""Opens a page in headless Chromium, at several widths, and says what is seen there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from dev.docs.picture import BROWSERS

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars"),
)
# Frames of some widths, since a window cannot be as narrow as a phone.
FRAMES = """<!DOCTYPE html><html><body><script>
const look = (width) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 800px; border: 0`;
  frame.onload = () => {
    const page = frame.contentDocument;
    page.querySelectorAll("details").forEach((one) => { one.open = true; });
    const style = (name, part) => {
      const found = page.querySelector(name);
      return found ? frame.contentWindow.getComputedStyle(found)[part] : null;
    };
    const cut = [...page.querySelectorAll(".scroll")].filter((t) => t.scrollWidth > t.clientWidth);
    const hinted = (table) => table.previousElementSibling?.matches(".hint")
      && table.previousElementSibling.clientHeight > 0;
    done({
      width,
      overflow: page.documentElement.scrollWidth - width,
      cut: cut.length,
      unannounced: cut.filter((table) => !hinted(table)).length,
      charts: [...page.querySelectorAll("svg")].filter((svg) => svg.clientHeight > 20).length,
      page: style("body", "backgroundColor"),
      ink: style("body", "color"),
      chart_ink: style("svg text", "fill"),
    });
  };
  frame.src = PAGE;
  document.body.append(frame);
});
onload = async () => {
  const seen = await Promise.all(WIDTHS.map(look));
  const result = document.createElement("pre");
  result.id = "seen";
  result.textContent = JSON.stringify(seen);
  document.body.replaceChildren(result);
};
</script></body></html>"""


def chromium() -> str:
    """Return the program of the browser; skip the test if there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        # CI installs it, so that this test cannot be left out unseen.
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("Chromium is not installed (Debian: apt install chromium)")
    return str(found)


def look(
    page: Path, widths: Sequence[int], dark: bool, folder: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is seen at each width, and what the page has written to the console.

    `overflow` is how many pixels the page is wider than its frame, `cut` how many tables are wider
    than theirs, and `unannounced` those of them without a visible hint. What its policy forbids it
    to load is written to the console.
    """
    frames = folder / "frames.html"
    script = FRAMES.replace("PAGE", json.dumps(page.as_uri()))
    frames.write_text(script.replace("WIDTHS", json.dumps(widths)), "utf-8")
    run = subprocess.run(
        [
            *(chromium(), *QUIET, f"--user-data-dir={folder / 'profile'}"),
            *("--allow-file-access-from-files", "--enable-logging=stderr", "--log-level=0"),
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            *("--virtual-time-budget=10000", "--dump-dom", frames.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="seen">(.*?)</pre>', run.stdout)
    assert found, run.stderr
    return json.loads(unescape(found[1])), re.findall(r".*CONSOLE.*", run.stderr)
