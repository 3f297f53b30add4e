/*
 * CPU of the server for one echoed message of 64 bytes, beside that of a bare libuv echo in the same
 * run, and the memory of an idle connection. Server and load generator are pinned to different cores;
 * floor and server take turns, so that what else the machine does hits both. The result is one JSON
 * object on stdout.
 */
import { join } from 'node:path';
import {
    LOAD_CORE, SERVER_CORE, built, cpuSeconds, folderOf, heapBytes, median, pinned, startMoonwire,
    stop,
} from './lab.mjs';

const [messages = 1_000_000, rounds = 5] = process.argv.slice(2).map(Number);
const CONNECTIONS = 100;
const IDLE = [1000, 10_000];
/* Without pings, for the load generator expects echoes and nothing else. */
const ECHO = 'return { limits = { ping = 0 }, on_message = function(conn, data) conn:send(data) end }\n';

async function startFloor() {
    const server = pinned(SERVER_CORE, join(built, 'bench', 'echo_floor'), []);
    return { ...server, port: await server.line(), path: '-' };
}

/* ---- the measurements ---- */

async function startLoad(server, connections, count) {
    const args = [server.port, server.path, connections, count].map(String);
    const load = pinned(LOAD_CORE, join(built, 'bench', 'echo_load'), args);
    if (await load.line() !== 'ready') throw new Error('the load did not start');
    return load;
}

async function echoCost(server, count) {
    const load = await startLoad(server, CONNECTIONS, count);
    const before = cpuSeconds(server.pid);
    load.child.stdin.write('go\n');
    const seconds = Number((await load.line()).split(' ')[1]);
    const cpu_us = ((cpuSeconds(server.pid) - before) / count) * 1e6;
    load.child.stdin.end();
    await load.ended;
    return { cpu_us, per_second: count / seconds };
}

async function idleBytes(server, connections) {
    const before = heapBytes(server.pid);
    const load = await startLoad(server, connections, 1);
    const bytes = (heapBytes(server.pid) - before) / connections;
    load.child.stdin.end();
    await load.ended;
    return Math.round(bytes);
}

const rounded = (value) => Number(value.toFixed(3));

async function alternate(servers) {
    const seen = servers.map(() => []);
    for (let round = 0; round < rounds; round++) {
        for (const [i, server] of servers.entries()) {
            const cost = await echoCost(server, messages);
            seen[i].push(cost);
            const name = server.path === '-' ? 'floor   ' : 'moonwire';
            const speed = Math.round(cost.per_second);
            console.error(`${name}  ${cost.cpu_us.toFixed(3)} us of CPU a message, ${speed}/s`);
        }
    }
    return seen;
}

const folder = folderOf({ 'scripts/echo.lua': ECHO });
const startEcho = async () => ({ ...await startMoonwire(folder), path: '/echo' });

const servers = [await startFloor(), await startEcho()];
for (const server of servers) await echoCost(server, Math.ceil(messages / 10)); /* to warm up */
const [floor, moonwire] = await alternate(servers);
for (const server of servers) await stop(server);

const idle = {};
for (const connections of IDLE) {
    const server = await startEcho();
    idle[connections] = await idleBytes(server, connections);
    await stop(server);
}

const middle = (side, key) => rounded(median(side.map((cost) => cost[key])));
console.log(JSON.stringify({
    connections: CONNECTIONS, messages, rounds, payload_bytes: 64,
    cpu_us_per_message: { floor: middle(floor, 'cpu_us'), moonwire: middle(moonwire, 'cpu_us') },
    ratio: rounded(middle(moonwire, 'cpu_us') / middle(floor, 'cpu_us')),
    ratio_by_round: moonwire.map((cost, i) => rounded(cost.cpu_us / floor[i].cpu_us)),
    messages_per_second: {
        floor: middle(floor, 'per_second'), moonwire: middle(moonwire, 'per_second'),
    },
    heap_bytes_per_idle_connection: idle,
}, null, 1));
