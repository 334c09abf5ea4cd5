import { shellWord } from '../../errors.js';
import { printable } from '../../pki/name.js';
import { greeted } from '../again.js';
import { CIPHER_SUITES, GROUPS, VERSIONS, nameOf } from '../codepoints.js';
import type { Facts, Finding, Rule } from '../facts.js';
import { describeAlert, describeFailure } from '../failure.js';
import type { Attempt } from '../handshake.js';
import { looksLikeHttp } from '../http.js';
import { TLS12 } from '../messages.js';
import { certificateFile, endpointOf, keyFile, listenersOn, nameAskedFor, probeCommand, servernameOf } from '../options.js';
import { looksLikeTls } from '../records.js';
import { STARTTLS_PROTOCOLS, type StarttlsProtocol } from '../starttls.js';

/** The attempt, when it got no ServerHello that it could go on from. */
const unanswered = ({ attempt }: Facts): Attempt | undefined => (attempt === undefined || greeted(attempt) ? undefined : attempt);

/** The server's alert in place of a ServerHello. */
function helloAlert(facts: Facts, ...codes: readonly number[]): string | undefined {
  const alert = unanswered(facts)?.transcript.alerts.find(({ from }) => from === 'server');
  const fits = alert !== undefined && (codes.length === 0 || codes.includes(alert.code ?? -1));
  return fits ? `the server answered the ClientHello with alert ${describeAlert(alert.code)}` : undefined;
}

/** What the server said that is no TLS, as text; '' when it said nothing, or TLS. */
function foreignWords(facts: Facts): string {
  const said = [unanswered(facts)?.serverSaid, facts.again.silent?.said].find((bytes) => bytes !== undefined && bytes.length > 0);
  return said === undefined || looksLikeTls(said) ? '' : said.toString('latin1');
}

/** Its first line, or the first octets of what is no text. `words` has a character an octet. */
function quote(words: string): string {
  const line = words.split(/\r?\n/, 1)[0]!;
  const isText = /^[\x20-\x7e]+$/.test(line);
  return isText ? `"${line.slice(0, 100)}"` : `${Buffer.from(words.slice(0, 16), 'latin1').toString('hex')} (hex)`;
}

/** How services that upgrade introduce themselves. */
const BANNERS: readonly { readonly banner: RegExp; readonly protocol: string }[] = [
  { banner: /^220[ -][^\r\n]*(?:smtp|mail|postfix|exim)/i, protocol: 'smtp' },
  { banner: /^220[ -][^\r\n]*ftp/i, protocol: 'ftp' },
  { banner: /^220[ -]/, protocol: 'smtp' },
  { banner: /^\* OK/i, protocol: 'imap' },
  { banner: /^\+OK/i, protocol: 'pop3' },
  { banner: /^[\s\S]{4}\x0a[5-9]\.[\x20-\x7e]+\0/, protocol: 'mysql' }, // eslint-disable-line no-control-regex -- its greeting is binary
];

function bannerOf(facts: Facts): { protocol: string; evidence: string } | undefined {
  const words = foreignWords(facts);
  const row = BANNERS.find(({ banner }) => banner.test(words));
  if (row !== undefined) return { protocol: row.protocol, evidence: `the server speaks first, in clear text: ${quote(words)}` };
  if (facts.again.postgres?.toString('latin1') !== 'S') return undefined;
  return { protocol: 'postgres', evidence: "the server grants PostgreSQL's SSLRequest and does not answer a ClientHello" };
}

/** What the wide attempt got that the first one did not offer. */
function foundWider(facts: Facts, what: 'version' | 'cipher' | 'group'): string | undefined {
  const { again, options } = facts;
  const hello = again.wide?.transcript.serverHello;
  if (unanswered(facts) === undefined || hello === undefined || !greeted(again.wide)) return undefined;
  const old = hello.version < TLS12 || outOfRange(hello.version, options);
  if (what === 'version') return old ? `with every version offered the server takes ${nameOf(VERSIONS, hello.version)}` : undefined;
  if (old) return undefined;
  const group = again.wide?.transcript.group;
  if (what === 'group')
    return options.groups !== undefined && group !== undefined
      ? `with every group offered the server takes ${nameOf(GROUPS, group)}`
      : undefined;
  return options.groups === undefined ? `with every suite offered the server takes ${nameOf(CIPHER_SUITES, hello.cipher)}` : undefined;
}

function outOfRange(version: number, { minVersion, maxVersion }: Facts['options']): boolean {
  const numberOf = (name: string): number => Number(Object.entries(VERSIONS).find(([, known]) => known === name)?.[0] ?? 0);
  return (minVersion !== undefined && version < numberOf(minVersion)) || (maxVersion !== undefined && version > numberOf(maxVersion));
}

const certainly = (...evidence: readonly (string | undefined)[]): Finding => ({
  confidence: 'certain',
  evidence: evidence.filter((line) => line !== undefined),
});

/** The first answer of the server, or its absence. The order is from what is proven to what is left. */
export const HELLO_RULES: readonly Rule[] = [
  {
    code: 'PLAINTEXT_HTTP',
    when: (facts) => {
      const words = foreignWords(facts);
      if (looksLikeHttp(words)) return certainly(`the server answered the ClientHello in clear-text HTTP: ${quote(words)}`);
      const { plainGet } = facts.again;
      if (unanswered(facts) === undefined || plainGet?.kind !== 'http') return undefined;
      return certainly(
        'the server does not answer a ClientHello',
        `it answers a clear-text GET: HTTP ${plainGet.status} ${printable(plainGet.reason)}`,
      );
    },
    fixes: ({ options }) => [`curl http://${endpointOf(options)}/`, 'probe the port that the server has for TLS, or turn TLS on there'],
  },
  {
    code: 'STARTTLS_REQUIRED',
    when: (facts) => {
      const banner = bannerOf(facts);
      return (
        banner && { ...certainly(banner.evidence), summary: `the service (${banner.protocol}) starts in clear text and upgrades to TLS` }
      );
    },
    fixes: (facts) => {
      const protocol = bannerOf(facts)?.protocol;
      const known = STARTTLS_PROTOCOLS.includes(protocol as StarttlsProtocol);
      return known ? [probeCommand(facts.options, '--starttls', protocol!)] : [`use the implicit-TLS port of ${protocol}`];
    },
  },
  {
    code: 'NOT_TLS',
    when: (facts) => {
      const refused = facts.attempt?.notUpgraded;
      if (refused !== undefined)
        return { ...certainly(`${facts.options.starttls}: ${refused}`), summary: 'the server does not upgrade to TLS' };
      const words = foreignWords(facts);
      return words === '' ? undefined : certainly(`the server's first bytes are no TLS record: ${quote(words)}`);
    },
    fixes: ({ options }) => [...listenersOn(options), `check what listens on ${endpointOf(options)}`],
  },
  {
    code: 'TLS_VERSION_MISMATCH',
    when: (facts) => {
      const alert = helloAlert(facts, 70);
      const wider = foundWider(facts, 'version');
      if (alert !== undefined || wider !== undefined) return certainly(alert ?? helloAlert(facts), wider);
      const ours = facts.attempt?.transcript.alerts.find(({ from, code }) => from === 'client' && code === 70);
      const version = facts.attempt?.transcript.serverHello?.version;
      return ours && version !== undefined
        ? certainly(`the server chose ${nameOf(VERSIONS, version)}, which the client refused with alert 70 protocol_version`)
        : undefined;
    },
    fixes: ({ options }) => ['allow TLS 1.2 or 1.3 on the server', probeCommand(options, '--tls-min', '1.0')],
  },
  {
    code: 'ALPN_MISMATCH',
    when: (facts) => {
      const alert = helloAlert(facts, 120);
      const asked = `offered: ${(facts.options.alpn ?? []).join(', ') || 'nothing'}`;
      if (alert !== undefined) return certainly(alert, asked);
      return unanswered(facts) && greeted(facts.again.withoutAlpn)
        ? certainly(helloAlert(facts), asked, 'without ALPN the server answers')
        : undefined;
    },
    fixes: ({ options }) => [probeCommand({ ...options, alpn: [] }), 'align the protocols of client and server'],
  },
  {
    code: 'SNI_REQUIRED',
    when: (facts) => {
      const alert = helloAlert(facts, 112);
      return alert !== undefined && servernameOf(facts.options) === '' ? certainly(alert, 'no server name was sent') : undefined;
    },
    fixes: () => ['send the name of the server with --servername'],
  },
  {
    code: 'SNI_UNRECOGNIZED',
    when: (facts) => {
      const asked = `server name sent: ${servernameOf(facts.options) || 'none'}`;
      const alert = helloAlert(facts, 112);
      if (alert !== undefined) return certainly(alert, asked);
      if (unanswered(facts) && greeted(facts.again.withoutServername))
        return certainly(helloAlert(facts), asked, 'without a server name the server answers');
      const { attempt } = facts;
      return attempt?.answer?.kind === 'http' && attempt.answer.status === 421
        ? { ...certainly('the server answered HTTP 421', asked), confidence: 'likely' }
        : undefined;
    },
    fixes: ({ options }) => [
      'send another name with --servername: one of those in its certificate',
      `mtls inspect ${shellWord(endpointOf(options))}`,
    ],
  },
  {
    code: 'PROXY_PROTOCOL_REQUIRED',
    when: (facts) =>
      unanswered(facts) && greeted(facts.again.withProxyHeader)
        ? certainly('the server does not answer a ClientHello', 'it does when a PROXY protocol header comes first')
        : undefined,
    fixes: () => ['go through the load balancer that sends the header, or turn the PROXY protocol off on this listener'],
  },
  {
    code: 'TLS_NO_SHARED_GROUP',
    when: (facts) => {
      const wider = foundWider(facts, 'group');
      return wider === undefined ? undefined : certainly(helloAlert(facts), wider, `offered: ${facts.options.groups}`);
    },
    fixes: ({ options }) => [probeCommand(options, '--groups', 'X25519:P-256:P-384')],
  },
  {
    code: 'TLS_NO_SHARED_CIPHER',
    when: (facts) => {
      const alert = helloAlert(facts, 71);
      if (alert !== undefined) return { ...certainly(alert), confidence: 'likely', alternatives: ['TLS_NO_SHARED_GROUP'] };
      const failure = helloAlert(facts, 40);
      const alternatives = ['TLS_HANDSHAKE_FAILED', 'TLS_NO_SHARED_GROUP', 'SNI_UNRECOGNIZED'] as const;
      return failure && facts.again.wide !== undefined && !greeted(facts.again.wide)
        ? { ...certainly(failure), confidence: 'possible', alternatives }
        : undefined;
    },
    fixes: () => ['give the server a suite of TLS 1.3, or an ECDHE suite with AES-GCM that fits its key type'],
  },
  {
    code: 'TLS_NO_ANSWER',
    when: (facts) => {
      const attempt = unanswered(facts);
      if (attempt === undefined || !attempt.timedOut || attempt.transcript.alerts.length > 0) return undefined;
      return { ...certainly(`no byte came back within ${Math.round(attempt.ms)} ms of the ClientHello`), alternatives: ['NOT_TLS'] };
    },
    fixes: ({ options }) => [`check that ${endpointOf(options)} is a TLS port, and that the server is not stuck`],
  },
  {
    code: 'TLS_CLOSED_ON_HELLO',
    when: (facts) => {
      const attempt = unanswered(facts);
      if (attempt === undefined || attempt.ending === undefined || attempt.transcript.alerts.some(({ from }) => from === 'server'))
        return undefined;
      const how = attempt.ending.how === 'reset' ? 'reset' : 'closed';
      const alternatives = facts.options.retries
        ? []
        : (['TCP_CLOSED', 'PLAINTEXT_HTTP', 'STARTTLS_REQUIRED', 'PROXY_PROTOCOL_REQUIRED'] as const);
      const confidence = facts.options.retries ? 'certain' : 'likely';
      return { confidence, evidence: [`the server ${how} the connection on the ClientHello, without an alert`], alternatives };
    },
    fixes: ({ options }) => {
      const name = nameAskedFor(options);
      return [
        `openssl s_client -connect ${endpointOf(options)}${'host' in name ? ` -servername ${name.host}` : ''}`,
        'look for a middlebox or a filter on the server name',
      ];
    },
  },
];

/** It failed, and no rule told why. */
export const FALLBACK_RULE: Rule = {
  code: 'TLS_HANDSHAKE_FAILED',
  when: ({ attempt }) => {
    if (attempt === undefined || attempt.secured) return undefined;
    const alternatives = greeted(attempt) ? [] : (['TLS_NO_SHARED_CIPHER', 'TLS_VERSION_MISMATCH', 'SNI_UNRECOGNIZED'] as const);
    return { confidence: 'possible', evidence: describeFailure(attempt), alternatives };
  },
  fixes: ({ options }) => {
    const identity =
      options.client === undefined ? '' : ` -cert ${shellWord(certificateFile(options))} -key ${shellWord(keyFile(options))}`;
    return [`openssl s_client -connect ${endpointOf(options)}${identity}`, "read the server's log"];
  },
};
