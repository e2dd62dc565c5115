# shellcheck shell=bash
# Sourced by scripts/lab: makes the lab's Debian root. Two stages, each with a stamp written at its very end:
# "base" is built under another name and renamed, "packages" is an apt-get install that may be repeated.

LAB_ROOT=$LAB_DIR/root
LAB_LOG=$LAB_DIR/build.log
SUITE=forky
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt

# The Debian mirror this machine itself uses; other systems get Debian's own.
debian_mirror() {
    local found
    found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -nE 's/^(deb( \[[^]]*\])?|URIs:) +(https?:[^ ]+\/debian)\/?( .*)?$/\3/p' | head -n 1) || true
    echo "${found:-http://deb.debian.org/debian}"
}

lab_packages() { sed -E 's/#.*//; /^[[:space:]]*$/d' "$PARTS/lab-packages.txt"; }
base_recipe() { echo "1 $SUITE $(debian_mirror)"; }
packages_recipe() { echo 1 && lab_packages; }
recipe_hash() { "$1" | sha256sum | cut -c1-16; }
stage_done() { [[ $(cat "$LAB_ROOT/.lab-$1" 2>/dev/null) == "$(recipe_hash "$1_recipe")" ]]; }
mark_stage() { recipe_hash "$1_recipe" >"$LAB_ROOT/.lab-$1"; }

# Every ten seconds the last line of the log, so that a long step is seen to move.
show_progress() {
    local never
    exec {never}<> <(:) # nothing ever comes from here: a wait without a process of its own
    while true; do
        read -rt 10 -u "$never" || true
        say "  ... $(tail -n 1 "$LAB_LOG" | tr -cd '[:print:]' | cut -c1-70)"
    done
}

# Runs a long command with its output in the log; shows the log's end when it fails.
logged() {
    local ticker code=0
    show_progress 9>&- &
    ticker=$!
    "$@" >>"$LAB_LOG" 2>&1 9>&- || code=$?
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    ((code == 0)) && return
    tail -n 25 "$LAB_LOG" >&2
    die "this failed: $* (all of it: $LAB_LOG)"
}

need_host_tools() {
    local missing=()
    command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    command -v slirp4netns >/dev/null || missing+=(slirp4netns)
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "the lab needs these programs on the machine: ${missing[*]}"
    say "installing on this machine: ${missing[*]}"
    logged apt-get update
    logged env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

no_mounts_below() {
    ! grep -qE "^[^ ]+ $1(/| )" /proc/self/mounts || die "something is mounted below $1, so it is left alone; unmount it first"
}

remove_tree() {
    [[ -e $1 ]] || return 0
    no_mounts_below "$1"
    rm -rf --one-file-system "$1"
}

build_base() {
    need_host_tools
    say "making a Debian $SUITE root in $LAB_ROOT (about half a minute)"
    remove_tree "$LAB_ROOT.new"
    remove_tree "$LAB_ROOT"
    logged mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt=force-unsafe-io \
        --include=ca-certificates "$SUITE" "$LAB_ROOT.new" "$(debian_mirror)"
    # Packages must not start their services here, now or later.
    printf '#!/bin/sh\nexit 101\n' >"$LAB_ROOT.new/usr/sbin/policy-rc.d"
    chmod 755 "$LAB_ROOT.new/usr/sbin/policy-rc.d"
    mkdir -p "$LAB_ROOT.new/.host"
    echo "The lab of Homelab for Home Assistant" >"$LAB_ROOT.new$LAB_MARK"
    rm -rf "$LAB_ROOT"
    mv "$LAB_ROOT.new" "$LAB_ROOT"
    mark_stage base
}

# Runs inside the started lab, over its own network.
build_packages() {
    say "installing the lab's packages (about two minutes; log: $LAB_LOG)"
    local packages
    mapfile -t packages < <(lab_packages)
    logged enter_lab / sh -c 'apt-get update && dpkg --configure -a'
    logged enter_lab / env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
    logged enter_lab / apt-get clean
    # update-ca-certificates may just have rewritten the bundle with Debian's certificates only.
    copy_certificates
    say "installing uv from PyPI"
    logged enter_lab / sh -ec 'python3.14 -m venv /opt/uv && /opt/uv/bin/pip install -q uv && ln -sf /opt/uv/bin/uv /opt/uv/bin/uvx /usr/local/bin/'
    mark_stage packages
}

# Machines behind a company's or a provider's certificate authority keep it in this bundle.
copy_certificates() {
    [[ -r $CA_BUNDLE ]] || return 0
    mkdir -p "$LAB_ROOT/etc/ssl/certs"
    cmp -s "$CA_BUNDLE" "$LAB_ROOT$CA_BUNDLE" || cp "$CA_BUNDLE" "$LAB_ROOT$CA_BUNDLE"
}
