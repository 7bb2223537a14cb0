#!/usr/bin/env bash
#! Durable single events of ours with 64 clients, beside what people build such a desk on, in turns on one machine:
#! redis (a check-and-set of one cap in Lua, every write synced) and PostgreSQL (an assignment with FOR UPDATE SKIP
#! LOCKED, committed; as one prepared statement, and as the transaction of five that applications write). What is not
#! installed is left out, and says so.
#!
#!   benches/peers.sh            five turns of four seconds each
#!   RUNS=1 SECONDS_EACH=2 benches/peers.sh
#!
#! As root, PostgreSQL runs as the user `postgres`, or `nobody`.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-5}
seconds=${SECONDS_EACH:-4}
clients=64
shops=1000
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
# Beside our own folder, so that all of them write to the same disk.
place=$(mktemp -d "$(cd "$target" && pwd)/peers-XXXXXX")
redis_pid=
postgres_pid=

finish() {
    [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || true
    [ -z "$postgres_pid" ] || kill -INT "$postgres_pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$place"
}
trap finish EXIT

# A port that nobody has.
free_port() {
    local port=$((20000 + RANDOM % 20000))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
    echo "$port"
}

# Tries a command until it succeeds, for ten seconds.
until_ready() {
    local end=$((SECONDS + 10))
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "$1 does not come up" >&2
            return 1
        fi
        read -rt 0.05 <> <(:) || true
    done
}

# The middle of some numbers.
median() {
    printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# --- redis

have_redis=
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
    have_redis=1
    redis_port=$(free_port)
    mkdir "$place/redis"
    redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$place/redis" --save '' \
        --appendonly yes --appendfsync always --logfile "$place/redis/log" &
    redis_pid=$!
    until_ready redis-cli -p "$redis_port" ping
    # One more invite for a buyer, unless it has had as many as it may.
    cap="local n = tonumber(redis.call('GET', KEYS[1]) or '0')
        if n >= tonumber(ARGV[1]) then return 0 end
        redis.call('SET', KEYS[1], n + 1, 'EX', 86400)
        return 1"
    cap=$(redis-cli -p "$redis_port" SCRIPT LOAD "$cap")
else
    echo "redis-server is not installed: left out"
fi

run_redis() {
    # As many as take about the time of the others, by a first guess that every turn betters.
    redis-benchmark -p "$redis_port" -c "$clients" -n "$redis_count" -r 100000000 --csv \
        evalsha "$cap" 1 "cap:__rand_int__" 3 2>/dev/null | tail -n 1 | cut -d, -f2 | tr -d '"' | cut -d. -f1
}
redis_count=20000

# --- PostgreSQL

have_postgres=
binaries=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)")
if ! command -v initdb >/dev/null && [ -x "$binaries/initdb" ]; then
    PATH="$binaries:$PATH"
fi
if command -v postgres >/dev/null && command -v initdb >/dev/null && command -v pgbench >/dev/null; then
    have_postgres=1
    postgres_port=$(free_port)
    as=()
    if [ "$(id -u)" = 0 ]; then
        user=$(id -u postgres >/dev/null 2>&1 && echo postgres || echo nobody)
        as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
        chmod 755 "$place"
    fi
    mkdir "$place/postgres"
    [ "$(id -u)" != 0 ] || chown "$user" "$place/postgres"
    "${as[@]}" env LC_ALL=C PATH="$PATH" initdb -D "$place/postgres/data" -U desk -A trust -E UTF8 >/dev/null
    "${as[@]}" env LC_ALL=C PATH="$PATH" postgres -D "$place/postgres/data" -p "$postgres_port" -h 127.0.0.1 \
        -k "$place/postgres" -c max_connections=$((clients + 10)) -c shared_buffers=256MB \
        -c max_wal_size=4GB >"$place/postgres.log" 2>&1 &
    postgres_pid=$!
    export PGHOST=127.0.0.1 PGPORT=$postgres_port PGUSER=desk PGDATABASE=postgres
    until_ready psql -c 'select 1'
    psql -q <<SQL
CREATE TABLE agent (id serial PRIMARY KEY, shop int NOT NULL, load int NOT NULL DEFAULT 0) WITH (fillfactor = 50);
CREATE INDEX ON agent (shop);
CREATE TABLE session (id bigserial PRIMARY KEY, shop int NOT NULL, buyer text NOT NULL, agent int NOT NULL,
    at timestamptz NOT NULL DEFAULT now());
INSERT INTO agent (shop) SELECT shop FROM generate_series(1, $shops) AS shop, generate_series(1, 3);
ANALYZE;
SQL
    cat >"$place/assign.sql" <<SQL
\set shop random(1, $shops)
\set buyer random(1, 100000000)
WITH free AS (SELECT id FROM agent WHERE shop = :shop ORDER BY load LIMIT 1 FOR UPDATE SKIP LOCKED), taken AS (UPDATE agent SET load = load + 1 FROM free WHERE agent.id = free.id RETURNING agent.id) INSERT INTO session (shop, buyer, agent) SELECT :shop, 'buyer-' || :buyer, id FROM taken;
SQL
    cat >"$place/steps.sql" <<SQL
\set shop random(1, $shops)
\set buyer random(1, 100000000)
BEGIN;
SELECT coalesce((SELECT id FROM agent WHERE shop = :shop ORDER BY load LIMIT 1 FOR UPDATE SKIP LOCKED), 0) AS id \gset free_
UPDATE agent SET load = load + 1 WHERE id = :free_id;
INSERT INTO session (shop, buyer, agent) VALUES (:shop, 'buyer-' || :buyer, :free_id);
COMMIT;
SQL
else
    echo "postgres, initdb or pgbench is not installed: left out"
fi

run_postgres() {
    pgbench -n -M prepared -c "$clients" -j 1 -T "$seconds" -f "$place/$1.sql" 2>/dev/null |
        sed -n 's/^tps = \([0-9]*\).*/\1/p'
}

# --- ours

cargo bench --bench door --no-run 2>/dev/null

run_ours() {
    cargo bench --bench door -- singles ours runs=1 "seconds=$seconds" "connections=$clients" "shops=$shops" \
        2>/dev/null | sed -n 's/^median *ours \([0-9]*\) .*/\1/p'
}

# A first turn of redis that does not count says how many requests take as long as the others' turns.
[ -z "$have_redis" ] || redis_count=$(($(run_redis) * seconds + 1))

ours=() redis=() postgres=() steps=()
printf '%8s %12s %12s %12s %12s\n' turn ours/s redis/s postgres/s 'in steps/s'
for turn in $(seq "$runs"); do
    ours+=("$(run_ours)")
    redis+=("$([ -z "$have_redis" ] && echo - || run_redis)")
    postgres+=("$([ -z "$have_postgres" ] && echo - || run_postgres assign)")
    steps+=("$([ -z "$have_postgres" ] && echo - || run_postgres steps)")
    printf '%8s %12s %12s %12s %12s\n' "$turn" "${ours[-1]}" "${redis[-1]}" "${postgres[-1]}" "${steps[-1]}"
    [ -z "$have_redis" ] || redis_count=$((redis[-1] * seconds + 1))
done

mine=$(median "${ours[@]}")
times() {
    awk -v mine="$mine" -v theirs="$2" -v name="$1" \
        'BEGIN { printf "ours is %.1f times %s (%d beside %d a second, medians)\n", mine / theirs, name, mine, theirs }'
}
[ -z "$have_redis" ] || times redis "$(median "${redis[@]}")"
[ -z "$have_postgres" ] || times 'PostgreSQL, one statement,' "$(median "${postgres[@]}")"
[ -z "$have_postgres" ] || times 'PostgreSQL, in steps,' "$(median "${steps[@]}")"
