#!/bin/sh
# Debian's packages in an overlay of their own, on a base of their own, in namespaces of their own.
# Needs util-linux and iproute2. The machine's own /etc, services and ports are never touched.
#
#   isolate.sh tools  CACHE SUITE               debootstrap, which knows where Debian is had from
#   isolate.sh base   CACHE SUITE               a bare Debian, once a suite
#   isolate.sh build  CACHE SUITE NAME PKG...   packages on top of it
#   isolate.sh inside CACHE SUITE NAME HOST RECIPE CMD...
#
# `inside` runs CMD with the machine's own files, but in the namespaces of the software: loopback
# only, all changes in memory, gone with CMD. $SURVEY_ROOT is where its root is, $SURVEY_INTO what
# runs a command there, RECIPE is /survey there, and $TMPDIR is one folder under one name in both.
#
# `base` and `build` need root. Anybody else has unpack.sh for them, and for `inside` a namespace with
# a single user, which $SURVEY_INTO makes an ordinary one.
set -eu
act=$1 cache=$(cd "$2" && pwd) suite=$3
shift 3
base=$cache/base-$suite tools=$cache/debootstrap
# An ordinary user's may lack them.
PATH=$PATH:/usr/sbin:/sbin
# Whom the namespace of an ordinary user has, besides root.
one=1000

devices() { # of all devices, those that can do no harm
    mount -t tmpfs -o mode=755 tmpfs "$1"
    # Not by mknod: only the root of the machine may make one.
    for name in null zero full random urandom tty; do
        : >"$1/$name"
        mount --bind "/dev/$name" "$1/$name"
    done
    mkdir "$1/pts" "$1/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$1/shm"
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    ln -s fd/0 "$1/stdin"
    ln -s fd/1 "$1/stdout"
    ln -s fd/2 "$1/stderr"
}

named() { # the names that a machine without a network knows
    printf '127.0.0.1 localhost %s %s\n' "$2" "${2%%.*}" >"$1/etc/hosts"
    echo "$2" >"$1/etc/hostname"
    hostname "$2"
}

case $act in
tools)
    [ -d "$tools" ] && exit
    # Unpacked, not installed: the machine keeps the packages that it has.
    part=$tools.$$
    trap 'rm -rf "$part"' EXIT
    mkdir -p "$part/lists/partial"
    (cd "$part" && {
        set -- apt-get -qq -o APT::Sandbox::User=root
        # Where nobody asked yet what there is: in a folder of our own.
        "$@" download debootstrap || {
            set -- "$@" -o "Dir::State::Lists=$part/lists" -o "Dir::Cache=$part/lists"
            "$@" -o APT::Update::Error-Mode=any update
            "$@" download debootstrap
        }
    })
    dpkg-deb -x "$part"/debootstrap_*.deb "$part"
    rm -rf "$part/lists"
    # Another may have been faster.
    mv -T "$part" "$tools" 2>/dev/null || true
    ;;
base)
    [ -d "$base" ] && exit
    sh "$0" tools "$cache" "$suite"
    rm -rf --one-file-system "$base.part"
    # It mounts /proc there. Cut short, it would else leave the machine's to be removed with the rest.
    DEBOOTSTRAP_DIR=$tools/usr/share/debootstrap unshare --mount --pid --fork --kill-child \
        --propagation private sh "$tools/usr/sbin/debootstrap" \
        --variant=minbase --include=ca-certificates "$suite" "$base.part" ${SURVEY_MIRROR:-}
    printf '#!/bin/sh\nexit 101\n' >"$base.part/usr/sbin/policy-rc.d"
    chmod 755 "$base.part/usr/sbin/policy-rc.d"
    rm -rf "$base.part/var/cache/apt/archives"/*.deb
    touch "$base.part/.made"
    mv "$base.part" "$base"
    ;;
build)
    name=$1
    [ -d "$cache/$name" ] && exit
    rm -rf "$cache/$name.part" "$cache/$name.work" "$cache/$name.root"
    mkdir -p "$cache/$name.part" "$cache/$name.work" "$cache/$name.root"
    apart= sh "$0" apart "$cache" "$suite" fill "$@"
    rm -rf "$cache/$name.work" "$cache/$name.root"
    mv "$cache/$name.part" "$cache/$name"
    ;;
inside)
    apart='--net --ipc' into=chroot
    if [ "$(id -u)" != 0 ]; then
        apart="$apart --user --map-root-user"
        into="unshare --user --map-user=$one --map-group=$one --root"
    fi
    export apart into
    exec sh "$0" apart "$cache" "$suite" enter "$@"
    ;;
apart) # the namespaces; all that is mounted or started in them ends with what is run
    act=$1
    shift
    # shellcheck disable=SC2086
    exec unshare --mount --uts --pid $apart --fork --kill-child --propagation private \
        sh "$0" "$act" "$cache" "$suite" "$@"
    ;;
fill)
    name=$1 root=$cache/$1.root
    shift
    mount -t overlay overlay \
        -o "lowerdir=$base,upperdir=$cache/$name.part,workdir=$cache/$name.work" "$root"
    mount -t proc proc "$root/proc"
    devices "$root/dev"
    named "$root" mail.example.test
    cat /etc/resolv.conf >"$root/etc/resolv.conf"
    export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
    # A base that was made today knows what there is.
    [ -n "$(find "$root/.made" -mmin -720 2>/dev/null)" ] ||
        chroot "$root" apt-get -qq -o APT::Update::Error-Mode=any update
    chroot "$root" apt-get -qq -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 \
        install -y --no-install-recommends "$@"
    chroot "$root" apt-get clean
    rm -f "$root/etc/resolv.conf"
    ;;
enter)
    name=$1 host=$2 recipe=$(cd "$3" && pwd)
    shift 3
    mount -t tmpfs -o mode=755 tmpfs /run
    root=/run/survey/root
    mkdir -p /run/survey/up /run/survey/work "$root" /run/survey/tmp
    chmod 1777 /run/survey/tmp
    mount -t overlay overlay \
        -o "lowerdir=$cache/$name:$base,upperdir=/run/survey/up,workdir=/run/survey/work" "$root"
    mount -t proc proc /proc
    mount -t proc proc "$root/proc"
    devices "$root/dev"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mkdir -p "$root/run/survey/tmp" "$root/survey"
    mkdir -m 1777 "$root/run/lock"
    mount --bind /run/survey/tmp "$root/run/survey/tmp"
    mount --bind "$recipe" "$root/survey"
    ip link set lo up
    # Every port is to be had, whoever asks.
    echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
    named "$root" "$host"
    export SURVEY_ROOT="$root" SURVEY_INTO="$into $root" TMPDIR=/run/survey/tmp
    # Not exec: the first process of a namespace takes in the orphans of the daemons.
    "$@"
    ;;
*)
    echo "isolate.sh: no such act: $act" >&2
    exit 2
    ;;
esac
