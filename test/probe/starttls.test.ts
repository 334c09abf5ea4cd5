import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { STARTTLS_PROTOCOLS, type StarttlsProtocol } from '../../src/probe/index.js';
import { certificatePem, keyPem } from '../support/material.js';
import { type Running, identity, probePort, serve, testPki } from './support.js';

const { ca, server, client } = testPki();

/** What a server says first, and its answer to each line; 'TLS' after an answer begins the handshake. */
interface Script {
  readonly greeting: string;
  readonly answers: readonly { readonly asked: RegExp; readonly answer: string; readonly thenTls?: true }[];
}

const SCRIPTS: Readonly<Record<StarttlsProtocol, Script>> = {
  smtp: {
    greeting: '220-mail.test\r\n220 ready\r\n',
    answers: [
      { asked: /^EHLO /, answer: '250-mail.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n' },
      { asked: /^STARTTLS/, answer: '220 go ahead\r\n', thenTls: true },
    ],
  },
  imap: { greeting: '* OK ready\r\n', answers: [{ asked: /^a1 STARTTLS/, answer: '* hm\r\na1 OK begin\r\n', thenTls: true }] },
  pop3: { greeting: '+OK ready\r\n', answers: [{ asked: /^STLS/, answer: '+OK begin\r\n', thenTls: true }] },
  postgres: { greeting: '', answers: [{ asked: /^\0\0\0\x08\x04\xd2\x16\x2f/, answer: 'S', thenTls: true }] },
};

function follow(script: Script, { dripping = false } = {}): Promise<Running> {
  return serve((socket) => {
    const say = (text: string): void => {
      if (!dripping) socket.write(text);
      else for (const character of text) socket.write(character);
    };
    if (script.greeting !== '') say(script.greeting);
    const onData = (bytes: Buffer): void => {
      const found = script.answers.find(({ asked }) => asked.test(bytes.toString('latin1')));
      if (found === undefined) return void socket.destroy();
      if (found.thenTls === true) socket.off('data', onData);
      say(found.answer);
      if (found.thenTls === true) beginTls(socket);
    };
    socket.on('data', onData);
  });
}

function beginTls(socket: Socket): void {
  const files = { cert: certificatePem(server.certificate), key: keyPem(server.key), ca: certificatePem(ca.certificate) };
  const tls = createServer(
    { ...files, requestCert: true, rejectUnauthorized: true },
    (secure) => void secure.on('error', () => {}).resume(),
  );
  tls.on('tlsClientError', () => {}).emit('connection', socket);
}

describe('a probe of a service that starts in clear text', () => {
  const ours = { authorities: [ca.certificate], client: identity(client), timeoutMs: 1_000 } as const;

  for (const protocol of STARTTLS_PROTOCOLS) {
    for (const dripping of [false, true]) {
      it(`upgrades with ${protocol}${dripping ? ', an octet at a time' : ''}`, async () => {
        const running = await follow(SCRIPTS[protocol], { dripping });
        const { diagnosis, handshake } = await probePort(running.port, { ...ours, starttls: protocol });
        await running.stop();
        assert.equal(diagnosis.code, 'OK', diagnosis.evidence.join('\n'));
        assert.equal(handshake.clientCertificate.sent, true);
      });
    }
  }

  const refusals: readonly [string, StarttlsProtocol, Script, RegExp][] = [
    [
      'does not offer it',
      'smtp',
      { greeting: '220 ready\r\n', answers: [{ asked: /^EHLO/, answer: '250 mail.test\r\n' }] },
      /the answer to EHLO/,
    ],
    ['refuses it', 'imap', { greeting: '* OK ready\r\n', answers: [{ asked: /^a1/, answer: 'a1 NO not today\r\n' }] }, /NO not today/],
    ['refuses it in one letter', 'postgres', { greeting: '', answers: [{ asked: /^\0/, answer: 'N' }] }, /was "N"/],
    ['says nothing', 'pop3', { greeting: '', answers: [] }, /no answer/],
    ['never ends its line', 'pop3', { greeting: '+OK '.repeat(10_000), answers: [] }, /no answer/],
  ];
  for (const [title, protocol, script, evidence] of refusals) {
    it(`says that the server ${title}`, async () => {
      const running = await follow(script);
      const { diagnosis, stages } = await probePort(running.port, { ...ours, starttls: protocol, timeoutMs: 300 });
      await running.stop();
      assert.deepEqual([diagnosis.code, diagnosis.confidence], ['NOT_TLS', 'certain']);
      assert.match(diagnosis.evidence.join('\n'), evidence);
      assert.equal(stages[2]!.status, 'failed');
    });
  }
});
