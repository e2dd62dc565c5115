#!/bin/bash
# Installed in the lab as `lab-engine`: starts and stops the lab's Docker engine and its registry.
# usage: lab-engine start | stop | kill | status

set -euo pipefail
pidfile=/run/docker.pid
log=/var/log/dockerd.log

engine_answers() { curl -sf --max-time 2 --unix-socket /run/docker.sock http://docker/_ping >/dev/null 2>&1; }
registry_answers() { curl -sf --max-time 2 http://127.0.0.1:5000/v2/ >/dev/null 2>&1; }
engine_pid() {
    local pid
    pid=$(cat "$pidfile" 2>/dev/null) || return 1
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] && echo "$pid"
}

wait_for() { # wait_for SECONDS COMMAND...
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.05
    done
}
engine_gone() { ! engine_pid >/dev/null; }

start_engine() {
    # Not as `... || dockerd &`: the shell waiting there would keep our caller's output open.
    if ! engine_pid >/dev/null; then
        setsid nohup dockerd --host unix:///run/docker.sock </dev/null >>"$log" 2>&1 &
    fi
    wait_for 40 engine_answers || {
        tail -n 20 "$log" >&2
        echo "lab-engine: the Docker engine does not answer (log in the lab: $log)" >&2
        exit 1
    }
}

start_registry() {
    registry_answers && return
    cat >/run/registry.yml <<'CONFIG'
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: /var/lib/docker-registry}, delete: {enabled: true}}
http: {addr: "127.0.0.1:5000"}
CONFIG
    setsid nohup docker-registry serve /run/registry.yml </dev/null >>/var/log/docker-registry.log 2>&1 &
    wait_for 20 registry_answers || echo "lab-engine: the registry does not answer (log in the lab: /var/log/docker-registry.log)" >&2
}

stop_engine() { # stop_engine SIGNAL
    local pid
    pid=$(engine_pid) || return 0
    kill "-$1" "$pid"
    wait_for 60 engine_gone || {
        echo "lab-engine: the Docker engine does not end" >&2
        exit 1
    }
    # A killed engine leaves its file behind, and the next one would believe it.
    rm -f "$pidfile"
}

case ${1:-} in
start) start_engine && start_registry ;;
stop) stop_engine TERM ;;
kill) stop_engine KILL ;;
status) engine_answers && docker version --format 'Docker {{.Server.Version}}, API {{.Server.APIVersion}}' ;;
*)
    echo "usage: lab-engine start|stop|kill|status" >&2
    exit 2
    ;;
esac
