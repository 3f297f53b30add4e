/*
 * Paths that are broken in one way each, and the verdict that `moonwire doctor` owes them: the line
 * that has to fail (or warn), and words that its value has to have. `build(t)` makes the path and
 * gives { url, args, env }. Each is bounded by --timeout 2, or by the limits of 2 s that the path has.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate } from '../certificates.mjs';
import { start } from '../harness.mjs';
import * as box from './middleboxes.mjs';
import { freePort, haproxy, nginx, startHaproxy, startNginx } from './proxies.mjs';
import * as strange from './servers.mjs';

export const ECHO = `return {
  protocols = { "v1" },
  limits = { ping = %PING% },
  on_message = function(conn, data, kind) conn:send(data, kind) end,
}
`;
export const files = (ping = 25) => ({ 'scripts/echo.lua': ECHO.replace('%PING%', String(ping)) });

const ws = (port, path = '/echo') => `ws://127.0.0.1:${port}${path}`;
/* Where silence is the finding, it is short; elsewhere a machine that stands still must not be one. */
const QUICK = ['--timeout', '2'];
const PATIENT = ['--timeout', '20'];
const IDLE = ['--timeout', '3', '--idle', '6'];

/* Our server behind a box that treats connections so. */
const behind = (treat, args = PATIENT) => async (t) => {
    const server = await start(t, files());
    const { port } = await box.middlebox(t, server.port, treat);
    return { url: ws(port), args };
};

/* A server with these habits, reached directly. */
const habits = (one, args = PATIENT) => async (t) => {
    const { port } = await strange.strangeServer(t, one);
    return { url: ws(port), args };
};

/* One of TLS with this certificate, and the file of who may sign them. */
const tls = (make, { host = 'localhost', path } = {}) => async (t) => {
    const authority = certificate('Doctor Authority', { ca: true });
    const dir = mkdtempSync(join(tmpdir(), 'moonwire-trust-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, 'ca.pem'), authority.cert);
    const { port } = await strange.strangeServer(t, {}, make(authority));
    return { url: path ? path(port) : `wss://${host}:${port}/echo`, args: PATIENT,
        env: { SSL_CERT_FILE: join(dir, 'ca.pem') } };
};

const nginxBefore = (options, args = QUICK) => async (t) => {
    const server = await start(t, files());
    const { port } = await startNginx(t, server.port, options);
    return { url: ws(port), args };
};

const haproxyBefore = (options, args = QUICK) => async (t) => {
    const server = await start(t, files());
    const { port } = await startHaproxy(t, server.port, options);
    return { url: ws(port), args };
};

/* A name that does not resolve, a port where nobody is, one that takes a connection and is silent. */
async function silentPort(t) {
    const open = new Set();
    const server = createServer((socket) => { open.add(socket); socket.on('error', () => {}); })
        .listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    t.after(() => { for (const socket of open) socket.destroy(); server.close(); });
    return { url: ws(server.address().port), args: QUICK };
}

const TWO_SECONDS = /after (1\.[5-9]|2\.\d) s of silence/;

export const broken = [
    { name: 'a name that does not exist', line: 'DNS', value: /the name is unknown|no address|no such name/,
        build: () => ({ url: 'ws://no-such-name.invalid/echo', args: PATIENT }) },
    { name: 'a port where nobody listens', line: 'TCP', value: /refused/,
        build: async () => ({ url: ws(await freePort()), args: PATIENT }) },
    { name: 'a server that never answers', line: 'handshake', value: /no answer in time/,
        build: silentPort },

    { name: 'TLS: a certificate for another name', line: 'TLS', why: /for another name/,
        build: tls((issuer) => certificate('elsewhere.test', { issuer })) },
    { name: 'TLS: a certificate that has expired', line: 'TLS', why: /is over/,
        build: tls((issuer) => certificate('localhost', { issuer, past: true })) },
    { name: 'TLS: a certificate signed by itself', line: 'TLS', why: /signed by itself/,
        build: tls(() => certificate('localhost')) },
    { name: 'TLS: a certificate of an unknown signer', line: 'TLS', why: /Nobody that this machine/,
        build: tls(() => certificate('localhost', { issuer: certificate('Other', { ca: true }) })) },
    { name: 'TLS: a certificate that is for clients', line: 'TLS',
        value: /not meant for servers/, why: /not meant for servers/, fix: /serverAuth/,
        build: tls((issuer) => certificate('localhost', { issuer, usage: 'clientAuth' })) },
    { name: 'TLS 1.2 with a signature that is not checked here is not called a fault of the rules',
        line: 'TLS', value: /such as RSA-PSS; browsers/,
        build: tls((issuer) => ({ ...certificate('localhost', { issuer, kind: 'rsa' }),
            maxVersion: 'TLSv1.2', sigalgs: 'rsa_pss_rsae_sha256' })) },
    { name: 'wss:// to a plain port', line: 'TLS', value: /plain HTTP/, fix: /^ws:\/\//,
        build: async (t) => ({ url: `wss://127.0.0.1:${(await start(t, files())).port}/echo`,
            args: PATIENT }) },
    { name: 'ws:// to a port for TLS', line: 'handshake', fix: /wss:\/\//,
        build: tls((issuer) => certificate('localhost', { issuer }),
            { path: (port) => ws(port) }) },

    { name: 'nginx without the upgrade headers', needs: nginx, line: 'handshake',
        value: /^HTTP 426 from moonwire, through "nginx/, why: /"nginx.*" does not pass it on/,
        fix: /^nginx: proxy_http_version 1\.1;\nnginx: proxy_set_header Upgrade/,
        build: nginxBefore({ upgrade: false }) },
    { name: 'a box that strips Upgrade', line: 'handshake', value: /^HTTP 4\d\d from moonwire/,
        fix: /Upgrade/, build: behind(box.stripUpgrade()) },
    { name: '403 from nginx in front', needs: nginx, line: 'handshake',
        value: /^HTTP 403 from "nginx.*not from moonwire/, fix: /--origin/,
        build: nginxBefore({ location: 'deny all;' }) },
    { name: '403 from our server, for the origin', line: 'handshake',
        value: /^HTTP 403 from moonwire/, fix: /origins/,
        build: async (t) => ({ url: ws((await start(t, files())).port),
            args: [...PATIENT, '--origin', 'https://elsewhere.test'] }) },
    { name: 'a redirect', line: 'handshake', value: /^HTTP 301/, fix: /leads to https:\/\/x\.test\/e/,
        build: habits(strange.refuses(301, 'Moved', ['Location: https://x.test/e'])) },
    { name: 'a path that nobody serves', line: 'handshake', value: /^HTTP 404 from moonwire: no_route/,
        build: async (t) => ({ url: ws((await start(t, files())).port, '/nowhere'), args: PATIENT }) },
    { name: '502 from nginx, whose server is gone', needs: nginx, line: 'handshake',
        value: /^HTTP 502 from "nginx/, fix: /upstream/,
        build: async (t) => ({ url: ws((await startNginx(t, await freePort())).port), args: QUICK }) },
    { name: '426 from somebody', line: 'handshake', value: /^HTTP 426 from somebody/, fix: /Upgrade/,
        build: habits(strange.refuses(426, 'Upgrade Required')) },
    { name: '200, a page', line: 'handshake', value: /^HTTP 200/, why: /as if for a page/,
        build: habits(strange.refuses(200, 'OK', [], '<html>')) },
    { name: 'a wrong Sec-WebSocket-Accept', line: 'handshake', value: /breaks a rule.*Accept/,
        build: habits(strange.wrongAccept) },
    { name: 'an extension that nobody offered', line: 'handshake', value: /breaks a rule.*extension/,
        build: habits(strange.unknownExtension) },
    { name: 'a subprotocol that was not offered', line: 'handshake', value: /breaks a rule.*subprotocol/,
        build: habits(strange.otherProtocol) },
    { name: 'no subprotocol of those asked for', line: 'subprotocol', value: /none of "v9" was taken/,
        build: async (t) => ({ url: ws((await start(t, files())).port),
            args: [...PATIENT, '-s', 'v9'] }) },

    { name: 'a box that answers HTTP on the upgraded stream', line: 'ping',
        value: /plain HTTP in place of a frame/, build: behind(box.answerHttp()) },
    { name: 'a server that answers no ping', line: 'ping', value: /no answer in/,
        build: habits(strange.neverPongs, QUICK) },
    { name: 'a box that holds back what is small', line: 'ping',
        value: /only when more was sent/, build: behind(box.buffer(4096), QUICK) },
    { name: 'a box that delays frames', line: 'ping', state: 'warn', why: /holds back what is small/,
        build: behind(box.delay(400), QUICK) },
    { name: 'a server that masks its frames', line: 'masking', value: /breaks a rule/,
        build: habits(strange.masksFrames) },

    { name: 'cut by FIN after 10 000 bytes', line: 'echo', value: /^cut \(FIN\).*16384 bytes/,
        build: behind(box.cutAfterBytes(10_000)) },
    { name: 'cut by RST after 10 000 bytes', line: 'echo', value: /^reset \(RST\).*16384 bytes/,
        build: behind(box.cutAfterBytes(10_000, 'rst')) },
    { name: 'a box that flips bits', line: 'echo', value: /came back changed|breaks a rule/,
        build: behind(box.flipBits(3000)) },
    { name: 'a server that cuts messages short', line: 'echo', value: /16384 bytes came back as 5000/,
        build: habits(strange.truncates(5000)) },
    { name: 'a server that breaks messages up wrongly', line: 'echo', value: /breaks a rule/,
        build: habits(strange.breaksFragments) },
    { name: 'a server that loses fragments', line: 'fragmentation', value: /came back as 8 of its/,
        build: habits(strange.forgetsFragments) },
    { name: 'a box that answers the offer of compression itself', line: 'compression',
        value: /agreed on .* and then/, fix: /Sec-WebSocket-Extensions/,
        build: behind(box.answerDeflate()) },

    { name: 'a server that never answers Close', line: 'close', value: /no Close frame came back/,
        build: habits(strange.neverAnswersClose, QUICK) },
    { name: 'a server that ends TCP in place of Close', line: 'close', value: /no Close frame came back/,
        build: habits(strange.dropsInsteadOfClose) },
    { name: 'a server that sends 1006', line: 'close', value: /breaks a rule \(code 1006\)/,
        build: habits(strange.closes1006) },
    { name: 'a server that answers with another code', line: 'close', state: 'warn',
        value: /1000 was sent, and 1011 came back/, build: habits(strange.changesCode) },

    { name: 'a box that cuts silence after 2 s, by FIN', line: 'idle', value: TWO_SECONDS,
        how: /by FIN/, build: behind(box.cutSilent(2000), IDLE) },
    { name: 'a box that cuts silence after 2 s, by RST', line: 'idle', value: TWO_SECONDS,
        how: /by RST/, build: behind(box.cutSilent(2000, 'rst'), IDLE) },
    { name: 'a box that ends whatever is 3 s old', line: 'idle',
        value: /after (2\.[5-9]|3\.\d) s of life/, fix: /how long a connection may last/,
        build: behind(box.cutAfterMs(3000), IDLE) },
    { name: 'nginx with proxy_read_timeout 2s', needs: nginx, line: 'idle', value: TWO_SECONDS,
        fix: /^nginx: proxy_read_timeout/, build: nginxBefore({ location: 'proxy_read_timeout 2s;' }, IDLE) },
    { name: 'HAProxy with timeout tunnel 2s', needs: haproxy, line: 'idle', value: TWO_SECONDS,
        fix: /^HAProxy: timeout tunnel/, build: haproxyBefore({ timeouts: `timeout client 30s
  timeout server 30s
  timeout tunnel 2s` }, IDLE) },
    { name: 'HAProxy with timeout client 2s', needs: haproxy, line: 'idle', value: TWO_SECONDS,
        fix: /timeout client/, build: haproxyBefore({ timeouts: `timeout client 2s
  timeout server 30s` }, IDLE) },
    { name: 'a server that ends it by a rule of its own', line: 'idle', state: 'warn',
        value: /closed with 3008 "idle".*by the server/,
        build: async (t) => {
            const { port } = await strange.strangeServer(t, strange.closesAfter(2000, 3008, 'idle'));
            return { url: ws(port), args: IDLE };
        } },
];
