/* What is in the repository beside its sources is what they give. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { binary, root } from '../e2e/harness.mjs';
import { bundle } from '../../client/build.mjs';
import { generate } from '../../client/generate.mjs';

const read = (path) => readFileSync(join(root, 'client', path), 'utf8');

test('policy.js is what the program says of close codes', () => {
    const book = execFileSync(binary, ['explain', '--all', '--json', '--lang', 'en'],
        { maxBuffer: 1 << 26 });
    assert.equal(read('src/policy.js'), generate(book),
        'moonwire explain --all --json --lang en | node client/generate.mjs > client/src/policy.js');
});

test('dist/moonwire.js is what the sources give', async () => {
    assert.equal(read('dist/moonwire.js'), await bundle(), 'node client/build.mjs');
});

test('it is small: under 3000 bytes, whichever gzip packs it', () => {
    const bytes = gzipSync(read('dist/moonwire.js'), { level: 9 }).length;
    assert.ok(bytes < 3000, `${bytes} bytes gzip`);
});
