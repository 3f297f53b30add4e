/* `moonwire doctor` without URL: what it finds on this machine and in a project. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { binary, Project, Server, start, within } from './harness.mjs';

const ECHO = 'return { on_message = function(conn, message) conn:send(message) end }\n';
/* A limit of this machine's own is no finding of the project's. */
const OF_MACHINE = ['open files', 'backlog', 'conntrack', 'clock', 'project'];

function doctor(words, options = {}) {
    return within(new Promise((resolve) => {
        execFile(binary, ['doctor', ...words], options, (error, out, err) =>
            resolve({ code: error ? error.code : 0, out, err }));
    }), () => `moonwire doctor ${words.join(' ')}`);
}

async function look(dir, { args = ['--listen', '127.0.0.1:0'], ...options } = {}) {
    const { code, out, err } = await doctor([dir, '--json', ...args], options);
    assert.equal(err, '');
    const report = JSON.parse(out);
    const line = (name) => report.checks.find((check) => check.name === name);
    const found = report.checks.filter((check) => !OF_MACHINE.includes(check.name) &&
        ['warn', 'fail'].includes(check.state)).map((check) => check.name);
    assert.equal(code, report.ok ? 0 : 1);
    assert.equal(report.ok, report.failed + report.warnings === 0);
    return { report, line, found, code };
}

function project(t, files = { 'scripts/echo.lua': ECHO }) {
    const made = new Project(files);
    t.after(() => made.remove());
    return made;
}

test('a sound project has no finding, and every line says what was seen', async (t) => {
    const { found, report, line } = await look(project(t).dir);
    assert.deepEqual(found, []);
    assert.ok(report.checks.every((check) => check.value !== ''), JSON.stringify(report));
    assert.match(line('open files').value, /room for about \d+ connections/);
    assert.match(line('scripts').value, /^1 file, 0 errors/);
});

test('for people: a row a check, ASCII where the terminal is', async (t) => {
    const { dir } = project(t);
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    const { out } = await doctor([dir, '--listen', '127.0.0.1:0'], { env });
    assert.match(out, /^ ✓ scripts +1 file, 0 errors, 0 warnings$/m);
    const plain = await doctor([dir, '--listen', '127.0.0.1:0'],
        { env: { ...process.env, LC_ALL: 'C' } });
    assert.match(plain.out, /^ ok {3}scripts +1 file/m);
    assert.ok(/^[\x20-\x7e\n]*$/.test(plain.out), plain.out);
});

test('a folder that is no project: asked for it fails, else it is passed over', async (t) => {
    const empty = project(t, {});
    const { report, line, code } = await look(empty.dir);
    assert.equal(code, 1);
    assert.equal(line('project').state, 'fail');
    assert.equal(report.checks.at(-1).name, 'project');
    const { out } = await doctor(['--json'], { cwd: empty.dir });
    const checks = JSON.parse(out).checks;
    assert.equal(checks.at(-1).state, 'skipped');
    assert.match(checks.at(-1).fix.join(), /moonwire doctor DIR/);
});

test('settings that cannot be served with, and scripts that do not load', async (t) => {
    const files = { 'scripts/echo.lua': 'return {\n', 'moonwire.lua': 'return { lsten = 1 }\n' };
    const { line, found } = await look(project(t, files).dir);
    assert.deepEqual(found, ['settings', 'scripts']);
    assert.match(line('settings').value, /lsten/);
    assert.match(line('scripts').why, /echo\.lua:\d/);
    assert.match(line('scripts').fix[0], /^moonwire check /);
    assert.equal(line('port').state, 'skipped');
    assert.match(line('port').value, /settings have to be mended/);
});

test('a port that somebody has: who it is', async (t) => {
    const taker = createServer().listen(0, '127.0.0.1');
    t.after(() => taker.close());
    await new Promise((resolve) => taker.on('listening', resolve));
    const { port } = taker.address();
    const { line, found } = await look(project(t).dir, { args: ['--listen', `127.0.0.1:${port}`] });
    assert.deepEqual(found, ['port']);
    assert.match(line('port').value, new RegExp(`is taken by .*\\(pid ${process.pid}\\)`));
    assert.match(line('port').fix[0], new RegExp(`^ss -ltnp 'sport = :${port}'`));
});

test('an address of another machine', async (t) => {
    const { line } = await look(project(t).dir, { args: ['--listen', '192.0.2.1:8080'] });
    assert.equal(line('port').state, 'fail');
    assert.match(line('port').fix[0], /^ip -brief address/);
});

test('the server of this project is known as such', async (t) => {
    const server = await start(t, { 'scripts/echo.lua': ECHO });
    const { line, found } = await look(server.project.dir,
        { args: ['--listen', `127.0.0.1:${server.port}`] });
    assert.deepEqual(found, []);
    const who = `moonwire (pid ${server.process.pid})`;
    assert.equal(line('admin socket').value, `${who} answers`);
    assert.ok(line('port').value.endsWith(`this project's server, ${who}`), line('port').value);
    assert.ok(line('project').value.endsWith(`served by ${who}`));
});

test('the socket of a server that was killed', async (t) => {
    const server = new Server(project(t));
    await server.ready();
    await server.stop('SIGKILL');
    const { line, found } = await look(server.project.dir);
    assert.deepEqual(found, ['admin socket']);
    assert.match(line('admin socket').value, /left behind/);
    assert.match(line('admin socket').fix[0], /^dmesg/);
});

test('something else in the place of the socket', async (t) => {
    const made = project(t, { 'scripts/echo.lua': ECHO, 'data/moonwire.sock': 'text' });
    const { line, found } = await look(made.dir);
    assert.deepEqual(found, ['admin socket']);
    assert.match(line('admin socket').value, /is no socket/);
});

test('a data folder that cannot be written to', { skip: process.getuid() === 0 }, async (t) => {
    const made = project(t);
    mkdirSync(made.path('data'));
    chmodSync(made.path('data'), 0o500);
    const { line, found } = await look(made.dir);
    chmodSync(made.path('data'), 0o700);
    assert.deepEqual(found, ['data folder']);
    assert.match(line('data folder').fix[0], /^chown /);
});

test('certificates: their files, and their dates', async (t) => {
    const made = project(t);
    const args = ['--listen', '127.0.0.1:0', '--tls-cert', 'cert.pem', '--tls-key', 'key.pem'];
    const missing = await look(made.dir, { args });
    assert.deepEqual(missing.found, ['certificates']);
    assert.match(missing.line('certificates').value, /cert\.pem: there is no such file/);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
        '-nodes', '-keyout', made.path('key.pem'), '-out', made.path('cert.pem'), '-days', '5',
        '-subj', '/CN=doctor.test'], { stdio: 'ignore' });
    const soon = await look(made.dir, { args });
    assert.deepEqual(soon.found, ['certificates']);
    assert.match(soon.line('certificates').value, /doctor\.test, [45] days left/);
    assert.equal(soon.line('certificates').state, 'warn');
});

test('a script of a time that is to come', async (t) => {
    const made = project(t);
    const later = Date.now() / 1000 + 7200;
    utimesSync(made.path('scripts/echo.lua'), later, later);
    const { line, found } = await look(made.dir);
    assert.deepEqual(found, ['saved']);
    assert.match(line('saved').value, /echo\.lua was saved \d+ s from now/);
});

/* A mount needs a namespace of its own, which not every machine gives. */
function mayMount() {
    try {
        execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

test('a script that is a mount of a single file', { skip: !mayMount() }, async (t) => {
    const made = project(t);
    writeFileSync(made.path('elsewhere.lua'), ECHO);
    const script = `mount --bind "$1/elsewhere.lua" "$1/scripts/echo.lua" &&
        exec "$2" doctor "$1" --json --listen 127.0.0.1:0`;
    const { out } = await within(new Promise((resolve) => {
        execFile('unshare', ['-rm', 'sh', '-c', script, 'sh', made.dir, binary],
            (error, stdout) => resolve({ out: stdout }));
    }), () => 'doctor in a namespace');
    const line = JSON.parse(out).checks.find((check) => check.name === 'mounts');
    assert.equal(line.state, 'warn');
    assert.match(line.value, /^echo\.lua is a mount of a single file/);
    rmSync(made.path('elsewhere.lua'));
});
