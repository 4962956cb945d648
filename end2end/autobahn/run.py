#!/usr/bin/env python3
"""Runs the Autobahn test suite, the reference for RFC 6455, against the gateway's own sockets.

    run.py ECHO WSTEST REPORT [CASE...]

ECHO is the built tidegate-echo, WSTEST the suite's program, REPORT a folder for what it writes
(an index.html among it). Without CASE every case is run but 12.* and 13.*: they are about
permessage-deflate, which the gateway does not announce. Closes with the number of cases that
passed; every other case is named, and the exit code is then 1.
"""

import json
import os
import pathlib
import subprocess
import sys

AGENT = "tidegate"
COMPRESSION = ["12.*", "13.*"]
# How many cases there are without these, so that none is left out unnoticed.
CASES = 301
# All of them take 20 seconds on two cores.
PATIENCE = 170
# INFORMATIONAL: the standard leaves it open. NON-STRICT: allowed, and another way is better.
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
GOOD_CLOSE = {"OK", "INFORMATIONAL"}


def environment(wstest):
    """The suite's packages lie in a user's folder of their own, beside its program."""
    base = str(pathlib.Path(wstest).resolve().parent.parent)
    return {**os.environ, "PYTHONUSERBASE": base, "PYTHONDONTWRITEBYTECODE": "1"}


def run(echo, wstest, report, cases):
    """The suite's verdicts by the names of the cases."""
    report.mkdir(parents=True, exist_ok=True)
    index = report / "index.json"
    index.unlink(missing_ok=True)
    with subprocess.Popen([echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        # At the end of this block its standard input is closed, and it ends.
        port = int(server.stdout.readline())
        spec = {
            "outdir": str(report),
            "servers": [{"agent": AGENT, "url": f"ws://127.0.0.1:{port}/websocket"}],
            "cases": cases or ["*"],
            "exclude-cases": COMPRESSION,
            "exclude-agent-cases": {},
        }
        (report / "spec.json").write_text(json.dumps(spec))
        command = [wstest, "--mode", "fuzzingclient", "--spec", str(report / "spec.json")]
        subprocess.run(command, env=environment(wstest), timeout=PATIENCE, check=True)
    return json.loads(index.read_text())[AGENT]


def main():
    """Judges."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    echo, wstest, report, *cases = sys.argv[1:]
    report = pathlib.Path(report).resolve()
    verdicts = run(echo, wstest, report, cases)
    failed = 0
    for case, verdict in verdicts.items():
        behaviour, close = verdict["behavior"], verdict["behaviorClose"]
        if behaviour not in GOOD or close not in GOOD_CLOSE:
            failed += 1
            print(f"case {case}: {behaviour}, closing: {close}; see {report}/{verdict['reportfile']}")
    if not cases and len(verdicts) != CASES:
        sys.exit(f"{len(verdicts)} cases were run and there should be {CASES}")
    print(f"{len(verdicts) - failed} passed")
    sys.exit(1 if failed else 0)


main()
