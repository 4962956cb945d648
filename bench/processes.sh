# shellcheck shell=bash disable=SC2034
# Sourced by bench/run: the programs it starts, each on its core, and their end on any exit.

secret=     # what signs the tokens of this run
pids=()     # all that run
started=    # the one that was started last
pid=        # the one that is measured
port=       # where it listens for clients
bus=        # where messages go in
state=      # the gateway's state folder

# on_core N COMMAND...: becomes that command, on that core where there are two. Where this script is
# killed and cannot clean up, the kernel ends the command.
on_core() {
    local core=$1 wrap=()
    shift
    if command -v setpriv >/dev/null; then wrap+=(setpriv --pdeathsig KILL); fi
    if command -v taskset >/dev/null && [[ $(nproc --all) -ge 2 ]]; then
        wrap+=(taskset -c "$core")
    fi
    exec "${wrap[@]}" "$@" 9>&-
}

# run_on CORE NAME OUTPUT COMMAND...: starts it; sets started. What it complains of goes to NAME.log.
run_on() {
    local core=$1 name=$2 output=$3
    shift 3
    (on_core "$core" "$@") >"$output" 2>>"$WORK/$name.log" </dev/null &
    started=$!
    pids+=("$started")
}

stop_all() {
    local one
    for one in "${pids[@]}"; do kill "$one" 2>/dev/null || true; done
    for one in "${pids[@]}"; do wait "$one" 2>/dev/null || true; done
    pids=()
    if [[ -n $state ]]; then
        rm -rf "$state"
        state=
    fi
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# free_port: a port on 127.0.0.1 that nobody listens on, below those that the kernel gives to
# outgoing connections.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null || break
    done
    echo "$port"
}

# wait_for PORT NAME: until the process that was started last listens there.
wait_for() {
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        kill -0 "$started" 2>/dev/null || return 1
        if (: </dev/tcp/127.0.0.1/"$1") 2>/dev/null; then return 0; fi
        sleep 0.05
    done
    echo "the $2 does not listen on port $1 after 20 s" >>"$WORK/$2.log"
    return 1
}

# start_target TARGET: starts it afresh; sets pid, port and bus. A port may be taken between the
# choice and the start, so it is tried three times.
start_target() {
    local tries
    for tries in 1 2 3; do
        if start_once "$1"; then return 0; fi
        stop_all
    done
    echo "the target $1 did not start in $tries tries" >>"$WORK/bench.log"
    return 1
}

start_once() {
    port=$(free_port)
    bus=$port
    case $1 in
    floor*)
        local per_call=${1#floor}
        per_call=${per_call#-}
        run_on 0 floor "$WORK/floor.log" "$WORK/bin/tidegate-floor" \
            --listen "127.0.0.1:$port" --frames-per-call "${per_call:-1}"
        ;;
    gateway | gateway-before)
        while [[ $bus = "$port" ]]; do bus=$(free_port); done
        start_gateway "$1" --bus-listen "127.0.0.1:$bus"
        wait_for "$bus" gateway || return
        ;;
    gateway-redis | gateway-redis-before)
        while [[ $bus = "$port" ]]; do bus=$(free_port); done
        run_on 1 redis "$WORK/redis.log" redis-server --bind 127.0.0.1 --port "$bus" \
            --save '' --appendonly no --dir "$WORK"
        wait_for "$bus" redis || return
        start_gateway "$1" --bus-listen none --redis-url "redis://127.0.0.1:$bus/"
        ;;
    ws) start_node ws.mjs ws ;;
    socketio) start_node socket-io.mjs socketio ;;
    bun) run_on 0 bun "$WORK/bun.log" env PORT="$port" SECRET="$secret" \
        bench/peers/node_modules/.bin/bun bench/peers/bun.mjs ;;
    nats)
        while [[ $bus = "$port" ]]; do bus=$(free_port); done
        printf 'listen: "127.0.0.1:%s"\nwebsocket { listen: "127.0.0.1:%s", no_tls: true }\n' \
            "$bus" "$port" >"$WORK/nats.conf"
        run_on 0 nats "$WORK/nats.log" nats-server --config "$WORK/nats.conf"
        wait_for "$bus" nats || return
        ;;
    esac
    pid=$started
    wait_for "$port" "${1%%-*}"
}

# start_node FILE NAME
start_node() {
    run_on 0 "$2" "$WORK/$2.log" env PORT="$port" SECRET="$secret" node "bench/peers/$1"
}

# start_gateway TARGET ARGUMENTS...: with a state folder of its own: no state from elsewhere, none left.
start_gateway() {
    local binary=tidegate
    [[ $1 != *-before ]] || binary=tidegate-before
    shift
    state=$(mktemp -d "$WORK/state.XXXXXX")
    run_on 0 gateway "$WORK/gateway.log" "$WORK/bin/$binary" serve --host 127.0.0.1 --port "$port" \
        --data-dir "$state" --jwt-secret "$secret" --config bench/gateway.toml "$@"
}
