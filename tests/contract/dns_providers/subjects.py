"""All providers that the suite tries."""

from tests.contract.dns_providers.real_servers import REAL_SERVERS

SUBJECTS = (*REAL_SERVERS,)
