"""All providers that the suite tries."""

from tests.contract.dns_providers.real_servers import REAL_SERVERS
from tests.contract.dns_providers.small_servers import SMALL_SERVERS

SUBJECTS = (*REAL_SERVERS, *SMALL_SERVERS)
