# shellcheck shell=bash
# Sourced by scripts/run: which Docker engine to use, and the sample stack on an empty one.

engine_answers() { [[ -S $1 ]] && curl -sf --max-time 3 --unix-socket "$1" http://docker/_ping >/dev/null 2>&1; }

# Sets ENGINE (machine, lab or demo) and SOCKET (its path as this machine sees it).
find_engine() {
    local socket=/var/run/docker.sock pid
    [[ ${DOCKER_HOST:-} != unix://* ]] || socket=${DOCKER_HOST#unix://}
    if engine_answers "$socket"; then
        ENGINE=machine SOCKET=$(realpath "$socket")
        return
    fi
    [[ ! -S $socket ]] || say "the Docker socket $socket does not answer this user (group docker, or sudo)"
    if ((EUID == 0)) && "$CHECKOUT/scripts/lab" true && pid=$(lab_pid); then
        ENGINE=lab SOCKET=/proc/$pid/root/run/docker.sock
        return
    fi
    say "no Docker engine found: showing the invented homelab"
    ENGINE=demo SOCKET=
}

# The docker command on the engine that was found.
engine_docker() {
    if [[ $ENGINE == lab ]]; then
        enter_lab "$CHECKOUT" docker "$@"
    else
        docker --host "unix://$SOCKET" "$@"
    fi
}

sample_stack() { engine_docker compose --progress quiet -f "$PARTS/sample-stack/compose.yaml" "$@"; }

start_sample_stack() {
    [[ $ENGINE != demo ]] || return 0
    if [[ -n $(curl -sf --unix-socket "$SOCKET" 'http://docker/containers/json?all=1&limit=1' | tr -d '[]\n ') ]]; then
        return 0
    fi
    say "the engine is empty: starting a sample stack of three containers"
    touch "$RUN_DIR/sample-stack"
    sample_stack up --detach >>"$RUN_DIR/run-parts.log" 2>&1 ||
        say "it did not start (docker compose missing, or its image out of reach); going on without"
}

remove_sample_stack() {
    [[ -e $RUN_DIR/sample-stack ]] || return 0
    sample_stack down --volumes --timeout 2 >>"$RUN_DIR/run-parts.log" 2>&1 || true
    rm -f "$RUN_DIR/sample-stack"
}
