import assert from 'node:assert/strict';
import { OID } from '../../src/pki/oids.js';
import type { Confidence, DiagnosisCode, ProbeOptions } from '../../src/probe/index.js';
import { certificatePem, keyPem, temporaryDirectory, testCa, testCrl, testLeaf } from '../support/material.js';
import { findProgram, needs } from '../support/programs.js';
import { type Running, freePort, identity, probePort, startProgram, testPki } from './support.js';

const HOUR = 3_600_000;
const { ca, server, client } = testPki();
const expired = testLeaf(ca, { name: 'web', notBefore: new Date(Date.now() - 48 * HOUR), notAfter: new Date(Date.now() - 24 * HOUR) });
const untrusted = testLeaf(testCa({ name: 'stranger' }), { name: 'web' });
const namesake = testLeaf(testCa({ name: 'test root' }), { name: 'web' });
const serverOnly = testLeaf(ca, { name: 'web', extendedKeyUsage: [OID.serverAuth] });

/** Where a server finds its files. */
interface Files {
  readonly directory: string;
  readonly file: (name: string, data: string) => string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

type Expected = readonly [DiagnosisCode, Confidence, alert?: number];

/** What each certificate must come to (and the first fatal alert, where there is one), on a server that requires a good one. */
interface Stack {
  readonly title: string;
  readonly program: string;
  readonly args: (files: Files, port: number) => readonly string[];
  readonly none: Expected;
  readonly expired: Expected;
  readonly untrusted: Expected;
  readonly namesake: Expected;
  /** undefined: let in, as GnuTLS does. */
  readonly serverOnly: Expected | undefined;
}

const sServer =
  (...more: readonly string[]) =>
  (files: Files, port: number): readonly string[] => [
    's_server',
    '-accept',
    String(port),
    '-cert',
    files.certificate,
    '-key',
    files.key,
    '-CAfile',
    files.ca,
    '-quiet',
    ...more,
  ];
const REQUIRE = ['-Verify', '3', '-verify_return_error'] as const;

const haproxy =
  (bind: string, rules = 'http-request return status 200') =>
  (files: Files, port: number) => {
    const defaults = 'defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n';
    const frontend = `frontend f\n bind 127.0.0.1:${port} ssl crt ${files.both} ca-file ${files.ca} ${bind}\n ${rules}\n`;
    return ['-db', '-f', files.file('haproxy.cfg', defaults + frontend)];
  };

const nginx = (verify: string) => (files: Files, port: number) => {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${files.directory};`).join(' ');
  const tls = `ssl_certificate ${files.certificate}; ssl_certificate_key ${files.key}; ssl_client_certificate ${files.ca}; ssl_verify_client ${verify};`;
  const serverBlock = `server { listen 127.0.0.1:${port} ssl; ${tls} location / { return 200 ok; } location /secret { return 403; } }`;
  const text = `daemon off; master_process off; pid ${files.directory}/nginx.pid; error_log stderr; events {} http { access_log off; ${paths} ${serverBlock} }`;
  return ['-p', files.directory, '-c', files.file('nginx.conf', text)];
};

const gnutls = (priority: string) => (files: Files, port: number) => [
  ...['-q', '--http', '-p', String(port), '--priority', priority, '--require-client-cert', '--verify-client-cert'],
  ...['--x509certfile', files.certificate, '--x509keyfile', files.key, '--x509cafile', files.ca],
];

/** Nothing listens where it forwards to: it takes a good client and then drops it. */
const stunnel = (files: Files, port: number): readonly string[] => {
  const service = `accept = 127.0.0.1:${port}\nconnect = 127.0.0.1:1\ncert = ${files.certificate}\nkey = ${files.key}\nCAfile = ${files.ca}\n`;
  return [files.file('stunnel.conf', `foreground = yes\npid =\n[s]\n${service}verifyChain = yes\nrequireCert = yes\n`)];
};

const OPENSSL = {
  expired: ['CLIENT_CERT_EXPIRED', 'certain', 45],
  untrusted: ['CLIENT_CERT_UNTRUSTED', 'likely', 48],
  namesake: ['CLIENT_CA_KEY_MISMATCH', 'certain', 48],
  serverOnly: ['CLIENT_CERT_WRONG_EKU', 'certain', 43],
} as const;
const GNUTLS = {
  expired: ['CLIENT_CERT_EXPIRED', 'likely', 49],
  untrusted: ['CLIENT_CERT_UNTRUSTED', 'likely', 49],
  namesake: ['CLIENT_CA_KEY_MISMATCH', 'likely', 49],
  serverOnly: undefined,
} as const;
const NGINX = {
  none: ['CLIENT_CERT_REQUIRED', 'certain'],
  expired: ['CLIENT_CERT_EXPIRED', 'likely'],
  untrusted: ['CLIENT_CERT_UNTRUSTED', 'likely'],
  namesake: ['CLIENT_CA_KEY_MISMATCH', 'likely'],
  serverOnly: ['CLIENT_CERT_WRONG_EKU', 'likely'],
} as const;

const STACKS: readonly Stack[] = [
  {
    title: 'openssl s_server, TLS 1.3',
    program: 'openssl',
    args: sServer('-tls1_3', ...REQUIRE),
    none: ['CLIENT_CERT_REQUIRED', 'certain', 116],
    ...OPENSSL,
  },
  {
    title: 'openssl s_server, TLS 1.2',
    program: 'openssl',
    args: sServer('-tls1_2', ...REQUIRE),
    none: ['CLIENT_CERT_REQUIRED', 'certain', 40],
    ...OPENSSL,
  },
  { title: 'HAProxy', program: 'haproxy', args: haproxy('verify required'), none: ['CLIENT_CERT_REQUIRED', 'certain', 116], ...OPENSSL },
  { title: 'GnuTLS, TLS 1.3', program: 'gnutls-serv', args: gnutls('NORMAL'), none: ['CLIENT_CERT_REQUIRED', 'certain', 116], ...GNUTLS },
  {
    title: 'GnuTLS, TLS 1.2',
    program: 'gnutls-serv',
    args: gnutls('NORMAL:-VERS-TLS1.3'),
    none: ['CLIENT_CERT_REQUIRED', 'likely', 50],
    ...GNUTLS,
  },
  { title: 'nginx', program: 'nginx', args: nginx('on'), ...NGINX },
];

/** Runs tests against a server program. */
function withServer(
  title: string,
  program: string,
  args: Stack['args'],
  tests: (probe: (options?: Partial<ProbeOptions>) => ReturnType<typeof probePort>) => void,
): void {
  describe(title, () => {
    const directory = temporaryDirectory();
    let running: Running | undefined;
    before(needs(program));
    before(async () => {
      const files: Files = {
        directory: directory.path,
        file: directory.file,
        ca: directory.file('ca.pem', certificatePem(ca.certificate)),
        certificate: directory.file('cert.pem', certificatePem(server.certificate)),
        key: directory.file('key.pem', keyPem(server.key)),
        both: directory.file('both.pem', certificatePem(server.certificate) + keyPem(server.key)),
      };
      const port = await freePort();
      running = await startProgram(findProgram(program)!, args(files, port), port);
    });
    after(async () => {
      await running?.stop();
      directory.remove();
    });
    tests((options = {}) => probePort(running!.port, { authorities: [ca.certificate], ...options }));
  });
}

describe('a probe of servers that others wrote', () => {
  for (const stack of STACKS) {
    withServer(stack.title, stack.program, stack.args, (probe) => {
      it('finds all well, and proves it', async () => {
        const { diagnosis, stages } = await probe({ client: identity(client) });
        assert.deepEqual([diagnosis.code, diagnosis.confidence, diagnosis.alternatives], ['OK', 'certain', []]);
        assert.deepEqual(
          stages.map(({ status }) => status),
          ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'skipped'],
        );
      });

      const refusals = [
        ['no certificate', undefined, stack.none],
        ['an expired one', expired, stack.expired],
        ['one of another CA', untrusted, stack.untrusted],
        ['one of a CA of the same name', namesake, stack.namesake],
        ['one for servers only', serverOnly, stack.serverOnly],
      ] as const;
      for (const [title, leaf, expected] of refusals) {
        it(`says what becomes of ${title}`, async () => {
          const { diagnosis, handshake } = await probe(leaf === undefined ? {} : { client: identity(leaf) });
          const [code, confidence, alert] = expected ?? (['OK', 'certain'] as const);
          assert.deepEqual([diagnosis.code, diagnosis.confidence], [code, confidence], diagnosis.evidence.join('\n'));
          assert.equal(handshake.alerts.find(({ level }) => level === 'fatal')?.code, alert);
          assert.equal(handshake.clientCertificate.sent, leaf !== undefined);
        });
      }
    });
  }

  withServer(
    'openssl s_server that checks a CRL which has the client',
    'openssl',
    (files, port) => {
      const crl = files.file('crl.pem', testCrl(ca, [client.certificate.serial]));
      return sServer(...REQUIRE, '-crl_check', '-CRL', crl)(files, port);
    },
    (probe) => {
      it('is believed: alert 44 has one meaning', async () => {
        const { diagnosis } = await probe({ client: identity(client) });
        assert.deepEqual([diagnosis.code, diagnosis.confidence], ['CLIENT_CERT_REVOKED', 'certain']);
      });
    },
  );

  withServer(
    'openssl s_server whose CRL is out of date',
    'openssl',
    (files, port) => {
      const crl = files.file('crl.pem', testCrl(ca, [], new Date(Date.now() - HOUR)));
      return sServer(...REQUIRE, '-crl_check', '-CRL', crl)(files, port);
    },
    (probe) => {
      it('is told by alert 45 to a client in date, and the clock is not ruled out', async () => {
        const { diagnosis } = await probe({ client: identity(client) });
        assert.deepEqual([diagnosis.code, diagnosis.confidence], ['SERVER_CRL_EXPIRED', 'possible']);
        assert.ok(diagnosis.alternatives.includes('SERVER_CLOCK_SKEW'));
      });
    },
  );

  withServer('openssl s_server that takes any certificate', 'openssl', sServer('-Verify', '3'), (probe) => {
    it('is found out with a self-made one', async () => {
      const { diagnosis } = await probe({ client: identity(client) });
      assert.deepEqual([diagnosis.code, diagnosis.alternatives], ['MTLS_ANY_CERT_ACCEPTED', ['OK']]);
    });
  });

  withServer('HAProxy that wants a PROXY header', 'haproxy', haproxy('accept-proxy verify required'), (probe) => {
    it('is found out with one', async () =>
      assert.equal((await probe({ client: identity(client) })).diagnosis.code, 'PROXY_PROTOCOL_REQUIRED'));
  });

  withServer('HAProxy with strict-sni', 'haproxy', haproxy('strict-sni verify required'), (probe) => {
    it('does not know the name', async () => assert.equal((await probe({ servername: 'shop.test' })).diagnosis.code, 'SNI_UNRECOGNIZED'));
    it('wants a name', async () => assert.equal((await probe({ servername: '' })).diagnosis.code, 'SNI_REQUIRED'));
  });

  withServer('HAProxy with optional verification', 'haproxy', haproxy('verify optional'), (probe) => {
    it('lets one without a certificate in', async () => {
      const { diagnosis } = await probe({ client: identity(client) });
      assert.deepEqual([diagnosis.code, diagnosis.confidence], ['MTLS_OPTIONAL', 'certain']);
    });
  });

  withServer('nginx with optional verification', 'nginx', nginx('optional'), (probe) => {
    it('lets one without a certificate in', async () =>
      assert.equal((await probe({ client: identity(client) })).diagnosis.code, 'MTLS_OPTIONAL'));
  });

  withServer('nginx without verification', 'nginx', nginx('off'), (probe) => {
    it('asks for none', async () => assert.equal((await probe({ client: identity(client) })).diagnosis.code, 'MTLS_NOT_REQUESTED'));
  });

  withServer('nginx with a path that is not for everybody', 'nginx', nginx('on'), (probe) => {
    it('denies it behind a good handshake', async () => {
      const { diagnosis } = await probe({ client: identity(client), httpPath: '/secret' });
      assert.deepEqual([diagnosis.code, diagnosis.stage], ['CLIENT_NOT_AUTHORIZED', 'application']);
    });
    it('refuses an expired certificate in HTTP', async () => {
      const { diagnosis } = await probe({ client: identity(expired), httpPath: '/' });
      assert.equal(diagnosis.code, 'CLIENT_CERT_EXPIRED');
      assert.match(diagnosis.evidence.join('\n'), /HTTP 400 "The SSL certificate error"/);
    });
  });

  withServer('stunnel without a backend', 'stunnel', stunnel, (probe) => {
    it('is told from one that minds the certificate', async () => {
      const { diagnosis } = await probe({ client: identity(client) });
      assert.deepEqual(
        [diagnosis.code, diagnosis.confidence, diagnosis.alternatives],
        ['CLIENT_NOT_AUTHORIZED', 'possible', ['CLIENT_CERT_REJECTED']],
      );
    });
    it('says that it minds an expired one', async () =>
      assert.equal((await probe({ client: identity(expired) })).diagnosis.code, 'CLIENT_CERT_EXPIRED'));
  });
});
