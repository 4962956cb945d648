"""What every driver in Python shares: it is asked in lines of JSON and answers in lines of JSON.

See ../driver.js for the words.
"""

import asyncio
import inspect
import json
import logging
import os
import sys
import threading

# What the libraries have to say goes to standard error; standard output is spoken for.
logging.basicConfig(level=logging.WARNING)
_LOCK = threading.Lock()


def _say(line):
    with _LOCK:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def tell(told, **more):
    """Says something that nobody asked for; from any thread."""
    _say({"told": told, **more})


def follow(present, topic, event, payload):
    """Keeps who is there, topic by topic, of a library that shows the frames of presence as events;
    says so, and whether it was such a frame."""
    if event == "presence_state":
        present[topic] = {key: entry["metas"] for key, entry in payload.items()}
    elif event == "presence_diff":
        members = present.setdefault(topic, {})
        for change in ("joins", "leaves"):
            for key, entry in payload[change].items():
                refs = {meta["phx_ref"] for meta in entry["metas"]}
                others = [meta for meta in members.pop(key, []) if meta["phx_ref"] not in refs]
                metas = others + (entry["metas"] if change == "joins" else [])
                if metas:
                    members[key] = metas
    else:
        return False
    tell("presence", topic=topic, members=present[topic])
    return True


async def _answer(commands, line):
    asked = json.loads(line)
    number, name = asked.pop("id"), asked.pop("do")
    try:
        command = commands[name]
        if inspect.iscoroutinefunction(command):
            got = await command(**asked)
        else:  # a library that blocks
            got = await asyncio.to_thread(command, **asked)
        _say({"id": number, "got": got})
    except Exception as error:
        _say({"id": number, "failed": f"{type(error).__name__}: {error}"})


async def _drive(commands):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.create_task(_answer(commands, line))
        running.add(task)
        task.add_done_callback(running.discard)
    # Some of the libraries' threads would never end.
    sys.stdout.flush()
    os._exit(0)


def drive(commands):
    """Answers commands, functions by their names, until the other side hangs up."""
    asyncio.run(_drive(commands))
