# shellcheck shell=bash
# Sourced: finds Python 3.14 and uv where we are, and makes the three virtual environments.
#   agent  addon/.venv  the agent
#   root   .venv        the integration with the Home Assistant that its test harness pins; the tools of scripts/check
#   ha     .venv-ha     the newest Home Assistant, for scripts/run and the end-to-end tests

new_enough() { [[ -n $1 ]] && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 14, 2))' 2>/dev/null; }

# Sets PYTHON and UV, or fails. Downloads nothing unless "fetch" is given.
find_python() {
    PYTHON=$(command -v python3.14 || command -v python3 || true)
    UV=$(command -v uv || true)
    [[ -n $UV || ! -x $CHECKOUT/.run/uv/bin/uv ]] || UV=$CHECKOUT/.run/uv/bin/uv
    new_enough "$PYTHON" || PYTHON=
    if [[ -z $PYTHON && -n $UV ]]; then
        PYTHON=$("$UV" python find --no-project '>=3.14.2' 2>/dev/null) || PYTHON=
        if [[ -z $PYTHON && ${1:-} == fetch ]]; then
            say "getting Python 3.14 through uv"
            "$UV" python install 3.14 >&2 && PYTHON=$("$UV" python find --no-project '>=3.14.2')
        fi
    fi
    if [[ -n $PYTHON && -z $UV && ${1:-} == fetch ]]; then
        say "getting uv from PyPI"
        "$PYTHON" -m venv "$CHECKOUT/.run/uv" >&2 && "$CHECKOUT/.run/uv/bin/pip" install -q uv >&2 && UV=$CHECKOUT/.run/uv/bin/uv
    fi
    [[ -n $PYTHON && -n $UV ]]
}

venv_of() {
    case $1 in
    agent) echo "$CHECKOUT/addon/.venv" ;;
    root) echo "$CHECKOUT/.venv" ;;
    ha) echo "$CHECKOUT/.venv-ha" ;;
    *) die "there is no environment named $1 (agent, root, ha)" ;;
    esac
}

# An environment made in the lab is of no use outside and the other way round, so each says who made it.
made_here() { # made_here VENV
    local maker
    maker=$(in_lab && echo lab || echo "machine $PYTHON")
    [[ $(cat "$1/.made-by" 2>/dev/null) == "$maker" && -x $1/bin/python ]] && return
    if [[ -e $1 ]]; then
        [[ ! -e $CHECKOUT/.run/running ]] || die "scripts/run is using ${1#"$CHECKOUT"/}, made elsewhere: end it first (scripts/run --stop)"
        rm -rf --one-file-system "$1"
    fi
    mkdir -p "$1"
    "$UV" venv --quiet --allow-existing --python "$PYTHON" "$1"
    echo "$maker" >"$1/.made-by"
}

make_venv() { # make_venv agent|root|ha
    local venv groups=() project=$CHECKOUT
    venv=$(venv_of "$1")
    [[ $1 == agent ]] && project=$CHECKOUT/addon
    [[ $1 == ha ]] && groups=(--only-group e2e)
    # Two voice parts of Home Assistant have to be compiled, which the lab can; elsewhere it does without.
    [[ $1 == ha ]] && ! in_lab && groups+=(--no-install-package pymicro-vad --no-install-package pyspeex-noise)
    made_here "$venv"
    UV_PROJECT_ENVIRONMENT=$venv "$UV" sync --quiet --locked --project "$project" --python "$PYTHON" "${groups[@]}" ||
        die "the environment ${venv#"$CHECKOUT"/} could not be made"
}
