/*
 * How a row of the tables is run: a connection, the bytes of the row cut in several ways, and all
 * that the server answers, compared to the byte. The server echoes each message.
 *
 *   name     what is shown
 *   say      frames, as they are sent
 *   echoes   [opcode, payload] of each message that comes back; pongs: their payloads. Data and
 *            control frames keep their order among themselves, and all come before the Close frame
 *   fails    [code, section] where the server ends it: the reason must name that section. Else the
 *            row ends with `closes`, the code and reason that the client sends (1000 where nothing
 *            is said) and the server echoes without the reason
 *   plain    true: only where no compression was agreed on; compressed: only where it was
 *   says_close  true: the Close frame is among the frames of `say`
 *   cuts     false: sent as one piece only, because the row is large
 */
import assert from 'node:assert/strict';
import { constants, inflateRawSync } from 'node:zlib';
import { BINARY, CLOSE, PING, PONG, TEXT, closeBody, frame, upgraded } from '../wire.mjs';

export const text = (payload, options) => frame(TEXT, payload, options);
export const binary = (payload, options) => frame(BINARY, payload, options);
export const ping = (payload) => frame(PING, payload);
export const pong = (payload) => frame(PONG, payload);
export const close = (code, reason) => frame(CLOSE, code ? closeBody(code, reason) : '');
/* A frame that is not the last one of its message. */
export const begin = (opcode, payload) => frame(opcode, payload, { fin: false });
export const more = (payload) => frame(0, payload, { fin: false });
export const last = (payload) => frame(0, payload);

/* A message cut into fragments of this many bytes. */
export function fragments(opcode, payload, size) {
    const body = Buffer.from(payload), pieces = [];
    for (let at = 0; at === 0 || at < body.length; at += size) {
        const fin = at + size >= body.length;
        pieces.push(frame(at ? 0 : opcode, body.subarray(at, at + size), { fin }));
    }
    return pieces;
}

/* ---- ways to send ---- */

const BYTEWISE_MAX = 300;
const turn = () => new Promise(setImmediate);

export const ways = {
    'in one piece': (pieces) => [Buffer.concat(pieces)],
    'frame by frame': (pieces) => pieces,
    'byte by byte': (pieces) => [...Buffer.concat(pieces)].map((byte) => Buffer.of(byte)),
};

function waysFor({ say, cuts = true }) {
    const size = say.reduce((sum, { length }) => sum + length, 0);
    const fits = { 'frame by frame': cuts && say.length < 1000,
        'byte by byte': cuts && size <= BYTEWISE_MAX };
    return Object.keys(ways).filter((way) => fits[way] ?? true);
}

/* ---- what comes back ---- */

const TAIL = Buffer.of(0, 0, 0xff, 0xff);

/* Inflates what one side sends, with the context that it may refer to. */
export class Inflater {
    #history = Buffer.alloc(0);
    take(payload) {
        const dictionary = this.#history.length ? this.#history : undefined;
        const data = inflateRawSync(Buffer.concat([payload, TAIL]),
            { dictionary, finishFlush: constants.Z_SYNC_FLUSH });
        this.#history = Buffer.concat([this.#history, data]).subarray(-32768);
        return data;
    }
}

/* All frames up to the Close frame, and how the stream ends behind it. */
export async function hear(wire, inflater) {
    const heard = { echoes: [], pongs: [] };
    for (;;) {
        const { fin, rsv, masked, opcode, payload } = await wire.frame();
        assert.ok(fin && !masked, 'a server masks nothing, and this one sends whole messages');
        assert.ok(rsv === 0 || (rsv === 4 && inflater && opcode < CLOSE), `reserved bits ${rsv}`);
        if (opcode === CLOSE) {
            heard.close = [payload.length ? payload.readUInt16BE(0) : 0,
                payload.subarray(2).toString()];
            break;
        }
        if (opcode === PONG) heard.pongs.push(Buffer.from(payload));
        else heard.echoes.push([opcode, rsv ? inflater.take(payload) : Buffer.from(payload)]);
    }
    heard.end = await wire.ends();
    heard.unread = wire.unread;
    return heard;
}

const same = (a, b) => Buffer.from(a).equals(Buffer.from(b));

function compare(row, heard, how) {
    const { echoes = [], pongs = [], fails, closes = [1000] } = row;
    assert.equal(heard.echoes.length, echoes.length, `messages, ${how}`);
    echoes.forEach(([opcode, payload], i) => {
        assert.equal(heard.echoes[i][0], opcode, how);
        assert.ok(same(heard.echoes[i][1], payload), `message ${i}, ${how}`);
    });
    assert.deepEqual(heard.pongs.map(String), pongs.map((p) => Buffer.from(p).toString()), how);
    assert.equal(heard.close[0], fails ? fails[0] : closes[0] ?? 0, `close code, ${how}`);
    if (fails) assert.ok(heard.close[1].startsWith(`${fails[1]}: `), `${heard.close[1]}, ${how}`);
    else assert.equal(heard.close[1], '', how);
    assert.deepEqual([heard.end, heard.unread], ['fin', 0], how);
}

const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };

async function runOnce(server, row, way, compressed) {
    const how = `${way}${compressed ? ', compression agreed' : ''}`;
    const wire = await upgraded(server, '/echo', compressed ? OFFER : {});
    const goodbye = row.fails || row.says_close ? [] : [close(...(row.closes ?? [1000]))];
    const pieces = ways[way]([...row.say, ...goodbye]);
    for (const piece of pieces) {
        wire.send(piece);
        if (pieces.length > 1) await turn();
    }
    compare(row, await hear(wire, compressed ? new Inflater() : null), how);
    wire.drop();
}

/* Runs a row in all ways; returns how many times that was. */
export async function run(server, row) {
    let runs = 0;
    const terms = row.plain ? [false] : row.compressed ? [true] : [false, true];
    for (const compressed of terms) {
        for (const way of waysFor(row)) {
            await runOnce(server, row, way, compressed);
            runs++;
        }
    }
    return runs;
}
