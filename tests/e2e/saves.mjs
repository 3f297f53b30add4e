/*
 * The ways in which people and their tools save a file. `before` makes what has to be there before
 * the server starts, with `text` as the script; `save` puts `to` in the place of every `from` of it;
 * with `isHeld` the server stands still meanwhile.
 */
import { execFileSync } from 'node:child_process';
import {
    mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';

const vim = ['vim.tiny', 'vim'].find((name) => {
    try { return execFileSync('sh', ['-c', `command -v ${name}`]); } catch { return false; }
});

const edited = (path, from, to) => readFileSync(path, 'utf8').replaceAll(from, to);

/* Puts a link in the place of another in one step, as deployments do. */
function relink(project, link, target) {
    symlinkSync(target, project.path(`${link}.new`));
    renameSync(project.path(`${link}.new`), project.path(link));
}

const script = 'scripts/chat.lua';
let release = 1; /* each save by a link makes a new place to point to */
const plain = (project, text) => project.write(script, text);

function editByVim(project, ...commands) {
    const args = commands.flatMap((command) => ['-c', command]);
    execFileSync(vim, ['-u', 'NONE', '-N', '-es', ...args, project.path(script)]);
}

export const saves = {
    'written in place': {
        before: plain,
        isHeld: true, /* it is truncated first, and a busy machine may leave it so for long */
        save: (project, from, to) =>
            writeFileSync(project.path(script), edited(project.path(script), from, to)),
    },
    'written beside it and renamed': {
        before: plain,
        save: (project, from, to) => {
            project.write(`${script}.tmp`, edited(project.path(script), from, to));
            renameSync(project.path(`${script}.tmp`), project.path(script));
        },
    },
    'vim': {
        before: plain,
        save: (project, from, to) =>
            editByVim(project, `%s/${from}/${to}/g`, 'wq'),
    },
    'vim that keeps a backup and writes in place': {
        before: plain,
        save: (project, from, to) =>
            editByVim(project, 'set backup backupcopy=yes', `%s/${from}/${to}/g`, 'wq'),
    },
    'sed -i': {
        before: plain,
        save: (project, from, to) =>
            execFileSync('sed', ['-i', `s/${from}/${to}/g`, project.path(script)]),
    },
    'a link to another file': {
        before: (project, text) => {
            project.write('releases/1.lua', text);
            mkdirSync(project.path('scripts'), { recursive: true });
            symlinkSync('../releases/1.lua', project.path(script));
        },
        save: (project, from, to) => {
            project.write(`releases/${++release}.lua`, edited(project.path(script), from, to));
            relink(project, script, `../releases/${release}.lua`);
        },
    },
    'a link to another folder, as a mounted ConfigMap does it': {
        before: (project, text) => {
            project.write('scripts/..2026_01/chat.lua', text);
            symlinkSync('..2026_01', project.path('scripts/..data'));
            symlinkSync('..data/chat.lua', project.path(script));
        },
        save: (project, from, to) => {
            const old = realpathSync(project.path('scripts/..data'));
            const text = edited(project.path(script), from, to);
            project.write(`scripts/..2026_${++release}/chat.lua`, text);
            relink(project, 'scripts/..data', `..2026_${release}`);
            rmSync(old, { recursive: true });
        },
    },
    'the script folder is itself a link': {
        before: (project, text) => {
            project.write('releases/1/chat.lua', text);
            symlinkSync('releases/1', project.path('scripts'));
        },
        save: (project, from, to) => {
            project.write(`releases/${++release}/chat.lua`, edited(project.path(script), from, to));
            relink(project, 'scripts', `releases/${release}`);
        },
    },
    'three saves at once': {
        before: plain,
        isHeld: true, /* so that they are at once, however busy the machine is */
        save: (project, from, to) => {
            const text = readFileSync(project.path(script), 'utf8');
            writeFileSync(project.path(script), '');
            writeFileSync(project.path(script), text.slice(0, 20));
            writeFileSync(project.path(script), text.replaceAll(from, to));
        },
    },
};
