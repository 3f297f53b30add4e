/*
 * A session over one connection after another, for `resume: true`; pages without it never load this.
 * To socket.js it is a WebSocket: it counts what comes, keeps what the server has not acknowledged,
 * comes back by the token of the last hello, and is open only when the server has said whether the
 * session is still there. docs/running.md, "The client's sideband", has the words of it.
 *
 * Without a server that knows sessions it is the WebSocket under it and nothing else.
 */

/* With more than this on its way, the server is asked what it has; it answers once a second. */
const ASK_ABOVE = 64;
const ASK_ABOVE_BYTES = 32768;
const ASK_EACH_MS = 1100;

/* So many sends are kept; one more is not sent. */
const MOST_KEPT = 1024;

/* So many connections in a row may open and say nothing: a server of another kind answers there. */
const MOST_MUTE = 3;

const sessions = new WeakMap();

/* The class to connect with: of this socket, over that kind of WebSocket. */
export function sessionOf(socket, Plain) {
    if (!sessions.has(socket)) sessions.set(socket, begin(socket, Plain));
    return sessions.get(socket);
}

/* What is sent again is what was sent, whatever the page does with its buffers meanwhile. */
function copy(data) {
    if (ArrayBuffer.isView(data))
        return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    if (data?.byteLength >= 0) return data.slice();
    return data?.size >= 0 ? data : '' + data;
}
const sizeOf = (data) => data.byteLength ?? data.size ?? data.length;

const isCount = (n) => Number.isSafeInteger(n) && n >= 0;

/* What a hello says of the session; undefined: nothing, or no sense. */
function readHello(aside) {
    try {
        const { token, got, back = false, missed = 0 } = JSON.parse(aside).resume;
        if (/^[\w-]+$/.test(token) && isCount(got) && isCount(missed)) return { token, got, back, missed };
    } catch {}
}

function begin(socket, Plain) {
    let token; /* to come back with; none: there is no session */
    let received = 0; /* messages of the server, with those that it told as lost */
    let acknowledged = 0; /* so many of ours the server has ... */
    let kept = []; /* ... and these it may have: the next ones, in order */
    let bytes = 0; /* of them */
    let mute = 0; /* connections in a row that opened and said nothing */
    const left = []; /* given up, but not closed: that would end the session, if one is only slow */

    const tell = (type, fields) => socket.dispatchEvent(Object.assign(new Event(type), fields));

    const isPossible = (count) => count >= acknowledged && count <= acknowledged + kept.length;
    const acknowledge = (count) => {
        for (const data of kept.splice(0, count - acknowledged)) bytes -= sizeOf(data);
        acknowledged = count;
    };

    const letGo = () => {
        for (const ws of left.splice(0)) ws.close();
    };

    /* What is kept is never sent twice: nobody knows any more whether the server has it. */
    const lose = () => {
        const lost = kept;
        token = undefined;
        kept = [];
        received = acknowledged = bytes = mute = 0;
        letGo();
        for (const data of lost) tell('drop', { data, reason: 'session lost' });
    };
    socket.addEventListener('state', ({ state }) => state == 'closed' && lose());

    return class {
        #ws;
        #mark;
        #isBack = !!token;
        #isWaiting = this.#isBack; /* for the hello, before which nothing is sent */
        #isPlain; /* there are no sessions here */
        #isHeard; /* the first message has come */
        #closing; /* the code that the page closes with */
        #timer;

        constructor(address, protocols) {
            /* Where the page has put one there itself, it is the page's to speak by it. */
            const isOurs = !new URL(socket.url).searchParams.has('moonwire');
            const mark = this.#mark = isOurs && address.searchParams.get('moonwire');
            const session = token ? `${token}.${received}` : '';
            if (mark) address.search = address.search.replace(mark, `${mark}.${session}`);
            else {
                this.#isPlain = true;
                this.#isWaiting = false;
                lose();
            }
            const ws = this.#ws = new Plain(address, protocols);
            ws.onerror = () => {};
            ws.onmessage = ({ data }) => this.#hear(data);
            ws.onclose = (end) => this.#end(end);
            ws.onopen = () => {
                ws.binaryType = socket.binaryType;
                if (!this.#isWaiting) this.#open(false, 0);
            };
        }

        get readyState() {
            const { readyState } = this.#ws;
            return readyState == 1 && this.#isWaiting ? 0 : readyState;
        }
        get protocol() { return this.#ws.protocol; }
        get extensions() { return this.#ws.extensions; }
        get bufferedAmount() {
            return this.readyState == 1 || this.#isPlain ? this.#ws.bufferedAmount : new Blob(kept).size;
        }
        set binaryType(type) { this.#ws.binaryType = type; }

        send(data) {
            if (this.#isPlain || this.#asideOf(data) != null) return this.#ws.send(data);
            if (kept.length >= MOST_KEPT) {
                if (token) return tell('drop', { data, reason: 'not acknowledged' });
                this.#bePlain(); /* whoever this is, it does not greet */
            }
            this.#ws.send(data);
            if (this.#isPlain) return;
            const last = copy(data);
            kept.push(last);
            bytes += sizeOf(last);
            this.#ask();
        }

        /* By the page, and so the end of the session. */
        close(...why) {
            this.#ws.close(...why);
            this.#closing = why[0] ?? 1005;
        }

        /* It is given up, or has ended, with `code`. */
        leave(code) {
            const ws = this.#ws;
            clearTimeout(this.#timer);
            ws.onopen = ws.onmessage = ws.onclose = null;
            const isOpen = ws.readyState == 1;
            const isMute = isOpen && this.#isWaiting && ++mute >= MOST_MUTE;
            /* 1001: the page is put aside, for nobody knows how long, and may keep no connection. */
            const isHeld = token && !isMute && code != 1001;
            if (isHeld && isOpen) left.push(ws);
            else ws.close();
            if (!isHeld) lose();
            return true;
        }

        /* ---- what comes ---- */

        /* What stands behind the mark; undefined: it is the application's. */
        #asideOf(data) {
            if (this.#mark && data?.startsWith?.(this.#mark)) return data.slice(this.#mark.length);
        }

        #hear(data) {
            const aside = this.#asideOf(data);
            let missed = 0;
            if (this.#isWaiting && this.#ws.readyState != 1) return;
            if (!this.#isHeard && !this.#isPlain) missed = this.#greet(readHello(aside));
            this.#isHeard = true;
            if (!this.#isPlain) this.#count(aside);
            this.onmessage({ data });
            if (missed) tell('gap', { missed });
        }

        #count(aside = '-1') {
            const [, sign, count] = /^([+-])(\d+)$/.exec(aside) ?? [];
            /* A pong cannot tell: the browser sends it for connections that are given up, too. */
            if (aside == '?') this.#ws.send(`${this.#mark}+${received}`);
            if (sign == '-') received += +count;
            else if (sign && isPossible(+count)) acknowledge(+count);
        }

        /* `hello`: of a session; else undefined. Gives the number of messages that are lost. */
        #greet(hello) {
            mute = 0;
            const isBack = this.#isBack && !!hello?.back && isPossible(hello.got);
            const missed = isBack ? hello.missed : 0;
            if (this.#isBack && !isBack) lose();
            letGo();
            /* Back in what we know nothing of is as good as no session. */
            if (hello?.back === isBack) token = hello.token;
            else this.#bePlain();
            if (isBack) {
                acknowledge(hello.got);
                received += missed;
                for (const data of kept) this.#ws.send(data);
            }
            if (this.#isWaiting && this.#ws.readyState == 1) this.#open(isBack, missed);
            this.#ask();
            return missed;
        }

        #open(resumed, missed) {
            this.#isWaiting = false;
            socket.resumed = resumed;
            this.onopen({ fields: { resumed, missed } });
        }

        /* ---- what ends ---- */

        #end(end) {
            clearTimeout(this.#timer);
            /* The answer to our Close comes after the server has read all that went before it. */
            if (end.wasClean && end.code == this.#closing && !this.#isWaiting) kept = [];
            if (end.code != 1006 || !token) lose();
            this.onclose(end);
        }

        #bePlain() {
            this.#isPlain = true;
            kept = [];
            bytes = 0;
        }

        /* As long as much is on its way, since the server drops what is asked too soon. */
        #ask() {
            const isMuch = kept.length > ASK_ABOVE || bytes > ASK_ABOVE_BYTES;
            if (!isMuch || !token || this.#timer || this.readyState != 1) return;
            this.#timer = setTimeout(() => {
                this.#timer = 0;
                this.#ask();
            }, ASK_EACH_MS);
            this.#ws.send(this.#mark + '?');
        }
    };
}
