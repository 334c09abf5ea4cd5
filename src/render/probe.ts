import type { Diagnosis, HandshakeReport, ProbeReport, SentCertificate, Stage } from '../probe/index.js';
import { mark, style } from './style.js';

const MARKS: Readonly<Record<Stage['status'], string>> = { ok: mark.good, failed: mark.bad, warning: mark.warn, skipped: mark.none };

/** The stages as a ladder, what was said in the handshake, then the diagnosis. */
export function renderProbe({ endpoint, stages, handshake, diagnosis }: ProbeReport): string {
  return [style.strong(endpoint), ...stages.map(renderStage), ...renderHandshake(handshake), '', ...renderDiagnosis(diagnosis)].join('\n');
}

function renderStage({ name, status, ms, detail }: Stage): string {
  const time = status === 'skipped' ? '' : `${ms} ms`;
  return `  ${MARKS[status]} ${name.padEnd(18)} ${time.padStart(8)}  ${status === 'skipped' ? style.dim(detail) : detail}`.trimEnd();
}

function renderHandshake({ serverChain, certificateRequest, clientCertificate, alerts }: HandshakeReport): string[] {
  const chain = serverChain.map((sent, i) => `  ${(i === 0 ? 'server sent' : '').padEnd(14)} ${renderSent(sent)}`);
  const lines: string[] = [...chain];
  if (certificateRequest !== null) {
    const { authorities } = certificateRequest;
    lines.push(
      `  ${'it asked for'.padEnd(14)} a certificate ${authorities.length === 0 ? 'of any CA' : `of ${authorities.slice(0, 3).join(' or ')}`}`,
    );
    if (authorities.length > 3) lines.push(`  ${''.padEnd(14)} or ${authorities.length - 3} more`);
    const accepted = clientCertificate.issuerAccepted === false ? style.warn(', of none of these CAs') : '';
    lines.push(
      `  ${'you sent'.padEnd(14)} ${clientCertificate.sent ? `${clientCertificate.subject ?? 'a certificate'}${accepted}` : 'no certificate'}`,
    );
  }
  for (const { from, code, name } of alerts) {
    const what = code === null ? 'one that could not be opened' : `${name ?? 'unknown'} (${code})`;
    lines.push(`  ${'alert'.padEnd(14)} from the ${from}: ${what}`);
  }
  return lines.length === 0 ? [] : ['', ...lines];
}

const renderSent = (sent: SentCertificate): string =>
  'malformed' in sent
    ? style.bad(`a malformed certificate: ${sent.malformed}`)
    : `${sent.subject} ${style.dim(`${mark.from} ${sent.issuer}, until ${sent.notAfter.slice(0, 10)}`)}`;

function renderDiagnosis({ code, side, stage, confidence, summary, evidence, fixes, alternatives }: Diagnosis): string[] {
  if (code === 'OK') return [`${mark.good} ${style.strong(code)}  ${summary}`, ...evidence.map((fact) => `    ${style.dim(fact)}`)];
  const whose = side === 'none' ? '' : `, ${side === 'config' ? 'the two do not fit' : side}`;
  return [
    `${mark.bad} ${style.strong(code)}  ${summary}`,
    `  ${confidence}, at ${stage}${whose}`,
    ...evidence.map((fact) => `    ${style.dim(fact)}`),
    ...fixes.map((fix) => `  ${mark.hint} ${fix}`),
    ...(alternatives.length === 0 ? [] : [`  or else: ${alternatives.join(', ')}`]),
  ];
}
