"""Drives Supabase's client for Python: V1 objects, heartbeats with ref null, strict models.

It adds `realtime:` to every topic and knows events only as broadcasts.
"""

import asyncio

from lines import drive, tell
from realtime import AsyncRealtimeClient, RealtimeSubscribeStates
from realtime.types import RealtimeAcknowledgementStatus as Said

channels = {}
closed = {}
client = None


async def open(url, userToken=None, heartbeat=None):
    global client
    client = AsyncRealtimeClient(url, params={"userToken": userToken} if userToken else {})
    await client.connect()


async def join(topic, accessToken=None, key="", **_):
    loop = asyncio.get_running_loop()
    if accessToken:
        await client.set_auth(accessToken)
    config = {
        "broadcast": {"ack": True, "self": False},
        "presence": {"key": key, "enabled": True},
        "private": False,
    }
    channel = client.channel(topic.removeprefix("realtime:"), {"config": config})
    channels[topic] = channel
    closed[topic] = loop.create_future()
    channel.on_broadcast(
        "*",
        lambda said: tell("event", topic=topic, event=said["event"], payload=said["payload"]),
    )
    channel.on_presence_sync(lambda: tell("presence", topic=topic, members=channel.presence_state()))
    answer = loop.create_future()

    def on_state(state, error):
        if state == RealtimeSubscribeStates.SUBSCRIBED:
            tell("joined", topic=topic)
        if state == RealtimeSubscribeStates.CLOSED and not closed[topic].done():
            closed[topic].set_result(None)
        if not answer.done():
            status = {"SUBSCRIBED": "ok", "TIMED_OUT": "timeout"}.get(state.value, "error")
            answer.set_result({"status": status, "response": {"reason": str(error)}})

    await channel.subscribe(on_state)
    return await answer


async def answered(push):
    answer = asyncio.get_running_loop().create_future()
    push.receive(Said.Ok, lambda _: answer.set_result({"status": "ok"}))
    push.receive(Said.Error, lambda response: answer.set_result({"status": "error", "response": response}))
    push.receive(Said.Timeout, lambda: answer.set_result({"status": "timeout"}))
    return await answer


async def push(topic, event, payload):
    return await answered(await channels[topic].push(event, payload))


async def broadcast(topic, event, payload):
    # send_broadcast() is this push without its answer.
    wrapped = {"type": "broadcast", "event": event, "payload": payload}
    return await answered(await channels[topic].push("broadcast", wrapped))


async def track(topic, payload):
    await channels[topic].track(payload)
    return {"status": "ok"}


async def untrack(topic):
    await channels[topic].untrack()
    return {"status": "ok"}


async def refresh(topic, accessToken):
    await client.set_auth(accessToken)


async def leave(topic):
    await channels.pop(topic).unsubscribe()
    await closed[topic]
    return {"status": "ok"}


drive(
    {
        "open": open,
        "join": join,
        "push": push,
        "broadcast": broadcast,
        "track": track,
        "untrack": untrack,
        "refresh": refresh,
        "leave": leave,
    }
)
