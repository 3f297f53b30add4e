/*
 * The simulated crowd, and that a real server gives a real crowd what was simulated: the slots, one
 * by one. When they really arrive depends on the machine, and is only told.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { binary, Project, root, start } from './harness.mjs';

function simulate(...args) {
    const { status, stdout, stderr } = spawnSync(binary, ['simulate', 'herd', ...args],
        { encoding: 'utf8', maxBuffer: 1 << 26 });
    return { status, stdout, stderr };
}

const curves = (...args) => JSON.parse(simulate('--json', ...args).stdout);

test('the picture in docs is the one that is drawn today', (t) => {
    const project = new Project();
    t.after(() => project.remove());
    assert.equal(simulate('--svg', project.path('herd.svg')).status, 0);
    const drawn = readFileSync(project.path('herd.svg'), 'utf8');
    assert.ok(drawn === readFileSync(join(root, 'docs/img/herd.svg'), 'utf8'),
        'moonwire simulate herd --svg docs/img/herd.svg');
});

test('the same seed is the same run, another one is not', () => {
    const { status, stdout } = simulate('--clients', '3000');
    assert.equal(status, 0);
    assert.match(stdout, /^3000 clients are cut off; 500 a second are asked back/);
    assert.equal(simulate('--clients=3000', '--seed', '1').stdout, stdout);
    assert.notEqual(simulate('--clients=3000', '--seed', '2').stdout, stdout);
});

test('after a drain slots are flat, and nothing else is', () => {
    const { runs } = curves();
    const peak = Object.fromEntries(runs.map((run) => [`${run.after} ${run.policy}`, run.peak]));
    assert.ok(peak['drain slots'] <= 500);
    assert.equal(peak['drain no_jitter'], 10000);
    assert.ok(peak['drain full_jitter'] > 5000 && peak['drain decorrelated'] > 2500);
    for (const run of runs) {
        assert.equal(run.back, 10000);
        assert.equal(run.arrivals.reduce((a, b) => a + b), run.attempts);
    }
});

test('what it cannot simulate it says', () => {
    for (const args of [['--clients', '0'], ['--rate', 'x'], ['--capacity', '0'], ['--seed', '-1']]) {
        const { status, stderr } = simulate(...args);
        assert.equal(status, 2);
        assert.match(stderr, new RegExp(`^moonwire: ${args[0]} wants a whole number from `));
    }
    const { status, stderr } = spawnSync(binary, ['simulate'], { encoding: 'utf8' });
    assert.deepEqual([status, stderr],
        [2, 'moonwire: simulate what? moonwire simulate herd, or resume\n']);
});

/* ---- the real crowd ---- */

const CROWD = 2000, RATE = 1000;

async function gather(server) {
    const peers = [];
    while (peers.length < CROWD)
        peers.push(...await Promise.all(Array.from({ length: 100 }, () => server.connect('/room'))));
    return peers;
}

test('a real server gives 2000 clients the slots that are simulated', async (t) => {
    const room = { 'scripts/room.lua': 'return {}' };
    const quiet = { MOONWIRE_LOG_LEVEL: 'info' }; /* 2000 ends are 2000 lines, and all at once */
    const before = await start(t, room, { env: { ...quiet, MOONWIRE_DRAIN_RATE: String(RATE) } });
    const after = await start(t, room);
    const peers = await gather(before);
    const slots = [], arrivals = [];
    let began;
    const back = peers.map(async (peer) => {
        const { code, reason } = await peer.seen();
        began ??= Date.now();
        const [, least, most] = /;retry=(\d+)(?:-(\d+))?$/.exec(reason).map(Number);
        assert.equal(code, 1001);
        slots.push([least, most || least]);
        await wait(least + Math.random() * ((most || least) - least));
        arrivals.push(Date.now() - began);
        return after.connect('/room');
    });
    assert.equal((await before.stop()).code, 0);
    const here = await Promise.all(back);
    assert.equal(here.length, CROWD);

    const { slots: simulated, runs } = curves('--clients', String(CROWD), '--rate', String(RATE));
    assert.deepEqual(slots.sort((a, b) => a[0] - b[0]), simulated);
    const perSecond = (times) => times.reduce((counts, ms) => {
        const second = Math.floor(ms / 1000);
        counts[second] = (counts[second] ?? 0) + 1;
        return counts;
    }, []);
    assert.deepEqual(perSecond(slots.map(([least]) => least)), [RATE, RATE]);
    const { peak } = runs.find((run) => run.after === 'drain' && run.policy === 'slots');
    t.diagnostic(`arrivals a second ${perSecond(arrivals)}; simulated peak ${peak}`);
});
