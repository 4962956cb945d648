# shellcheck shell=bash
# Node packages, exactly as their lock files say.

# npm_ci FOLDER: installs FOLDER/node_modules unless it is already what the lock file says.
npm_ci() {
    local lock=$1/package-lock.json stamp=$1/node_modules/.tidegate-lock
    cmp -s "$lock" "$stamp" && return
    step "node packages of ${1#"$ROOT"/}" npm ci --prefix "$1" --no-audit --no-fund --ignore-scripts
    cp "$lock" "$stamp"
}

setup_node() {
    npm_ci "$SCRIPTS/node"
    if [[ $1 = test ]]; then
        npm_ci "$ROOT/end2end"
        npm_ci "$ROOT/end2end/clients/node"
    fi
}
