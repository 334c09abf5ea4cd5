import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.js';
import { parseDuration } from '../base/duration.js';
import { BaseCommand } from '../cli/base-command.js';
import { listFlag, workspaceFlag } from '../cli/flags.js';
import { given } from '../base/given.js';
import { interruption } from '../cli/interruption.js';
import { lineWriter } from '../cli/output.js';
import { passphraseFlags } from '../cli/passphrase.js';
import { sidecarOf } from '../cli/sidecar.js';
import { parseEndpoint, startProxy } from '../proxy/index.js';
import { renderAudit, renderListening, renderLog } from '../render/proxy.js';

export default class Proxy extends BaseCommand {
  static override readonly summary = 'put mutual TLS before a service, or before its caller';
  static override readonly description =
    'One end is mutual TLS (mtls:// for HTTP, mtls+tcp:// for bytes), the other is plain (http://, tcp://) and on this machine. Every connection is judged: chain, dates, revocation, then who it is; each decision is a line on stdout. Certificates and the CRL are read again when their files change. SIGTERM lets what is under way finish.';
  static override readonly examples = [
    {
      description: 'before a service: only web may call it',
      command: '<%= config.bin %> proxy --as api --listen mtls://127.0.0.1:8443 --upstream http://127.0.0.1:3000 --allow web',
    },
    {
      description: 'before its caller, who talks plain HTTP to port 9001',
      command: '<%= config.bin %> proxy --as web --listen http://127.0.0.1:9001 --upstream mtls://127.0.0.1:8443 --expect api',
    },
    {
      description: 'a database',
      command: '<%= config.bin %> proxy --as db --listen mtls+tcp://127.0.0.1:6432 --upstream tcp://127.0.0.1:5432 --allow api',
    },
    {
      description: 'with files, and anybody of one namespace',
      command:
        "<%= config.bin %> proxy --cert tls.crt --key tls.key --ca ca.crt --listen mtls://127.0.0.1:8443 --upstream http://127.0.0.1:3000 --allow 'spiffe://shop.test/ns/default/sa/*'",
    },
  ];
  static override readonly flags = {
    workspace: workspaceFlag,
    as: Flags.string({ summary: 'be this service of the workspace', helpValue: 'SERVICE' }),
    cert: Flags.string({ summary: 'own certificate, with its chain', helpValue: 'FILE' }),
    key: Flags.string({ summary: 'its private key', helpValue: 'FILE' }),
    ...passphraseFlags,
    ca: Flags.string({ summary: 'trusted certificates', helpValue: 'FILE' }),
    crl: Flags.string({ summary: 'certificate revocation lists [default with --as: of the workspace]', helpValue: 'FILE' }),
    staple: Flags.string({
      summary: 'OCSP response to staple, in DER [default: asked of the responder that the certificate names]',
      helpValue: 'FILE',
    }),
    listen: Flags.string({ summary: 'where to listen', helpValue: 'URL', required: true }),
    upstream: Flags.string({ summary: 'where to pass it on', helpValue: 'URL', required: true }),
    allow: listFlag('who may connect: a service, NAMESPACE/SERVICE, a SPIFFE ID (* is any segment) or dns:NAME', 'PEER'),
    'allow-any': Flags.boolean({ summary: 'every certificate of this CA may connect', exclusive: ['allow'] }),
    expect: listFlag('who the upstream must be, in the same words', 'PEER'),
    'unsafe-plaintext': Flags.boolean({ summary: 'the plain end may leave this machine' }),
    drain: Flags.string({ summary: 'how long what is under way may take after SIGTERM', default: '10s' }),
  };

  protected override async execute(): Promise<undefined> {
    const { flags } = await this.parse(Proxy);
    const json = flags.json;
    const out = lineWriter('stdout');
    const talk = json ? out : lineWriter('stderr');
    const log =
      (level: 'info' | 'warn') =>
      (event: string, fields = {}) => {
        const line = { time: systemClock().toISOString(), event, level, ...fields };
        talk(json ? JSON.stringify(line) : renderLog(line));
      };
    const proxy = await startProxy({
      ...(await sidecarOf(flags)),
      ...given({ unsafePlaintext: flags['unsafe-plaintext'], staple: flags.staple }),
      listen: parseEndpoint(flags.listen, '--listen'),
      upstream: parseEndpoint(flags.upstream, '--upstream'),
      clock: systemClock,
      log: { info: log('info'), warn: log('warn') },
      audit: (line) => out(json ? JSON.stringify(line) : renderAudit(line)),
      drainMs: parseDuration(flags.drain, '--drain'),
    });
    const listening = { time: systemClock().toISOString(), event: 'listening', url: proxy.url, upstream: flags.upstream };
    talk(json ? JSON.stringify(listening) : renderListening(listening));
    const { signal } = interruption;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    log('info')('draining');
    await proxy.stop();
    return undefined;
  }
}
