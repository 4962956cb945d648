# shellcheck shell=bash
# A compiler that can build for the browser: the default toolchain with the target from rustup, or,
# where rustup cannot download, Debian's rustc-web with a standard library built from its sources
# and linked as the rustup toolchain `web`.

DEBIAN_RUSTC=/usr/bin/rustc
DEBIAN_WASM=/usr/lib/rustlib/$WASM/lib

setup_wasm() {
    if ! has_wasm_std && ! has_wasm_std web && ! wasm_from_rustup; then wasm_from_debian; fi
    if [[ $1 = test ]] && ! has_wasm_std && [[ ! -x /usr/bin/cargo-clippy ]]; then
        need_packages "clippy for the browser's toolchain" rust-web-clippy
    fi
}

wasm_from_rustup() {
    command -v rustup >/dev/null || return 1
    printf '  %-58s ' "$WASM from rustup"
    if timeout 120 rustup -q target add "$WASM" >/dev/null 2>&1 && has_wasm_std; then
        printf 'done\n'
    else
        printf 'not to be had; taking the other way\n'
        return 1
    fi
}

wasm_from_debian() {
    command -v rustup >/dev/null ||
        die "rustc cannot build for $WASM and rustup is not here: install Rust with rustup (https://rustup.rs)"
    need_packages "rustc-web" rustc-web cargo-web rust-web-src rust-web-llvm
    # rust-web-llvm brings /usr/bin/rust-lld as a link to an lld that it does not bring.
    [[ -e /usr/bin/rust-lld ]] || need_packages "lld" "$(basename "$(readlink /usr/bin/rust-lld)")"

    local build=$CARGO_TARGET_DIR/wasm-std
    step "standard library for $WASM" build_wasm_std "$build"
    as_root rm -rf "$DEBIAN_WASM"
    as_root mkdir -p "$DEBIAN_WASM"
    as_root cp "$build/$WASM/dist/deps/"lib*.rlib "$DEBIAN_WASM/"
    as_root find "$DEBIAN_WASM" -name 'libsysroot-*.rlib' -delete
    rm -rf "$build" "$CARGO_TARGET_DIR/front" # what was built against an older standard library

    rustup toolchain list | grep -qE '^web( |$)' || rustup toolchain link web /usr
    has_wasm_std web || die "the standard library for $WASM was built, yet rustc-web does not see it in $DEBIAN_WASM"
}

# build_wasm_std FOLDER: std from the sources that belong to Debian's compiler.
build_wasm_std() {
    local src commit
    src=$(readlink -f /usr/lib/rustlib/src/rust)
    commit=$("$DEBIAN_RUSTC" -vV | sed -n 's/^commit-hash: //p')
    rm -rf "$1"
    env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC="$DEBIAN_RUSTC" \
        RUSTFLAGS="-Zforce-unstable-if-unmarked --remap-path-prefix=$src=/rustc/$commit" \
        /usr/bin/cargo build --locked --manifest-path "$src/library/sysroot/Cargo.toml" \
        --target-dir "$1" --profile dist --target "$WASM"
}
