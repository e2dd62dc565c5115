#!/bin/bash
# Runs inside the lab: makes the images that the tests need, each only when it is missing or its recipe changed.
# usage: lab_images.sh [--missing]    --missing makes nothing; it succeeds when something is to be made

set -euo pipefail
recipes=$(cd "$(dirname "$0")/../../tests/lab/images" && pwd)
label=homelab-lab.recipe
bundle=/etc/ssl/certs/ca-certificates.crt

say() { printf '\033[2m[lab]\033[0m %s\n' "$*" >&2; }
hash_of() { cat "$@" | sha256sum | cut -c1-16; }
recipe_of() { find "$recipes/$1" -type f -print0 | sort -z | xargs -0 cat | hash_of; }

# "image recipe" lines of everything wanted.
wanted() {
    echo "busybox:latest $(hash_of /bin/busybox)"
    echo "homelab-lab/debian:latest $(hash_of "$bundle")"
    echo "python:3.14-slim $(recipe_of python)"
    echo "homelab-lab/web:latest $(recipe_of web)"
    echo "docker:28.5-cli $(dpkg-query --show docker-cli docker-compose | hash_of /dev/stdin)"
}

missing() {
    local have image recipe
    have=$(docker image ls -a --format '{{.Repository}}:{{.Tag}}' --filter "label=$label")
    while read -r image recipe; do
        grep -qxF "$image" <<<"$have" && [[ -n $(docker image ls -q --filter "label=$label=$recipe" "$image") ]] && continue
        echo "$image $recipe"
    done < <(wanted)
}

make_busybox() { # make_busybox RECIPE
    local tree
    tree=$(mktemp -d)
    mkdir -p "$tree"/{bin,etc,tmp,root,run,var/www}
    cp /bin/busybox "$tree/bin/busybox"
    chroot "$tree" /bin/busybox --install /bin
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$tree/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
    chmod 1777 "$tree/tmp"
    tar -C "$tree" -c . | docker import --change "LABEL $label=$1" --change 'CMD ["sh"]' - busybox:latest
    rm -rf "$tree"
}

make_debian() { # make_debian RECIPE
    local mirror
    mirror=$(sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p;T;q' /etc/apt/sources.list)
    mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt=force-unsafe-io \
        --include=ca-certificates,python3.14,python3.14-venv \
        --customize-hook="copy-in $bundle /etc/ssl/certs" forky - "$mirror" |
        docker import --change "LABEL $label=$1" --change 'CMD ["bash"]' - homelab-lab/debian:latest
}

# The lab's own docker and compose, at the places where Docker's image has them.
make_docker_cli() { # make_docker_cli RECIPE
    local tree
    tree=$(mktemp -d)
    install -D /usr/bin/docker "$tree/usr/local/bin/docker"
    install -D /usr/libexec/docker/cli-plugins/docker-compose "$tree/usr/local/libexec/docker/cli-plugins/docker-compose"
    tar -C "$tree" -c . | docker import --change "LABEL $label=$1" - docker:28.5-cli
    rm -rf "$tree"
}

build() { # build IMAGE FOLDER RECIPE
    docker build --quiet --network host --label "$label=$3" --tag "$1" "$recipes/$2"
}

[[ ${1:-} != --missing ]] || { [[ -n $(missing) ]]; exit; }

while read -r -u 3 image recipe; do
    say "making the image $image"
    case $image in
    busybox:latest) make_busybox "$recipe" ;;
    homelab-lab/debian:latest) make_debian "$recipe" ;;
    docker:28.5-cli) make_docker_cli "$recipe" ;;
    python:3.14-slim) build "$image" python "$recipe" ;;
    homelab-lab/web:latest) build "$image" web "$recipe" ;;
    esac >/dev/null
done 3< <(missing)
