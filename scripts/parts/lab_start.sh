# shellcheck shell=bash
# Sourced by scripts/lab: starts the lab's namespaces, enters them, ends them.
# The lab is one process tree under one "pid 1". Its mounts, network and processes belong to its own namespaces, so
# the machine sees none of them and they all end with that one process.

LAB_HOLDER=$LAB_DIR/holder # "pid starttime" of pid 1, as the machine counts

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# Prints the lab's pid 1 when it runs. The start time tells it from a later process with the same number.
lab_pid() {
    local pid started
    read -r pid started 2>/dev/null <"$LAB_HOLDER" || return 1
    [[ -n $started && $(start_time "$pid") == "$started" ]] && echo "$pid"
}

start_namespaces() {
    local parent pid=
    say "starting the lab's namespaces"
    copy_certificates
    write_network_files
    rm -f "$LAB_DIR/alive"
    mkfifo "$LAB_DIR/alive"
    # Pid 1 keeps this pipe open for writing; slirp4netns reads it and leaves when pid 1 is gone.
    exec 8<>"$LAB_DIR/alive" # so that neither of them waits for the other
    setsid unshare --mount --pid --net --ipc --uts --fork --propagation slave \
        "$PARTS/lab_init.sh" "$LAB_DIR" </dev/null >>"$LAB_DIR/lab.log" 2>&1 7>"$LAB_DIR/alive" 8<&- 9>&- &
    parent=$!
    for _ in {1..200}; do
        read -r pid 2>/dev/null <"/proc/$parent/task/$parent/children" || true
        [[ -n $pid && -e /proc/$pid/root/run/lab-up ]] && break
        kill -0 "$parent" 2>/dev/null || break
        sleep 0.05
    done
    [[ -n $pid && -e /proc/$pid/root/run/lab-up ]] || {
        tail -n 20 "$LAB_DIR/lab.log" >&2
        die "the lab did not start (log: $LAB_DIR/lab.log)"
    }
    start_network "$pid"
    exec 8<&-
    echo "$pid $(start_time "$pid")" >"$LAB_HOLDER"
}

# The lab's way out: user-mode networking, which needs nothing of the machine's routes or firewall.
start_network() {
    local ready=$LAB_DIR/network-ready
    rm -f "$ready"
    nsenter -t "$1" --net -- ip link set lo up
    setsid slirp4netns --configure --mtu=1400 --disable-host-loopback --exit-fd=7 --ready-fd=6 "$1" tap0 \
        </dev/null >>"$LAB_DIR/lab.log" 2>&1 6>"$ready" 7<"$LAB_DIR/alive" 8<&- 9>&- &
    for _ in {1..100}; do
        [[ -s $ready ]] && return 0
        sleep 0.05
    done
    tail -n 5 "$LAB_DIR/lab.log" >&2
    die "the lab's network did not start"
}

write_network_files() {
    local servers
    # A resolver on loopback is the machine's own and cannot be reached from the lab's network; slirp4netns forwards.
    servers=$(grep -hE '^nameserver' /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null | grep -vE ' (127\.|::1)' | sort -u | head -n 3) || true
    printf '%s\n' "${servers:-nameserver 10.0.2.3}" >"$LAB_ROOT/etc/resolv.conf"
    printf '127.0.0.1 localhost homelab-lab\n::1 localhost ip6-localhost\n' >"$LAB_ROOT/etc/hosts"
    echo homelab-lab >"$LAB_ROOT/etc/hostname"
}

# enter_lab DIRECTORY COMMAND...
# LAB_HOST_NET=1 is for the programs of scripts/run: they keep the machine's network and are ended by scripts/run.
enter_lab() {
    local pid dir=$1 spaces=(--mount --pid --ipc --uts --root) vars name tie=()
    shift
    pid=$(lab_pid) || die "the lab is not running"
    if [[ ! ${LAB_HOST_NET:-} ]]; then
        spaces+=(--net)
        tie=(setpriv --pdeathsig TERM) # when this shell is killed, what it runs inside does not stay behind
    fi
    vars=(
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}"
        "SSL_CERT_FILE=$CA_BUNDLE" "REQUESTS_CA_BUNDLE=$CA_BUNDLE" "CURL_CA_BUNDLE=$CA_BUNDLE" "GIT_SSL_CAINFO=$CA_BUNDLE" "PIP_CERT=$CA_BUNDLE" "NODE_EXTRA_CA_CERTS=$CA_BUNDLE"
        UV_CACHE_DIR=/var/cache/homelab-lab/uv PIP_CACHE_DIR=/var/cache/homelab-lab/pip UV_LINK_MODE=copy
        UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1
    )
    for name in CI NO_COLOR FORCE_COLOR COLUMNS PYTEST_ADDOPTS UV_PROJECT_ENVIRONMENT ${!HOMELAB_@}; do
        [[ -v $name && $name != HOMELAB_LAB_DIR ]] && vars+=("$name=${!name}")
    done
    nsenter -t "$pid" "${spaces[@]}" -- "${tie[@]}" env -i --chdir="$dir" "${vars[@]}" "$@" 9>&-
}

bind_checkout() {
    local pid
    pid=$(lab_pid)
    # shellcheck disable=SC2016 # the inner shell expands it
    nsenter -t "$pid" --mount --pid --root -- sh -ec '
        [ "$(stat -c %d:%i "$1" 2>/dev/null)" != "$(stat -c %d:%i "/.host$1")" ] || exit 0
        # another checkout stood at this path before and was deleted
        ! mountpoint -q "$1" || umount --lazy "$1"
        mkdir -p "$1" && mount --bind "/.host$1" "$1"' bind "$CHECKOUT"
}

stop_namespaces() {
    local pid
    pid=$(lab_pid) || return 0
    kill -KILL "$pid"
    for _ in {1..200}; do
        [[ -e /proc/$pid ]] || break
        sleep 0.05
    done
    rm -f "$LAB_HOLDER"
}
