"""The phone numbers that Twilio offers, by country and type."""

from __future__ import annotations

from sandbox.data import Store
from sandbox.wire import snake

COUNTRIES = (
    ("US", "United States", ("Local", "TollFree")),
    ("GB", "United Kingdom", ("Local", "Mobile", "TollFree")),
    ("NO", "Norway", ("Local", "Mobile")),
    ("EE", "Estonia", ("Mobile",)),
)


def add_available_numbers(store: Store, account: str) -> None:
    """Add countries, and numbers of each type, to an account's lists."""
    base = f"/2010-04-01/Accounts/{account}/AvailablePhoneNumbers"
    for code, name, kinds in COUNTRIES:
        store.add(
            "available_phone_number_countries",
            account,
            0,
            country_code=code,
            country=name,
            beta=code == "EE",
            uri=f"{base}/{code}.json",
            subresource_uris={snake(kind): f"{base}/{code}/{kind}.json" for kind in kinds},
        )
        for kind in kinds:
            for _ in range(3):
                phone = f"+1415555{store.rng.randrange(10_000):04}"
                stream = f"available_phone_numbers_{snake(kind)}"
                names = {"phone_number": phone, "friendly_name": phone}
                store.add(stream, account, 0, code, **names)
