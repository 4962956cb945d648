# shellcheck shell=bash
# Sourced by every script: where things are, and how a step is run and told.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCRIPTS=$ROOT/scripts
# shellcheck source=scripts/versions
source "$SCRIPTS/versions"

# Tools are installed in a folder of the project's own, so nothing of the user's is replaced.
CACHE=${TIDEGATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tidegate}
TOOLS=$CACHE/tools
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $CARGO_TARGET_DIR = /* ]] || CARGO_TARGET_DIR=$ROOT/$CARGO_TARGET_DIR
export CARGO_TARGET_DIR
LOGS=$CARGO_TARGET_DIR/log
WASM=wasm32-unknown-unknown

# Ours first: Debian's wasm-opt is too old to be used, and /usr/bin/rustc may not be rustup's.
PATH=$SCRIPTS/node/node_modules/.bin:$TOOLS/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
export PATH

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# step NAME COMMAND...: one line with the seconds it took; its output is shown only if it fails.
# COMMAND is a program (or a function of a single command: errexit is off inside it).
step() {
    local name=$1 start=$EPOCHREALTIME code=0
    shift
    mkdir -p "$LOGS"
    STEP_LOG=$LOGS/$(tr -c 'a-zA-Z0-9\n' '-' <<<"$name" | tr -s '-').log
    printf '  %-58s ' "$name"
    "$@" >"$STEP_LOG" 2>&1 </dev/null || code=$?
    if [[ $code -ne 0 ]]; then
        printf 'failed\n'
        cat "$STEP_LOG" >&2
        die "\"$name\" failed with exit code $code; its output is above and in $STEP_LOG"
    fi
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%7.1f s\n", b - a }'
}

# version_of PROGRAM: the first thing in its --version that looks like a version, or nothing.
version_of() {
    { "$@" --version 2>/dev/null || true; } | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1 || true
}

# at_least HAVE WANT: whether version HAVE is WANT or newer.
at_least() {
    [[ -n $1 && $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) = "$2" ]]
}

# has_wasm_std [TOOLCHAIN]: whether that compiler (the default one without) can build for the browser.
has_wasm_std() {
    local sysroot
    sysroot=$(RUSTUP_TOOLCHAIN=${1:-${RUSTUP_TOOLCHAIN:-}} rust_sysroot) || return 1
    compgen -G "$sysroot/lib/rustlib/$WASM/lib/libcore-*.rlib" >/dev/null
}

rust_sysroot() {
    [[ -n ${RUSTUP_TOOLCHAIN:-} ]] || unset RUSTUP_TOOLCHAIN
    rustc --print sysroot 2>/dev/null
}

# use_wasm_toolchain: from here on cargo is the one that can build for the browser. It is the
# default toolchain where that has the target, else the one that setup linked as `web`.
use_wasm_toolchain() {
    has_wasm_std && return
    has_wasm_std web || die "no Rust toolchain here can build for $WASM: run make setup"
    export RUSTUP_TOOLCHAIN=web
}
