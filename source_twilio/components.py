"""The classes that manifest.yaml names: each does what YAML cannot say, and says why.

"BEHAVIOR n" refers to the numbered entry of BEHAVIOR.md that gives the fact and its source.
"""

import gc

from source_twilio.accounts import AccountsRetriever
from source_twilio.credentials import TwilioAuthenticator
from source_twilio.network import TwilioErrorHandler
from source_twilio.retriever import TwilioRetriever
from source_twilio.rows import PageExtractor, UpdatedSince, WireNormalization
from source_twilio.settings import SettingsTransformation
from source_twilio.state import AccountStateMigration
from source_twilio.windowed import WindowedRetriever
from source_twilio.windows import ListsRouter

__all__ = [
    "AccountStateMigration",
    "AccountsRetriever",
    "ListsRouter",
    "PageExtractor",
    "SettingsTransformation",
    "TwilioAuthenticator",
    "TwilioErrorHandler",
    "TwilioRetriever",
    "UpdatedSince",
    "WindowedRetriever",
    "WireNormalization",
]

# Records come and go by the thousand and form no cycles: looking for some at each 700 objects takes
# a tenth of the CPU time of a sync. Every runtime imports this file.
gc.set_threshold(20_000, 20, 20)
