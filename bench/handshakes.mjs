/*
 * What a TLS handshake costs a server: CPU time of the process for each, ECDSA P-256, full and
 * resumed, of Moonwire, nginx (where it is found: BENCH_NGINX or PATH) and OpenSSL's s_server, each on one
 * core and in turns, so that what else the machine does hits all. The client's own speed does not
 * matter. The last column is the CPU time as a ratio to that of the first of the others.
 *
 *   ./dev bench handshakes [HANDSHAKES [ROUNDS]]
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { SERVER_CORE, cpuSeconds, folderOf, makeCertificate, median, pinned, startMoonwire, stop }
    from './lab.mjs';

const [handshakes = 1000, rounds = 5] = process.argv.slice(2).map(Number);
const AT_ONCE = 16;
const nginx = process.env.BENCH_NGINX ?? 'nginx';

const folder = folderOf({ 'scripts/echo.lua': 'return {}' });
const { cert, key } = makeCertificate(folder);

/* ---- the servers ---- */

function freePort() {
    return new Promise((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

async function startNginx() {
    if (spawnSync(nginx, ['-v']).error) return null;
    const port = await freePort();
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${folder}/nginx.conf`, `
        daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid;
        error_log ${folder}/error.log;
        events { worker_connections 1024; }
        http {
            access_log off; client_body_temp_path ${folder}/1; proxy_temp_path ${folder}/2;
            fastcgi_temp_path ${folder}/3; uwsgi_temp_path ${folder}/4; scgi_temp_path ${folder}/5;
            server {
                listen 127.0.0.1:${port} ssl;
                ssl_certificate ${cert}; ssl_certificate_key ${key};
                ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on;
            }
        }`);
    const server = pinned(SERVER_CORE, nginx,
        ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`]);
    return { ...server, port };
}

async function startOpenssl() {
    const port = await freePort();
    const args = ['s_server', '-quiet', '-accept', `127.0.0.1:${port}`, '-cert', cert, '-key', key];
    return { ...pinned(SERVER_CORE, 'openssl', args), port };
}

/* ---- the client ---- */

const session = { 'TLSv1.2': null, 'TLSv1.3': null };

/* One handshake; gives the ticket for the next one where it `collects`. */
function shake(port, version, resumes, collects) {
    return new Promise((resolve, reject) => {
        const socket = connect({
            port, host: '127.0.0.1', rejectUnauthorized: false,
            minVersion: version, maxVersion: version, session: resumes ?? undefined,
        });
        let ticket = null;
        const finish = () => socket.end(() => socket.destroy());
        socket.once('session', (data) => { ticket = data; if (collects) finish(); });
        socket.once('secureConnect', () => {
            if (resumes && !socket.isSessionReused())
                socket.destroy(new Error('the session was not resumed'));
            else if (!collects)
                finish();
        });
        socket.once('error', reject);
        socket.once('close', () => resolve(ticket));
    });
}

async function cost(server, version, resumes) {
    const ticket = resumes ? await shake(server.port, version, null, true) : null;
    const before = cpuSeconds(server.pid);
    for (let done = 0; done < handshakes; done += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, () =>
            shake(server.port, version, ticket, false)));
    return ((cpuSeconds(server.pid) - before) / handshakes) * 1e6;
}

/* ---- the table ---- */

async function reachable({ port }) {
    for (let tries = 0; tries < 50; tries++) {
        try {
            return await shake(port, 'TLSv1.2', null, false);
        } catch {
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
    throw new Error('a server does not answer');
}

const servers = {
    moonwire: await startMoonwire(folder, '--tls-cert', cert, '--tls-key', key),
    nginx: await startNginx(),
    openssl: await startOpenssl(),
};
for (const name of Object.keys(servers)) if (!servers[name]) delete servers[name];
for (const server of Object.values(servers)) await reachable(server);
const names = Object.keys(servers);

console.log(`us of CPU per handshake, median of ${rounds} rounds of ${handshakes}`);
console.log(`${''.padEnd(20)}${names.map((name) => name.padStart(12)).join('')}${'ratio'.padStart(8)}`);
for (const version of ['TLSv1.2', 'TLSv1.3']) {
    for (const resumes of [false, true]) {
        const seen = names.map(() => []);
        for (let round = 0; round < rounds; round++)
            for (const [i, name] of names.entries())
                seen[i].push(await cost(servers[name], version, resumes));
        const middle = seen.map(median);
        const label = `${version} ${resumes ? 'resumed' : 'full'}`.padEnd(20);
        const figures = middle.map((us) => us.toFixed(0).padStart(12)).join('');
        console.log(`${label}${figures}${(middle[0] / middle[1]).toFixed(2).padStart(8)}`);
    }
}
for (const server of Object.values(servers)) await stop(server);
