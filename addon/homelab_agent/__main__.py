"""`python -m homelab_agent` is `homelab-agent`."""

import sys

from homelab_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
