# shellcheck shell=bash
# Command line tools from crates.io, each of exactly the pinned version. One that is already on PATH
# in that version is used as it is.

# cargo_tool PROGRAM VERSION NOTE [FLAG...]
cargo_tool() {
    local program=$1 version=$2 note=$3
    shift 3
    [[ $(version_of "$program") = "$version" ]] && return
    step "$program $version$note" env CARGO_TARGET_DIR="$CACHE/tool-build" \
        cargo install --locked --force --root "$TOOLS" "$@" --version "$version"
    [[ $(version_of "$program") = "$version" ]] ||
        die "$program $version was installed into $TOOLS/bin, yet $(command -v "$program") says $(version_of "$program")"
}

setup_tools() {
    # The debug builds are deliberate: cargo-leptos in release is fat LTO over a JavaScript compiler
    # (half an hour, 4 GB), and neither tool's own work is what takes the time.
    # Without its downloads cargo-leptos uses only the wasm-bindgen and wasm-opt pinned here.
    # --ignore-rust-version: one of its dependencies declares 1.96 and builds with 1.95.
    local debug=(--debug --config profile.dev.debug=false)
    cargo_tool wasm-bindgen "$WASM_BINDGEN" " (once, 1 to 3 minutes)" wasm-bindgen-cli
    cargo_tool cargo-leptos "$CARGO_LEPTOS" " (once, 3 to 8 minutes)" cargo-leptos \
        --ignore-rust-version --no-default-features --features no_downloads "${debug[@]}"
    if [[ $1 = test ]]; then
        cargo_tool cargo-deny "$CARGO_DENY" " (once, 1 to 2 minutes)" cargo-deny "${debug[@]}"
        cargo_tool cargo-audit "$CARGO_AUDIT" " (once, 1 to 2 minutes)" cargo-audit \
            --no-default-features "${debug[@]}"
        cargo_tool cargo-fuzz "$CARGO_FUZZ" " (once, half a minute)" cargo-fuzz "${debug[@]}"
    fi
    rm -rf "$CACHE/tool-build"
}
