/* Certificates for tests, made by openssl when they are needed: no key is ever kept. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KINDS = {
    ecdsa: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
};

/*
 * { cert, key } in PEM for a host (and 127.0.0.1), or an authority where `ca` is set; signed by
 * `issuer`, else by itself.
 */
export function certificate(name, { kind = 'ecdsa', days = 90, issuer, ca = false } = {}) {
    const dir = mkdtempSync(join(tmpdir(), 'moonwire-cert-'));
    const at = (file) => join(dir, file);
    const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
    try {
        writeFileSync(at('extensions'), ca ? 'basicConstraints=critical,CA:TRUE'
            : `basicConstraints=CA:FALSE\nsubjectAltName=DNS:${name},IP:127.0.0.1`);
        openssl('genpkey', ...KINDS[kind], '-out', 'key');
        openssl('req', '-new', '-key', 'key', '-subj', `/CN=${name}`, '-out', 'request');
        if (issuer) {
            writeFileSync(at('issuer'), issuer.cert);
            writeFileSync(at('issuer-key'), issuer.key);
        }
        const signer = issuer ? ['-CA', 'issuer', '-CAkey', 'issuer-key', '-CAcreateserial']
            : ['-signkey', 'key'];
        openssl('x509', '-req', '-in', 'request', ...signer, '-days', String(days), '-extfile',
            'extensions', '-out', 'cert');
        return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
    } finally {
        rmSync(dir, { recursive: true, force: true });
    }
}
