"""What changes in Twilio between two syncs: rows are created, changed and deleted."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from dev.soak.streams import ALL_ROWS, Row
from sandbox import Sandbox

LOOKBACK = timedelta(days=2)
# How many days ahead messages are scheduled. Most are more than the lookback. Twilio allows 35.
SCHEDULED_DAYS = (1, 3, 5, 10, 20, 35)


@dataclass
class History:
    """What changes in Twilio between two syncs.

    Messages, calls and recordings change for `settle_days`, usage within the lookback. A conference
    that has not ended changes at any age. A scheduled message ends when it is due.
    """

    twilio: Sandbox
    rng: random.Random
    # The days for which rows change; 0 means as long as the lookback.
    settle_days: int = 14
    # When a scheduled message is due, by SID.
    due: dict[str, datetime] = field(default_factory=dict)
    # The account that Twilio refuses now, if any, and the number of steps so far.
    refused: str = ""
    refused_steps: int = 0

    def step(self) -> None:
        """Let some time pass in which rows are created, changed and deleted."""
        for _ in range(self.rng.randint(3, 12)):
            self.twilio.advance(timedelta(minutes=self.rng.choice([1, 7, 40, 180])))
            self._finish_scheduled()
            self._create(self.rng.choice(["messages", "calls", "recordings", "alerts"]))
            if self.rng.random() < 0.5:
                self._create("conferences")
            for stream in ("messages", "calls", "recordings", "conferences", "usage_records"):
                if self.rng.random() < 0.5:
                    self._change(stream)
        if self.rng.random() < 0.2:
            # No sync for some days.
            self.twilio.advance(timedelta(days=self.rng.randint(1, 4)))
        for stream in ("messages", "messages", "calls", "recordings"):
            if self.rng.random() < 0.4:
                self._delete(stream)
        if self.rng.random() < 0.3:
            self._rotate()
        if self.rng.random() < 0.1:
            self.twilio.add("accounts", self.twilio.accounts[0].sid)
        self._refuse()

    @property
    def _readable(self) -> list[str]:
        return [a.sid for a in self.twilio.accounts if a.status != "closed"]

    def _create(self, stream: str) -> None:
        account = self.rng.choice(self._readable)
        fields: Row = {}
        if stream == "messages" and self.rng.random() < 0.5:
            fields = {"status": "scheduled", "date_sent": None, "price": None}
        elif stream == "messages" and self.rng.random() < 0.5:
            fields = {"num_media": "1"}
        elif stream == "calls":
            status = self.rng.choice(["queued", "in-progress", "completed", "busy", "failed"])
            fields = {"status": status}
            if status in ("queued", "failed"):
                fields |= {"start_time": None, "end_time": None}
            elif status == "in-progress":
                fields |= {"end_time": None, "duration": None, "price": None}
        elif stream == "conferences":
            live: Row = {"reason_conference_ended": None, "call_sid_ending_conference": None}
            fields = {"status": self.rng.choice(["init", "in-progress", "in-progress"]), **live}
        elif stream == "alerts":
            late = timedelta(minutes=self.rng.randint(0, 90))
            fields = {"date_generated": self.twilio.now() - late}
        row = self.twilio.add(stream, account, **fields)
        if fields.get("status") == "scheduled":
            days = self.rng.choice(SCHEDULED_DAYS)
            self.due[row["sid"]] = self.twilio.now() + timedelta(days=days)
        if fields.get("num_media") == "1":
            self.twilio.add("message_media", account, parent=row["sid"], parent_sid=row["sid"])

    def _finish_scheduled(self) -> None:
        """End the scheduled messages that are due. Only a message that was sent gets a date."""
        now = self.twilio.now()
        for sid in [sid for sid, when in self.due.items() if when <= now]:
            del self.due[sid]
            sent: Row = {"status": "delivered", "date_sent": now, "price": "-0.00790"}
            failed: Row = {"status": "failed", "error_code": 30007}
            ends = (sent, failed, {"status": "canceled"})
            self.twilio.update("messages", sid, **self.rng.choice(ends))

    def _change(self, stream: str) -> None:
        """Change a row that can still change."""
        account = self.rng.choice(self._readable)
        now = self.twilio.now()
        rows = self.twilio.rows(stream, account, ALL_ROWS.get(stream, {}))
        age = timedelta(days=self.settle_days) or LOOKBACK
        if stream == "usage_records":
            since = (now - age + timedelta(days=1)).strftime("%Y-%m-%d")
            rows = [row for row in rows if row["start_date"] >= since]
        elif stream == "conferences":
            rows = [row for row in rows if row["status"] != "completed"]
        else:
            rows = [r for r in rows if now - parsedate_to_datetime(r["date_created"]) < age]
            rows = [row for row in rows if row["sid"] not in self.due]
        if not rows:
            return
        row = self.rng.choice(rows)
        if stream == "usage_records":
            key = f"{row['category']}:{row['start_date']}"
            if len([a for a in self._readable if self._has_usage(a, row)]) == 1:
                self.twilio.update(stream, key, count=str(self.rng.randint(1, 999)))
            return
        self.twilio.update(stream, row["sid"], **self._changed_fields(stream, row))

    def _has_usage(self, account: str, row: Row) -> bool:
        rows = self.twilio.rows("usage_records", account, ALL_ROWS["usage_records"])
        return any(
            (r["category"], r["start_date"]) == (row["category"], row["start_date"]) for r in rows
        )

    def _changed_fields(self, stream: str, row: Row) -> Row:
        now = self.twilio.now()
        price = f"-0.{self.rng.randint(1, 99999):05}"
        if stream == "messages":
            sent = {"date_sent": now} if row["date_sent"] is None else {}
            return {"status": "delivered", "price": price, **sent}
        if stream == "calls":
            started = {"start_time": now} if row["start_time"] is None else {}
            # A known end stays; duration and price change.
            ended = {"end_time": now} if row["end_time"] is None else {}
            billed = {"duration": str(self.rng.randint(1, 999)), "price": price}
            return {"status": "completed", **billed, **started, **ended}
        if stream == "conferences":
            if row["status"] == "init":
                return {"status": "in-progress"}
            return {"status": "completed", "reason_conference_ended": "last-participant-left"}
        status = self.rng.choice(["completed", "deleted"])
        return {"status": status, "price": price, "duration": str(self.rng.randint(1, 999))}

    def _delete(self, stream: str) -> None:
        account = self.rng.choice(self._readable)
        rows = self.twilio.rows(stream, account, ALL_ROWS.get(stream, {}))
        # Most rows are older than what a sync reads again.
        since = self.twilio.now() - timedelta(days=20)
        recent = [row for row in rows if parsedate_to_datetime(row["date_created"]) > since]
        if rows:
            sid = self.rng.choice(recent or rows)["sid"]
            self.twilio.delete(stream, sid)
            self.due.pop(sid, None)

    def _rotate(self) -> None:
        """Rotate the Auth Token of a subaccount. Account 1 keeps its own, which a case uses."""
        account = self.rng.choice(self.twilio.accounts[2:])
        self.twilio.update("accounts", account.sid, auth_token=f"{self.rng.getrandbits(128):032x}")

    def restore_access(self) -> None:
        """Give access to all accounts again."""
        if self.refused:
            self.twilio.restrict(self.refused, None)

    def _refuse(self) -> None:
        """Refuse a subaccount for longer than the lookback, then give access again."""
        if self.refused:
            self.twilio.advance(timedelta(days=1))
            self.refused_steps += 1
            if self.refused_steps > LOOKBACK.days + 1:
                self.twilio.restrict(self.refused, None)
                self.refused = ""
        elif self.rng.random() < 0.4:
            self.refused, self.refused_steps = self._readable[-1], 0
            self.twilio.restrict(self.refused, self.rng.choice([401, 403, 404]))
