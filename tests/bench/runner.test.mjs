/*
 * The runner as ./dev bench starts it, with a few messages: the shape of what it says, whatever
 * the figures are.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { binary, root } from '../e2e/harness.mjs';

const folder = mkdtempSync(join(tmpdir(), 'moonwire-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function run(...words) {
    const env = { ...process.env, MOONWIRE_BUILD: dirname(binary) };
    return new Promise((resolve) => {
        execFile(process.execPath, [join(root, 'bench/run.mjs'), ...words], { env, timeout: 250_000 },
            (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
    });
}

const few = ['--quick', '--messages', '50', '--only', 'moonwire,floor'];

test('a run gives a table, a report, a page, and something to compare with', async () => {
    const [file, page] = [join(folder, 'report.json'), join(folder, 'page.md')];
    writeFileSync(page, '<!-- bench:cost --><!-- /bench:cost -->\n');
    const got = await run('echo-64', 'fanout-64', 'churn-close', ...few, '--json', file, '--markdown', page);
    assert.deepEqual([got.code, got.err], [0, '']);
    assert.match(got.out, /^echo-64: echo 64 B, 50 connections; per message$/m);
    assert.equal(got.out.match(/^Moonwire .* goal \d\.\d\d: (not )?met by \d/gm).length, 2);
    assert.match(readFileSync(page, 'utf8'), /^\| connect, echo once, close in order \|/m);

    const report = JSON.parse(readFileSync(file, 'utf8'));
    assert.deepEqual(Object.keys(report.versions), ['floor', 'moonwire']);
    for (const { candidates } of Object.values(report.scenarios)) {
        for (const one of Object.values(candidates)) {
            assert.ok(one.cpu_us > 0 && one.ratio > 0 && one.per_second > 0 && one.p99_us >= one.p50_us);
            assert.ok(one.rounds.length >= 1 && one.rounds.every((round) => round.received >= 50));
        }
    }

    const again = await run('--from', file, '--compare', file);
    assert.deepEqual([again.code, again.err], [0, '']);
    assert.equal(again.out.match(/moonwire .* -> .*within the rounds$/gm).length, 3);
});

test('memory: bytes of a connection, and of a fresh server', async () => {
    const got = await run('memory-plain', 'memory-fresh', ...few, '--clients', '50', '--seconds', '1');
    assert.deepEqual([got.code, got.err], [0, '']);
    assert.equal(got.out.match(/^Moonwire .* goal \d+: (not )?met by \d+$/gm).length, 2);
});

test('who is not here is left out with one line, and the others are measured', async () => {
    const got = await run('json', '--quick', '--messages', '50', '--only', 'floor');
    assert.equal(got.code, 0);
    assert.match(got.out, /^json: /m);
});

test('--help lists scenarios and scripts; what is not known is refused', async () => {
    const { code, out } = await run('--help');
    assert.equal(code, 0);
    assert.match(out, /^ +echo-64 +echo 64 B/m);
    assert.match(out, /^ +handshakes +What a TLS handshake/m);
    const wrong = await run('nothing');
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /there is no scenario or script nothing/);
});
