import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { readFileBounded } from '../../base/files.js';
import { MtlsError } from '../../errors.js';
import type { Certificate } from '../../pki/certificate.js';
import { generateKey, publicKeyInfo, readPrivateKey } from '../../pki/key.js';
import { readCertificates } from '../../pki/material.js';
import { OID } from '../../pki/oids.js';
import { signCertificate } from '../../pki/sign.js';
import { askAhead, caId, casIn, openCa } from '../cas/cas.js';
import { BACKDATE } from '../issue/issue.js';
import { delegated } from '../cas/initialize.js';
import { appendLedger } from '../ledger/ledger.js';
import { type Watcher, withLock } from '../lock.js';
import { type Workspace, existingService } from '../workspace.js';
import { caFilesOf, rotationOf } from './state.js';

/** How a service shows itself to another one. */
interface Shown {
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly key: KeyObject;
}

/** A service as it shows itself, and as it would by the new root alone. */
export interface Witness {
  readonly own: Shown;
  readonly fresh: Shown;
}

const LIFE = 10 * 60_000;

/**
 * What a live service is asked with whether it trusts the new root: a client certificate of ten minutes by it, with the names of
 * a service of ours, without what the old root signed for it. It stands in the ledger as delegated. Throws ROTATION_STATE
 * where there is no new root, SERVICE_NOT_FOUND, and what is wrong with a key.
 */
export async function witnessOf(workspace: Workspace, service: string, clock: Clock, watcher: Watcher = {}): Promise<Witness> {
  const { paths } = workspace;
  const { certificate, key: keyPath } = existingService(workspace, service);
  const [leaf, ...rest] = readCertificates(certificate);
  const own: Shown = { chain: [leaf!, ...rest], key: readPrivateKey(readFileBounded(keyPath), keyPath) };
  const issuing = async (): Promise<Witness> => {
    const { current, next, old } = rotationOf(paths.authority);
    if (next === undefined && old === undefined)
      throw new MtlsError('ROTATION_STATE', { step: 'looking at what runs', state: 'steady', roots: [paths.root.certificate] });
    const cas = casIn(caFilesOf(paths.authority, next ?? current));
    await askAhead(workspace, cas.slice(-1));
    const issuer = await openCa(cas.at(-1)!, workspace.passphrase);
    const now = clock();
    const key = generateKey('ecdsa-p256');
    const { dns, ip, uri } = leaf!.subjectAltName;
    const fresh = signCertificate(
      {
        subject: leaf!.subject,
        publicKey: publicKeyInfo(key),
        notBefore: new Date(Math.max(now.getTime() - BACKDATE, issuer.certificate.notBefore)),
        notAfter: new Date(now.getTime() + LIFE),
        ...{ keyUsage: ['digitalSignature'], extendedKeyUsage: [OID.clientAuth], names: { dns, ip, uri } },
      },
      issuer,
    );
    appendLedger(paths.ledger, [delegated(fresh, caId(issuer.certificate), now)]);
    return { own, fresh: { chain: [fresh, ...cas.slice(1).map((ca) => ca.certificate)], key } };
  };
  return withLock(paths.lock, issuing, watcher);
}
