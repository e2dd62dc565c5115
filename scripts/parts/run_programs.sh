# shellcheck shell=bash
# Sourced by scripts/run: starts, watches and ends the agent and Home Assistant. Each is a process group of its own, so
# that Ctrl-C reaches only scripts/run, which then ends them in order.

RUN_DIR=$CHECKOUT/.run
RUN_USER=homelab
declare -A groups=() # name -> process group

# "pid starttime" lines: the first is scripts/run itself, the others its programs.
claim_run_dir() {
    stop_leftovers
    rm -f "$RUN_DIR/summary"
    echo "$$ $(start_time $$)" >"$RUN_DIR/running"
}

running_pid() {
    local pid started
    read -r pid started 2>/dev/null <"$RUN_DIR/running" || return 1
    [[ -n $started && $(start_time "$pid") == "$started" ]] && echo "$pid"
}

gone() { ! kill -0 "$1" 2>/dev/null; }
wait_gone() { # wait_gone ID SECONDS
    local until=$((SECONDS + $2))
    until gone "$1"; do
        ((SECONDS < until)) || return 1
        sleep 0.1
    done
}

end_group() {
    kill -TERM -- "-$1" 2>/dev/null || return 0
    wait_gone "-$1" 30 || kill -KILL -- "-$1" 2>/dev/null || true
}

# Programs of a scripts/run that was killed and could not end them.
stop_leftovers() {
    local pid started
    running_pid >/dev/null && die "scripts/run is already starting here (scripts/run --stop ends it)"
    [[ -e $RUN_DIR/running ]] || return 0
    while read -r pid started; do
        [[ -n $started && $(start_time "$pid") == "$started" ]] && end_group "$pid"
    done <"$RUN_DIR/running"
    rm -f "$RUN_DIR/running" "$RUN_DIR/summary"
    [[ ! -e $RUN_DIR/sample-stack ]] || { find_engine && remove_sample_stack; }
}

stop_other() {
    local pid
    if pid=$(running_pid); then
        say "ending what runs"
        kill -TERM "$pid"
        wait_gone "$pid" 60 || die "process $pid does not end"
    fi
    stop_leftovers
}

clean_up() {
    local code=$?
    trap '' INT TERM HUP
    [[ -z ${sleeper:-} ]] || kill "$sleeper" 2>/dev/null || true
    rm -f "$RUN_DIR/summary" "$RUN_DIR/summary.new"
    ((code == 0 || code == 130 || code == 143)) || say "ending"
    local name
    for name in "Home Assistant" agent; do
        [[ -z ${groups[$name]:-} ]] || {
            say "ending the $name"
            end_group "${groups[$name]}"
        }
    done
    [[ ! -e $RUN_DIR/sample-stack ]] || {
        say "removing the sample stack"
        remove_sample_stack
    }
    rm -f "$RUN_DIR/running"
}

# The path of the engine's socket as the programs see it: in the lab's file system the machine's is under /.host.
socket_for_programs() {
    # shellcheck disable=SC2154 # "where" is found by scripts/run
    case $where:$ENGINE in
    lab:machine) echo "/.host$SOCKET" ;;
    lab:lab) echo /run/docker.sock ;;
    *) echo "$SOCKET" ;;
    esac
}

# Runs a program with the Python that was found, always in the machine's network, so that its ports are where the
# person looks for them.
run_here() {
    if [[ $where == lab ]]; then
        LAB_HOST_NET=1 enter_lab "$CHECKOUT" "$@"
    else
        (cd "$CHECKOUT" && exec "$@")
    fi
}

start_program() { # start_program NAME LOG COMMAND...
    local name=$1 log=$2
    shift 2
    set -m # gives it its own process group
    run_here "$@" </dev/null >"$log" 2>&1 &
    set +m
    groups[$name]=$!
    echo "$! $(start_time $!)" >>"$RUN_DIR/running"
}

free_port() { # free_port FIRST
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do ((port++)); done
    [[ $port == "$1" ]] || say "port $1 is taken, using $port"
    echo "$port"
}

agent_answers() { curl -s --max-time 2 -o /dev/null "http://127.0.0.1:$AGENT_PORT/api/v1/health"; }
token_works() {
    [[ -n $AGENT_TOKEN ]] && curl -sf --max-time 5 -o /dev/null -H "Authorization: Bearer $AGENT_TOKEN" "http://127.0.0.1:$AGENT_PORT/api/v1/info"
}

start_agent() {
    local agent=$CHECKOUT/addon/.venv/bin/homelab-agent data=$RUN_DIR/agent settings options=()
    [[ $ENGINE != demo ]] || data=$RUN_DIR/agent-demo options=(--demo)
    mkdir -p "$data"
    AGENT_PORT=$(free_port 8099)
    settings=("HOMELAB_DATA_DIR=$data" "HOMELAB_LISTEN=127.0.0.1:$AGENT_PORT")
    [[ $ENGINE == demo ]] || settings+=("HOMELAB_DOCKER_URL=unix://$(socket_for_programs)")
    say "starting the agent (log: .run/agent.log)"
    start_program agent "$RUN_DIR/agent.log" env "${settings[@]}" "$agent" serve "${options[@]}"
    wait_for_agent
    AGENT_TOKEN=$(cat "$data/.run-token" 2>/dev/null) || AGENT_TOKEN=
    token_works && return
    run_here env "${settings[@]}" "$agent" token revoke scripts-run >/dev/null 2>&1 || true # one whose secret was lost
    AGENT_TOKEN=$(run_here env "${settings[@]}" "$agent" token create --name scripts-run --scope admin | tail -n 1) || die "the agent made no token"
    (umask 077 && echo "$AGENT_TOKEN" >"$data/.run-token")
    token_works || die "the agent does not accept its own token (log: .run/agent.log)"
}

wait_for_agent() {
    local until=$((SECONDS + 60))
    until agent_answers; do
        gone "${groups[agent]}" && program_ended agent "$RUN_DIR/agent.log"
        ((SECONDS < until)) || die "the agent does not answer (log: .run/agent.log)"
        sleep 0.1
    done
}

program_ended() { # program_ended NAME LOG
    tail -n 20 "$2" >&2
    die "the $1 ended by itself (all of its log: ${2#"$CHECKOUT"/})"
}

start_home_assistant() {
    local ha=$RUN_DIR/ha log=$RUN_DIR/ha.log setup
    [[ $ENGINE != demo ]] || ha=$RUN_DIR/ha-demo
    HA_PORT=$(free_port 8123)
    home_assistant_tool prepare "$ha" "$HA_PORT"
    [[ -e $ha/.run-password ]] || (umask 077 && head -c 9 /dev/urandom | base64 | tr '+/' 'xy' >"$ha/.run-password")
    RUN_PASSWORD=$(cat "$ha/.run-password")
    say "starting Home Assistant (log: .run/ha.log)$([[ -d $ha/deps || -e $ha/.homelab-agent ]] || echo '; the first start takes longer')"
    start_program "Home Assistant" "$log" "$CHECKOUT/.venv-ha/bin/hass" --config "$ha" --skip-pip
    HOMELAB_RUN_USER=$RUN_USER HOMELAB_RUN_PASSWORD=$RUN_PASSWORD HOMELAB_RUN_TOKEN=$AGENT_TOKEN \
        home_assistant_tool connect "$ha" "$HA_PORT" "$AGENT_PORT" &
    setup=$!
    while ! gone "$setup"; do
        gone "${groups[Home Assistant]}" && program_ended "Home Assistant" "$log"
        sleep 0.2
    done
    wait "$setup" || die "Home Assistant could not be set up (log: .run/ha.log)"
}

home_assistant_tool() { run_here "$CHECKOUT/.venv-ha/bin/python" -m scripts.parts.home_assistant "$@"; }

watch_programs() {
    local name
    while true; do
        for name in "${!groups[@]}"; do
            gone "${groups[$name]}" && program_ended "$name" "$RUN_DIR/$([[ $name == agent ]] && echo agent || echo ha).log"
        done
        sleep 1 &
        sleeper=$!
        wait "$sleeper" || true # a signal ends a wait at once, but not a sleep
    done
}

# Starts this script again in the background and shows its progress until it is ready.
detach() {
    local pid shown
    rm -f "$RUN_DIR/summary"
    : >"$RUN_DIR/run.log" # it is there before anybody follows it
    RUN_DETACHED=1 setsid "$CHECKOUT/scripts/run" "$@" </dev/null >"$RUN_DIR/run.log" 2>&1 &
    pid=$!
    tail -n +1 --pid="$pid" -f "$RUN_DIR/run.log" >&2 &
    shown=$!
    until [[ -e $RUN_DIR/summary ]]; do
        gone "$pid" && wait "$shown" && exit 1
        sleep 0.1
    done
    kill "$shown" 2>/dev/null || true
    say "running in the background (scripts/run --stop ends it)"
    cat "$RUN_DIR/summary"
}
