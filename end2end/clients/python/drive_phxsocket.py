"""Drives phxsocket: V1 objects, numbers as refs, threads and callbacks."""

import time

import phxsocket
from lines import drive, follow, tell
from phxsocket.channel import ChannelConnectError, ChannelEvents

channels = {}
present = {}
socket = None


def rejoin(_client):
    """What its users must write themselves: a new connection joins nothing."""
    for topic, channel in channels.items():
        channel.join()
        tell("joined", topic=topic)


def reconnect(client):
    """The way of its README, and a pause: a connection that fails ends up here again."""
    time.sleep(0.1)
    client.connect(blocking=False)


def open(url, userToken=None, heartbeat=None):
    global socket
    params = {"userToken": userToken} if userToken else {}
    socket = phxsocket.Client(f"{url}/websocket", params)
    socket.on_open = rejoin
    socket.on_close = reconnect
    if heartbeat:
        socket.heartbeat_interval = heartbeat / 1000
    socket.on_message = lambda message: message.topic == "phoenix" and tell("heartbeat")
    socket.connect()


def join(topic, token=None, presence=None, **_):
    params = {"token": token, "presence": presence or {}} if token else {}
    channel = socket.channel(topic, params)
    # Called in the order of arrival, unlike the socket's own on_message.
    channel.on_message = lambda _, event, payload: (
        event.startswith("phx_")
        or follow(present, topic, event, payload)
        or tell("event", topic=topic, event=event, payload=payload)
    )
    try:
        response = channel.join()
    except ChannelConnectError as error:
        return {"status": "error", "response": error.args[0]}
    channels[topic] = channel
    tell("joined", topic=topic)
    return {"status": "ok", "response": response}


def push(topic, event, payload):
    return channels[topic].push(event, payload, reply=True).wait_for_response()


def leave(topic):
    # Channel.leave() sends the same and then calls a method that does not exist.
    del channels[topic]
    return socket.push(topic, ChannelEvents.LEAVE, {}, reply=True).wait_for_response()


drive({"open": open, "join": join, "push": push, "leave": leave})
