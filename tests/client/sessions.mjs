/*
 * A server that keeps sessions, and the line to it, both out of the wire contract (docs/running.md,
 * "The client's sideband") and nothing else: what the client is held to where cuts have to fall at
 * any place. Each connection has a lane for each direction; the test decides when what stands in it
 * arrives, and when it is lost.
 */

/* xorshift32 with its seed scrambled: [0, 1). The same on every machine. */
export function randomOf(seed) {
    let x = Math.imul(seed + 1, 0x9E3779B1) | 1;
    return () => {
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        return (x >>> 0) / 2 ** 32;
    };
}

const FOR_S = 30;

/* One WebSocket of the client's, and what is under way on it. */
export class Line {
    up = []; /* to the server */
    down = []; /* to the client */
    sent = []; /* all of it */
    session = null;
    isCut = false; /* nothing passes any more; who has noticed is another matter */
    constructor(ws, server) {
        Object.assign(this, { ws, server });
        ws.send = (data) => {
            if (!ws.readyState) throw new Error('sent into a connection that is not open yet');
            if (ws.readyState == 1) this.up.push({ data });
            if (ws.readyState == 1) this.sent.push(data);
        };
        const { close } = ws;
        ws.close = (...why) => {
            if (ws.readyState == 1) this.up.push({ close: why[0] ?? 1005 });
            close.apply(ws, why);
        };
        if (server.isThere) server.meet(this);
    }
    get isOver() { return this.ws.readyState == 3; }

    /* The next message of the client reaches the server. */
    rise() {
        const item = this.up.shift();
        if (item && !this.isCut) this.server.take(this, item);
        return !!item;
    }
    /* The next word of the server reaches the client; a promise where it ends the connection. */
    fall() {
        const item = this.down.shift();
        if (!item) return false;
        const { ws } = this;
        if (item.open) ws.accept();
        else if (item.close) return ws.end(item.close);
        else if (ws.readyState == 1) {
            ws.say(item.data);
        }
        return true;
    }
    /* Client and server notice separately; what the client has not seen by then is gone. */
    async clientNotices() {
        this.isCut = true;
        this.down.length = 0;
        if (this.ws.readyState < 3) await this.ws.end(1006);
    }
}

class Session {
    sent = []; /* all that the application said; null: a policy dropped it */
    acked = 0; /* the client has so many ... */
    gone = 0; /* ... and so many are let go of, or fell out */
    received = 0;
    told = 0; /* of these, with a ping */
    hole = 0; /* dropped since the last note */
    line = null;
    isOver = false;
    constructor(name) { this.name = name; }
}

/* `hear(where, data)`: the application of the server; `where`: the session, or the line without one. */
export class SessionServer {
    isThere = true;
    hasSessions = true;
    greets = true;
    most = Infinity; /* messages that a session keeps */
    sessions = [];
    #tokens = new Map();
    #count = 0;
    constructor(world, hear) { Object.assign(this, { world, hear }); }

    /* A handshake comes to an end. */
    meet(line) {
        const [, mark, asked, token, count] =
            /^([^.]*)(\.)?(?:([^.]+)\.(\d+))?$/.exec(line.ws.asked);
        line.mark = mark;
        line.down.push({ open: true });
        if (!this.greets) return;
        const known = this.hasSessions && token && this.#tokens.get(token);
        const isBack = known && !known.isOver && +count >= known.acked && +count <= known.sent.length;
        if (isBack) this.#resume(line, known, token, +count);
        else if (asked && this.hasSessions) this.#begin(line);
        else this.#greet(line);
    }

    #greet(line, resume) {
        line.down.push({ data: line.mark + JSON.stringify({ v: 1, id: 'x', ping: 25, pong: 20, resume }) });
    }
    #token(session) {
        const token = `token-${++this.#count}`;
        this.#tokens.set(token, session);
        return session.token = token;
    }
    #begin(line) {
        const session = new Session(this.sessions.length);
        this.sessions.push(session);
        session.line = line;
        line.session = session;
        this.#greet(line, { token: this.#token(session), for: FOR_S, got: 0 });
        session.onbegin?.();
    }
    #resume(line, session, came, count) {
        if (session.line) session.line.isCut = true; /* it was half open */
        session.line = line;
        line.session = session;
        const from = Math.max(count, session.gone);
        session.acked = count;
        /* What the client came with stays good, until it shows that it has the new one. */
        for (const [token, of] of this.#tokens) if (of == session && token != came) this.#tokens.delete(token);
        this.#greet(line, { token: this.#token(session), for: FOR_S, got: session.received,
            back: true, missed: from - count });
        session.told = session.received;
        session.hole = 0;
        for (const data of session.sent.slice(from)) this.#put(session, data);
    }

    #put(session, data) {
        const { line } = session;
        if (data === null) session.hole++;
        else {
            this.#note(session);
            line.down.push({ data });
        }
    }
    /* Where messages are missing, at their place. */
    #note(session) {
        if (session.hole) session.line.down.push({ data: `${session.line.mark}-${session.hole}` });
        session.hole = 0;
    }

    /* The application sends; `isDropped`: a policy takes it away. */
    send(session, data, isDropped) {
        session.sent.push(isDropped ? null : data);
        session.gone = Math.max(session.gone, session.sent.length - this.most);
        if (session.line) this.#put(session, session.sent.at(-1));
    }
    ping(session) {
        const { line } = session;
        if (!line) return;
        this.#note(session);
        line.down.push({ data: `${line.mark}?` });
        if (session.told != session.received) this.#acknowledge(session);
    }
    #acknowledge(session) {
        session.told = session.received;
        session.line.down.push({ data: `${session.line.mark}+${session.received}` });
    }

    take(line, { data, close }) {
        const { session } = line;
        if (session && (session.line != line || session.isOver)) return;
        if (close) {
            if (session) this.end(session, close);
            else line.down.push({ close });
        } else if (session && data.startsWith?.(`${line.mark}+`)) {
            this.#acknowledged(session, +data.slice(line.mark.length + 1));
        } else if (data == `${line.mark}?`) {
            if (!session) line.down.push({ data: `${line.mark}!` });
            else if (!(this.world.now < session.answerAt)) {
                session.answerAt = this.world.now + 1000;
                this.#acknowledge(session);
            }
        } else {
            if (session) session.received++;
            this.hear(session ?? line, data);
        }
    }

    #acknowledged(session, count) {
        if (!(count >= session.acked && count <= session.sent.length)) throw new Error(`${count}: not so many`);
        session.acked = count;
        session.gone = Math.max(session.gone, count);
        for (const [token, of] of this.#tokens)
            if (of == session && token != session.token) this.#tokens.delete(token);
    }

    /* The server finds out that the line is gone. */
    notices(line) {
        line.isCut = true;
        if (line.session?.line == line) line.session.line = null;
    }
    /* By a Close frame, or while it is away, since its time is over. */
    end(session, code = 1001) {
        if (session.line && session.told != session.received) this.#acknowledge(session);
        session.line?.down.push({ close: code });
        session.isOver = true;
        session.line = null;
    }
}
