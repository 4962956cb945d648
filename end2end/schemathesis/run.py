#!/usr/bin/env python3
"""Asks the real gateway whether it does what its own document says, with schemathesis.

    run.py TIDEGATE SCHEMATHESIS REPORT [OPTION...]

TIDEGATE is the built gateway, SCHEMATHESIS the program, REPORT a folder for what it writes. The
gateway is started on loopback with a fresh data folder; an administrator signs in and makes an API
key, with which everything is asked that openapi.json describes: examples at every bound, beyond it
and at random, all checks. Whatever is answered that the document does not say (an error of the
server, a status, a content type, a header, a body of another form) fails. OPTIONs go to
schemathesis. Closes with the number of operations that passed; where one did not the exit code is 1.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

PASSWORD = "correct horse battery staple"
CONFIG = pathlib.Path(__file__).parent / "schemathesis.toml"
# It takes less than a minute on two cores that nobody else uses.
PATIENCE = 300
FLAGS = [
    *["serve", "--host", "127.0.0.1", "--port", "0", "--bus-listen", "127.0.0.1:0"],
    *["--log", "error", "--admin-password", PASSWORD],
]


def ask(url, path, body, headers):
    """POST of JSON: the answer's headers and body."""
    headers = {"content-type": "application/json", "x-tidegate-request": "1", **headers}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers, json.load(answer)


def api_key(url):
    """A key of an administrator."""
    headers, _ = ask(url, "/api/v1/session", {"password": PASSWORD}, {})
    cookie = headers["set-cookie"].split(";")[0]
    wanted = {"name": "schemathesis", "role": "admin"}
    _, made = ask(url, "/api/v1/auth/api-keys", wanted, {"cookie": cookie})
    return made["key"]


def run(gateway, schemathesis, report, options):
    """How many operations passed; ends with what schemathesis says where one did not."""
    line = gateway.stdout.readline()
    url = "http://127.0.0.1:" + line.strip().rsplit(":", 1)[1]
    command = [schemathesis, "--no-color", "--config-file", CONFIG, "run", url + "/api/v1/openapi.json"]
    command += ["--url", url, "--report-dir", report, *options]
    environment = {**os.environ, "TIDEGATE_KEY": api_key(url)}
    done = subprocess.run(
        command,
        env=environment,
        cwd=report,
        timeout=PATIENCE,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout)
    if gateway.poll() is not None:
        sys.exit(f"the gateway ended with {gateway.returncode}")
    tested = re.search(r"^ *Tested: (\d+)$", done.stdout, re.MULTILINE)
    if done.returncode or not tested:
        sys.exit(f"schemathesis ended with {done.returncode}")
    return int(tested[1])


def main():
    """Starts the gateway and judges."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    tidegate, schemathesis, report, *options = sys.argv[1:]
    report = pathlib.Path(report).resolve()
    report.mkdir(parents=True, exist_ok=True)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with tempfile.TemporaryDirectory() as data:
        command = [tidegate, *FLAGS, "--data-dir", data]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as gateway:
            try:
                tested = run(gateway, schemathesis, report, options)
            finally:
                gateway.terminate()
    print(f"{tested} passed")


main()
