import { printable } from '../../pki/name.js';
import type { Facts, Rule } from '../facts.js';
import { closesOnSilence } from '../failure.js';
import { endpointOf, listenersOn, probeCommand } from '../options.js';

const failedBy = (facts: Facts, failure: string): readonly string[] | undefined => {
  const { connection } = facts;
  return connection !== undefined && 'failure' in connection && connection.failure === failure
    ? [`${connection.address} port ${facts.options.port}: ${connection.reason}`]
    : undefined;
};

/** Before a byte of TLS. */
export const NETWORK_RULES: readonly Rule[] = [
  {
    code: 'DNS_FAILED',
    when: ({ resolution, options }) =>
      'failure' in resolution ? { confidence: 'certain', evidence: [`${printable(options.host)}: ${resolution.failure}`] } : undefined,
    fixes: ({ options }) => [`getent hosts ${printable(options.host)}`],
  },
  {
    code: 'TCP_REFUSED',
    when: (facts) => {
      const evidence = failedBy(facts, 'refused');
      return evidence && { confidence: 'certain', evidence };
    },
    fixes: ({ options }) => [...listenersOn(options), `start the server, or find the port that it listens on`],
  },
  {
    code: 'TCP_TIMEOUT',
    when: (facts) => {
      const silent = failedBy(facts, 'timeout');
      if (silent !== undefined) return { confidence: 'certain', evidence: silent };
      const evidence = failedBy(facts, 'unreachable');
      return evidence && { confidence: 'likely', evidence };
    },
    fixes: ({ options }) => [`check firewalls and the route to ${options.host}`, probeCommand(options, '--timeout', '30s')],
  },
  {
    code: 'TCP_CLOSED',
    when: (facts) => {
      const reset = failedBy(facts, 'closed');
      if (reset !== undefined) return { confidence: 'certain', evidence: reset };
      if (!closesOnSilence(facts)) return undefined;
      return {
        confidence: 'certain',
        evidence: ['the server closed the connection without a byte', 'it does so as well when the client says nothing at all'],
      };
    },
    fixes: ({ options }) => [`check access lists, and whether a proxy on ${endpointOf(options)} has a backend that is up`],
  },
];
