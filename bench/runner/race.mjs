/*
 * A scenario of messages: all candidates stand, and take turns (A B C A B C ...), so that what the
 * machine does meanwhile meets all of them. A run that something disturbed is run again, so and so
 * often. Who fails is left out of the scenario, with what went wrong.
 */
import { stop } from '../lab.mjs';
import { measureLoad } from './load.mjs';

const TRIES = 3;

async function runRound(scenario, server, round, { words, tries = TRIES }) {
    const runs = [];
    do {
        runs.push({ round, ...await measureLoad(scenario, server, words) });
    } while (runs.at(-1).disturbed && runs.length < tries);
    return runs;
}

/* entrants: [{ name, start() }]; gives { name: { rounds } or { failed } }. */
export async function race(scenario, entrants, { tell, rounds, ...how }) {
    const results = {};
    const servers = {};
    const attempt = async (name, act) => {
        try {
            await act();
        } catch (error) {
            results[name] = { failed: String(error.message ?? error).split('\n')[0] };
            tell(`  ${name} failed: ${results[name].failed}`);
        }
    };
    for (const { name, start } of entrants) {
        results[name] = { rounds: [] };
        await attempt(name, async () => { servers[name] = await start(); });
    }
    for (let round = 0; round < rounds; round++) {
        for (const { name } of entrants) {
            if (results[name].failed) continue;
            await attempt(name, async () => {
                results[name].rounds.push(...await runRound(scenario, servers[name], round, how));
            });
        }
    }
    for (const server of Object.values(servers)) await stop(server);
    return results;
}
