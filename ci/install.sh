# shellcheck shell=bash
# Sourced by the jobs: what they need beyond Rust itself, installed only where it is missing.

# A command, and the Debian package that has it.
packages() {
    cat <<'LIST'
aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
busybox busybox-static
bzip2 bzip2
c++ g++
cpio cpio
curl curl
dmidecode dmidecode
ethtool ethtool
dmsetup dmsetup
file file
gcc-12 gcc-12
hyperfine hyperfine
ip iproute2
ipmi_sim openipmi
ipmitool ipmitool
jq jq
lscpu util-linux
lshw lshw
lspci pciutils
lstopo hwloc
make make
mdadm mdadm
mosquitto mosquitto
mosquitto_sub mosquitto-clients
musl-gcc musl-tools
numactl numactl
nvme nvme-cli
openssl openssl
prometheus-alertmanager prometheus-alertmanager
ptp4l linuxptp
qemu-s390x-static qemu-user-static
rmmod kmod
s390x-linux-gnu-gcc gcc-s390x-linux-gnu
sensors lm-sensors
shellcheck shellcheck
smartctl smartmontools
strace strace
swtpm swtpm
xz xz-utils
LIST
}

# The C library of s390x, against which its tests are linked, has no command.
s390x_libc=/usr/s390x-linux-gnu/lib/libc.a

install_packages() {
    local missing=() command package
    while read -r command package; do
        have "$command" || missing+=("$package")
    done < <(packages)
    [[ -e $s390x_libc ]] || missing+=(libc6-dev-s390x-cross)
    if [[ ${#missing[@]} -eq 0 ]]; then
        echo "every package is there"
        return 0
    fi
    echo "missing: ${missing[*]}"
    if ! have apt-get || [[ $(id -u) -ne 0 ]]; then
        skip "${missing[*]} are missing, and only root can install them, by apt-get"
    fi
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get install -qq -y --no-install-recommends "${missing[@]}")
    # A machine that never asked for the list of packages knows none: what the first attempt says is of no use.
    "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; } ||
        skip "apt-get could not install ${missing[*]}"
}

# What the lab's machines need; bookworm itself has 7.2.
qemu_major_min=10

qemu_major() {
    qemu-system-x86_64 --version 2>/dev/null | sed -nE '1s/.* version ([0-9]+)\..*/\1/p'
}

# QEMU for the lab, from Debian's backports where the release's own is older. They are a source of this one
# installation: the machine's sources stay as they are.
install_qemu() {
    local major codename mirror sources apt
    major=$(qemu_major)
    if [[ ${major:-0} -ge $qemu_major_min ]]; then
        echo "QEMU is there: $(qemu-system-x86_64 --version | head -1)"
        return 0
    fi
    if ! have apt-get || [[ $(id -u) -ne 0 ]]; then
        missing_lab "QEMU ${major:-is missing}; $qemu_major_min is needed, and only root can install it, by apt-get"
    fi
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016 # apt's own words
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m1 '/debian/*$' ||
        echo http://deb.debian.org/debian)
    sources=$(mktemp -d)
    find /etc/apt/sources.list.d -type f \( -name '*.list' -o -name '*.sources' \) -exec cp -t "$sources" {} +
    printf '%s\n' 'Types: deb' "URIs: $mirror" "Suites: $codename-backports" 'Components: main' \
        'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' >"$sources/gnomon-lab.sources"
    chmod -R a+rX "$sources"
    export DEBIAN_FRONTEND=noninteractive
    apt=(apt-get -qq -o "Dir::Etc::sourceparts=$sources" -o APT::Get::List-Cleanup=0)
    if ! { "${apt[@]}" update &&
        "${apt[@]}" install -y --no-install-recommends -t "$codename-backports" qemu-system-x86 >/dev/null; }; then
        missing_lab "apt-get could not install QEMU from $codename-backports"
    fi
    rm -rf "$sources"
    echo "installed: $(qemu-system-x86_64 --version | head -1)"
}

# The lab can't run here: skipped, or failed where it is required.
missing_lab() {
    if [[ ${GNOMON_LAB_REQUIRED:-} == 1 ]]; then
        echo "$1"
        exit 1
    fi
    skip "$1"
}

targets=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl s390x-unknown-linux-gnu)

install_targets() {
    local target
    have rustup || skip "rustup is missing: the standard libraries of ${targets[*]} are what is there"
    # rust-toolchain.toml names the toolchain; where it is not installed on first use, this does.
    rustc --version 2>/dev/null || rustup toolchain install
    for target in "${targets[@]}"; do
        has_target "$target" || rustup target add "$target" || skip "rustup could not add $target"
    done
    echo "every target is there: ${targets[*]}"
}

has_target() {
    [[ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]]
}
