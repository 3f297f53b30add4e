/* `moonwire check`: what it finds in a project, how it ends, and that it is quiet about what is fine. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, binary, root, within } from './harness.mjs';

const OK = 0, FOUND = 1, USAGE = 2, NO_PROJECT = 78;

/* Runs it to its end: { code, out, err }. */
function check(args, cwd = root) {
    const child = spawn(binary, ['check', ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const result = { out: '', err: '' };
    child.stdout.on('data', (chunk) => { result.out += chunk; });
    child.stderr.on('data', (chunk) => { result.err += chunk; });
    const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, ...result })));
    return within(ended, () => `the end of moonwire check ${args.join(' ')}`)
        .finally(() => child.kill('SIGKILL'));
}

/* What is found in these files: ["scripts/chat.lua:2:3 rule", ...]. */
async function findings(files) {
    const project = new Project(files);
    const { code, out, err } = await check(['.', '--json'], project.dir);
    project.remove();
    const report = JSON.parse(out);
    assert.equal(err, '');
    assert.equal(code, report.findings.length ? FOUND : OK);
    assert.equal(report.ok, report.findings.length === 0);
    assert.equal(report.errors + report.warnings, report.findings.length);
    return report;
}

const places = (report) => report.findings.map((f) => `${f.file}:${f.line}:${f.column} ${f.rule}`);

test('the examples are clean', async () => {
    for (const folder of ['.', 'scripts']) {
        const { code, out, err } = await check([folder]);
        assert.deepEqual([code, err], [OK, ''], out);
        assert.match(out, /^\d+ files, nothing found\n$/);
    }
});

test('every whole script of the documentation is clean', async () => {
    // A piece of a page has no lib/ beside it, and one shows what a refusal looks like.
    const expected = / (require|load|http-refusal)$/;
    let count = 0;
    for (const page of ['README.md', 'docs/scripting.md', 'docs/running.md']) {
        const text = readFileSync(join(root, page), 'utf8');
        for (const [, block] of text.matchAll(/```lua\n(.*?)```/gs)) {
            if (!/^return M$/m.test(block)) continue;
            const report = await findings({ 'scripts/page.lua': block });
            assert.deepEqual(places(report).filter((place) => !expected.test(place)), [],
                `${page}:\n${block}`);
            count++;
        }
    }
    assert.ok(count > 0);
});

const mistakes = {
    'moonwire.lua': 'return {\n  listen = "127.0.0.1:8080",\n  log = { formt = "json" },\n}\n',
    'scripts/chat.lua': `local M = { route = "/:any" }
function M.on_open(conn, req)
  usr = req.query.user
  conn.send("hello")
  if not usr then return false, 403 end
end
function M.on_mesage(conn, data) conn:sendd(data) end
return M
`,
    'scripts/broken.lua': 'local M = {}\nif M = nil then end\nreturn M\n',
    'scripts/loads.lua': 'local M, nothing = {}\nM.x = nothing.field\nreturn M\n',
    'scripts/takes.lua': 'local M = { route = "/" .. ":thing" }\nreturn M\n',
    'scripts/_left_out.lua': 'this is not Lua',
    'scripts/lib/a.lua': 'return require "b"\n',
    'scripts/lib/b.lua': 'return require "a"\n',
};

test('a project with mistakes is told of each of them, once and in order', async () => {
    const report = await findings(mistakes);
    assert.deepEqual(places(report), [
        'moonwire.lua:3:11 settings',
        'scripts/broken.lua:2:6 syntax',
        'scripts/chat.lua:3:3 undeclared-write',
        'scripts/chat.lua:4:8 call-style',
        'scripts/chat.lua:5:10 undeclared-read',
        'scripts/chat.lua:5:33 http-refusal',
        'scripts/chat.lua:7:12 unknown-key',
        'scripts/chat.lua:7:39 unknown-member',
        'scripts/lib/b.lua:1:16 require',
        'scripts/loads.lua:2:1 load',
        'scripts/takes.lua:1:1 route',
    ]);
    assert.equal(report.files, 7);
    assert.equal(report.warnings, 2);
    const [send] = report.findings.filter((f) => f.rule === 'call-style');
    assert.deepEqual(send, {
        file: 'scripts/chat.lua', line: 4, column: 8, end_column: 12, severity: 'error',
        rule: 'call-style', message: 'conn.send called without its connection',
        hint: 'methods take a colon: conn:send(...)', source: '  conn.send("hello")',
    });
});

test('people get a frame and a hint, without colours where no terminal reads', async () => {
    const project = new Project(mistakes);
    const { code, out, err } = await check([project.dir]);
    project.remove();
    assert.deepEqual([code, err], [FOUND, '']);
    assert.ok(!out.includes('\x1b'));
    assert.ok(out.includes(`${project.dir}/scripts/chat.lua:4:8: error: conn.send called without its connection [call-style]
    4 |   conn.send("hello")
      |        ^~~~
  hint: methods take a colon: conn:send(...)
`), out);
    assert.match(out, /\n7 files, 9 errors, 2 warnings\n$/);
});

test('what a script holds cannot move the cursor of a terminal', async () => {
    const project = new Project({ 'evil.lua': 'x = "\x1b[2J" -- \x07\u202e\u009b\u00e4\nreturn {}\n' });
    const { out } = await check([project.dir]);
    project.remove();
    assert.match(out, /^ {4}1 \| x = "\.\[2J" -- \.\.\.\u00e4$/m);
});

test('what never ends while it is loaded is stopped', async () => {
    const report = await findings({
        'moonwire.lua': 'while true do end\n',
        'scripts/loop.lua': 'while true do pcall(string.rep, "x", 1e9) end\nreturn {}\n',
    });
    assert.deepEqual(places(report), ['moonwire.lua:1:1 settings', 'scripts/loop.lua:1:1 load']);
});

test('a stop is told of beside what reading finds in its line, and once for a library', async () => {
    const { findings: found } = await findings({
        'scripts/a.lua': 'for _ = 1, math.huge do end',
        'scripts/b.lua': 'require "loop"\nreturn {}\n',
        'scripts/c.lua': 'require "loop"\nreturn {}\n',
        'scripts/lib/loop.lua': 'while true do end\n',
    });
    assert.deepEqual(found.map((f) => `${f.file}:${f.line} ${f.rule}`).sort(),
        ['scripts/a.lua:1 load', 'scripts/a.lua:1 no-module', 'scripts/lib/loop.lua:1 load']);
    assert.match(found.find((f) => f.file === 'scripts/a.lua' && f.rule === 'load').message, /stopped after/);
});

/* how it is called, its exit code, what it says */
const calls = [
    [['not/there'], NO_PROJECT, /no such folder/],
    [['docs'], NO_PROJECT, /holds no script/],
    [['scripts', 'docs'], USAGE, /one folder/],
    [['scripts', '--jsn'], USAGE, /--jsn/],
];

for (const [args, expected, text] of calls) {
    test(`moonwire check ${args.join(' ')} ends with ${expected}`, async () => {
        const { code, out, err } = await check(args);
        assert.deepEqual([code, out], [expected, '']);
        assert.match(err, text);
    });
}

test('a message that no string can hold is found, unless moonwire.lua allows for it', async () => {
    const files = { 'scripts/a.lua': 'return { limits = { message = 2000000 } }' };
    const { findings: [found] } = await findings(files);
    assert.equal(found.rule, 'load');
    assert.match(found.message, /limits\.message is 2000000, but one string may have 1310720/);
    files['moonwire.lua'] = 'return { script = { string = 2000000 } }';
    assert.deepEqual((await findings(files)).findings, []);
});
