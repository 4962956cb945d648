# shellcheck shell=bash
# The Python side: the stock Redis client that the bus is tested with, and hadolint.

setup_python() {
    local stamp=.venv/.tidegate-requirements
    cmp -s requirements.txt "$stamp" && [[ -x .venv/bin/python ]] && return
    rm -rf .venv
    step "python environment" python3 -m venv .venv
    step "python packages" .venv/bin/python -m pip install --quiet --requirement requirements.txt
    cp requirements.txt "$stamp"
}
