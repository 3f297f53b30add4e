/* `moonwire simulate resume`: what it says, that a seed is repeated, and what it does not take. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { binary } from './harness.mjs';

function simulate(...args) {
    return spawnSync(binary, ['simulate', 'resume', ...args], { encoding: 'utf8' });
}

test('schedules hold, and are told', () => {
    const { status, stdout } = simulate('--schedules', '100');
    assert.equal(status, 0);
    assert.match(stdout, /^100 schedules of cuts, from seed 1 on\n/);
    assert.match(stdout, /\n +[1-9]\d* {2}returns\n/);
    assert.match(stdout, /none came twice\.\n$/);
});

test('a seed gives the same schedules again', () => {
    const all = JSON.parse(simulate('--json', '--schedules', '60', '--seed', '5').stdout);
    const parts = [simulate('--json', '--schedules', '20', '--seed', '5'),
        simulate('--json', '--schedules', '40', '--seed', '25')].map((p) => JSON.parse(p.stdout));
    assert.equal(all.held, 60);
    assert.equal(all.first_seed, 5);
    for (const name of ['cuts', 'returns', 'up', 'down', 'missed', 'resent'])
        assert.equal(all[name], parts[0][name] + parts[1][name], name);
});

test('what it does not take is said', () => {
    for (const [args, why] of [
        [['--seed', 'x'], /--seed wants a whole number/],
        [['--schedules', '-1'], /--schedules wants a whole number/],
        [['--clients', '5'], /simulate resume takes/],
    ]) {
        const { status, stderr } = simulate(...args);
        assert.equal(status, 2, stderr);
        assert.match(stderr, why);
    }
    assert.equal(spawnSync(binary, ['simulate', 'herd', '--schedules', '5']).status, 2);
});
