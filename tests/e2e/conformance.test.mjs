/*
 * RFC 6455 and 7692 as a client sees them: the tables of tests/e2e/conformance/ against the real
 * server, by the field's groups of cases, each in several cuts and with and without compression
 * agreed on. docs/conformance.md says which clause is shown by which row.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { start } from './harness.mjs';
import { closing } from './conformance/closing.mjs';
import { echoAll, frames, sets, sizes as deflateSizes } from './conformance/deflate.mjs';
import { bits, fragmented, messages, opcodes, pings } from './conformance/framing.mjs';
import { sizes } from './conformance/sizes.mjs';
import { run } from './conformance/talk.mjs';
import { invalid, valid } from './conformance/utf8.mjs';

/* 16 MiB are no matter of time here: a build with a sanitizer takes most of a second for them. */
const server = await start({ after }, {
    'moonwire.lua': 'return { script = { string = 17 * 1024 * 1024 } }',
    'scripts/echo.lua': `
        local M = { limits = { message = 17 * 1024 * 1024, inflated = 17 * 1024 * 1024,
                               queue = 64 * 1024 * 1024 } }
        function M.on_message(conn, data, kind) conn:send(data, kind) end
        return M`,
}, { env: { MOONWIRE_LOG_LEVEL: 'info', MOONWIRE_SCRIPT_CPU: '20000' } });

const groups = {
    '1 framing': messages, '2 pings and pongs': pings, '3 reserved bits': bits,
    '4 opcodes': opcodes, '5 fragments': fragmented, '6 valid text': valid,
    '6 invalid text': invalid, '7 closing': closing, '9 sizes': sizes,
    '12 compressed frames': frames,
};

let cases = 0, runs = 0;

for (const [group, rows] of Object.entries(groups)) {
    for (const row of rows) {
        test(`${group}: ${row.name}`, async () => {
            runs += await run(server, row);
            cases++;
        });
    }
}

for (const set of sets) {
    for (const kind of ['text', 'binary']) {
        for (const size of deflateSizes) {
            test(`12, 13 compression: ${kind} of ${size} bytes, ${set[0]}`, async () => {
                await echoAll(server, set, kind, size);
                cases++;
                runs++;
            });
        }
    }
}

test('the count', (t) => {
    const names = Object.values(groups).flat().map((row) => row.name);
    const expected = names.length + sets.length * 2 * deflateSizes.length;
    t.diagnostic(`${cases} cases passed of ${expected}, on ${runs} connections`);
    assert.equal(cases, expected);
});
