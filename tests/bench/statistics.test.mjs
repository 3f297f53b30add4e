/* What the runner of the measurements makes of its figures; none is measured here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, compareText } from '../../bench/runner/compare.mjs';
import { disturbance, readStat } from '../../bench/runner/machine.mjs';
import { readOptions } from '../../bench/runner/options.mjs';
import { namesOf, scenarios } from '../../bench/runner/scenarios.mjs';
import { median, ratioTo, summarize, verdict } from '../../bench/runner/statistics.mjs';
import { fillPage, markdownParts, scenarioText } from '../../bench/runner/table.mjs';

const costs = (...all) => all.map((cpu_us, round) => ({ round, cpu_us }));

test('the median of an even number is between the two in the middle', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([10, 9, 100]), 10);
    assert.equal(median([]), undefined);
});

test('disturbed rounds are left out, and counted', () => {
    const rounds = [...costs(3, 4, 5), { round: 2, cpu_us: 90, disturbed: true }];
    const got = summarize(rounds);
    assert.deepEqual([got.cpu_us, got.kept, got.dropped, got.disturbed], [4, 3, 1, undefined]);
});

test('where all rounds were disturbed they are taken, and that is said', () => {
    const got = summarize(costs(3, 5, 9).map((round) => ({ ...round, disturbed: true })));
    assert.deepEqual([got.cpu_us, got.dropped, got.disturbed], [5, 3, true]);
});

test('a ratio is of the medians, its range of the rounds that both have', () => {
    const floor = summarize(costs(2, 2, 4));
    const ours = summarize([...costs(3, 1, 6), { round: 3, cpu_us: 50 }]);
    assert.deepEqual(ratioTo(floor, ours), { ratio: 2.25, ratio_range: [0.5, 1.5] });
    assert.deepEqual(ratioTo(summarize([{ round: 0, bytes: 100 }]), summarize([{ round: 0, bytes: 150 }])),
        { ratio: 1.5, ratio_range: [1.5, 1.5] });
});

test('a goal is a ratio or a number of bytes', () => {
    assert.deepEqual(verdict({ goal: 1.5 }, { ratio: 1.25 }), { goal: 1.5, met: true, by: 0.25 });
    assert.deepEqual(verdict({ goal: 1 }, { ratio: 1.5 }), { goal: 1, met: false, by: 0.5 });
    assert.deepEqual(verdict({ goal_bytes: 512 }, { bytes: 512, ratio: 9 }), { goal: 512, met: true, by: 0 });
    assert.equal(verdict({ goal: 1 }, { cpu_us: 3 }), undefined);
    assert.equal(verdict({}, { ratio: 3 }), undefined);
});

test('what others and the host took makes a run disturbed', () => {
    const at = (busy, steal, ours) => ({ busy, steal, ours });
    const is = (after, took_s = 1) => disturbance(at(100, 5, 50), after, took_s).disturbed;
    assert.equal(is(at(102, 5, 52)), false);
    assert.equal(is(at(102.05, 5.05, 52)), false, 'a few ticks are the clock\'s own');
    assert.equal(is(at(102.2, 5, 52)), true);
    assert.equal(is(at(102, 5.2, 52)), true);
    assert.equal(is(at(102.2, 5, 52), 10), false, 'of a longer run it is less');
    assert.equal(is(at(101, 5, 52)), false);
    assert.deepEqual(readStat('cpu  100 200 300 4000 50 6 7 80 0 0\ncpu0 1 1 1'), { busy: 6.13, steal: 0.8 });
});

/* A report as the runner makes it, of scenarios that there are. */
function reportOf(ratio, range) {
    const one = (cpu_us, more) => ({ cpu_us, kept: 3, dropped: 0, p50_us: 12.345, p99_us: 123.4,
        per_second: 250000, busy: 0.99, rounds: [], ...more });
    return {
        made: '2030-01-01T00:00:00.000Z', rounds: 3,
        machine: { processor: 'P', cores: 2, kernel: '6' },
        versions: { floor: { title: 'floor', version: 'bare' }, moonwire: { title: 'Moonwire', version: '1' },
            bun: { title: 'Bun', version: '2' } },
        scenarios: {
            'echo-64': { base: 'floor', candidates: {
                floor: one(3, { ratio: 1, ratio_range: [1, 1] }),
                moonwire: one(3 * ratio, { ratio, ratio_range: range }),
                bun: { failed: 'it would not' },
            } },
            json: { base: 'bun', candidates: { moonwire: one(4, { disturbed: true }), bun: one(5) } },
            'memory-plain': { base: 'floor', candidates: { moonwire: { bytes: 600, dropped: 0, rounds: [] } } },
        },
    };
}

test('moved is what lies beyond the rounds of both', () => {
    const before = reportOf(1.1, [1.05, 1.15]);
    const moved = (ratio, range) => compare(before, reportOf(ratio, range)).map((row) => row.moved);
    assert.deepEqual(moved(1.3, [1.2, 1.4]), ['more']);
    assert.deepEqual(moved(1.0, [0.98, 1.02]), ['less']);
    assert.deepEqual(moved(1.2, [1.12, 1.3]), ['within the rounds']);
    const other = reportOf(1.1, [1.05, 1.15]);
    other.scenarios['echo-64'].base = 'bun';
    assert.deepEqual(compare(before, other), [], 'ratios to something else are not compared');
    assert.match(compareText(before, compare(before, reportOf(1.3, [1.2, 1.4]))),
        /echo-64 +moonwire +1\.10 -> +1\.30 +more/);
});

test('the table says ratio, goal, and who failed', () => {
    const text = scenarioText(reportOf(1.1, [1.05, 1.15]), 'echo-64');
    assert.match(text, /^Moonwire +3\.30 +1\.10 +1\.05-1\.15 +12\.3 +123 +250000 +99 % +0 +goal 1\.00: not met by 0\.10$/m);
    assert.match(text, /^Bun +failed: it would not$/m);
    assert.match(text, /^measured elsewhere.*uwebsockets 0\.94$/m);
    assert.match(scenarioText(reportOf(1, [1, 1]), 'json'), /^Moonwire.*every run was disturbed$/m);
    assert.match(scenarioText(reportOf(1, [1, 1]), 'memory-plain'), /goal 512: not met by 88$/m);
});

test('the page gets the tables between its markers, and nothing else changes', () => {
    const parts = markdownParts(reportOf(0.99, [0.9, 1]));
    assert.match(parts.cost, /^\| echo 64 B, 50 connections \| 3\.00 \(1\.00\) \| 2\.97 \(0\.99\) \| failed \| \(0\.94\) \| 1\.00, met \|$/m);
    assert.match(parts.plain, /4\.00 \(disturbed\) \| 5\.00 \|$/m);
    const page = 'a\n<!-- bench:cost -->\nold\n<!-- /bench:cost -->\nb <!-- bench:none -->';
    const got = fillPage(page, parts);
    assert.ok(got.startsWith('a\n<!-- bench:cost -->\n| server CPU') && got.endsWith('<!-- /bench:cost -->\nb <!-- bench:none -->'));
    assert.ok(!got.includes('old'));
    assert.equal(fillPage(got, parts), got);
});

test('a word names a scenario, or else all that begin with it', () => {
    assert.deepEqual(namesOf('churn'), ['churn']);
    assert.deepEqual(namesOf('memory'), ['memory-plain', 'memory-tls', 'memory-fresh']);
    assert.deepEqual(namesOf('nothing'), []);
    for (const name of Object.keys(scenarios)) assert.deepEqual(namesOf(name), [name]);
});

test('the command line: what is not known is refused', () => {
    const got = readOptions(['echo', '--only', 'moonwire,floor', '--quick', '--messages', '9']);
    assert.deepEqual([got.candidates, got.rounds, got.messages], [['floor', 'moonwire'], 1, 9]);
    assert.ok(got.scenarios.includes('echo-1m'));
    for (const words of [['nothing'], ['--nothing'], ['--rounds'], ['--rounds', 'x'], ['--only', 'x']])
        assert.throws(() => readOptions(words), words.join(' '));
});
