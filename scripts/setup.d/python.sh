# shellcheck shell=bash
# The Python side: the stock Redis client that the bus is tested with, and hadolint; apart from them
# the published clients that the gateway is tested with, and schemathesis, which asks its HTTP API.

# python_environment FOLDER REQUIREMENTS: an environment with exactly that in it.
python_environment() {
    local folder=$1 requirements=$2
    local stamp=$folder/.tidegate-requirements
    cmp -s "$requirements" "$stamp" && [[ -x $folder/bin/python ]] && return
    rm -rf "$folder"
    step "python environment ${folder#"$ROOT"/}" python3 -m venv "$folder"
    step "python packages of $requirements" \
        "$folder/bin/python" -m pip install --quiet --requirement "$requirements"
    cp "$requirements" "$stamp"
}

setup_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Python 3.11 or newer is needed and $(python3 --version) is here"
    python_environment .venv requirements.txt
    python_environment "$CARGO_TARGET_DIR/schemathesis" end2end/schemathesis/requirements.txt
    python_environment "$CARGO_TARGET_DIR/clients/python" end2end/clients/python/requirements.txt
}
