# shellcheck shell=bash
# Sourced by the jobs: what they need beyond Rust itself, installed only where it is missing.

# A command, and the Debian package that has it.
packages() {
    cat <<'LIST'
bzip2 bzip2
c++ g++
curl curl
dmidecode dmidecode
dmsetup dmsetup
file file
hyperfine hyperfine
jq jq
lscpu util-linux
lshw lshw
lspci pciutils
lstopo hwloc
mdadm mdadm
numactl numactl
nvme nvme-cli
qemu-s390x-static qemu-user-static
s390x-linux-gnu-gcc gcc-s390x-linux-gnu
sensors lm-sensors
shellcheck shellcheck
smartctl smartmontools
strace strace
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
    "${install[@]}" >/dev/null || { apt-get update -qq && "${install[@]}" >/dev/null; } ||
        skip "apt-get could not install ${missing[*]}"
}

targets=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl s390x-unknown-linux-gnu)

install_targets() {
    local target
    have rustup || skip "rustup is missing: the standard libraries of ${targets[*]} are what is there"
    # rust-toolchain.toml names the toolchain; where it is not installed on first use, this does.
    rustc --version || rustup toolchain install
    for target in "${targets[@]}"; do
        has_target "$target" || rustup target add "$target" || skip "rustup could not add $target"
    done
    echo "every target is there: ${targets[*]}"
}

has_target() {
    [[ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]]
}
