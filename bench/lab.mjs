/*
 * What the measurements share: a server and its load on a core each, what the kernel counts of them,
 * and a folder for the while.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const built = process.env.MOONWIRE_BUILD ??
    fileURLToPath(new URL('../build/release', import.meta.url));
export const [SERVER_CORE, LOAD_CORE] = [0, cpus().length - 1];

process.setMaxListeners(0); /* each child and folder ends with the process */

/* A folder with these files, which goes with the process. */
export function folderOf(files) {
    const folder = mkdtempSync(join(tmpdir(), 'moonwire-bench-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
    }
    return folder;
}

/* cert.pem and key.pem in a folder: ECDSA P-256, signed by itself. */
export function makeCertificate(folder) {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
        '-nodes', '-days', '30', '-subj', '/CN=localhost', '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert],
    { stdio: 'ignore' });
    return { cert, key };
}

/* A child on one core, its lines one after the other. */
export function pinned(core, file, args, from = 'stdout') {
    const stdio = ['pipe', 'pipe', from === 'stderr' ? 'pipe' : 'inherit'];
    const child = spawn('taskset', ['-c', String(core), file, ...args], { stdio });
    const lines = createInterface({ input: child[from] })[Symbol.asyncIterator]();
    const line = async () => {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${file} ended early`);
        return value;
    };
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.once('exit', () => child.kill('SIGKILL')); /* where a measurement fails */
    return { pid: child.pid, child, line, ended };
}

export async function startMoonwire(folder, ...more) {
    const args = ['serve', folder, '--listen', '127.0.0.1:0', ...more];
    const server = pinned(SERVER_CORE, join(built, 'moonwire'), args, 'stderr');
    let line;
    let port;
    do {
        line = JSON.parse(await server.line());
        if (line.msg === 'listening') port = Number(new URL(line.url).port);
    } while (line.msg !== 'ready');
    const drain = async () => { for (;;) await server.line(); };
    drain().catch(() => {}); /* the log must not back up */
    return { ...server, port };
}

export async function stop(server) {
    server.child.kill('SIGTERM');
    await server.ended;
}

/* ---- what the kernel counts ---- */

const HZ = Number(execFileSync('getconf', ['CLK_TCK']));

/* CPU seconds of a process, user and system: as the scheduler counts, or else in clock ticks. */
export function cpuSeconds(pid) {
    try {
        const tasks = readdirSync(`/proc/${pid}/task`);
        const ns = tasks.map((task) => parseInt(readFileSync(`/proc/${pid}/task/${task}/schedstat`), 10));
        return ns.reduce((sum, each) => sum + each, 0) / 1e9;
    } catch {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
        return (Number(fields[11]) + Number(fields[12])) / HZ;
    }
}

export function heapBytes(pid) {
    const [, kib] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(kib) * 1024;
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
