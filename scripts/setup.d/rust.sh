# shellcheck shell=bash
# The two things that must be there before: Rust and Node. Neither is installed by itself, since how
# one gets them is the user's choice; the sentence says how.

setup_rust() {
    local have
    have=$(version_of rustc)
    at_least "$have" "$RUST_MIN" ||
        die "Rust $RUST_MIN or newer is needed and ${have:-none} is here: install it with rustup (https://rustup.rs), or run rustup update stable"
    have=$(version_of node)
    at_least "$have" "$NODE_MIN" ||
        die "Node $NODE_MIN or newer is needed and ${have:-none} is here: see https://nodejs.org"
    command -v npm >/dev/null || die "npm is missing: it comes with Node, see https://nodejs.org"

    local locked
    locked=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
    [[ $locked = "$WASM_BINDGEN" ]] ||
        die "Cargo.lock has wasm-bindgen $locked and scripts/versions has $WASM_BINDGEN: they must be the same"
}
