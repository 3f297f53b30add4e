/* The package as another project imports it: types by tsc --strict, code by Node. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../e2e/harness.mjs';

const require = createRequire(join(root, 'tests', 'e2e', 'package.json'));
const project = mkdtempSync(join(tmpdir(), 'moonwire-types-'));
after(() => rmSync(project, { recursive: true, force: true }));
mkdirSync(join(project, 'node_modules'));
symlinkSync(join(root, 'client'), join(project, 'node_modules', 'moonwire-client'));
writeFileSync(join(project, 'package.json'), '{"type": "module"}');
cpSync(join(root, 'tests', 'client', 'types', 'use.ts'), join(project, 'use.ts'));

for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
    test(`types, ${resolution}`, () => {
        const { status, stdout } = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'),
            '--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom',
            '--module', module, '--moduleResolution', resolution, 'use.ts'], { cwd: project });
        assert.equal(String(stdout), '');
        assert.equal(status, 0);
    });
}

const run = (...args) => String(execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' }));

test('code', () => {
    assert.equal(run('--input-type=module', '-e',
        "import { Socket } from 'moonwire-client'; console.log(Socket.name.length > 0, Socket.OPEN)"),
    'true 1\n');
});

/* With its second file, which it finds in the package as well as beside a bundle. */
const USE = `
    import { Socket } from 'moonwire-client';
    globalThis.crypto ??= (await import('node:crypto')).webcrypto;
    class Door { constructor(url) { console.log(/moonwire=\\d+\\.$/.test(url)); socket.close(); } }
    const socket = new Socket('ws://x.test/', { resume: true, WebSocket: Door, dev: false });`;

test('code of sessions, in Node', () => {
    writeFileSync(join(project, 'use.mjs'), USE);
    assert.equal(run('use.mjs'), 'true\n');
});

test('code of sessions, bundled, split and whole', async () => {
    const { build } = require('esbuild');
    for (const splitting of [true, false]) {
        const outdir = join(project, `split-${splitting}`);
        await build({ entryPoints: [join(project, 'use.mjs')], bundle: true, splitting, outdir,
            format: 'esm', platform: 'node', outExtension: { '.js': '.mjs' }, nodePaths: [join(project, 'node_modules')] });
        assert.equal(run(join(outdir, 'use.mjs')), 'true\n');
    }
});
