/*
 * Where to connect: what the page wrote, made absolute, and the mark of an attempt in its query. A
 * Moonwire server answers a mark with a hello (line.js), others take it for a parameter.
 */
const NAME = 'moonwire';

/* A URL. Throws where it is none. */
export function resolve(url) {
    const address = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
    address.protocol = address.protocol.replace('http', 'ws');
    return address;
}

/*
 * Puts a mark into the address, and gives it; one that the page has put there itself is kept. 22
 * characters that nobody guesses: Node 18 has no `crypto` for all, so both sources are mixed.
 */
export function mark(address) {
    const own = address.searchParams.get(NAME);
    if (own) return own;
    const bytes = new Uint8Array(22);
    globalThis.crypto?.getRandomValues(bytes);
    const made = Array.from(bytes, (byte) => (byte % 32 ^ Math.random() * 32).toString(32)).join('');
    address.search += (address.search && '&') + NAME + '=' + made;
    return made;
}
