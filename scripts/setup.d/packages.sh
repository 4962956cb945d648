# shellcheck shell=bash
# What comes from the system's package manager. Asks for programs, not for packages: whoever has
# them from elsewhere is left alone.

as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# need_packages WHAT PACKAGE...: installs them, or says what the user should install.
need_packages() {
    local what=$1
    shift
    if ! command -v apt-get >/dev/null; then
        die "$what is missing and this system has no apt-get; install, then run this again (Debian's names): $*"
    fi
    if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
        die "$what is missing; as root, run: apt-get install --no-install-recommends $*"
    fi
    # A password is asked for here, where the question can be seen, and not inside a step.
    [[ $EUID -eq 0 ]] || sudo -v
    if [[ -z ${APT_UPDATED:-} ]]; then
        step "package lists" as_root apt-get update -qq
        APT_UPDATED=1
    fi
    step "packages: $*" apt_install "$@"
}

setup_packages() {
    local missing=()
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    if [[ $1 = test ]]; then
        command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
        command -v c++ >/dev/null || missing+=(g++) # for libFuzzer
        command -v shellcheck >/dev/null || missing+=(shellcheck)
        command -v redis-cli >/dev/null || missing+=(redis-tools)
        python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    fi
    if [[ ${#missing[@]} -gt 0 ]]; then need_packages "${missing[0]}" "${missing[@]}"; fi
    if [[ $1 = test ]]; then
        need_postgresql
        link_redis_server
    fi
}

# The tests start a server of their own. Debian's package would make one that runs from then on, so
# it is told beforehand not to.
need_postgresql() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return
    if command -v initdb >/dev/null; then
        die "PostgreSQL is installed, but not where Debian has it: the tests look for /usr/lib/postgresql/*/bin/initdb"
    fi
    if [[ ! -e /etc/postgresql-common/createcluster.conf ]]; then
        need_packages postgresql-common postgresql-common
        as_root sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
    fi
    need_packages postgresql postgresql
}

# Debian's redis-tools holds the server's program under another name; the package redis-server adds
# only a link and a system service, and the tests want no service.
link_redis_server() {
    command -v redis-server >/dev/null && return
    local program
    program=$(command -v redis-check-rdb) || die "redis-server is missing: install Redis 7 or newer"
    mkdir -p "$TOOLS/bin"
    ln -sf "$program" "$TOOLS/bin/redis-server"
}
