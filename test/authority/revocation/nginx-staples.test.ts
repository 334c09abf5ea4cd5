import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificatePem, keyPem, temporaryDirectory } from '../../support/material.js';
import { findProgram, needs } from '../../support/programs.js';
import { type Served, livePki, run, servedOcsp } from './support.js';

describe('nginx staples what our OCSP responder says', function () {
  this.timeout(30_000);
  const pki = livePki();
  const directory = temporaryDirectory();
  const ca = directory.file('ca.pem', certificatePem(pki.ca.certificate));
  let responder: Served;
  before(needs('nginx', 'openssl'));
  before(async () => void (responder = await servedOcsp(pki.answering)));
  after(() => responder?.stop());
  after(directory.remove);

  /** What openssl hears of an nginx with this certificate, asked until `isSo` or for some seconds. */
  const heardOf = async (name: 'good' | 'revoked', isSo: (text: string) => boolean): Promise<string> => {
    const { certificate, key } = pki[name];
    const files = [directory.file(`${name}.pem`, certificatePem(certificate)), directory.file(`${name}.key`, keyPem(key))];
    const port = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${directory.path}/${each};`);
    const tls = [
      `ssl_certificate ${files[0]}; ssl_certificate_key ${files[1]}; ssl_trusted_certificate ${ca};`,
      `ssl_stapling on; ssl_stapling_verify on; ssl_stapling_responder ${responder.url}/;`,
    ];
    const config = directory.file(
      `${name}.conf`,
      `daemon off; master_process off; pid ${directory.path}/${name}.pid; error_log stderr info; events {}
      http { ${temporary.join(' ')} access_log off; server { listen 127.0.0.1:${port} ssl; ${tls.join(' ')} location / { return 200; } } }`,
    );
    const nginx = spawn(findProgram('nginx')!, ['-c', config, '-p', directory.path], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    nginx.stderr.setEncoding('utf8').on('data', (part: string) => (log += part));
    try {
      let heard = '';
      for (let i = 0; i < 50 && !isSo(heard + log); i++) {
        await sleep(100);
        heard = await run('openssl', 's_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', ca, '-status');
      }
      return heard + log;
    } finally {
      nginx.kill('SIGKILL');
      await once(nginx, 'close');
    }
  };

  it('good, when it has checked it', async () => {
    const heard = await heardOf('good', (text) => text.includes('OCSP Response Status'));
    assert.match(heard, /OCSP Response Status: successful[^]*Cert Status: good/);
    assert.match(heard, /Verify return code: 0 \(ok\)/);
    assert.equal(responder.logged.at(-1)!.fields['method'], 'GET');
  });

  it('not revoked, which it does not pass on, but understands', async () => {
    const heard = await heardOf('revoked', (text) => text.includes('certificate status'));
    assert.match(heard, /certificate status "revoked" in the OCSP response/);
    assert.match(heard, /OCSP response: no response sent/);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
