"""Bugs of other Twilio connectors, as edits that put them into a copy of this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bug:
    """An edit of one file: each `old` becomes `new`; at least one must occur."""

    name: str
    file: str
    old: str
    new: str

    def apply(self, package: Path) -> None:
        """Edit a copy of the package. A ValueError says that `old` does not occur."""
        path = package / self.file
        text = path.read_text("utf-8")
        if self.old not in text:
            raise ValueError(f"'{self.name}' no longer applies to {self.file}: {self.old}")
        path.write_text(text.replace(self.old, self.new), "utf-8")


M = "manifest.yaml"
BUGS = (
    Bug(
        "upper bound taken to include its day",
        "windowed.py",
        "overlap_hours: int = 48",
        "overlap_hours: int = 0",
    ),
    Bug("rows without a date not read", M, "nullable_date: true", "nullable_date: false"),
    Bug("calls filtered by EndTime", M, 'date_from: "StartTime>"', 'date_from: "EndTime>"'),
    Bug("no lookback", M, "config.get('lookback_window', 1440)", "0"),
    Bug("no settling", M, "settles: true", "settles: false"),
    Bug("conferences filtered by DateCreated", M, '"DateUpdated>"', '"DateCreated>"'),
    Bug("conferences without Status", M, "?Status={status}", ""),
    Bug("soft-deleted recordings not requested", M, "?IncludeSoftDeleted=true", ""),
    Bug("usage of parents with their children's", M, "?IncludeSubaccounts=false", ""),
    Bug("only the first page", M, "response.next_page_uri or", "None or"),
    Bug("participants keyed by conference", M, "[call_sid, conference_sid]", "[conference_sid]"),
    Bug(
        "auth_token replicated",
        "records.py",
        "            token = value.pop(key)\n",
        "            token = value[key]\n            break\n",
    ),
    Bug(
        "cursor of a refused account advances",
        "retriever.py",
        "            self._skip(stream_slice, refused.response)\n",
        "            self._skip(stream_slice, refused.response)\n"
        "            self._move_cursor(stream_slice)\n",
    ),
    Bug(
        "a truncated body taken for an empty page",
        "records.py",
        "        raise requests.exceptions.ContentDecodingError(",
        "        response.page = type('Empty', (dict,), {'pop': lambda *_: []})(end=0)\n"
        "        return\n"
        "        raise requests.exceptions.ContentDecodingError(",
    ),
    Bug(
        "media of one message per account",
        M,
        "primary_key: sid\n        resource: Messages/{message_sid}/Media",
        "primary_key: account_sid\n        resource: Messages/{message_sid}/Media",
    ),
    Bug(
        "alerts of the main account only",
        "accounts.py",
        'not self.config.get("subaccount_product_data", True)',
        "True",
    ),
    Bug(
        "alerts of every account read with the main token",
        "auth.py",
        'if host.startswith("api.") or account in',
        "if True or account in",
    ),
    Bug(
        "price as float of fewer digits",
        "records.py",
        "        short = float(text)\n",
        "        short = round(float(text), 2)\n        return short\n",
    ),
    Bug(
        "complete ranges that were not read again",
        "windowed.py",
        'since = max(stream_slice["start_time"], format_timestamp(shown))',
        'since = "2025-01-01T00:00:00Z"',
    ),
    Bug(
        "without the default Conversations service",
        "manifest.yaml",
        'condition: "{{ record.default_chat_service_sid }}"',
        'condition: "{{ false }}"',
    ),
)
