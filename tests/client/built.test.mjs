/* What is in the repository beside its sources is what they give. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { binary, root } from '../e2e/harness.mjs';
import { FILES, bundle } from '../../client/build.mjs';
import { generate } from '../../client/generate.mjs';

const read = (path) => readFileSync(join(root, 'client', path), 'utf8');

test('policy.js is what the program says of close codes', () => {
    const book = execFileSync(binary, ['explain', '--all', '--json', '--lang', 'en'],
        { maxBuffer: 1 << 26 });
    assert.equal(read('src/policy.js'), generate(book),
        'moonwire explain --all --json --lang en | node client/generate.mjs > client/src/policy.js');
});

for (const file in FILES) {
    test(`dist/${file} is what the sources give`, async () => {
        assert.equal(read(`dist/${file}`), await bundle(file), 'node client/build.mjs');
    });
}

/* What the README says of each. */
for (const [file, limit] of [['moonwire.js', 3000], ['resume.js', 1600]]) {
    test(`dist/${file} is small: under ${limit} bytes, whichever gzip packs it`, () => {
        const bytes = gzipSync(read(`dist/${file}`), { level: 9 }).length;
        assert.ok(bytes < limit, `${bytes} bytes gzip`);
    });
}
