/* TLS with node's own, npm ws over wss, and what does not speak it. */
import assert from 'node:assert/strict';
import { get } from 'node:https';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { certificate } from './certificates.mjs';
import { Peer, start, within } from './harness.mjs';
import { Wire, upgradeText } from './wire.mjs';

const ecdsa = certificate('a.example');
const rsa = certificate('a.example', { kind: 'rsa' });
const other = certificate('b.example');
const ca = certificate('Test CA', { ca: true });
const client = certificate('me', { issuer: ca });
const stranger = certificate('nobody');
const trusted = [ecdsa.cert, rsa.cert, other.cert];

const scripts = {
    'scripts/echo.lua': `
        local M = {}
        function M.on_message(conn, data, kind) conn:send(data, kind) end
        function M.on_close(conn, code, reason, info)
          log.info("end", { code = code, cause = info.cause, detail = info.detail })
        end
        return M`,
    'scripts/tls.lua': `
        return { on_open = function(conn, req) conn:send(json.encode(req.tls)) end }`,
    'public/index.html': '<!doctype html><title>here</title>',
};
const pair = ({ cert, key }, name) => ({ [`${name}.pem`]: cert, [`${name}.key`]: key });
const one = { ...scripts, ...pair(ecdsa, 'a') };
const flags = ['--listen', '127.0.0.1:0', '--tls-cert', 'a.pem', '--tls-key', 'a.key'];
const settings = (text) => ({ 'moonwire.lua': `return { listen = "127.0.0.1:0", ${text} }` });

const server = await start({ after }, {
    ...scripts, ...pair(ecdsa, 'a'), ...pair(rsa, 'r'), ...pair(other, 'b'), 'ca.pem': ca.cert,
    ...settings(`tls = {
        cert = "a.pem", key = "a.key", client = "optional", client_ca = "ca.pem",
        certificates = { { cert = "r.pem", key = "r.key" }, { cert = "b.pem", key = "b.key" } },
    }`),
}, { args: [] });

/* Options of node's that trust our certificates for this name. */
const named = (servername, more) => ({ servername, ca: trusted, ...more });

async function wss(at, path, options = named('a.example')) {
    const peer = new Peer(`wss://127.0.0.1:${at.port}${path}`, options);
    await within(peer.opened, () => `wss on ${path}`, () => at.tail());
    return peer;
}

/* A TLS connection, its handshake done; the session that it may be resumed with, once it came. */
async function tls(at, options = named('a.example')) {
    const socket = connect({ host: '127.0.0.1', port: at.port, ...options });
    socket.on('session', (session) => { socket.session = session; });
    await within(new Promise((resolve, reject) => {
        socket.on('secureConnect', resolve).on('error', reject);
    }), () => 'a handshake', () => at.tail());
    return socket;
}

/* An HTTP answer over this socket: its text. */
async function ask(socket, path = '/') {
    let text = '';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);
    for await (const chunk of socket) text += chunk;
    return text;
}

const serial = (at, options) => tls(at, options).then((socket) => {
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
});

/* ---- talking ---- */

for (const version of ['TLSv1.2', 'TLSv1.3']) {
    test(`an echo over ${version}, small and large`, async () => {
        const options = named('a.example', { minVersion: version, maxVersion: version });
        const peer = await wss(server, '/echo', options);
        assert.equal(peer.socket._socket.getProtocol(), version);
        for (const size of [0, 1, 1000, 16384, 65536, 1_000_000]) {
            const bytes = Buffer.alloc(size, size % 251);
            assert.ok((await peer.ask(bytes)).equals(bytes));
        }
        assert.deepEqual(await peer.close(1000), { code: 1000, reason: '' });
    });
}

test('the url says https, and files are served there', async () => {
    assert.match(server.url, /^https:/);
    const body = await new Promise((resolve, reject) => {
        get(server.url, named('a.example'), async (response) => {
            let text = '';
            for await (const chunk of response) text += chunk;
            resolve(text);
        }).on('error', reject);
    });
    assert.match(body, /here/);
});

test('a request over TLS is answered to its end', async () => {
    assert.match(await ask(await tls(server)), /^HTTP\/1.1 200 [^]*<title>here/);
});

/* ---- which certificate ---- */

test('the name that is asked for decides, and the first serves who asks for none', async () => {
    const seen = async (servername) => {
        const socket = await tls(server, { servername, ca: trusted, checkServerIdentity: () => {} });
        const { subject } = socket.getPeerCertificate();
        socket.destroy();
        return subject.CN;
    };
    assert.equal(await seen('a.example'), 'a.example');
    assert.equal(await seen('b.example'), 'b.example');
    assert.equal(await seen('c.example'), 'a.example');
    assert.equal(await seen(''), 'a.example');
});

test('ECDSA or RSA by what the client can verify', async () => {
    for (const [kind, cipher] of [['ec', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
        ['rsa', 'ECDHE-RSA-AES128-GCM-SHA256']]) {
        const options = { maxVersion: 'TLSv1.2', ciphers: cipher };
        const socket = await tls(server, named('a.example', options));
        assert.equal(socket.getPeerX509Certificate().publicKey.asymmetricKeyType, kind);
        socket.destroy();
    }
});

/* ---- what scripts see ---- */

test('a script sees version, cipher, name and the subject of the client', async () => {
    const plain = await wss(server, '/tls', named('b.example', { maxVersion: 'TLSv1.2' }));
    const seen = await plain.nextJson();
    assert.equal(seen.version, 'TLSv1.2');
    assert.match(seen.cipher, /ECDHE/);
    assert.equal(seen.sni, 'b.example');
    assert.equal(seen.client_subject, undefined);
    await plain.close();
    const known = await wss(server, '/tls', named('a.example', client));
    const { version, client_subject } = await known.nextJson();
    assert.equal(version, 'TLSv1.3');
    assert.match(client_subject, /CN=me/);
    await known.close();
});

test('a certificate that nobody signed is refused, and told', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
        const before = server.all({ msg: 'tls refused' }).length;
        const refused = tls(server, named('a.example', { ...stranger, maxVersion }))
            .then((socket) => ask(socket));
        await assert.rejects(refused, /unknown|alert/i);
        assert.match((await server.log({ msg: 'tls refused' }, before + 1)).error, /certificate/);
    }
});

test('where a certificate is required, none is not enough', async (t) => {
    const strict = await start(t, { ...one, 'ca.pem': ca.cert, ...settings(
        'tls = { cert = "a.pem", key = "a.key", client = "required", client_ca = "ca.pem" }') },
    { args: [] });
    for (const [i, maxVersion] of ['TLSv1.2', 'TLSv1.3'].entries()) {
        const options = named('a.example', { maxVersion });
        await assert.rejects(tls(strict, options).then((socket) => ask(socket)));
        assert.match((await strict.log({ msg: 'tls refused' }, i + 1)).error, /certificate/);
    }
    const peer = await wss(strict, '/echo', named('a.example', client));
    assert.equal(await peer.ask('hello'), 'hello');
    await peer.close();
});

test('tls.least_version keeps TLS 1.2 out', async (t) => {
    const strict = await start(t, one, { args: [...flags, '--tls-least-version', '1.3'] });
    await assert.rejects(tls(strict, named('a.example', { maxVersion: 'TLSv1.2' })), /version/i);
    await strict.log({ msg: 'tls refused' });
    (await tls(strict)).destroy();
});

/* ---- tickets ---- */

/* The session of a first connection, and whether a second one resumes it. */
async function resumes(at, version) {
    const options = named('a.example', { minVersion: version, maxVersion: version });
    const first = await tls(at, options);
    await ask(first); /* in TLS 1.3 a ticket comes behind the handshake, before the answer */
    const again = await tls(at, { ...options, session: first.session });
    const reused = again.isSessionReused();
    again.destroy();
    return reused;
}

test('clients resume by ticket, across a reload of the certificates too', async (t) => {
    const own = await start(t, one, { args: flags });
    for (const version of ['TLSv1.2', 'TLSv1.3']) assert.equal(await resumes(own, version), true);
    const options = named('a.example', { maxVersion: 'TLSv1.2' });
    const first = await tls(own, options);
    await ask(first);
    own.process.kill('SIGHUP');
    await own.log({ msg: 'certificates reloaded' });
    const again = await tls(own, { ...options, session: first.session });
    assert.equal(again.isSessionReused(), true);
    again.destroy();
});

test('with a lifetime of 0 nobody resumes', async (t) => {
    const own = await start(t, one, { args: [...flags, '--tls-ticket-lifetime', '0'] });
    for (const version of ['TLSv1.2', 'TLSv1.3']) assert.equal(await resumes(own, version), false);
});

/* ---- reload ---- */

test('other files are other certificates, and no connection notices', async (t) => {
    const own = await start(t, one, { args: flags });
    const peer = await wss(own, '/echo');
    const before = await serial(own);
    for (const [name, text] of Object.entries(pair(rsa, 'a'))) own.project.write(name, text);
    const { subject, names, expires } = await own.log({ msg: 'certificates reloaded' });
    assert.match(subject, /CN=a\.example/);
    assert.match(names, /a\.example/);
    assert.match(expires, /^\d{4}-\d\d-\d\d$/);
    assert.notEqual(await serial(own), before);
    assert.equal(await peer.ask('still here'), 'still here');
    await peer.close();
});

test('HUP makes them anew', async (t) => {
    const own = await start(t, one, { args: flags });
    const peer = await wss(own, '/echo');
    own.process.kill('SIGHUP');
    await own.log({ msg: 'certificates reloaded' });
    assert.equal(await peer.ask('still here'), 'still here');
    assert.equal(await (await wss(own, '/echo')).ask('new'), 'new');
});

test('a broken certificate leaves the one from before serving, and is named', async (t) => {
    const own = await start(t, one, { args: flags });
    const before = await serial(own);
    own.project.write('a.pem', 'this is no certificate');
    const broken = await own.log({ msg: 'certificates refused' });
    assert.match(broken.error, /a\.pem/);
    assert.match(broken.so, /go on serving/);
    own.project.write('a.pem', rsa.cert); /* of another key */
    assert.match((await own.log({ msg: 'certificates refused' }, 2)).error, /a\.pem/);
    assert.equal(await serial(own), before);
    own.project.write('a.key', rsa.key);
    await own.log({ msg: 'certificates reloaded' });
    assert.notEqual(await serial(own), before);
});

test('one that ends soon is warned about', async (t) => {
    const soon = certificate('a.example', { days: 5 });
    const own = await start(t, { ...one, ...pair(soon, 'a') }, { args: flags });
    assert.match((await own.log({ msg: 'certificate expires soon' })).subject, /a\.example/);
});

/* ---- who speaks something else ---- */

test('plain HTTP on a TLS port is told what to use', async () => {
    const wire = new Wire(server.port);
    wire.send(upgradeText('/echo'));
    const { status, body } = await wire.answer();
    assert.equal(status, 400);
    assert.match(body, /plain_http_on_tls_port/);
    assert.match(body, /https:\/\/ and wss:\/\//);
    assert.equal(await wire.ends(), 'fin');
    wire.drop();
    await server.log({ msg: 'plain http on a tls port', peer: '127.0.0.1' });
});

test('TLS on a plain port ends at once, and is told', async (t) => {
    const plain = await start(t, scripts);
    await assert.rejects(tls(plain, {}), /wrong version|SSL|packet/i);
    await plain.log({ msg: 'tls on a plain port', peer: '127.0.0.1' });
});

test('garbage gets an alert', async () => {
    const before = server.all({ msg: 'tls refused' }).length;
    const wire = new Wire(server.port);
    const alert = new Promise((resolve) => { wire.socket.once('data', resolve); });
    wire.send(Buffer.from([0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5]));
    assert.equal((await within(alert, () => 'an alert'))[0], 0x15);
    await server.log({ msg: 'tls refused' }, before + 1);
    wire.drop();
});

test('a broken record ends an open connection with tls_error', async () => {
    const peer = await wss(server, '/echo');
    assert.equal(await peer.ask('hello'), 'hello');
    const before = server.all({ msg: 'end', cause: 'tls_error' }).length;
    /* Behind TLS's back: a record that nobody can decrypt. */
    const { _handle } = peer.socket._socket;
    const raw = _handle._parent ?? _handle;
    const broken = Buffer.from([0x17, 3, 3, 0, 32, ...Buffer.alloc(32, 7)]);
    const { WriteWrap } = process.binding('stream_wrap');
    const write = new WriteWrap();
    raw.writeBuffer(write, broken);
    const end = await server.log({ msg: 'end', cause: 'tls_error' }, before + 1);
    assert.equal(end.code, 1006);
    assert.ok(end.detail.length > 5);
    peer.socket.terminate();
});

test('a flood of hellos that lead nowhere is told a few times', async (t) => {
    const own = await start(t, one, { args: flags });
    const wires = Array.from({ length: 60 }, () => new Wire(own.port));
    for (const wire of wires) wire.send(Buffer.from([0x17, 3, 3, 0, 1, 0]));
    await Promise.all(wires.map((wire) => wire.ends()));
    for (const wire of wires) wire.drop();
    assert.ok(own.all({ msg: 'tls refused' }).length < 30);
    const peer = await wss(own, '/echo');
    assert.equal(await peer.ask('hello'), 'hello');
});

/* ---- dev ---- */

test('dev --tls makes a certificate of its own and says whose', async (t) => {
    const own = await start(t, scripts, { verb: 'dev', args: ['--tls', '--listen', '127.0.0.1:0'] });
    const { fingerprint } = await own.log({ msg: 'throw-away certificate' });
    const socket = await tls(own, { rejectUnauthorized: false });
    assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint);
    socket.destroy();
    const peer = await wss(own, '/echo', { rejectUnauthorized: false });
    assert.equal(await peer.ask('hello'), 'hello');
});
