import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssl } from '../pki/other-tools.js';
import { temporaryDirectory } from '../support/material.js';

const extensions = (name: string, more: string, aki = true): string =>
  `[${name}]\nbasicConstraints=critical,${more}\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n${aki ? 'authorityKeyIdentifier=keyid\n' : ''}`;

const CONFIG = [
  '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nO=Company\nCN=Company Root\n',
  extensions('root', 'CA:TRUE', false),
  extensions('below', 'CA:TRUE'),
  extensions('issuing', 'CA:TRUE,pathlen:0'),
  extensions('leafOnly', 'CA:FALSE'),
  '[noCrls]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
  extensions('narrow', 'CA:TRUE,pathlen:0'),
  '[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\ncrlnumber=crlnumber\ncrl_extensions=crlext\n',
  '[crlext]\nauthorityKeyIdentifier=keyid\n',
].join('');

/** The PKI of a company, made by OpenSSL: a root, a CA below it that signs what departments ask for, and a CRL of each. */
export function company() {
  const directory = temporaryDirectory();
  const at = (name: string): string => join(directory.path, name);
  const config = directory.file('ca.cnf', CONFIG.replaceAll('index.txt', at('index.txt')).replaceAll('=crlnumber', `=${at('crlnumber')}`));
  directory.file('index.txt', '');
  directory.file('crlnumber', '1000\n');
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl([
    'req',
    '-x509',
    ...ec,
    '-keyout',
    at('root.key'),
    '-out',
    at('root.crt'),
    '-days',
    '3650',
    '-config',
    config,
    '-extensions',
    'root',
  ]);

  /** Signs a request as `section` of the configuration says. */
  const sign = (csr: string, section = 'issuing', by = 'below', days = 900): string => {
    const out = at(`${section}-${by}-${days}.crt`);
    const ca = ['-CA', at(`${by}.crt`), '-CAkey', at(`${by}.key`)];
    openssl(['x509', '-req', '-in', csr, ...ca, '-days', String(days), '-extfile', config, '-extensions', section, '-out', out]);
    return out;
  };
  const subordinate = (name: string, section: string): void => {
    openssl(['req', '-new', ...ec, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/O=Company/CN=Company ${name}`]);
    copyFileSync(sign(at(`${name}.csr`), section, 'root', 2000), at(`${name}.crt`));
  };
  const crlOf = (name: string): string => {
    openssl(['ca', '-gencrl', '-config', config, '-cert', at(`${name}.crt`), '-keyfile', at(`${name}.key`), '-out', at(`${name}.crl`)]);
    return at(`${name}.crl`);
  };
  /** Revokes what `below` signed; its next CRL says so. */
  const revoke = (certificate: string): void =>
    void openssl(['ca', '-config', config, '-cert', at('below.crt'), '-keyfile', at('below.key'), '-revoke', certificate]);
  subordinate('below', 'below');
  subordinate('narrow', 'narrow');
  for (const name of ['root', 'below', 'narrow']) crlOf(name);
  const joined = (name: string, parts: readonly string[]): string => {
    writeFileSync(at(name), parts.map((part) => readFileSync(at(part), 'latin1')).join(''));
    return at(name);
  };
  const chain = joined('chain.pem', ['below.crt', 'root.crt']);
  const crls = joined('all.crl', ['below.crl', 'root.crl']);
  return { at, sign, crlOf, revoke, chain, crls, remove: directory.remove };
}
