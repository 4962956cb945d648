"""Drives phoenix-channels-python-client: drive_phoenix_channels.py VERSION (1.0 or 2.0).

It only listens: it has no call that pushes, and its joins carry no payload.
"""

import sys
from urllib.parse import urlencode

from lines import drive, follow, tell
from phoenix_channels_python_client import PHXChannelsClient
from phoenix_channels_python_client.client_types import ReconnectPolicy
from phoenix_channels_python_client.exceptions import PHXTopicError

topics = set()
present = {}
client = None


async def rejoined():
    for topic in topics:
        tell("joined", topic=topic)


async def open(url, userToken=None, heartbeat=None):
    global client
    query = "?" + urlencode({"userToken": userToken}) if userToken else ""
    client = PHXChannelsClient(
        f"{url}/websocket{query}",
        "none",
        protocol_version=sys.argv[1],
        heartbeat_interval_s=heartbeat / 1000 if heartbeat else 30.0,
        on_heartbeat_ack=lambda: tell("heartbeat"),
        on_reconnect=rejoined,
        # By default it waits two seconds after a connection that was short.
        reconnect_policy=ReconnectPolicy(rapid_first_min_delay_s=0),
    )
    await client.__aenter__()


async def join(topic, **_):
    async def heard(message):
        event = str(message.event)
        if not event.startswith("phx_") and not follow(present, topic, event, message.payload):
            tell("event", topic=topic, event=event, payload=message.payload)

    try:
        await client.subscribe_to_topic(topic, heard)
    except PHXTopicError as error:
        return {"status": "error", "response": {"reason": str(error)}}
    topics.add(topic)
    tell("joined", topic=topic)
    return {"status": "ok"}


async def leave(topic):
    topics.discard(topic)
    await client.unsubscribe_from_topic(topic)
    return {"status": "ok"}


drive({"open": open, "join": join, "leave": leave})
