/*
 * How the cost of a message grows: server CPU for an echo by the number of connections, for a
 * delivery by that of subscribers, for a publish by that of topics. Beside it the bare floor of the
 * same size, since the kernel's own cost grows, too; beside a publish the echo of as many connections.
 * Rows take turns, so that what else the machine does meets all; shown are medians, and `+` where the
 * ratio is more than GROWN times that of every smaller size.
 *
 *   ./dev bench growth [--rounds N] [--most N] [--messages N] [--json FILE] [--markdown]
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOAD_CORE, SERVER_CORE, built, folderOf, median, pinned, startMoonwire, stop } from './lab.mjs';
import { numbersOf, tableOf } from './runner/words.mjs';

const words = numbersOf({ rounds: 3, most: 10_000, messages: 60_000 });
const GROWN = 1.25, PUBLISHERS = 100; /* of topics: at most; one may be in 100 of them */
const sizes = [1, 10, 100, 1000, 10_000].filter((size) => size <= words.most);

const files = {
    'scripts/echo.lua': `return { compression = false,
        on_message = function(conn, data) conn:send(data) end }`,
    'scripts/fan.lua': `
        local M = { compression = false }
        function M.on_open(conn) conn:subscribe("all") end
        function M.on_message(conn, data) conn:publish("all", data) end
        return M`,
    /* Each is alone in its topics, and what it says comes back by one of them. */
    'scripts/topics.lua': `
        local M = { compression = false, route = "/topics/:count" }
        function M.on_open(conn)
          conn.data.next, conn.data.names = 0, {}
          for i = 1, tonumber(conn.params.count) do
            conn.data.names[i] = "t:" .. conn.id .. ":" .. i
            conn:subscribe(conn.data.names[i])
          end
        end
        function M.on_message(conn, data)
          local mine = conn.data
          mine.next = mine.next % #mine.names + 1
          publish(mine.names[mine.next], data)
        end
        return M`,
};

const publishers = (topics) => Math.min(topics, PUBLISHERS);

/* The path and words of `moonwire bench` for a size; and what stands beside it. */
const subjects = {
    echo: { title: 'echo 64 B, connections', floor: 'echo_floor',
        load: (size) => ['echo', '--clients', size, '--messages', Math.max(words.messages, size * 3)] },
    fanout: { title: 'fan-out 64 B, subscribers', floor: 'fanout_floor',
        load: (size) => ['fan', '--mode', 'fanout', '--clients', size,
            '--messages', Math.max(10, Math.ceil(words.messages / Math.max(size, 10)))] },
    topics: { title: 'publish 64 B to one, topics', echoes: publishers,
        load: (size) => [`topics/${size / publishers(size)}`, '--clients', publishers(size),
            '--messages', words.messages] },
};

async function measure(server, path, more, isBare) {
    const url = isBare ? `tcp://127.0.0.1:${server.port}` : `ws://127.0.0.1:${server.port}/${path}`;
    const args = ['bench', url, '--json', '--pid', server.pid, '--timeout', 30,
        ...isBare ? ['--bare'] : [], ...more];
    const load = pinned(LOAD_CORE, join(built, 'moonwire'), args.map(String));
    const got = JSON.parse(await load.line());
    await load.ended;
    if (got.why || got.failed) throw new Error(`${path}: ${got.why || got.failed}`);
    return got.server_cpu_us / got.received;
}

async function startFloor(name) {
    const file = name && join(built, 'bench', name);
    if (!file || !existsSync(file)) return null;
    const server = pinned(SERVER_CORE, file, []);
    return { ...server, port: Number(await server.line()) };
}

/* A server of its own for each figure: what an earlier size has left behind is none of this one's. */
async function figuresOf(subject, size) {
    const [path, ...more] = subject.load(size);
    const figures = {};
    const ours = await startMoonwire(folderOf(files));
    figures.us = await measure(ours, path, more, false);
    await stop(ours);
    const floor = await startFloor(subject.floor);
    if (floor) {
        figures.beside_us = await measure(floor, path, more, true);
        await stop(floor);
    } else if (subject.echoes) {
        figures.beside_us = seen.echo[subject.echoes(size)].at(-1).us;
    }
    return { ...figures, ratio: figures.us / figures.beside_us };
}

const seen = {};
for (let round = 1; round <= words.rounds; round++) {
    for (const [name, subject] of Object.entries(subjects)) {
        for (const size of sizes) {
            seen[name] ??= {};
            (seen[name][size] ??= []).push(await figuresOf(subject, size));
        }
    }
    process.stderr.write(`round ${round} of ${words.rounds}\n`);
}

const middle = (rounds, key) => median(rounds.map((each) => each[key] ?? NaN));
const shown = (value) => (Number.isNaN(value) ? '' : value.toFixed(2));

function rowsOf(name) {
    let most = 0;
    return sizes.map((size) => {
        const [us, beside_us, ratio] = ['us', 'beside_us', 'ratio']
            .map((key) => middle(seen[name][size], key));
        const grows = most > 0 && ratio > most * GROWN;
        most = Math.max(most, ratio || 0);
        return [`${subjects[name].title}: ${size}`, shown(us), shown(beside_us), shown(ratio),
            grows ? '+' : ''];
    });
}

console.log(tableOf(['server CPU', 'µs', 'floor or echo µs', 'ratio', 'grows'],
    Object.keys(subjects).flatMap(rowsOf), words.markdown));
if (words.json) writeFileSync(words.json, `${JSON.stringify({ growth: words, rounds: seen }, null, 1)}\n`);
process.exit(0);
