/*
 * How a crowd comes back: clients of client/ behind a load balancer, whose server is drained, or
 * killed with -9 and started again after two seconds. Beside them the same crowd with the habit of
 * many: a new WebSocket after a second. Prints the attempts of each second at the balancer, the peak,
 * and when the last one was back; beside them what `moonwire simulate herd` says of such a crowd.
 *
 *   ./dev bench comeback [CLIENTS [RATE]]
 */
import { execFileSync } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Socket } from '../client/dist/moonwire.js';
import WebSocket from '../tests/node_modules/ws/wrapper.mjs';
import { built, folderOf, startMoonwire, stop } from './lab.mjs';

const [clients = 500, rate = 100] = process.argv.slice(2).map(Number);
const DOWN_MS = 2000;

const files = {
    'scripts/room.lua': 'return {}',
    'moonwire.lua': `return { ["drain.rate"] = ${rate}, ["drain.grace"] = 0 }`,
};

/* ---- the balancer: notes when each attempt comes, and hands it to who serves ---- */

async function openBalancer() {
    const attempts = [];
    const balancer = { attempts, port: 0 };
    const door = createServer((front) => {
        attempts.push(performance.now());
        front.on('error', () => {});
        if (!balancer.port) return front.destroy();
        const back = createConnection(balancer.port, '127.0.0.1');
        back.on('error', () => {});
        for (const [one, other] of [[front, back], [back, front]])
            one.pipe(other).on('close', () => one.destroy());
    });
    await new Promise((resolve) => door.listen(0, '127.0.0.1', 1024, resolve));
    balancer.url = `ws://127.0.0.1:${door.address().port}/room`;
    balancer.close = () => door.close();
    return balancer;
}

/* ---- the crowds: each tells opened() whenever one of its clients is there ---- */

const crowds = {
    'moonwire client': (url, opened) => {
        const socket = new Socket(url, { WebSocket, dev: false });
        socket.onopen = opened;
        return () => socket.close();
    },
    'a new one after 1 s': (url, opened) => {
        let socket;
        let timer;
        const dial = () => {
            socket = new WebSocket(url);
            socket.on('error', () => {}).on('open', opened);
            socket.on('close', () => { timer = setTimeout(dial, 1000); });
        };
        dial();
        return () => {
            socket.removeAllListeners('close');
            socket.terminate();
            clearTimeout(timer);
        };
    },
};

/* ---- what happens to them; resolves when it has begun to ---- */

const disasters = {
    drain: async (balancer, first) => {
        const second = await startMoonwire(folderOf(files));
        balancer.port = second.port;
        first.child.kill('SIGTERM');
        return second;
    },
    'kill -9': async (balancer, first) => {
        balancer.port = 0;
        first.child.kill('SIGKILL');
        await sleep(DOWN_MS);
        const second = await startMoonwire(folderOf(files));
        balancer.port = second.port;
        return second;
    },
};

const perSecond = (times, start) => {
    const seconds = [];
    for (const at of times) {
        const second = Math.max(0, Math.floor((at - start) / 1000));
        while (seconds.length <= second) seconds.push(0);
        seconds[second]++;
    }
    return seconds;
};

async function watch(makeClient, disaster) {
    const balancer = await openBalancer();
    const first = await startMoonwire(folderOf(files));
    balancer.port = first.port;
    let there = 0;
    let whole;
    const all = () => new Promise((resolve) => { there = 0; whole = resolve; });
    const gathered = all();
    const ends = Array.from({ length: clients }, () =>
        makeClient(balancer.url, () => { if (++there === clients) whole(performance.now()); }));
    await gathered;
    await sleep(5500); /* who was there for less is not yet trusted by its own policy */

    balancer.attempts.length = 0;
    const back = all();
    const start = performance.now();
    const second = await disaster(balancer, first);
    const end = await back;
    const seconds = perSecond(balancer.attempts, start);
    ends.forEach((leave) => leave());
    await stop(second);
    balancer.close();
    return { seconds, peak: Math.max(...seconds), attempts: balancer.attempts.length,
        back_s: (end - start) / 1000 };
}

const row = (who, { peak, attempts, back_s, seconds }) =>
    console.log(`  ${who.padEnd(28)} ${String(peak).padStart(6)} ${String(attempts).padStart(9)}` +
        `${back_s.toFixed(1).padStart(9)} s  ${seconds.join(' ')}`);

function simulated(after, policy) {
    const { runs } = JSON.parse(execFileSync(join(built, 'moonwire'), ['simulate', 'herd', '--json',
        '--clients', String(clients), '--rate', String(rate)]));
    const { peak, attempts, back_ms, arrivals } =
        runs.find((run) => run.after === after && run.policy === policy);
    row(`simulated: ${policy}`, { peak, attempts, back_s: back_ms / 1000, seconds: arrivals });
}

for (const [name, disaster] of Object.entries(disasters)) {
    console.log(`${clients} clients, ${name}${name === 'drain' ? ` at ${rate}/s` : ''}:` +
        '          peak/s  attempts  all back  attempts of each second');
    for (const [who, makeClient] of Object.entries(crowds)) row(who, await watch(makeClient, disaster));
    const after = name === 'drain' ? 'drain' : 'crash';
    simulated(after, name === 'drain' ? 'slots' : 'full_jitter');
    simulated(after, 'no_jitter');
}
process.exit(0);
