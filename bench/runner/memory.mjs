/*
 * Scenarios of memory: what an idle connection adds to the server's own pages, and what a fresh server
 * takes. A fresh server for each candidate, a few echoes first, for what is made once is not the
 * connections'. `kernel_bytes` is what the kernel's slabs grew by for each of the two sockets.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { stop } from '../lab.mjs';
import { runLoad } from './load.mjs';

const GONE_MS = 1500; /* for connections that were closed to be gone, and a server to have settled */
const IDLE_S = 6; /* for buffers to go to sleep */

const kib = (file, name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))[1]) * 1024;
const slabs = () => kib('/proc/meminfo', 'Slab');

async function measureIdle(scenario, server, { clients, words }) {
    await runLoad(scenario, server, ['--clients', 20, '--messages', 200]);
    await sleep(GONE_MS);
    const before = slabs();
    let most = before;
    const watch = setInterval(() => { most = Math.max(most, slabs()); }, 250);
    const got = await runLoad(scenario, server, ['--mode', 'idle', '--clients', clients,
        '--timeout', 60, '--sources', 16, ...words]).finally(() => clearInterval(watch));
    return {
        bytes: (got.server_own - got.server_own_before) / got.opened,
        kernel_bytes: (most - before) / got.opened / 2,
        connections: got.opened,
    };
}

async function measureFresh(server) {
    await sleep(GONE_MS);
    return { bytes: kib(`/proc/${server.pid}/status`, 'VmRSS') };
}

export async function remember(scenario, entrants, { clients = scenario.clients, seconds, tell }) {
    const results = {};
    for (const { name, start } of entrants) {
        let server;
        try {
            server = await start();
            const round = scenario.kind === 'fresh' ? await measureFresh(server)
                : await measureIdle(scenario, server, { clients, words: ['--seconds', seconds ?? IDLE_S] });
            results[name] = { rounds: [{ round: 0, ...round }] };
        } catch (error) {
            results[name] = { failed: String(error.message ?? error).split('\n')[0] };
            tell(`  ${name} failed: ${results[name].failed}`);
        }
        if (server) await stop(server);
    }
    return results;
}
