"""Names that more than one file of the integration needs."""

import logging
from typing import Final

DOMAIN: Final = "homelab"
LOGGER = logging.getLogger(__package__)

CONF_FINGERPRINT: Final = "fingerprint"
