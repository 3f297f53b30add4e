/* The WebSocket clients of Python, each an engine of its own. */
import { fileURLToPath } from 'node:url';
import { peer, runs, skip } from './conversation.mjs';

const python = process.env.PYTHON ?? '/usr/bin/python3';
const program = fileURLToPath(new URL('peers/engines.py', import.meta.url));
const engines = [
    { name: 'websockets' },
    { name: 'wsproto' },
    { name: 'websocket' },
    { name: 'aiohttp', fragments: false },
    { name: 'tornado', fragments: false },
];

const here = await Promise.all(engines.map(({ name }) => runs(python, ['-c', `import ${name}`])));
const missing = engines.filter((_, i) => here[i] === false).map(({ name }) => `python3-${name}`);
if (missing.length) skip(`not all of Python's clients are here; Debian: apt-get install ${missing.join(' ')}`);
for (const { name, fragments } of engines)
    peer(`Python's ${name}`, [python, program, name], { fragments });
