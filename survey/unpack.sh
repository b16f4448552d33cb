#!/bin/sh
# Debian's packages without root: as isolate.sh, with the same arguments, but unpacked, not installed.
# None of their own scripts runs, and all accounts are one user. Needs apt-get and dpkg-deb.
#
#   unpack.sh base   CACHE SUITE               what every Debian has, once a suite
#   unpack.sh build  CACHE SUITE NAME PKG...   packages to lie on top of it
set -eu
act=$1 cache=$(cd "$2" && pwd) suite=$3
shift 3
base=$cache/base-$suite
# An ordinary user's may lack them.
PATH=$PATH:/usr/sbin:/sbin
# The user that isolate.sh enters as.
one=1000
umask 022

apt() { # as the base has it, not the machine
    apt-get -qq -o Dir="$base" -o Dir::State::status="$base/var/lib/dpkg/status" \
        -o APT::Architectures="$(dpkg --print-architecture)" -o APT::Update::Error-Mode=any "$@"
}

unpack() { # INTO PKG...: those, and what they depend on and the base has not
    into=$1
    shift
    # As debootstrap does: what packages have in /bin comes to lie in /usr/bin.
    for merged in bin sbin lib lib64; do
        mkdir -p "$into/usr/$merged"
        ln -s "usr/$merged" "$into/$merged"
    done
    apt clean
    apt --download-only --no-install-recommends --yes install "$@" >/dev/null
    for package in "$base"/var/cache/apt/archives/*.deb; do
        [ -f "$package" ] || continue
        # Without the bits that would lend others the user's own rights.
        dpkg-deb --fsys-tarfile "$package" |
            tar -x --no-same-owner --no-same-permissions --keep-directory-symlink -C "$into"
        { dpkg-deb --field "$package" && printf 'Status: install ok installed\n\n'; } \
            >>"$into/var/lib/dpkg/status"
    done
    apt clean
    rm -f "$into/usr/sbin/useradd"
    cat >"$into/usr/sbin/useradd" <<END
#!/bin/sh
# Another name of the one user.
for name; do :; done
echo "\$name:x:$one:$one::/:/bin/sh" >>/etc/passwd
echo "\$name:x:$one:" >>/etc/group
END
    chmod 755 "$into/usr/sbin/useradd"
}

case $act in
base)
    [ -d "$base" ] && exit
    sh "$(dirname "$0")/isolate.sh" tools "$cache" "$suite"
    debootstrap=$cache/debootstrap/usr/sbin/debootstrap
    mirror=${SURVEY_MIRROR:-$(sed -n 's/^DEF_MIRROR="\(.*\)"/\1/p' "$debootstrap")}
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    made=$base base=$base.part
    rm -rf "$base"
    mkdir -p "$base/var/lib/dpkg" "$base/var/lib/apt/lists/partial" \
        "$base/var/cache/apt/archives/partial" "$base/etc/apt/apt.conf.d" \
        "$base/etc/apt/preferences.d" "$base/etc/apt/sources.list.d"
    echo "deb [signed-by=$keys] $mirror $suite main" >"$base/etc/apt/sources.list"
    : >"$base/var/lib/dpkg/status"
    apt update
    unpack "$base" '?essential' ca-certificates
    told=$base/usr/share/base-passwd
    sed "/^root:/!s/:[0-9]*:[0-9]*:/:$one:$one:/" "$told/passwd.master" >"$base/etc/passwd"
    sed "/^root:/!s/:[0-9]*:/:$one:/" "$told/group.master" >"$base/etc/group"
    touch "$base/.made"
    mv "$base" "$made"
    ;;
build)
    name=$1
    shift
    [ -d "$cache/$name" ] && exit
    rm -rf "$cache/$name.part"
    # What there is may be others than when the base was made.
    if [ -z "$(find "$base/.made" -mmin -720)" ]; then
        apt update
        touch "$base/.made"
    fi
    mkdir -p "$cache/$name.part/var/lib/dpkg"
    cp "$base/var/lib/dpkg/status" "$cache/$name.part/var/lib/dpkg/status"
    unpack "$cache/$name.part" "$@"
    mv "$cache/$name.part" "$cache/$name"
    ;;
*)
    echo "unpack.sh: no such act: $act" >&2
    exit 2
    ;;
esac
