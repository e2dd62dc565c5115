# shellcheck shell=bash
# Sourced by every script: where things are, and how to talk to the person.

set -euo pipefail

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
PARTS=$CHECKOUT/scripts/parts
LAB_DIR=${HOMELAB_LAB_DIR:-/var/lib/homelab-lab}
LAB_MARK=/etc/homelab-lab # exists inside the lab only

say() { printf '\033[2m[%s]\033[0m %s\n' "${SAY_AS:-$(basename "$0")}" "$*" >&2; }
die() {
    printf '[%s] %s\n' "${SAY_AS:-$(basename "$0")}" "$*" >&2
    exit 1
}

in_lab() { [[ -e $LAB_MARK ]]; }
