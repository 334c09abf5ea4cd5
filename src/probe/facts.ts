import type { Again } from './again.js';
import type { Connection, Resolution } from './connect.js';
import type { DiagnosisCode } from './diagnoses.js';
import type { ClientExamination } from './examine-client.js';
import type { ServerExamination } from './examine-server.js';
import type { Attempt } from './handshake.js';
import type { ProbeOptions } from './options.js';
import type { Refusal } from './refusal.js';
import type { Confidence, StageName } from './report.js';

/** Everything that is known when the diagnosis is made. What is undefined did not come about. */
export interface Facts {
  readonly options: ProbeOptions;
  readonly now: Date;
  readonly resolution: Resolution;
  readonly connection: Connection | undefined;
  readonly attempt: Attempt | undefined;
  readonly server: ServerExamination | undefined;
  readonly client: ClientExamination | undefined;
  /** The server's no, in the first attempt or, when that ended before a request, in the same with one. */
  readonly refusal: Refusal | undefined;
  readonly again: Again;
}

/** What a rule says when it applies. */
export interface Finding {
  readonly confidence: Confidence;
  readonly evidence: readonly string[];
  readonly alternatives?: readonly DiagnosisCode[];
  /** Only where it is not the one of the table. */
  readonly stage?: StageName;
  /** What is more exact than the meaning in the table. */
  readonly summary?: string;
}

/** One cause: when it applies, and what mends it. Side, stage and meaning are in DIAGNOSES. */
export interface Rule {
  readonly code: DiagnosisCode;
  readonly when: (facts: Facts) => Finding | undefined;
  readonly fixes: (facts: Facts) => readonly string[];
}
