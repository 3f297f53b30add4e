/* Certificates for tests, made by openssl when they are needed: no key is ever kept. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KINDS = {
    ecdsa: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
};

/* x509 -req knows no dates of the past; ca does, and wants to know where to write it down. */
const PAST_CONFIG = `[ca]
default_ca = one
[one]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = names
[names]
commonName = supplied
`;

/*
 * { cert, key } in PEM for a host (and 127.0.0.1), or an authority where `ca` is set; signed by
 * `issuer`, else by itself. `past`: valid in January of 2020 alone (of an issuer).
 * `usage`: what alone it is for, as clientAuth.
 */
export function certificate(name, options = {}) {
    const { kind = 'ecdsa', days = 90, issuer, ca = false, past = false, usage } = options;
    const dir = mkdtempSync(join(tmpdir(), 'moonwire-cert-'));
    const at = (file) => join(dir, file);
    const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
    try {
        writeFileSync(at('extensions'), ca ? 'basicConstraints=critical,CA:TRUE'
            : `basicConstraints=CA:FALSE\nsubjectAltName=DNS:${name},IP:127.0.0.1`
            + (usage ? `\nextendedKeyUsage=${usage}` : ''));
        openssl('genpkey', ...KINDS[kind], '-out', 'key');
        openssl('req', '-new', '-key', 'key', '-subj', `/CN=${name}`, '-out', 'request');
        if (issuer) {
            writeFileSync(at('issuer'), issuer.cert);
            writeFileSync(at('issuer-key'), issuer.key);
        }
        const signer = issuer ? ['-CA', 'issuer', '-CAkey', 'issuer-key', '-CAcreateserial']
            : ['-signkey', 'key'];
        if (past) {
            writeFileSync(at('config'), PAST_CONFIG);
            writeFileSync(at('index'), '');
            openssl('ca', '-batch', '-notext', '-config', 'config', '-rand_serial', '-in', 'request',
                '-out', 'cert', '-cert', 'issuer', '-keyfile', 'issuer-key', '-extfile',
                'extensions', '-startdate', '20200101000000Z', '-enddate', '20200201000000Z');
            return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
        }
        openssl('x509', '-req', '-in', 'request', ...signer, '-days', String(days), '-extfile',
            'extensions', '-out', 'cert');
        return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}
