/*
 * Whether something else took the machine while a run was measured: what all processors were busy,
 * less the server, the load generator and this process; and what the host took (steal).
 */
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

/* Both are of one processor. Counted are hundredths of a second, so a short run is allowed some. */
const SHARE = 0.04;
const LEAST_S = 0.06;
const TICKS_PER_S = 100;

/* Seconds since the machine started, of all processors: spent by anybody, and taken by the host. */
export function readStat(text = readFileSync('/proc/stat', 'utf8')) {
    const [user, nice, system, , , irq, softirq, steal] =
        text.split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
    return { busy: (user + nice + system + irq + softirq) / TICKS_PER_S, steal: steal / TICKS_PER_S };
}

/* Of a process and, once they have ended, of its children. */
export function processSeconds(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_S;
}

/* Pure: two looks, and what our own processes spent between them. */
export function disturbance(before, after, took_s) {
    const ours = after.ours - before.ours;
    const others_s = Math.max(0, after.busy - before.busy - ours);
    const steal_s = after.steal - before.steal;
    const bound_s = Math.max(LEAST_S, took_s * SHARE);
    return { others_s, steal_s, disturbed: others_s > bound_s || steal_s > bound_s };
}

/* The generator is counted with this process, whose child it was. */
export function look(pid) {
    return { ...readStat(), ours: processSeconds(pid) + processSeconds(process.pid),
        at: performance.now() };
}

export function describeMachine() {
    const [first] = cpus();
    return { processor: first?.model ?? 'unknown', cores: cpus().length, kernel: release() };
}
