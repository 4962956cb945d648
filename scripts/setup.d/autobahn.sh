# shellcheck shell=bash
# The Autobahn test suite, of which every version asks for Python 2.7. That has left Debian, so it
# is not installed from here: where there is none, the suite is not run, and this says so.

AUTOBAHN=$CARGO_TARGET_DIR/autobahn

# python27: the path of a Python 2.7, from PATH or from pyenv, or nothing.
python27() {
    local program
    for program in "$(command -v python2.7)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7; do
        # pyenv's own python2.7 on PATH is a script that may have nothing to start.
        if [[ -x $program ]] && "$program" -c '' 2>/dev/null; then
            printf '%s\n' "$program"
            return
        fi
    done
}

# A user's folder of packages that is not the user's: Python 2.7 has no environments of its own.
setup_autobahn() {
    local python requirements=end2end/autobahn/requirements.txt
    cmp -s "$requirements" "$AUTOBAHN/python/.tidegate-requirements" && return
    python=$(python27)
    if [[ -z $python ]]; then
        printf '  %-58s %s\n' "Autobahn test suite" "left out: it needs Python 2.7 (pyenv install 2.7.18)"
        return
    fi
    rm -rf "$AUTOBAHN/python"
    step "Autobahn test suite: pip for Python 2.7" \
        env PYTHONUSERBASE="$AUTOBAHN/python" "$python" -m ensurepip --user
    step "Autobahn test suite: packages of $requirements" \
        env PYTHONUSERBASE="$AUTOBAHN/python" "$python" -m pip --disable-pip-version-check install \
        --quiet --user --ignore-installed --no-deps --requirement "$requirements"
    cp "$requirements" "$AUTOBAHN/python/.tidegate-requirements"
}
