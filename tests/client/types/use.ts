/* The declared types, as an application meets them; types.test.mjs has tsc --strict read this. */
import { Socket, type Advice, type CloseEvent, type State } from 'moonwire-client';

interface Said { type: 'said'; text: string }
interface Say { type: 'say'; text: string }

const chat = new Socket<Said, Say>('/chat/lobby', { json: true, protocols: ['v2'], queue: 8 });
chat.onmessage = ({ data }) => console.log(data.text.toUpperCase());
chat.onstate = function ({ state, retryIn }) {
    const is: State = state;
    console.log(this.id, is, retryIn === null ? '' : retryIn.toFixed());
};
chat.addEventListener('message', (event) => console.log(event.data.type satisfies 'said'));
chat.addEventListener('close', (event: CloseEvent) => {
    const advice: Advice | null = event.advice;
    if (advice?.retry) console.log(advice.retry[0] + advice.retry[1], advice.resume);
    console.log(event.code, event.reason, event.explain, event.retryIn ?? 'stays', event.refused?.status);
});
chat.addEventListener('drop', ({ data, reason }) => console.log(data, reason === 'session lost'));
chat.addEventListener('gap', ({ missed }) => console.log(missed.toFixed()));
chat.addEventListener('anything', { handleEvent(event: Event) { console.log(event.type); } });
chat.send({ type: 'say', text: 'hi' });
// @ts-expect-error: not what it takes
chat.send('hi');
// @ts-expect-error: read only
chat.state = 'open';
// @ts-expect-error: no such field
chat.onmessage = ({ data }) => console.log(data.nothing);
chat.close(1000, 'done');
chat.open();

const plain = new Socket(async () => `/echo?token=${await Promise.resolve('x')}`);
plain.binaryType = 'arraybuffer';
plain.send(new Uint8Array(3));
plain.send(new Blob(['x']));
console.log(plain.readyState === Socket.OPEN, plain.OPEN, plain.bufferedAmount, plain.url);

const lasting = new Socket('/chat', { resume: true });
lasting.onopen = ({ resumed = false, missed = 0 }) => console.log(resumed, missed + 1, lasting.resumed);
lasting.ongap = ({ missed }) => console.log(missed.toFixed());
// @ts-expect-error: told by the server
lasting.resumed = true;

class Foreign { constructor(readonly url: string, readonly protocols?: string[]) {} }
new Socket(new URL('wss://example.test/'), { WebSocket: Foreign, random: () => 0, sideband: false });
new Socket('/', 'v1');
// @ts-expect-error: no such option
new Socket('/', { retries: 5 });

/* A WebSocket goes where one is wanted, as far as code looks at what both have. */
const looksAlike: Pick<WebSocket, 'readyState' | 'url' | 'protocol' | 'extensions' | 'bufferedAmount' |
    'binaryType' | 'close' | 'CONNECTING' | 'OPEN' | 'CLOSING' | 'CLOSED'> = plain;
console.log(looksAlike.url);
