"""A plugin of a few lines: sends back to clients what they push on echo:<mode><protocol>.

Usage: echo.py PORT sync|asyncio 2|3. Ends after the event "stop".
"""

import asyncio
import sys

import redis
import redis.asyncio

port, mode, protocol = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
topic = f"echo:{mode}{protocol}"
connection = {"host": "127.0.0.1", "port": port, "protocol": protocol, "client_name": "echo"}
# Text or bytes, depending on the protocol.
NAMES = ("echo", b"echo")


def answer(message):
    """The name and body to publish for a message."""
    event = message["channel"].rsplit(b":", 1)[1].decode()
    return f"to:{topic}:{event}", message["data"]


def sync():
    client = redis.Redis(**connection)
    assert client.ping() and client.client_getname() in NAMES
    try:
        client.execute_command("NOSUCH")
        raise AssertionError("an unknown command was taken")
    except redis.ResponseError as error:
        assert "unknown command" in str(error), error
    pubsub = client.pubsub()
    pubsub.psubscribe(f"from:{topic}:*")
    pubsub.subscribe("from:other:x")
    confirmed = []
    while "subscribe" not in confirmed:
        message = pubsub.get_message(timeout=1)
        confirmed.append(message and message["type"])
    print("ready", flush=True)
    for message in pubsub.listen():
        name, body = answer(message)
        # With a transaction around it, as it is the default.
        pipe = client.pipeline()
        pipe.publish(name, body)
        pipe.publish("nobody", body)
        assert pipe.execute() == [1, 0]
        if name.endswith(":stop"):
            break
    pipe = client.pipeline()
    pipe.publish(name, "never")
    pipe.execute_command("NOSUCH")
    try:
        pipe.execute()
        raise AssertionError("an unknown command was taken")
    except redis.ResponseError as error:
        assert "unknown command" in str(error), error
    pubsub.unsubscribe()
    pubsub.punsubscribe()
    pubsub.close()
    client.close()


async def asynchronous():
    async with redis.asyncio.Redis(**connection) as client:
        assert await client.ping() and await client.client_getname() in NAMES
        async with client.pubsub() as pubsub:
            await pubsub.psubscribe(f"from:{topic}:*")
            confirmed = None
            while confirmed is None:
                confirmed = await pubsub.get_message(timeout=1)
            print("ready", flush=True)
            async for message in pubsub.listen():
                name, body = answer(message)
                async with client.pipeline(transaction=not name.endswith(":text")) as pipe:
                    assert await pipe.publish(name, body).execute() == [1]
                if name.endswith(":stop"):
                    break
            await pubsub.punsubscribe()


if mode == "sync":
    sync()
else:
    asyncio.run(asynchronous())
print("done", flush=True)
