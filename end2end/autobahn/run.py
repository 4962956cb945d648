#!/usr/bin/env python3
"""Runs the Autobahn test suite, the reference for RFC 6455, against the gateway's own sockets.

    run.py ECHO WSTEST REPORT [CASE...]

ECHO is the built tidegate-echo, WSTEST the suite's program, REPORT a folder for what it writes
(an index.html among it). Without CASE all cases of RFC 6455 are run, and of those of
permessage-deflate (12 and 13: each sends a thousand messages) the first and the eleventh of each
kind; '*' means really all, which takes ten minutes and more. Closes with the number of cases that
passed; every other case is named, and the exit code is then 1.
"""

import json
import os
import pathlib
import subprocess
import sys

AGENT = "tidegate"
# Kinds of cases about permessage-deflate, each of 18 sizes and cuts of messages.
DEFLATE = [f"12.{kind}" for kind in range(1, 6)] + [f"13.{kind}" for kind in range(1, 8)]
SIZES = range(1, 19)
SIZES_RUN = (1, 11)
# How many cases there are then, so that none is left out unnoticed.
CASES = 301 + len(DEFLATE) * len(SIZES_RUN)
# These take half a minute on two cores.
PATIENCE = 170
# INFORMATIONAL: the standard leaves it open. NON-STRICT: allowed, and another way is better.
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
GOOD_CLOSE = {"OK", "INFORMATIONAL"}
# They demand a window of 512 bytes of the server, which may decline the whole extension and does.
DECLINED = ("13.3.", "13.5.")


def environment(wstest):
    """The suite's packages lie in a user's folder of their own, beside its program."""
    base = str(pathlib.Path(wstest).resolve().parent.parent)
    return {**os.environ, "PYTHONUSERBASE": base, "PYTHONDONTWRITEBYTECODE": "1"}


def left_out():
    """The cases that are not run unless they are asked for."""
    return [f"{kind}.{size}" for kind in DEFLATE for size in SIZES if size not in SIZES_RUN]


def passed(case, verdict):
    """Whether it did what it should."""
    behaviour, close = verdict["behavior"], verdict["behaviorClose"]
    if case.startswith(DECLINED):
        return (behaviour, close) == ("UNIMPLEMENTED", "OK")
    return behaviour in GOOD and close in GOOD_CLOSE


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
            "exclude-cases": [] if cases else left_out(),
            "exclude-agent-cases": {},
        }
        (report / "spec.json").write_text(json.dumps(spec))
        command = [wstest, "--mode", "fuzzingclient", "--spec", str(report / "spec.json")]
        patience = None if cases else PATIENCE
        subprocess.run(command, env=environment(wstest), timeout=patience, check=True)
    return json.loads(index.read_text())[AGENT]


def main():
    """Judges."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    echo, wstest, report, *cases = sys.argv[1:]
    report = pathlib.Path(report).resolve()
    verdicts = run(echo, wstest, report, cases)
    failed = [case for case, verdict in verdicts.items() if not passed(case, verdict)]
    for case in failed:
        verdict = verdicts[case]
        behaviour, close = verdict["behavior"], verdict["behaviorClose"]
        print(f"case {case}: {behaviour}, closing: {close}; see {report}/{verdict['reportfile']}")
    if not cases and len(verdicts) != CASES:
        sys.exit(f"{len(verdicts)} cases were run and there should be {CASES}")
    print(f"{len(verdicts) - len(failed)} passed")
    sys.exit(1 if failed else 0)


main()
