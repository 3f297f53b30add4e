/* Java's HttpClient (java.net.http.WebSocket), from a single source file. */
import { fileURLToPath } from 'node:url';
import { peer, runs, skip } from './conversation.mjs';

const modules = await runs('java', ['--list-modules']);
if (!modules || !modules.includes('jdk.compiler@'))
    skip('no java with a compiler; Debian: apt-get install default-jdk-headless');
const source = fileURLToPath(new URL('peers/Peer.java', import.meta.url));
/* Little memory and one fast compiler: it starts in half the time. */
peer("Java's HttpClient", ['java', '-Xmx128m', '-XX:TieredStopAtLevel=1', source]);
