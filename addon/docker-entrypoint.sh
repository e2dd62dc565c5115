#!/bin/sh
# Gives up root before the agent starts, where that is possible: the agent runs as the user "homelab" with the group of
# the Docker socket. It stays what it was started as when the container was started with --user, when the socket is for
# root alone, or when the container may not change users (cap_drop). Then it says so. With
# HOMELAB_RUN_AS=root it stays root too: what some parts of the machine tell, they tell root alone.
set -eu

socket=/var/run/docker.sock
case ${HOMELAB_DOCKER_URL:-} in
unix://*) socket=${HOMELAB_DOCKER_URL#unix://} ;;
esac

[ "$(id -u)" = 0 ] || exec "$@"

[ "${HOMELAB_RUN_AS:-}" != root ] || exec "$@"

groups=homelab
if [ -S "$socket" ]; then
    groups=homelab,$(stat -c %g "$socket")
fi
as_homelab="setpriv --reuid=homelab --regid=homelab --groups=$groups --inh-caps=-all --no-new-privs"

# shellcheck disable=SC2086 # the words of as_homelab are meant to be split
if ! $as_homelab true 2>/dev/null; then
    why="this container may not change users; start it with --user 8099:GROUP, GROUP being that of the Docker socket"
elif [ -S "$socket" ] && ! $as_homelab test -w "$socket"; then
    why="the Docker socket is for root alone"
elif ! chown -R homelab:homelab /data 2>/dev/null || ! $as_homelab test -w /data; then
    why="/data cannot be given to another user"
else
    # The user "homelab" may make nothing in the app's /ssl: the folder that its options name for certificates is made for it.
    for_certificates=$(sed -n 's|.*"certificates_dir": *"\(/ssl/[A-Za-z0-9_-]*\)".*|\1|p' /data/options.json 2>/dev/null) || true
    if [ -n "$for_certificates" ] && mkdir -m 0700 "$for_certificates" 2>/dev/null; then
        chown homelab:homelab "$for_certificates"
    fi
    exec $as_homelab "$@"
fi
echo "homelab-agent stays root: $why" >&2
exec "$@"
