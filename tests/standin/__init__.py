"""A stand-in for ImageNet and Flickr on 127.0.0.1: real HTTP and HTTPS, the same from the same seed.

It knows nothing of `scraper`: what it expects of each URL is worked out here, independently.
"""

from tests.standin.fates import DEFAULT_MIX, Expected, Fate, ListingFate
from tests.standin.http1 import Request
from tests.standin.ledger import Seen
from tests.standin.proxy import CompanyProxy
from tests.standin.replies import Throttle
from tests.standin.server import StandIn
from tests.standin.wire import Handler, Wire
from tests.standin.world import ClassSpec, World

__all__ = [
    "DEFAULT_MIX",
    "ClassSpec",
    "CompanyProxy",
    "Expected",
    "Fate",
    "Handler",
    "ListingFate",
    "Request",
    "Seen",
    "StandIn",
    "Throttle",
    "Wire",
    "World",
]
