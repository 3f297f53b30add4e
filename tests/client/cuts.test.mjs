/*
 * Cuts at any place, in both directions, with everything that may happen meanwhile: of what the
 * client sends and what the server says each arrives exactly once and in order, or is told as
 * missing. Schedules are drawn from seeds; one alone: MOONWIRE_SEED=7 node --test cuts.test.mjs
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, SessionServer, randomOf } from './sessions.mjs';
import { World, watched } from './world.mjs';

const SCHEDULES = 3000;
const STEPS = 60;

class Schedule {
    constructor(seed) {
        this.random = randomOf(seed);
        this.world = new World();
        this.lines = [];
        this.heard = []; /* by the server's application */
        this.dropped = new Map(); /* what -> reason */
        this.said = []; /* by the page, in its order; */
        this.first = []; /* by its handler of `open`: goes before what waits */
        this.wrong = null; /* in a handler, where nothing can be thrown */
        this.where = null; /* what the page knows of its session: position, session */
        this.cuts = this.returns = this.gaps = 0;
        this.server = new SessionServer(this.world, (where, data) => this.heard.push({ where, data }));
        if (this.chance(0.3)) this.server.most = this.below(6);
        this.world.onmade = (ws) => this.lines.push(new Line(ws, this.server));
    }
    below(n) { return Math.floor(this.random() * n); }
    chance(p) { return this.random() < p; }
    get line() { return this.lines.at(-1); }
    get session() { return this.server.sessions.at(-1); }

    begin() {
        const { socket } = watched('/', {
            resume: true, queue: 1000, random: this.random, minUptime: this.chance(0.5) ? 0 : 5000,
            connectTimeout: 5000,
        });
        this.socket = socket;
        socket.onopen = ({ resumed, missed }) => {
            this.expect(socket.resumed == resumed && missed >= 0, 'the property as the event');
            if (resumed) this.returns++;
            else this.where = { position: 0, session: null };
            if (this.chance(0.3)) this.say(this.first, 'first ');
        };
        socket.ongap = ({ missed }) => {
            this.gaps++;
            this.where.position += missed;
        };
        socket.onmessage = ({ data }) => {
            const [session, number] = data.split(':').map(Number);
            this.where.session ??= session;
            this.expect(session == this.where.session, `${data} in session ${this.where.session}`);
            this.expect(number == ++this.where.position, `${data} at ${this.where.position}`);
            if (this.chance(0.1)) this.say();
        };
        socket.ondrop = ({ data, reason }) => {
            this.expect(!this.dropped.has(data), `${data} dropped twice`);
            this.dropped.set(data, reason);
        };
    }
    expect(is, what) { if (!is) this.wrong ??= what; }
    say(list = this.said, prefix = '') {
        list.push(`${prefix}${list.length}`);
        this.socket.send(list.at(-1));
    }
    push() {
        const { session, server } = this;
        if (session && !session.isOver)
            server.send(session, `${session.name}:${session.sent.length + 1}`, this.chance(0.1));
    }

    async fall(most = Infinity) {
        for (let n = 0; n < most; n++) {
            const done = this.line.fall();
            if (!done) break;
            if (done !== true) await done;
        }
    }
    rise(most = Infinity) {
        for (const line of this.lines.slice(-3))
            for (let n = 0; n < most && line.rise(); n++);
    }

    /* One thing that happens. The order of the table has no meaning, the first number is its weight. */
    static things = [
        [14, (it) => it.say()],
        [14, (it) => it.push()],
        [14, (it) => it.fall(1 + it.below(6))],
        [14, (it) => it.rise(1 + it.below(6))],
        [6, (it) => it.session?.line && it.server.ping(it.session)],
        [8, (it) => it.world.pass(it.below(2000))],
        [1, (it) => it.world.pass(it.below(60e3))],
        [6, (it) => { /* the line is cut; perhaps nobody has noticed yet */
            if (!it.line.isOver) it.cuts++;
            it.line.isCut = true;
            if (it.chance(0.5)) it.server.notices(it.line);
            return it.chance(0.8) && it.fall(it.below(8)).then(() => it.line.clientNotices());
        }],
        [4, (it) => it.line.isCut && it.line.clientNotices()],
        [4, (it) => it.lines.forEach((line) => line.isCut && it.server.notices(line))],
        [0.5, (it) => it.session && !it.session.isOver && it.server.end(it.session)],
        [10, async (it) => { /* it comes back, perhaps as far as the hello, and something follows */
            await it.world.pass(2000);
            await it.fall(it.below(12));
            it.rise(it.below(8));
        }],
        [0.5, (it) => { /* refused, or not even that */
            it.server.isThere = it.chance(0.5);
            return it.line.ws.readyState == 0 && it.line.clientNotices();
        }],
        [1, (it) => { it.server.isThere = true; }],
        [0.2, (it) => { it.server.hasSessions = it.chance(0.7); }],
        [0.2, (it) => it.socket.close()],
        [1, (it) => it.socket.open()],
        [0.2, (it) => it.world.window_(it.chance(0.5) ? 'pagehide' : 'freeze')],
        [1, (it) => it.world.window_(it.chance(0.5) ? 'pageshow' : 'resume')],
        [0.5, (it) => it.world.network(it.chance(0.7))],
        [0.3, (it) => { for (let n = 0; n < 80; n++) it.say(); }],
    ];
    static total = Schedule.things.reduce((sum, [weight]) => sum + weight, 0);
    async step() {
        let at = this.random() * Schedule.total;
        const [, thing] = Schedule.things.find(([weight]) => (at -= weight) < 0);
        await thing(this);
    }

    /* Peace: all is there, nothing is cut any more, and everything arrives. */
    async settle() {
        Object.assign(this.server, { isThere: true, hasSessions: true });
        await this.world.network(true);
        await this.world.window_('pageshow');
        for (const line of this.lines) {
            if (!line.isCut && line.server.isThere && line != this.line) continue;
            if (line.isCut) {
                this.server.notices(line);
                await line.clientNotices();
            }
        }
        if (this.line?.ws.readyState == 0 && !this.line.down.length) await this.line.clientNotices();
        for (let n = 0; n < 400 && !(this.socket.state == 'open' && this.isQuiet()); n++) {
            this.socket.open();
            await this.fall();
            this.rise();
            await this.world.pass(this.socket.state == 'open' ? 100 : 2000);
        }
        await this.fall();
        this.rise();
        await this.fall();
        assert.equal(this.socket.state, 'open');
    }
    isQuiet() { return this.lines.every((line) => line.isOver || (!line.up.length && !line.down.length)); }

    check() {
        assert.equal(this.wrong, null);
        const heard = new Set(this.heard.map(({ data }) => data));
        assert.equal(heard.size, this.heard.length, 'nothing twice');
        /* Where the server has no sessions it is as without: what was on its way is gone. */
        const without = new Set(this.lines.flatMap(({ session, sent }) => (session ? [] : sent)));
        for (const list of [this.said, this.first]) {
            /* Two connections that have nothing to do with each other may overtake each other. */
            for (const place of new Set(this.heard.map(({ where }) => where))) {
                const came = this.heard.filter(({ where, data }) => where == place && list.includes(data))
                    .map(({ data }) => list.indexOf(data));
                assert.deepEqual(came, [...came].sort((a, b) => a - b), 'in order');
            }
            for (const data of list)
                assert.ok(heard.has(data) || this.dropped.has(data) || without.has(data), `${data} is lost, and nobody was told`);
        }
        for (const [data, reason] of this.dropped)
            assert.ok(reason == 'session lost' || !heard.has(data), `${data} was dropped and yet sent`);
        const { session } = this.line;
        if (session) assert.equal(this.where.position + session.hole, session.sent.length, 'all is there');
    }
}

async function play(seed) {
    const schedule = new Schedule(seed);
    try {
        schedule.begin();
        await schedule.world.pass(0);
        for (let n = 0; n < STEPS; n++) await schedule.step();
        await schedule.settle();
        schedule.check();
    } catch (error) {
        error.message = `MOONWIRE_SEED=${seed}: ${error.message}`;
        throw error;
    } finally {
        schedule.socket.ondrop = null;
        schedule.socket.close();
    }
    return schedule;
}

const one = process.env.MOONWIRE_SEED;
test(one ? `seed ${one}` : `${SCHEDULES} schedules of cuts`, { timeout: 110e3 }, async (t) => {
    const sum = { cuts: 0, returns: 0, gaps: 0, drops: 0, messages: 0 };
    for (let seed = +(one ?? 0); seed < (one ? +one + 1 : SCHEDULES); seed++) {
        const { cuts, returns, gaps, dropped, said, first, server } = await play(seed);
        sum.cuts += cuts;
        sum.returns += returns;
        sum.gaps += gaps;
        sum.drops += dropped.size;
        sum.messages += said.length + first.length + server.sessions.reduce((n, { sent }) => n + sent.length, 0);
    }
    t.diagnostic(JSON.stringify(sum));
    if (!one) for (const [what, n] of Object.entries(sum)) assert.ok(n > SCHEDULES / 4, `${n} ${what}`);
});
