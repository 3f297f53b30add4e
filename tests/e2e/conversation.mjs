/*
 * One conversation for every peer that is no JavaScript. A peer is a program that is called with the
 * address of the server, and behind it with a file of certificates to trust if that is wss://. It
 * talks as below, checks what it hears, and exits with 0 or says on stderr what was wrong. What it
 * claims to have done is then looked up in the server's log.
 *
 *   /echo   text "Grüße €", text "", 1 MiB of text, 1 MiB of bytes, "in three parts" in three
 *           fragments if it can; each is echoed; then it closes with 4002 "done"
 *   /ends   text "4001 enough": reads the close 4001 "enough"
 *   /ends   2000 bytes, which are too many there: reads the close 1009
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATIENCE_MS, start } from './harness.mjs';

const SKIPPED = 77; /* as tests/CMakeLists.txt tells ctest */
const MESSAGES = 4;

const script = (more) => `
    local M = { limits = { ${more.limits} } }
    function M.on_message(conn, data, kind) ${more.on_message} end
    function M.on_close(conn, code, reason, info)
      log.info("end", { code = code, reason = reason, cause = info.cause,
                        received = info.received })
    end
    return M`;

const scripts = {
    'moonwire.lua': 'return { script = { string = 2 * 1024 * 1024 } }',
    'scripts/echo.lua': script({
        limits: 'message = 2 * 1024 * 1024, queue = 8 * 1024 * 1024',
        on_message: 'conn:send(data, kind == "binary" and "binary" or nil)',
    }),
    'scripts/ends.lua': script({
        limits: 'message = 1000',
        on_message: 'conn:close(tonumber(data:sub(1, 4)), data:sub(6))',
    }),
};

/* For a peer that is not here: ctest is told that this was skipped, and people how to get it. */
export function skip(how) {
    console.log(`skipped: ${how}`);
    process.exit(SKIPPED);
}

/* Whether a program can be run and ends well with these arguments. */
export function runs(file, args) {
    return new Promise((resolve) => execFile(file, args, (error, out) => resolve(!error && out)));
}

function run(file, args) {
    return new Promise((resolve) => {
        const options = { timeout: PATIENCE_MS * 2 };
        execFile(file, args, options, (error, out, err) => resolve({ error, said: out + err }));
    });
}

/* A certificate for the while: ECDSA P-256, signed by itself. */
function certify(t) {
    const folder = mkdtempSync(join(tmpdir(), 'moonwire-test-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
        '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
    { stdio: 'ignore' });
    return { cert, key };
}

/* The server, and what a peer is told of it. */
async function serve(t, secure) {
    const args = ['--listen', '127.0.0.1:0'];
    if (!secure) {
        const server = await start(t, scripts, { args });
        return { server, told: [`ws://127.0.0.1:${server.port}`] };
    }
    const { cert, key } = certify(t);
    const server = await start(t, scripts, { args: [...args, '--tls-cert', cert, '--tls-key', key] });
    return { server, told: [`wss://localhost:${server.port}`, cert] };
}

async function converse(t, [file, ...args], { fragments, secure }) {
    const { server, told } = await serve(t, secure);
    const { error, said } = await run(file, [...args, ...told]);
    assert.equal(error, null, said);
    const { code, reason, cause, received } = await server.log({ msg: 'end', script: 'echo.lua' });
    const messages = fragments ? MESSAGES + 1 : MESSAGES;
    assert.deepEqual({ code, reason, cause, received },
        { code: 4002, reason: 'done', cause: 'peer_close', received: messages });
    const [first, second] = [1, 2].map((n) => server.log({ msg: 'end', script: 'ends.lua' }, n));
    assert.equal((await first).cause, 'script_close');
    assert.match((await second).cause, /^(message|inflated)_too_big$/);
}

/* Tests one peer, by the command that starts it. */
export function peer(name, command, { fragments = true } = {}) {
    for (const secure of [false, true])
        test(`${name} converses${secure ? ' over TLS' : ''}`, (t) =>
            converse(t, command, { fragments, secure }));
}
