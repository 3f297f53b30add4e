/*
 * Where to connect: what the page wrote, made absolute, and the mark of an attempt in its query. A
 * Moonwire server answers a mark with a hello (socket.js), others take it for a parameter.
 */

/* A URL. Throws where it is none. */
export function resolve(url) {
    const address = new URL(url, globalThis.location?.href);
    address.protocol = address.protocol.replace('http', 'ws');
    return address;
}

/*
 * Puts a mark into the address, and gives it: at most 30 digits, of 96 bits that nobody guesses.
 * Where the page has put one there itself, it is the page's to speak by it: none.
 */
export function mark(address) {
    if (address.searchParams.has('moonwire')) return '';
    const made = crypto.getRandomValues(new Uint32Array(3)).join('');
    address.search += (address.search && '&') + 'moonwire=' + made;
    return made;
}
