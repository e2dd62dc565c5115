#!/bin/bash
# First process of the lab, run by lab_start.sh in new mount, pid, network, ipc and uts namespaces.
# It turns LAB_DIR/root into the root of these namespaces. All mounts made here end with the last process in them.
# usage: lab_init.sh LAB_DIR

set -euo pipefail
lab=$1 root=$1/root

mount --bind "$root" "$root"
mount --make-private "$root" # Docker remounts "/" and cannot on a shared mount
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/sys/fs/cgroup"
mount --make-rslave "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/lock" "$lab/docker" "$lab/cache" "$root/var/lib/docker" "$root/var/cache/homelab-lab"
mount --bind "$lab/docker" "$root/var/lib/docker"
mount --bind "$lab/cache" "$root/var/cache/homelab-lab"

hostname homelab-lab

# The machine's own files stay reachable under /.host: checkouts are bound from there when a command is run.
cd "$root"
pivot_root . .host
mount --make-rslave /.host
exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /bin/bash -c 'echo up >/run/lab-up; if command -v tini >/dev/null; then exec tini -- sleep infinity; fi; exec sleep infinity'
