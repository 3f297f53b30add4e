/*
 * How the server bears many: bytes of an idle connection, the cost of coming and going, of a
 * fan-out, and what a second worker brings. The load is `moonwire bench`, whose own CPU time stands beside
 * the server's. All of it is CPU time and bytes, or a ratio of one run to the next: other work on
 * the machine disturbs it little. A few minutes; everything is bounded.
 *
 *   ./dev bench scale [idle] [churn] [fanout] [workers] [--clients N]
 *
 * `idle` takes as many connections as descriptors allow: for 100 000 say `ulimit -n 110000` before,
 * and both ends have them.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { built, folderOf, heapBytes, makeCertificate, median, startMoonwire, stop } from './lab.mjs';

const binary = join(built, 'moonwire');
const words = process.argv.slice(2);
const at = words.indexOf('--clients');
const asked = at < 0 ? 0 : Number(words.splice(at, 2)[1]);
const chosen = words.length ? words : ['idle', 'churn', 'fanout', 'workers'];

const descriptors = Number(execFileSync('sh', ['-c', 'ulimit -Hn']).toString().trim()) || 1048576;
/* The server keeps 32 back (docs/running.md, "Operating limits"), and both have files of their own. */
const most = Math.min(100000, descriptors - 100);
const idleClients = Math.min(asked || most, most);
const CLOSED_MS = 3000; /* for what was closed to be gone, and for buffers of TLS to go to sleep */

const folder = folderOf({
    'scripts/echo.lua': `
        return { limits = { ping = 0 }, on_message = function(conn, data) conn:send(data) end }`,
    'scripts/fan.lua': `
        local M = { limits = { ping = 0 } }
        function M.on_open(conn) conn:subscribe("all") end
        function M.on_message(conn, data) conn:publish("all", data) end
        return M`,
});
const { cert, key } = makeCertificate(folder);

function bench(server, path, ...more) {
    const url = `${server.scheme ?? 'ws'}://127.0.0.1:${server.port}/${path}`;
    return new Promise((resolve, reject) => {
        execFile(binary, ['bench', url, '--json', '--insecure', '--pid', String(server.pid),
            ...more.map(String)], { timeout: 300000 }, (error, out) => {
            if (error && !out) reject(error);
            else resolve(JSON.parse(out));
        });
    });
}

async function metrics(server) {
    const out = execFileSync(binary, ['metrics', folder], { encoding: 'utf8' });
    return { heap: Number(/^moonwire_heap_bytes (\S+)/m.exec(out)[1]) };
}

async function withServer(options, use) {
    const server = await startMoonwire(folder, ...options);
    if (options.includes('--tls-cert')) server.scheme = 'wss';
    /* lab pins it to one core; of several workers each may have its own. */
    if (options.includes('--workers'))
        execFileSync('taskset', ['-a', '-c', '-p', `0-${cpus().length - 1}`, String(server.pid)]);
    try {
        return await use(server);
    } finally {
        await stop(server);
    }
}

const row = (...cells) => console.log(cells.map((cell, i) =>
    i ? String(cell).padStart(14) : String(cell).padEnd(34)).join(''));

/* ---- idle ---- */

async function idleRow(name, clients, options) {
    await withServer(options, async (server) => {
        await bench(server, 'echo', '--clients', 50, '--messages', 500);
        await sleep(CLOSED_MS);
        const before = { ...await metrics(server), own: heapBytes(server.pid) };
        const running = bench(server, 'echo', '--mode', 'idle', '--clients', clients,
            '--seconds', 8, '--sources', 64, '--timeout', 60);
        let during = before;
        const look = setInterval(async () => {
            const seen = await metrics(server).catch(() => before);
            if (seen.heap >= during.heap * 0.99) during = seen; /* the last one while all stand */
        }, 1000);
        const got = await running;
        clearInterval(look);
        row(name, got.opened, got.failed, Math.round((during.heap - before.heap) / got.opened),
            Math.round((got.server_own - before.own) / got.opened));
    });
}

async function idle() {
    console.log(`\nidle connections: bytes of the server for each (descriptors: ${descriptors})`);
    row('', 'opened', 'failed', 'heap', 'resident');
    await idleRow('plain', idleClients, []);
    /* A handshake costs both ends milliseconds. */
    await idleRow('TLS 1.3', Math.min(5000, idleClients), ['--tls-cert', cert, '--tls-key', key]);
}

/* ---- churn ---- */

async function churn() {
    console.log('\nconnect, one echo, close: CPU time of a cycle, us');
    row('', 'server', 'generator', 'per CPU s');
    await withServer([], async (server) => {
        const runs = [];
        for (let i = 0; i < 3; i++)
            runs.push(await bench(server, 'echo', '--mode', 'churn', '--clients', 50, '--messages',
                10000, '--sources', 16));
        tellCost('plain', runs);
    });
    await withServer(['--tls-cert', cert, '--tls-key', key], async (server) => {
        const got = await bench(server, 'echo', '--mode', 'churn', '--clients', 50, '--messages',
            1000, '--sources', 16);
        tellCost('TLS 1.3, whole handshakes', [got]);
    });
}

function tellCost(name, runs) {
    const cost = median(runs.map((run) => run.server_cpu_us / run.received));
    const own = median(runs.map((run) => run.cpu_us / run.received));
    const failed = runs.reduce((sum, run) => sum + run.failed, 0);
    row(name + (failed ? ` (${failed} failed)` : ''), cost.toFixed(2), own.toFixed(2),
        Math.round(1e6 / cost));
    return cost;
}

/* ---- fan-out ---- */

async function fanout() {
    console.log('\nfan-out, one message under way: CPU time of a delivery, us');
    row('', 'server', 'generator', 'per CPU s');
    await withServer([], async (server) => {
        for (const clients of [1000, 10000].filter((count) => count < most)) {
            for (const size of [64, 1024]) {
                const runs = [];
                for (let i = 0; i < 3; i++)
                    runs.push(await bench(server, 'fan', '--mode', 'fanout', '--clients', clients,
                        '--messages', 300000 / clients, '--size', size, '--sources', 8));
                tellCost(`1 -> ${clients}, ${size} B`, runs);
            }
        }
    });
}

/* ---- workers ---- */

const SCENARIOS = [
    ['echo 64 B, 200 connections', 'echo', ['--clients', 200, '--messages', 200000]],
    ['fan-out 1 -> 1000, 64 B, 16 deep', 'fan',
        ['--mode', 'fanout', '--clients', 1000, '--messages', 400, '--depth', 16]],
];

/* One after the other, again and again, so that what else runs hits both alike. */
async function workers() {
    console.log(`\nfrom 1 worker to 2, on ${cpus().length} cores, which the generator shares`);
    row('', '/s with 1', '/s with 2', 'speed-up', 'server us', 'with 2', 'generator us');
    for (const [name, path, how] of SCENARIOS) {
        const runs = { 1: [], 2: [] };
        for (let round = 0; round < 3; round++) {
            for (const count of [1, 2])
                await withServer(['--workers', String(count)], async (server) => {
                    runs[count].push(await bench(server, path, ...how));
                });
        }
        const wrong = Object.values(runs).flat().find(({ why }) => why);
        if (wrong) {
            row(name, wrong.why);
            continue;
        }
        const of = (count, value) => median(runs[count].map(value));
        const rate = (run) => run.received * 1e6 / run.took_us;
        const cost = (run) => run.server_cpu_us / run.received;
        row(name, Math.round(of(1, rate)), Math.round(of(2, rate)), (of(2, rate) / of(1, rate)).toFixed(2),
            of(1, cost).toFixed(2), of(2, cost).toFixed(2),
            of(2, (run) => run.cpu_us / run.received).toFixed(2));
    }
}

for (const name of chosen) {
    const part = { idle, churn, fanout, workers }[name];
    if (!part) throw new Error(`there is no ${name}: idle, churn, fanout, workers`);
    await part();
}
