/* The cases that the policy in C is held to as well, each by the lowest draw and by the highest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, policy, watched } from './world.mjs';

/* To a page a refusal without `retry` is 1006 and nothing else: it sees no status. */
const isHidden = ({ end }) => end.status && end.retry === undefined;

async function makeEnd(world, seen, { code, opened, uptime = 0, reason = '', ours, status, retry }) {
    const ws = world.last;
    if (opened) {
        ws.accept();
        await world.pass(uptime);
    }
    if (ours) seen.socket.close();
    world.answer = status ? { status, error: 'x', cause: null, text: 'because', retry } : null;
    await ws.end(code, reason);
    return seen.closes.at(-1);
}

async function follow(world, seen, close, then, edge) {
    if (then.stays) {
        assert.equal(close.retryIn, null, `stays: ${then.stays}`);
        assert.equal(seen.socket.state, 'closed');
        await world.pass(1e9);
        return seen.socket.open();
    }
    const ms = then[edge];
    assert.equal(close.retryIn, ms, `${edge} of attempt ${then.attempt}`);
    assert.equal(close.resume, then.resume, `resume of attempt ${then.attempt}`);
    const { length } = world.sockets;
    if (ms) await world.pass(ms - 1);
    assert.equal(world.sockets.length, length, 'not before');
    await world.pass(1);
    assert.equal(world.sockets.length, length + 1, 'and then');
}

for (const { name, steps } of policy.cases) {
    for (const [edge, random] of [['least', () => 0], ['most', () => 1 - 1e-12]]) {
        test(`${name}: ${edge}`, async () => {
            const world = new World();
            const seen = watched('/', { random });
            for (const step of steps) {
                if (isHidden(step)) break;
                const close = await makeEnd(world, seen, step.end);
                await follow(world, seen, close, step.then, edge);
            }
            seen.socket.close();
        });
    }
}
