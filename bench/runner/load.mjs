/* One run of `moonwire bench` on the load's core: what it counted, and whether it was left in peace. */
import { join } from 'node:path';
import { LOAD_CORE, built, pinned } from '../lab.mjs';
import { disturbance, look } from './machine.mjs';

function wordsOf(scenario, server, more) {
    const scheme = server.bare ? 'tcp' : scenario.tls ? 'wss' : 'ws';
    const path = server.bare ? '' : `/${scenario.path}`;
    return ['bench', `${scheme}://127.0.0.1:${server.port}${path}`, '--json', '--pid', server.pid,
        ...server.bare ? ['--bare'] : [], ...scenario.tls ? ['--insecure'] : [], ...more].map(String);
}

/* Throws what the generator says where an echo was wrong, a connection refused, or nothing came. */
export async function runLoad(scenario, server, more) {
    const load = pinned(LOAD_CORE, join(built, 'moonwire'), wordsOf(scenario, server, more));
    const text = load.line().catch(() => undefined);
    await load.ended;
    const got = JSON.parse(await text ?? 'null');
    if (!got) throw new Error('the load generator did not answer');
    if (got.why || got.failed) throw new Error(got.why || `${got.failed} connections failed`);
    return got;
}

/* The figures of a run of a race. */
export async function measureLoad(scenario, server, more) {
    const before = look(server.pid);
    const got = await runLoad(scenario, server, [...scenario.load, ...more]);
    const after = look(server.pid);
    return {
        cpu_us: got.server_cpu_us / got.received,
        p50_us: got.latency_us?.p50,
        p99_us: got.latency_us?.p99,
        per_second: got.received / (got.took_us / 1e6),
        busy: got.server_cpu_us / got.took_us,
        generator_us: got.cpu_us / got.received,
        received: got.received,
        ...disturbance(before, after, (after.at - before.at) / 1000),
    };
}
